"""How factual a text reads: a linear model on hashed word n-grams, scored and trained."""
