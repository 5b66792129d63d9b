"""Training the factual model: labelled documents from raw files, and the model and its report from them."""
