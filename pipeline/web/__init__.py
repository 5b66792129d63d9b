"""From HTTP responses to text: transfer and character encodings, HTML extractors."""
