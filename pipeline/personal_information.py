"""Personal information: the spans of each kind that documents hold, how many, and texts without them.

The public names of `pipeline.personal`, whose modules say what each does.
"""

from pipeline.personal.masking import TOKENS, mask
from pipeline.personal.spans import KINDS, Spans, count_spans, counts, find_spans, search

__all__ = ["KINDS", "TOKENS", "Spans", "count_spans", "counts", "find_spans", "mask", "search"]
