"""JSON Lines, Parquet and Arrow."""
