"""Turns kept documents into token shards."""
