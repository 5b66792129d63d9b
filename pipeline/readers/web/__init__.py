"""HTTP responses and HTML pages to text."""
