"""Names of the steps' folders below the output folder of `gristmill prep`."""

EXTRACT = "extract"
DECIDE = "decide"
TOKENIZER = "tokenizer"
SHARDS = "shards"
# What `gristmill extract --sample` leaves, apart from the run itself.
SAMPLE = "sample"
