"""The search for exact and near duplicates."""
