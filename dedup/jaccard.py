"""The exact similarity of two texts: of their sets of shingles.

In: texts. Out: the sorted set of the 64-bit hashes of each one's shingles (`dedup.signatures`); and how many hashes two
such sets have in common. Two different shingles of a pair share a hash with a
probability of 1e-7 for two texts of a million words.
"""

from __future__ import annotations

import numpy as np

from dedup.shingle_text import write_characters
from dedup.signatures import whole_shingle_hash
from dedup.signing import hash_units
from dedup.word_hashes import hash_words
from kernels.arrays import Bytes, Int64s, Integer, Uint64s
from kernels.characters import classes
from kernels.compiled import kernel
from manifests.minhash import SimilarityMeasure, Unit


def shingle_sets(
    data: Bytes, offsets: Int64s, *, unit: Unit, ngram: int, chosen: Int64s | None = None
) -> tuple[Uint64s, Int64s]:
    """The different shingles of n documents as hashes, and where each document's begin.

    Args:
        data: valid UTF-8.
        offsets: int64[m + 1] into `data`, where each of m documents begins.
        chosen: int64[n], numbers of the documents that are wanted; None: all.
        unit, ngram: as in `dedup.signatures` and `dedup.shingle_text`.

    Returns:
        uint64[m], the sets after each other, each ascending, and int64[n + 1]. A document without words or characters
        has none.
    """
    if chosen is None:
        chosen = np.arange(len(offsets) - 1)
    sizes = offsets[chosen + 1] - offsets[chosen]
    longest = int(sizes.max(initial=0))
    hashes = np.empty(int(sizes.sum()), np.uint64)
    starts = np.zeros(len(chosen) + 1, np.int64)
    scratch = np.empty(2 * longest, np.uint8), np.empty(longest + 1, np.int64), np.empty(longest, np.uint64)
    _shingle_sets(data, offsets, chosen, classes(), unit == "words", ngram, *scratch, hashes, starts)
    return hashes[: starts[-1]].copy(), starts


@kernel
def _shingle_sets(
    data: Bytes, offsets: Int64s, chosen: Int64s, table: Bytes, words: bool, ngram: Integer, text: Bytes,
    places: Int64s, units: Uint64s, hashes: Uint64s, starts: Int64s,
) -> None:  # fmt: skip
    done: Integer = 0
    for document in range(len(chosen)):
        start, end = offsets[chosen[document]], offsets[chosen[document] + 1]
        if words:
            count = hash_words(data, start, end, table, units)
        else:
            count = write_characters(data, start, end, table, text, places)
            hash_units(text, places, count, 0, units)
        size = min(ngram, count)
        found = count - size + 1 if count > 0 else 0
        for first in range(found):
            hashes[done + first] = whole_shingle_hash(units, first, first + size)
        hashes[done : done + found].sort()
        begin = done
        for index in range(begin, begin + found):
            if index == begin or hashes[index] != hashes[done - 1]:
                hashes[done] = hashes[index]
                done += 1
        starts[document + 1] = done


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
