"""Bytes of documents to numbers: no file, no Beam."""
