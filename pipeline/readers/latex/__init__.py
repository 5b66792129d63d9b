"""LaTeX sources of papers."""
