"""How much text of a part stays, without reading it.

In: reasons, removed lines, and the numbers of characters and words that extract counted. Out: bytes of text. They are
what tokenize cuts its tasks by, so that a source of which little is kept does not give little shards; an estimate is
enough, but it must be the same for any workers.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from kernels.arrays import Bools, Int64s
from pipeline.filters.line_rules import line_values
from pipeline.filters.reasons import Reasons
from pipeline.text.words.line import WORDS_MASK


def kept_text_bytes(signals: pa.Table, reasons: Reasons, removed: Bools | None, *, text_bytes: int) -> int:
    """Bytes of text of the kept documents, less those of removed lines.

    The part's bytes are shared out by characters, a document's by the words of its lines.

    Args:
        signals: the columns `characters` and, if lines are removed, `lines_packed`.
        reasons: uint8[documents], 0 for kept.
        removed: bool[lines]; None if no filter looks at lines.
        text_bytes: of all documents of the part.
    """
    characters = signals["characters"].to_numpy().astype(np.int64)
    kept = np.where(reasons == 0, characters, 0)
    if removed is not None:
        values, offsets = line_values(signals)
        words = (values & WORDS_MASK).astype(np.int64)
        every, left = _sums(words, offsets), _sums(np.where(removed, 0, words), offsets)
        kept = kept * left // np.maximum(every, 1)
    return int(kept.sum()) * text_bytes // max(1, int(characters.sum()))


def _sums(values: Int64s, offsets: Int64s) -> Int64s:
    """Sum of each document's values."""
    ends = np.concatenate([np.zeros(1, np.int64), np.cumsum(values)])
    sums: Int64s = ends[offsets[1:]] - ends[offsets[:-1]]
    return sums
