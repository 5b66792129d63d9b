"""Kept documents to token shards."""
