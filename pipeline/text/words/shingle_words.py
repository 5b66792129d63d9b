"""The words of documents as shingles have them, apart from the walk over all signals.

In: UTF-8 bytes of one document. Out: the hashes of its words, in their order: those from which its signature was made
(`dedup.signatures`).
"""

from __future__ import annotations

import numpy as np

from kernels.arrays import Bytes, Integer, Uint16s, Uint64s
from kernels.compiled import kernel
from pipeline.text.words.point_classes import point_classes
from pipeline.text.words.runs import hash_shingle_words


def word_hashes(data: Bytes, start: int, end: int) -> Uint64s:
    """The hashes of the words of `data[start:end]`, uint64[n]; `data` is valid UTF-8."""
    out = np.empty(end - start, np.uint64)
    return out[: _word_hashes(data, start, end, point_classes(), out)].copy()


@kernel
def _word_hashes(data: Bytes, start: Integer, end: Integer, points: Uint16s, out: Uint64s) -> Integer:
    return hash_shingle_words(data, start, end, points, out, 0)
