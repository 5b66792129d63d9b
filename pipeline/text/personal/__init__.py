"""Personal information: the spans of each kind that documents hold, how many, and texts without them.

The public names; each module here says itself what it does.
"""

from pipeline.text.personal.masking import TOKENS, mask
from pipeline.text.personal.spans import KINDS, Spans, count_spans, counts, find_spans, search

__all__ = ["KINDS", "TOKENS", "Spans", "count_spans", "counts", "find_spans", "mask", "search"]
