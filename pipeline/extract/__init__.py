"""Turns raw files into documents, signals and signatures."""
