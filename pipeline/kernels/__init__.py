"""Kernels over the bytes of documents: words, lines, n-grams, signals. Arrow buffers in, arrays out; no file, no Beam."""
