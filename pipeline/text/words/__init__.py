"""Signals of words and lines, as compiled kernels."""
