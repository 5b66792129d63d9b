"""Which of two documents is preferred: the order in which a document may displace another one.

In: the priority of a document's source, its number of words, its id. Out: one number for the first two, uint64, smaller
is preferred. Documents with the same number are ordered by their 128-bit ids, smaller first; ids are hashes of texts,
so two different texts are never equal. Where a document lies, in which file, part or row, is no part of this order.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from kernels.arrays import Bytes, Int64s, Uint64s
from kernels.compiled import kernel
from kernels.hashing import SEED, mix

U64 = np.uint64
_WORD_BITS = np.uint64(32)
_MOST_WORDS = (1 << 32) - 1
# Preferences are smaller than this power of two: bits above order documents of several snapshots.
GENERATION_BITS = 40
_HASH_BITS = np.uint64(48)
_LONGEST_URL = (1 << 16) - 2


class Strings(NamedTuple):
    """Strings after each other: bytes, and int64[n + 1], where each begins."""

    data: Bytes
    offsets: Int64s


def preferences(words: Int64s, *, priority: int) -> Uint64s:
    """The preference of documents of one source, uint64[n]: lower priority numbers first, then more words.

    Args:
        words: int64[n].
        priority: 0 to 255.
    """
    fewer = U64(_MOST_WORDS) - np.minimum(words, _MOST_WORDS).astype(np.uint64)
    found: Uint64s = (U64(priority) << _WORD_BITS) | fewer
    return found


def preference_order(preferences: Uint64s, ids: Uint64s) -> Int64s:
    """The places of documents in the order of preference, int64[n].

    Args:
        preferences: uint64[n].
        ids: uint64[n, 2], halves of ids.
    """
    return np.lexsort((ids[:, 1], ids[:, 0], preferences))


def origins(urls: Strings, names: Strings) -> Uint64s:
    """A number for where each record comes from, uint64[n]: of records of one text that with the smallest is preferred.

    A shorter URL comes first, as that of an article before that of its printed version, and none comes last; then the
    order is that of a hash of the URL and the record's name.
    """
    lengths = np.diff(urls.offsets)
    found = np.full(len(lengths), SEED)
    _hash_strings(urls.data, urls.offsets, found)
    _hash_strings(names.data, names.offsets, found)
    length = np.where(lengths, np.minimum(lengths, _LONGEST_URL), _LONGEST_URL + 1).astype(np.uint64)
    return (length << _HASH_BITS) | (found >> (U64(64) - _HASH_BITS))


@kernel
def _hash_strings(data: Bytes, offsets: Int64s, out: Uint64s) -> None:
    for index in range(len(out)):
        h = mix(out[index], U64(offsets[index + 1] - offsets[index]))
        for place in range(offsets[index], offsets[index + 1]):
            h = mix(h, U64(data[place]))
        out[index] = h
