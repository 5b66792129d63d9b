"""The exact similarity of two texts: of their sets of shingles.

In: the hashes of a document's words, in their order (`dedup.signatures`). Out: the sorted set of the 64-bit hashes of
its shingles; and how many hashes two such sets have in common. Two different shingles of a pair share a hash with a
probability of 1e-7 for two texts of a million words.
"""

from __future__ import annotations

import numpy as np

from kernels.arrays import Int64s, Integer, Uint64s
from kernels.compiled import kernel
from kernels.hashing import SECOND_MULTIPLIER
from manifests.corpus import SimilarityMeasure

U64 = np.uint64


@kernel
def _shingle_hashes(words: Uint64s, ngram: Integer, out: Uint64s) -> None:
    size = min(ngram, len(words))
    for start in range(len(out)):
        h = U64(0)
        for index in range(start, start + size):
            h = (h ^ words[index]) * SECOND_MULTIPLIER
            h ^= h >> U64(32)
        out[start] = h


def shingle_set(words: Uint64s, *, ngram: int) -> Uint64s:
    """The different shingles of a document as hashes, uint64[n], ascending; fewer than `ngram` words are one shingle.

    Args:
        words: uint64[m], hashes of words.
    """
    if not len(words):
        return np.empty(0, np.uint64)
    out = np.empty(len(words) - min(ngram, len(words)) + 1, np.uint64)
    _shingle_hashes(words, ngram, out)
    return np.unique(out)


@kernel
def common(one: Uint64s, other: Uint64s) -> int:
    """How many values two ascending arrays without repeats have in common."""
    count = left = right = 0
    while left < len(one) and right < len(other):
        if one[left] == other[right]:
            count += 1
            left += 1
            right += 1
        elif one[left] < other[right]:
            left += 1
        else:
            right += 1
    return count


@kernel
def commons(values: Uint64s, starts: Int64s, ones: Int64s, others: Int64s, out: Int64s) -> None:
    """How many values pairs of sets have in common: int64[p] into `out`.

    Args:
        values: sets after each other, each ascending without repeats.
        starts: int64[n + 1], where each set begins.
        ones, others: int64[p], numbers of sets.
    """
    for index in range(len(ones)):
        one, other = ones[index], others[index]
        out[index] = common(values[starts[one] : starts[one + 1]], values[starts[other] : starts[other + 1]])


def similarity(shared: Int64s, kept: Int64s, gone: Int64s, *, measure: SimilarityMeasure) -> np.ndarray:
    """The similarity of pairs of sets from their sizes: float64[p].

    Jaccard similarity is the share of what either holds that both hold; containment, the share of the document that may
    go that the other one holds (Broder 1997, "On the resemblance and containment of documents").

    Args:
        shared, kept, gone: int64[p], common values, and the sizes of the set of the document that may stay and of that
            which may go.
    """
    under = gone if measure == "containment" else kept + gone - shared
    return shared / np.maximum(under, 1)
