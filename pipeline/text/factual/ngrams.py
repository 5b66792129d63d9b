"""Hashed word n-grams: the features of the factual model, counted for training and summed for scoring.

In: UTF-8 bytes and offsets of n documents. Out: per document the slots of its n-grams in a table of 2^bits weights, or
the sum of the weights in these slots and the number of n-grams, row-aligned.

- A *word* is a run of word characters (what Python's `\\w` matches, Unicode 14) and of marks that combine with them;
  a letter of a script without spaces between words is a word of its own. Letters A to Z count as small ones, each ASCII
  digit as 0, so that numbers are known by their length.
- An *n-gram* is a word, or with `pairs` also two words that follow one another in a document.
- Its *slot* is the highest bits of a 64-bit hash (`kernels.hashing`). N-grams that share a slot share a weight
  (Weinberger et al. 2009, arXiv 0902.2206).

Models are stored with weights by slot: another definition of words or of the hash is another version of models.
"""

from __future__ import annotations

from functools import cache

import numpy as np

from kernels.arrays import Bytes, Int32s, Int64s, Integer, Uint32s
from kernels.characters import ALONE, MARK, WORD, classes
from kernels.compiled import kernel, part_kernel
from kernels.hashing import MULTIPLIER, SEED, mix
from kernels.utf8 import code_point

U64 = np.uint64
# In the table of bytes, besides the byte that each byte of a word counts as.
_BETWEEN, _MANY_BYTES = 0, 255


@cache
def folded_bytes() -> Bytes:
    """uint8[256]: what a byte of a word counts as; 0 for an ASCII byte that is not of a word, 255 for a byte of a
    longer character. Read-only.
    """
    table = np.full(256, _MANY_BYTES, np.uint8)
    table[:128] = _BETWEEN
    for byte in range(128):
        if classes()[byte] & WORD:
            table[byte] = ord("0") if chr(byte).isdigit() else ord(chr(byte).lower())
    table.flags.writeable = False
    return table


@part_kernel
def next_word(
    data: Bytes, at: Integer, stop: Integer, folded: Bytes, points: Bytes
) -> tuple[np.uint64, Integer, Integer]:
    """The hash of the next word, where the word ends, and how many bytes it has; no bytes if there is no word."""
    h = SEED
    size = 0
    alone = False
    while at < stop:
        byte = folded[data[at]]
        if byte == _BETWEEN:
            if size:
                break
            at += 1
            continue
        if byte != _MANY_BYTES:
            if alone:
                break
            h = (h ^ U64(byte)) * MULTIPLIER
            size += 1
            at += 1
            continue
        point, width = code_point(data, at)
        kind = points[point]
        if not kind & (WORD | MARK):
            if size:
                break
            at += width
            continue
        # What combines goes on with the letter before it, also with one that is a word of its own.
        if kind & MARK == 0 and size and (alone or kind & ALONE != 0):
            break
        alone = alone or kind & ALONE != 0
        for i in range(at, at + width):
            h = (h ^ U64(data[i])) * MULTIPLIER
        size += width
        at += width
    return h ^ (h >> U64(32)), at, size


@kernel
def sum_weights(
    data: Bytes, offsets: Int64s, folded: Bytes, points: Bytes, weights: Int32s, pairs: bool, sums: Int64s,
    counts: Int64s,
) -> None:  # fmt: skip
    """Fill `sums`, the weights of each document's n-grams added up, and `counts`, how many n-grams it has; int64[n].

    Args:
        folded, points: `folded_bytes()`, `kernels.characters.classes()`.
        weights: int32[2^bits]; whole numbers, so that a sum does not depend on its order.
        pairs: whether pairs of words count too.
    """
    shift = U64(64)
    size = len(weights)
    while size > 1:
        size >>= 1
        shift -= U64(1)
    for document in range(len(offsets) - 1):
        at, stop = offsets[document], offsets[document + 1]
        total = count = np.int64(0)
        before = U64(0)
        while True:
            word, at, length = next_word(data, at, stop, folded, points)
            if length == 0:
                break
            total += weights[(word * MULTIPLIER) >> shift]
            if pairs and count:
                total += weights[(mix(before, word) * MULTIPLIER) >> shift]
                count += 1
            count += 1
            before = word
        sums[document], counts[document] = total, count


@kernel
def list_slots(
    data: Bytes, offsets: Int64s, folded: Bytes, points: Bytes, bits: Integer, pairs: bool, most: Integer,
    slots: Uint32s, bounds: Int64s,
) -> None:  # fmt: skip
    """Fill `slots` with the slots of each document's n-grams, in the order of the text, and `bounds` with where they
    begin and end.

    Args:
        bits, pairs: of the table of weights; whether pairs of words count too.
        most: words of a document that are looked at.
        slots: room for two per two bytes of text and document.
        bounds: int64[n + 1], filled.
    """
    shift = U64(64) - U64(bits)
    place = np.int64(0)
    bounds[0] = 0
    for document in range(len(offsets) - 1):
        at, stop = offsets[document], offsets[document + 1]
        words = 0
        before = U64(0)
        while words < most:
            word, at, length = next_word(data, at, stop, folded, points)
            if length == 0:
                break
            slots[place] = np.uint32((word * MULTIPLIER) >> shift)
            place += 1
            if pairs and words:
                slots[place] = np.uint32((mix(before, word) * MULTIPLIER) >> shift)
                place += 1
            words += 1
            before = word
        bounds[document + 1] = place
