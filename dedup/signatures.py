r"""MinHash signatures of documents by our own permutations, from the hashes of their words.

In: the hashes of a document's words, in their order. Out: its signature, uint32[k], and the number of its shingles.
They depend on its text, the n-gram length and the permutations only. The walk of `pipeline.text.signals` finds the
words on its way and signs each document. Other permutations, and characters instead of words, are in `dedup.signing`.

A *word* is a run of word characters (`\w` of Unicode 14: letters, digits, underscore; `kernels.characters`) and the
combining marks after them, with A to Z lower-cased and nothing else: other alphabets keep their case. Scripts without
spaces between words (Han, Kana, Thai, Lao, Khmer, Myanmar, Javanese and others, `kernels.character_ranges.UNSPACED`)
have no such runs: each of their letters is a word of its own, with its marks; their digits join into words as all
digits do. A *shingle* is
`ngram` consecutive words; a document of fewer words is one shingle of them all. A word is hashed byte by byte to 64
bits, a shingle from the hashes of its words; its upper 32 bits are kept. Each permutation maps those by x -> a x + b
mod 2^32, then x xor x >> 15, and the signature holds the smallest value of each (Broder 1997). Two signatures agree in
a share of places that estimates the Jaccard similarity of the sets of shingles.
"""

from __future__ import annotations

from dataclasses import dataclass

import numba as nb
import numpy as np
import numpy.typing as npt

from kernels.arrays import Integer, Uint32s, Uint64s
from kernels.compiled import kernel, part_kernel
from kernels.hashing import SECOND_MULTIPLIER

U64 = np.uint64
# A document without words: it takes no part in near-duplicate search.
EMPTY = np.uint32(0xFFFFFFFF)


@dataclass(frozen=True)
class Permutations:
    """Parameters of the permutations: odd multipliers and addends, uint32[k] each."""

    multipliers: npt.NDArray[np.uint32]
    addends: npt.NDArray[np.uint32]


def make_permutations(count: int, *, seed: int) -> Permutations:
    """`count` permutations from a seed by splitmix64 (Steele, Lea, Flood 2014), written out so that no library can
    change the stream.

    Fewer permutations from the same seed are the first of more.
    """
    pairs = (_splitmix64(np.uint64(seed % 2**64), 2 * count) >> np.uint64(32)).astype(np.uint32).reshape(count, 2)
    return Permutations(multipliers=pairs[:, 0] | np.uint32(1), addends=pairs[:, 1].copy())


@kernel
def sign(words: Uint64s, count: Integer, multipliers: Uint32s, addends: Uint32s, ngram: int, row: Uint32s) -> Integer:
    """Lower `row`, [k], to the smallest values that the shingles of `count` words give, `count` at least 1; returns
    their number.
    """
    size = min(ngram, count)
    for start in range(count - size + 1):
        lower(shingle_hash(words, start, start + size), multipliers, addends, row)
    return count - size + 1


@part_kernel
def whole_shingle_hash(words: Uint64s, start: Integer, end: Integer) -> np.uint64:
    """The hash of the shingle of `words[start:end]`, in 64 bits."""
    h = U64(0)
    for index in range(start, end):
        h = (h ^ words[index]) * SECOND_MULTIPLIER
        h ^= h >> U64(32)
    return h


@part_kernel
def shingle_hash(words: Uint64s, start: Integer, end: Integer) -> np.uint32:
    """Its upper half, which signatures are made of."""
    return nb.uint32(whole_shingle_hash(words, start, end) >> U64(32))


@part_kernel
def lower(x: np.uint32, multipliers: Uint32s, addends: Uint32s, row: Uint32s) -> None:
    """Lower `row`, [k], to the values that the shingle of hash `x` gives where they are smaller."""
    for j in range(len(multipliers)):
        value = nb.uint32(x * multipliers[j] + addends[j])
        value ^= value >> nb.uint32(15)
        if value < row[j]:
            row[j] = value


def _splitmix64(state: np.uint64, count: int) -> npt.NDArray[np.uint64]:
    with np.errstate(over="ignore"):
        z = state + np.arange(1, count + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return z ^ (z >> np.uint64(31))
