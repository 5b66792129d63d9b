"""Writes kept documents in the formats of others."""
