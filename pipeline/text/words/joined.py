"""n-grams of words that are written without space between them, as datatrove counts them.

In: the characters of the words of a document, where each begins, and scratch. Out: numbers.
"""

from __future__ import annotations

import numba as nb
import numpy as np

from kernels.arrays import Bytes, Int32s, Int64s, Integer
from kernels.compiled import bare_kernel, part_kernel
from kernels.hashing import SECOND_MULTIPLIER, mix
from kernels.unaligned import eight_bytes
from pipeline.text.signal_columns import Column
from pipeline.text.words.ngram import clear_bits, find_slot, next_base, note, noted_again, table_mask
from pipeline.text.words.scratch import Scratch

U64 = np.uint64
# What two runs of words have in common before they are compared as a whole: the first bytes of their characters.
SHORT_PREFIX_BYTES = 16
PREFIX_BYTES = 32
_NO_LIMIT = np.int32((1 << 31) - 1)


@bare_kernel
def _share_prefix(characters: Bytes, starts: Int32s, positions: Integer, scratch: Scratch) -> Integer:
    """List in `scratch.counts` the positions whose n-grams may occur again, and in `scratch.places` the size in bytes
    from which on they do not: those longer than a prefix that none shares repeat nothing.

    A prefix is noted as one bit of its hash: a few positions too many are listed, but none that repeats anything is
    lost. Returns how many these are.
    """
    grams, counts, places, bits = scratch.grams, scratch.counts, scratch.places, scratch.bits
    mask = clear_bits(positions, bits)
    for index in range(positions):
        at = nb.int64(starts[index])
        h = mix(mix(U64(0), eight_bytes(characters, at)), eight_bytes(characters, at + 8))
        grams[index] = h
        note(h, bits, mask)
    short = 0
    for index in range(positions):
        h = grams[index]
        limit = _NO_LIMIT if noted_again(h, bits, mask) else SHORT_PREFIX_BYTES
        counts[short], places[short], grams[short] = index, limit, h
        short += starts[index + 5] - starts[index] < limit
    mask = clear_bits(short, bits)
    for candidate in range(short):
        at = nb.int64(starts[counts[candidate]])
        h = mix(mix(grams[candidate], eight_bytes(characters, at + 16)), eight_bytes(characters, at + 24))
        grams[candidate] = h
        note(h, bits, mask)
    listed = 0
    for candidate in range(short):
        index = nb.int64(counts[candidate])
        limit = nb.int64(places[candidate])
        if not noted_again(grams[candidate], bits, mask):
            limit = min(limit, PREFIX_BYTES)
        counts[listed], places[listed] = index, limit
        listed += starts[index + 5] - starts[index] < limit
    return listed


@part_kernel
def _hash_next(
    characters: Bytes, starts: Int32s, count: Integer, n: Integer, candidates: Integer, noted: Integer, scratch: Scratch
) -> Integer:
    """Hash the candidates' n-grams into `scratch.grams` and note them in `scratch.bits`, whose mask is `noted`.

    Returns how many candidates are left: those that have outgrown the prefix without sharing it repeat nothing from
    here on.
    """
    grams, counts, places, blocks, bits = scratch.grams, scratch.counts, scratch.places, scratch.blocks, scratch.bits
    left = 0
    for candidate in range(candidates):
        index = nb.int64(counts[candidate])
        if index > count - n:
            break
        at = nb.int64(starts[index])
        size = starts[index + n] - at
        if size >= places[candidate]:
            continue
        done = (starts[index + n - 1] - at) & ~7 if n > 5 else nb.int64(0)
        h = blocks[candidate]
        while done + 8 <= size:
            h = mix(h, eight_bytes(characters, at + done))
            done += 8
        counts[left], places[left], blocks[left] = index, places[candidate], h
        rest = eight_bytes(characters, at + done) & ((U64(1) << U64(8 * (size - done))) - U64(1))
        h = mix(mix(h, rest), U64(size))
        grams[left] = h
        note(h, bits, noted)
        left += 1
    return left


@part_kernel
def _repeated(
    lengths: Int32s, n: Integer, candidates: Integer, noted: Integer, scratch: Scratch, base: Integer
) -> Integer:
    """Characters of the n-grams among the candidates that were seen before; `noted`: as above."""
    grams, counts, slots, bits = scratch.grams, scratch.counts, scratch.slots, scratch.bits
    mask = table_mask(candidates)
    repeated: Integer = nb.int64(0)
    behind = nb.int64(0)
    for candidate in range(candidates):
        h = grams[candidate]
        if not noted_again(h, bits, noted):
            continue
        index = nb.int64(counts[candidate])
        if index < behind:
            continue
        slot = find_slot(grams, h, slots, base, mask)
        if slots[slot] < base:
            slots[slot] = base + candidate
            continue
        for word in range(index, index + n):
            repeated += lengths[word]
        behind = index + n
    return repeated


@bare_kernel
def joined_ngrams(
    characters: Bytes, starts: Int32s, lengths: Int32s, count: Integer, scratch: Scratch, base: Integer, row: Int64s
) -> Integer:
    """Characters of repeated 5- to 10-grams as datatrove's `find_all_duplicate` counts them. Returns the next free
    base.

    It goes from word to word; where the n words that begin there, written without space between them, were seen before,
    their characters are counted and it goes on after them; else it notes them as seen. So `ab c` repeats `a bc`, and
    what a repeat covers is not noted.

    Runs of words that do not have their first `SHORT_PREFIX_BYTES` or `PREFIX_BYTES` bytes in common with those of
    another place repeat nothing: only the others, and the shorter ones, are looked at.

    Args:
        characters: the words without space between them; `PREFIX_BYTES` zeros after the last.
        starts: [count + 1], where each word begins in `characters`.
        lengths: [count], characters of the words.
        scratch, row: as in `pipeline.text.words.ngram.word_ngrams`.
    """
    if count < 5:
        return base
    candidates = _share_prefix(characters, starts, count - 4, scratch)
    # For each candidate, the hash of its whole blocks of eight bytes, which grows with n.
    for candidate in range(candidates):
        scratch.blocks[candidate] = SECOND_MULTIPLIER
    for n in range(5, 11):
        noted = clear_bits(candidates, scratch.bits)
        candidates = _hash_next(characters, starts, count, n, candidates, noted, scratch)
        if candidates < 2:
            break
        repeated = _repeated(lengths, n, candidates, noted, scratch, base)
        base = next_base(scratch.slots, base, candidates)
        row[Column.SEPARATED_REPEATED_5GRAM_CHARACTERS + n - 5] = repeated
    return base
