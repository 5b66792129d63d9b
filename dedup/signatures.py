r"""MinHash signatures of documents, straight from Arrow buffers.

In: UTF-8 bytes and offsets of n documents. Out: uint32[n, k], row-aligned, and the number of shingles per document. A document's
signature depends on its text, the n-gram length and the permutations only.

A *word* is a run of word characters (`\w` of Unicode 14: letters, digits, underscore; `dedup.characters`), with A to Z lower-cased and
nothing else: other alphabets keep their case. A *shingle* is `ngram` consecutive words; a document of fewer words is one shingle of
them all.
A word is hashed byte by byte to 64 bits, a shingle from the hashes of its words, of which the upper 32 bits are kept. Each permutation maps
those by x -> a x + b mod 2^32, then x xor x >> 15, and the signature holds the smallest value of each (Broder 1997). Two signatures
agree in a share of places that estimates the Jaccard similarity of the sets of shingles.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numba as nb
import numpy as np
import numpy.typing as npt

from dedup.characters import WORD, classes
from dedup.kernel import kernel

U64 = nb.uint64
_SEED = np.uint64(0xCBF29CE484222325)
_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)
_SHINGLE_MULTIPLIER = np.uint64(0xFF51AFD7ED558CCD)
# A document without words: it takes no part in near-duplicate search.
EMPTY = np.uint32(0xFFFFFFFF)


@dataclass(frozen=True)
class Permutations:
    """Parameters of the permutations: odd multipliers and addends, uint32[k] each."""

    multipliers: npt.NDArray[np.uint32]
    addends: npt.NDArray[np.uint32]


def make_permutations(count: int, *, seed: int) -> Permutations:
    """`count` permutations from a seed by splitmix64 (Steele, Lea, Flood 2014), written out so that no library can change the stream.

    Fewer permutations from the same seed are the first of more.
    """
    pairs = (_splitmix64(np.uint64(seed % 2**64), 2 * count) >> np.uint64(32)).astype(np.uint32).reshape(count, 2)
    return Permutations(multipliers=pairs[:, 0] | np.uint32(1), addends=pairs[:, 1].copy())


def signatures(
    data: npt.NDArray[np.uint8],
    offsets: npt.NDArray[np.int64],
    *,
    permutations: Permutations,
    ngram: int,
) -> tuple[npt.NDArray[np.uint32], npt.NDArray[np.int32]]:
    """Signatures of n documents.

    Args:
        data: UTF-8 bytes; valid.
        offsets: int64[n + 1] into `data`.
        permutations: k of them.
        ngram: words per shingle, at least 1.

    Returns:
        Signatures uint32[n, k] (`EMPTY` everywhere for a document without words) and shingle counts int32[n], repeats counted.

    Raises:
        ValueError: `ngram` is below 1.
    """
    if ngram < 1:
        raise ValueError(f"a shingle of {ngram} words")
    count = len(offsets) - 1
    result = np.full((count, len(permutations.multipliers)), EMPTY, np.uint32)
    shingles = np.zeros(count, np.int32)
    longest = int(np.diff(offsets).max()) if count else 0
    words = np.empty(longest // 2 + 1, np.uint64)
    _signatures(data, offsets, classes(), permutations.multipliers, permutations.addends, ngram, words, result, shingles)
    return result, shingles


@kernel
def _signatures(
    data: Any, offsets: Any, table: Any, multipliers: Any, addends: Any, ngram: int, words: Any, result: Any, shingles: Any
) -> None:
    for document in range(len(offsets) - 1):
        count = _word_hashes(data, offsets[document], offsets[document + 1], table, words)
        if count == 0:
            continue
        shingles[document] = sign(words, count, multipliers, addends, ngram, result[document])


@kernel
def sign(words: Any, count: Any, multipliers: Any, addends: Any, ngram: Any, row: Any) -> Any:
    """Lower `row`, uint32[k], to the smallest values that the shingles of `count` words give, `count` at least 1; returns their number.

    Called by the walk of `pipeline.signals` too, which finds the same words on its way.
    """
    k = len(multipliers)
    size = min(ngram, count)
    for start in range(count - size + 1):
        h = U64(0)
        for index in range(start, start + size):
            h = (h ^ words[index]) * _SHINGLE_MULTIPLIER
            h ^= h >> U64(32)
        x = nb.uint32(h >> U64(32))
        for j in range(k):
            value = nb.uint32(x * multipliers[j] + addends[j])
            value ^= value >> nb.uint32(15)
            if value < row[j]:
                row[j] = value
    return count - size + 1


@kernel
def _word_hashes(data: Any, start: int, end: int, table: Any, words: Any) -> int:
    """Hashes of the words of one document into `words`; returns their number, which is at most (bytes + 1) / 2."""
    count = 0
    inside = False
    h = _SEED
    i = start
    while i < end:
        byte = nb.int64(data[i])
        width = 1
        point = byte
        if byte >= 0xF0:
            width = 4
            point = ((byte & 7) << 18) | (nb.int64(data[i + 1] & 63) << 12) | (nb.int64(data[i + 2] & 63) << 6) | nb.int64(data[i + 3] & 63)
        elif byte >= 0xE0:
            width = 3
            point = ((byte & 15) << 12) | (nb.int64(data[i + 1] & 63) << 6) | nb.int64(data[i + 2] & 63)
        elif byte >= 0xC0:
            width = 2
            point = ((byte & 31) << 6) | nb.int64(data[i + 1] & 63)
        if table[point] & WORD:
            if not inside:
                inside = True
                h = _SEED
            if width == 1:
                if 65 <= byte <= 90:
                    byte |= 32
                h = (h ^ U64(byte)) * _MULTIPLIER
                h ^= h >> U64(29)
            else:
                for offset in range(width):
                    h = (h ^ U64(data[i + offset])) * _MULTIPLIER
                    h ^= h >> U64(29)
        elif inside:
            words[count] = h
            count += 1
            inside = False
        i += width
    if inside:
        words[count] = h
        count += 1
    return count


def _splitmix64(state: np.uint64, count: int) -> npt.NDArray[np.uint64]:
    with np.errstate(over="ignore"):
        z = state + np.arange(1, count + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return z ^ (z >> np.uint64(31))
