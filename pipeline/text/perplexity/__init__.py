"""The perplexity of a text."""
