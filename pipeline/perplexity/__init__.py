"""Perplexity by an n-gram model: the model's file, its arrays, the score of documents."""
