"""Decides which documents are kept, and why the others are dropped."""
