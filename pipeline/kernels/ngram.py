"""Counting kernels over hashes of lines, paragraphs and words: what occurs again, what occurs most often.

In: hashes and lengths in characters, in the order of the document, and scratch. Out: numbers. Counting uses one open table of positions
(`slots`): each count raises its positions by a base above all earlier ones, which frees the table without clearing it.
"""

from __future__ import annotations

from typing import Any

import numba as nb
import numpy as np

from dedup.kernel import bare_kernel
from pipeline.kernels.unaligned import eight_bytes
from pipeline.signal_columns import (
    ALL_5GRAM,
    COPIED_5GRAM,
    FREQUENT_2GRAM,
    REPEATED_5GRAM,
    SEPARATED_REPEATED_5GRAM,
    TOP_2GRAM,
)

U64 = nb.uint64
_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)
_SECOND_MULTIPLIER = np.uint64(0xFF51AFD7ED558CCD)
# Slots hold positions as int32, raised by a base that grows with every count: below this there is room for one more count.
_LAST_BASE = (1 << 31) - (1 << 22)
# What two runs of words have in common before they are compared as a whole: the first bytes of their characters.
PREFIX_BYTES = 16


@bare_kernel
def _find(hashes: Any, wanted: Any, slots: Any, base: Any, mask: Any) -> Any:
    """The slot of the first position of this count with the hash `wanted`, or the free slot for it. A slot below `base` is free."""
    slot = nb.int64(wanted) & mask
    while slots[slot] >= base and hashes[slots[slot] - base] != wanted:
        slot = (slot + 1) & mask
    return slot


@bare_kernel
def next_base(slots: Any, base: Any, used: Any) -> Any:
    """The base of the next count, which frees all slots at once; near the end of int32 they are cleared one by one instead."""
    base += used
    if base >= _LAST_BASE:
        slots[:] = 0
        base = nb.int64(1)
    return base


@bare_kernel
def table_mask(count: Any) -> Any:
    """The mask of a table for `count` hashes, at most half full. Small documents use a small part of the table, which stays in cache."""
    mask = nb.int64(63)
    while mask + 1 < 2 * count:
        mask = 2 * mask + 1
    return mask


@bare_kernel
def _note(h: Any, bits: Any, mask: Any) -> None:
    """Set the bit of a hash, and the one that says that it was set before if it was. These two stand side by side."""
    place = 2 * (nb.int64(h >> U64(6)) & mask)
    bit = U64(1) << (h & U64(63))
    found = bits[place]
    bits[place] = found | bit
    bits[place + 1] |= found & bit


@bare_kernel
def _noted_again(h: Any, bits: Any, mask: Any) -> Any:
    return (bits[2 * (nb.int64(h >> U64(6)) & mask) + 1] >> (h & U64(63))) & U64(1) != U64(0)


@bare_kernel
def _clear_bits(count: Any, bits: Any) -> Any:
    """Bits for `count` hashes, 32 to 64 for each, all unset; returns the mask of the places."""
    mask = table_mask(count // 4)
    bits[: 2 * mask + 2] = 0
    return mask


@bare_kernel
def repeats(hashes: Any, lengths: Any, count: Any, counts: Any, slots: Any, base: Any) -> Any:
    """What occurs again among `count` hashes.

    A length below 0 says that the unit is blank and -length characters long.

    Returns:
        Second and later copies and their characters; all copies of what occurs twice or more, and their characters; characters of blank
        second and later copies.
    """
    mask = table_mask(count)
    later = later_characters = copied = copied_characters = blank_characters = nb.int64(0)
    for index in range(count):
        slot = _find(hashes, hashes[index], slots, base, mask)
        if slots[slot] >= base:
            first = slots[slot] - base
            length = nb.int64(lengths[index])
            if length < 0:
                length = -length
                blank_characters += length
            later += 1
            later_characters += length
            times = 2 if counts[first] == 1 else 1
            counts[first] = 2
            copied += times
            copied_characters += times * length
        else:
            slots[slot] = base + index
            counts[index] = 1
    return later, later_characters, copied, copied_characters, blank_characters


@bare_kernel
def _join(gram: Any, word: Any) -> Any:
    h = gram * _MULTIPLIER + word
    return h ^ (h >> U64(32))


@bare_kernel
def word_ngrams(words: Any, lengths: Any, count: Any, last: Any, first_column: Any, spaces: Any, scratch: Any, base: Any, row: Any) -> Any:
    """Top 2- to 4-grams, and with `last` = 10 repeated and copied 5- to 10-grams. Returns the next free base.

    An n-gram can occur twice only if the (n-1)-grams at both its ends do: only where these do it is a candidate. Of 2-grams a bit of their
    hash says whether they may occur twice.

    Args:
        words, lengths: hashes and characters of `count` words.
        last: the longest n-gram, 4 or 10.
        first_column: where in `row` the top 2-gram goes.
        spaces: 0, or 1 where a space between two words counts as a character and an n-gram that occurs once may be the top one.
        scratch: a `pipeline.signals.Scratch`.
        row: int64[len(COLUMNS)].
    """
    grams, counts, places, marked, slots, bits = (
        scratch.grams,
        scratch.counts,
        scratch.places,
        scratch.marked,
        scratch.slots,
        scratch.bits,
    )
    mask = _clear_bits(count, bits)
    for index in range(count - 1):
        h = _join(words[index], words[index + 1])
        grams[index] = h
        _note(h, bits, mask)
    candidates = 0
    for index in range(count - 1):
        h = grams[index]
        places[candidates], grams[candidates] = index, h
        candidates += _noted_again(h, bits, mask)
    for n in range(2, last + 1):
        if count < n:
            break
        mask = table_mask(candidates)
        most = most_first = nb.int64(0)
        covered = copied = nb.int64(0)
        covered_to: Any = nb.int64(0)
        for candidate in range(candidates):
            marked[candidate] = 0
        for candidate in range(candidates):
            slot = _find(grams, grams[candidate], slots, base, mask)
            if slots[slot] < base:
                slots[slot] = base + candidate
                counts[candidate] = 1
                continue
            first = nb.int64(slots[slot]) - base
            counts[first] += 1
            marked[first] = marked[candidate] = 1
            if n <= 4:
                if counts[first] > most or (counts[first] == most and places[first] < most_first):
                    most, most_first = nb.int64(counts[first]), nb.int64(places[first])
            else:
                index = nb.int64(places[candidate])
                length = nb.int64(0)
                for word in range(index, index + n):
                    length += lengths[word]
                copied += 2 * length if counts[first] == 2 else length
                for word in range(covered_to if covered_to > index else index, index + n):
                    covered += lengths[word]
                covered_to = index + n
        base = next_base(slots, base, candidates)
        if n <= 4 and (most or spaces):
            total = nb.int64(spaces) * (n - 1)
            for word in range(most_first, most_first + n):
                total += lengths[word]
            row[first_column + n - 2] = max(most, 1) * total
        elif n >= 5:
            row[REPEATED_5GRAM + n - 5] = covered
            row[COPIED_5GRAM + n - 5] = copied
        fewer = 0
        for candidate in range(candidates - 1):
            index = nb.int64(places[candidate])
            if marked[candidate] and marked[candidate + 1] and places[candidate + 1] == index + 1 and index + n < count:
                grams[fewer] = _join(grams[candidate], words[index + n])
                places[fewer] = index
                fewer += 1
        candidates = fewer
    return base


@bare_kernel
def window_totals(lengths: Any, count: Any, row: Any) -> None:
    """Characters of all 5- to 10-grams together, each counted in full wherever it stands; and of the top 2- to 4-gram, once it is known
    (`word_ngrams`), or of the first where none occurs again."""
    total = nb.int64(0)
    for index in range(count):
        total += lengths[index]
    for n in range(2, 5):
        if row[TOP_2GRAM + n - 2]:
            row[FREQUENT_2GRAM + n - 2] = row[TOP_2GRAM + n - 2]
        elif count >= n:
            for index in range(n):
                row[FREQUENT_2GRAM + n - 2] += lengths[index]
    for n in range(5, 11):
        if count < n:
            break
        # A word is in as many n-grams as begin at it or up to n - 1 words before it; near the ends these are fewer than n.
        windows = n * total
        for index in range(count if count < 2 * n else n - 1):
            windows -= (n - min(index + 1, n, count - index, count - n + 1)) * lengths[index]
        if count >= 2 * n:
            for index in range(count - n + 1, count):
                windows -= (n - (count - index)) * lengths[index]
        row[ALL_5GRAM + n - 5] = windows


@bare_kernel
def _mix(h: Any, value: Any) -> Any:
    h = (h ^ value) * _MULTIPLIER
    return h ^ (h >> U64(32))


@bare_kernel
def _share_prefix(characters: Any, starts: Any, positions: Any, scratch: Any) -> Any:
    """List in `scratch.counts` the positions that another may share its first `PREFIX_BYTES` bytes with, or whose five words are shorter;
    `scratch.marked` tells the first from the second.

    A bit of the hash stands for it: a few positions more are listed, none that repeats anything is lost. Returns how many these are.
    """
    grams, counts, marked, bits = scratch.grams, scratch.counts, scratch.marked, scratch.bits
    mask = _clear_bits(positions, bits)
    for index in range(positions):
        at = nb.int64(starts[index])
        h = _mix(_mix(U64(0), eight_bytes(characters, at)), eight_bytes(characters, at + 8))
        grams[index] = h
        _note(h, bits, mask)
    listed = 0
    for index in range(positions):
        shared = _noted_again(grams[index], bits, mask)
        counts[listed], marked[listed] = index, shared
        listed += shared or starts[index + 5] - starts[index] < PREFIX_BYTES
    return listed


@bare_kernel
def joined_ngrams(characters: Any, starts: Any, lengths: Any, count: Any, scratch: Any, base: Any, row: Any) -> Any:
    """Characters of repeated 5- to 10-grams as datatrove's `find_all_duplicate` counts them. Returns the next free base.

    It goes from word to word; where the n words that begin there, written without space between them, were seen before, their characters
    are counted and it goes on behind them; else it notes them as seen. So `ab c` repeats `a bc`, and what a repeat covers is not noted.

    Runs of words that do not have their first `PREFIX_BYTES` bytes in common with those of another place repeat nothing: only the others,
    and the shorter ones, are looked at.

    Args:
        characters: uint8[], the words without space between them; `PREFIX_BYTES` zeros after the last.
        starts: int32[count + 1], where each word begins in `characters`.
        lengths: int32[count], characters of the words.
        scratch, row: as above.
    """
    grams, counts, marked, slots, blocks, bits = (
        scratch.grams,
        scratch.counts,
        scratch.marked,
        scratch.slots,
        scratch.blocks,
        scratch.bits,
    )
    if count < 5:
        return base
    candidates = _share_prefix(characters, starts, count - 4, scratch)
    # Of each candidate the hash of its whole blocks of eight bytes, which grows with n.
    for candidate in range(candidates):
        blocks[candidate] = _SECOND_MULTIPLIER
    for n in range(5, 11):
        noted = _clear_bits(candidates, bits)
        # Those that have outgrown the prefix without sharing it repeat nothing from here on.
        left = 0
        for candidate in range(candidates):
            index = nb.int64(counts[candidate])
            if index > count - n:
                break
            at = nb.int64(starts[index])
            size = starts[index + n] - at
            if size >= PREFIX_BYTES and not marked[candidate]:
                continue
            done = (starts[index + n - 1] - at) & ~7 if n > 5 else nb.int64(0)
            h = blocks[candidate]
            while done + 8 <= size:
                h = _mix(h, eight_bytes(characters, at + done))
                done += 8
            counts[left], marked[left], blocks[left] = index, marked[candidate], h
            rest = eight_bytes(characters, at + done) & ((U64(1) << U64(8 * (size - done))) - U64(1))
            h = _mix(_mix(h, rest), U64(size))
            grams[left] = h
            _note(h, bits, noted)
            left += 1
        candidates = left
        if candidates < 2:
            break
        mask = table_mask(candidates)
        repeated = nb.int64(0)
        behind = nb.int64(0)
        for candidate in range(candidates):
            h = grams[candidate]
            if not _noted_again(h, bits, noted):
                continue
            index = nb.int64(counts[candidate])
            if index < behind:
                continue
            slot = _find(grams, h, slots, base, mask)
            if slots[slot] < base:
                slots[slot] = base + candidate
                continue
            for word in range(index, index + n):
                repeated += lengths[word]
            behind = index + n
        base = next_base(slots, base, candidates)
        row[SEPARATED_REPEATED_5GRAM + n - 5] = repeated
    return base
