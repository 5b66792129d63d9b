"""The substrings step: cuts repeated runs of tokens out of shards; `pipeline.substrings.step` says how."""
