"""Counting kernels over hashes of lines, paragraphs and words: what occurs again, what occurs most often.

In: hashes and lengths in characters, in the order of the document, and scratch. Out: numbers. Counting uses one open
table of positions (`slots`): each count raises its positions by a base above all earlier ones, which frees the table
without clearing it.
"""

from __future__ import annotations

import numba as nb
import numpy as np

from kernels.arrays import Boolean, Bytes, Int32s, Int64s, Integer, Uint64s
from kernels.compiled import bare_kernel
from kernels.hashing import MULTIPLIER
from pipeline.text.signal_columns import Column
from pipeline.text.words.scratch import Scratch

U64 = np.uint64
# Slots hold positions as int32, raised by a base that grows with every count: below this there is room for one more
# count.
_LAST_BASE = (1 << 31) - (1 << 22)


@bare_kernel
def find_slot(hashes: Uint64s, wanted: np.uint64, slots: Int32s, base: Integer, mask: Integer) -> Integer:
    """The slot of the first position of this count with the hash `wanted`, or the free slot for it.

    A slot below `base` is free.
    """
    slot = nb.int64(wanted) & mask
    while slots[slot] >= base and hashes[slots[slot] - base] != wanted:
        slot = (slot + 1) & mask
    return slot


@bare_kernel
def next_base(slots: Int32s, base: Integer, used: Integer) -> Integer:
    """The base of the next count, which frees all slots at once; near the end of int32 they are cleared one by one
    instead.
    """
    base += used
    if base >= _LAST_BASE:
        slots[:] = 0
        base = nb.int64(1)
    return base


@bare_kernel
def table_mask(count: Integer) -> Integer:
    """The mask of a table for `count` hashes, at most half full.

    Small documents use a small part of the table, which stays in cache.
    """
    mask = nb.int64(63)
    while mask + 1 < 2 * count:
        mask = 2 * mask + 1
    return mask


@bare_kernel
def note(h: np.uint64, bits: Uint64s, mask: Integer) -> None:
    """Set the bit of a hash, and the one above it, which says that it was set before, if it was."""
    place = nb.int64(h >> U64(5)) & mask
    bit = U64(1) << (U64(2) * (h & U64(31)))
    found = bits[place]
    bits[place] = found | bit | ((found & bit) << U64(1))


@bare_kernel
def noted_again(h: np.uint64, bits: Uint64s, mask: Integer) -> Boolean:
    again: bool = (bits[nb.int64(h >> U64(5)) & mask] >> (U64(2) * (h & U64(31)) + U64(1))) & U64(1) != U64(0)
    return again


@bare_kernel
def clear_bits(count: Integer, bits: Uint64s) -> Integer:
    """Pairs of bits for `count` hashes, 16 to 32 for each, all unset; returns the mask of the places."""
    mask = table_mask(count // 4)
    bits[: mask + 1] = 0
    return mask


@bare_kernel
def repeats(
    hashes: Uint64s, lengths: Int32s, count: Integer, counts: Int32s, slots: Int32s, base: Integer
) -> tuple[Integer, ...]:
    """What occurs again among `count` hashes.

    A length below 0 says that the unit is blank and -length characters long.

    Returns:
        Second and later copies and their characters; all copies of what occurs twice or more, and their characters;
        characters of blank second and later copies.
    """
    mask = table_mask(count)
    later = later_characters = copied = copied_characters = blank_characters = nb.int64(0)
    for index in range(count):
        slot = find_slot(hashes, hashes[index], slots, base, mask)
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
def _join(gram: np.uint64, word: np.uint64) -> np.uint64:
    h = gram * MULTIPLIER + word
    return h ^ (h >> U64(32))


@bare_kernel
def word_ngrams(
    words: Uint64s, lengths: Int32s, count: Integer, last: Integer, first_column: int, spaces: Integer,
    scratch: Scratch, base: Integer, row: Int64s,
) -> Integer:  # fmt: skip
    """Top 2- to 4-grams, and with `last` = 10 repeated and copied 5- to 10-grams. Returns the next free base.

    Few n-grams are counted one by one. A small counter, shared by n-grams whose hashes end alike, bounds how often each
    of them occurs: the top one is looked for among those with the largest counters, longer repeats where all counters
    are above 1.

    Args:
        words, lengths: hashes and characters of `count` words.
        last: the longest n-gram, 4 or 10.
        first_column: the column of the top 2-gram in `row`.
        spaces: 0, or 1 where a space between two words counts as a character and an n-gram that occurs once may be the
            top one.
        row: [len(COLUMNS)].
    """
    if count < 2:
        return base
    mask = table_mask(count // 2)
    least_2, least_3, least_4 = _count_small(words, count, mask, scratch.counters)
    listed = _list(words, count, mask, scratch.counters, least_2, least_3, least_4, scratch.blocks)
    base = _top(words, lengths, count, 2, least_2, mask, listed, first_column, spaces, scratch, base, row)
    base = _top(words, lengths, count, 3, least_3, mask, listed, first_column + 1, spaces, scratch, base, row)
    base = _top(words, lengths, count, 4, least_4, mask, listed, first_column + 2, spaces, scratch, base, row)
    if last > 4:
        base = _repeated(words, lengths, count, last, listed, scratch, base, row)
    return base


@bare_kernel
def _count_small(words: Uint64s, count: Integer, mask: Integer, counters: Bytes) -> tuple[Integer, Integer, Integer]:
    """Count 2-, 3- and 4-grams in a table of their own each, by counters that stop at 255.

    Returns:
        For each of the three a number that the largest counter reaches and few others do; 256 if no counter is above 1.
    """
    second, third = mask + 1, 2 * mask + 2
    counters[: 3 * mask + 3] = 0
    most_2 = most_3 = most_4 = nb.int64(0)
    two_before = three_before = U64(0)
    # The first 3- and 4-gram are too short. What they add to a counter makes no n-gram's bound too low.
    for index in range(1, count):
        two = _join(words[index - 1], words[index])
        three = _join(two_before, words[index])
        four = _join(three_before, words[index])
        most_2 = max(most_2, _raise(counters, _place(two, mask)))
        most_3 = max(most_3, _raise(counters, second + _place(three, mask)))
        most_4 = max(most_4, _raise(counters, third + _place(four, mask)))
        two_before, three_before = two, three
    return _least(most_2), _least(most_3), _least(most_4)


@bare_kernel
def _place(h: np.uint64, mask: Integer) -> Integer:
    return nb.int64(h >> U64(40)) & mask


@bare_kernel
def _raise(counters: Bytes, place: Integer) -> np.int64:
    counter: np.int64 = nb.int64(counters[place])
    counter += counter < 255
    counters[place] = counter
    return counter


@bare_kernel
def _least(most: Integer) -> Integer:
    # Where counters are shared the top n-gram may have less than the largest.
    return max(nb.int64(2), most - most // 4) if most > 1 else nb.int64(256)


@bare_kernel
def _list(
    words: Uint64s, count: Integer, mask: Integer, counters: Bytes, least_2: Integer, least_3: Integer,
    least_4: Integer, out: Uint64s,
) -> Integer:  # fmt: skip
    """List the words at which the n-grams to be looked at end, as 16 times the word's number, with bits 1, 2, 4 where
    the counter of the 2-, 3-, or 4-gram is large enough, and bit 8 where all three are above 1. Returns how many these
    are.
    """
    listed = 0
    second, third = mask + 1, 2 * mask + 2
    two_before = three_before = U64(0)
    for index in range(1, count):
        two = _join(words[index - 1], words[index])
        three = _join(two_before, words[index])
        four = _join(three_before, words[index])
        twos = nb.int64(counters[_place(two, mask)])
        threes = nb.int64(counters[second + _place(three, mask)])
        fours = nb.int64(counters[third + _place(four, mask)])
        again = nb.int64((twos > 1) & (threes > 1) & (fours > 1))
        bits = (
            nb.int64(twos >= least_2) | nb.int64(threes >= least_3) << 1 | nb.int64(fours >= least_4) << 2 | again << 3
        )
        out[listed] = 16 * index + bits
        listed += bits != 0
        two_before, three_before = two, three
    return listed


@bare_kernel
def _ngram(words: Uint64s, start: Integer, n: Integer) -> np.uint64:
    h: np.uint64 = words[start]
    for index in range(start + 1, start + n):
        h = _join(h, words[index])
    return h


@bare_kernel
def _top(
    words: Uint64s, lengths: Int32s, count: Integer, n: Integer, least: Integer, mask: Integer, listed: Integer,
    column: Integer, spaces: Integer, scratch: Scratch, base: Integer, row: Int64s,
) -> Integer:  # fmt: skip
    """The characters of the top n-gram; those listed whose counters are at least `least` are looked at first.

    Returns the next free base.
    """
    grams, counts, places, slots = scratch.grams, scratch.counts, scratch.places, scratch.slots
    blocks, counters = scratch.blocks, scratch.counters
    candidates = 0
    for index in range(listed):
        start = nb.int64(blocks[index] >> U64(4)) - n + 1
        if blocks[index] & U64(1 << (n - 2)) and start >= 0:
            places[candidates], grams[candidates] = start, _ngram(words, start, n)
            candidates += 1
    most = most_first = nb.int64(0)
    while count >= n and least <= 255:
        slot_mask = table_mask(candidates)
        most = nb.int64(0)
        for candidate in range(candidates):
            slot = find_slot(grams, grams[candidate], slots, base, slot_mask)
            if slots[slot] < base:
                slots[slot] = base + candidate
                counts[candidate] = 1
                continue
            first = nb.int64(slots[slot]) - base
            counts[first] += 1
            if counts[first] > most or (counts[first] == most and places[first] < most_first):
                most, most_first = nb.int64(counts[first]), nb.int64(places[first])
        base = next_base(slots, base, candidates)
        if most >= least or least == 2:
            break
        # All that occur as often as the best so far have counters as large.
        least = max(nb.int64(2), most)
        candidates = 0
        for start in range(count - n + 1):
            h = _ngram(words, start, n)
            places[candidates], grams[candidates] = start, h
            candidates += counters[(n - 2) * (mask + 1) + _place(h, mask)] >= least
    if count >= n and (most or spaces):
        total = nb.int64(spaces) * (n - 1)
        for word in range(most_first, most_first + n):
            total += lengths[word]
        row[column] = max(nb.int64(1), most) * total
    return base


@bare_kernel
def _repeated(
    words: Uint64s, lengths: Int32s, count: Integer, last: Integer, listed: Integer, scratch: Scratch, base: Integer,
    row: Int64s,
) -> Integer:  # fmt: skip
    """Repeated and copied n-grams of 5 to `last` words, where both 4-grams of one of 5 are listed. Returns the next
    free base.

    An n-gram can occur twice only if the (n-1)-grams at both its ends do: only where these do it is a candidate.
    """
    grams, counts, places, marked, slots, blocks = (
        scratch.grams,
        scratch.counts,
        scratch.places,
        scratch.marked,
        scratch.slots,
        scratch.blocks,
    )
    candidates = 0
    for index in range(1, listed):
        end, before = blocks[index] >> U64(4), blocks[index - 1] >> U64(4)
        if before + U64(1) == end and blocks[index] & blocks[index - 1] & U64(8) and end >= 4:
            places[candidates], grams[candidates] = nb.int64(end) - 4, _ngram(words, nb.int64(end) - 4, 5)
            candidates += 1
    for n in range(5, last + 1):
        if count < n:
            break
        mask = table_mask(candidates)
        covered = copied = nb.int64(0)
        covered_to: Integer = nb.int64(0)
        for candidate in range(candidates):
            marked[candidate] = 0
        for candidate in range(candidates):
            slot = find_slot(grams, grams[candidate], slots, base, mask)
            if slots[slot] < base:
                slots[slot] = base + candidate
                counts[candidate] = 1
                continue
            first = nb.int64(slots[slot]) - base
            counts[first] += 1
            marked[first] = marked[candidate] = 1
            index = nb.int64(places[candidate])
            length = nb.int64(0)
            for word in range(index, index + n):
                length += lengths[word]
            copied += 2 * length if counts[first] == 2 else length
            for word in range(covered_to if covered_to > index else index, index + n):
                covered += lengths[word]
            covered_to = index + n
        base = next_base(slots, base, candidates)
        row[Column.REPEATED_5GRAM_CHARACTERS + n - 5] = covered
        row[Column.COPIED_5GRAM_CHARACTERS + n - 5] = copied
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
def window_totals(lengths: Int32s, count: Integer, row: Int64s) -> None:
    """Characters of all 5- to 10-grams together, each counted in full wherever it occurs; and of the top 2- to 4-gram,
    once it is known (`word_ngrams`), or of the first where none occurs again."""
    total = nb.int64(0)
    for index in range(count):
        total += lengths[index]
    for n in range(2, 5):
        if row[Column.TOP_2GRAM_CHARACTERS + n - 2]:
            row[Column.FREQUENT_2GRAM_CHARACTERS + n - 2] = row[Column.TOP_2GRAM_CHARACTERS + n - 2]
        elif count >= n:
            for index in range(n):
                row[Column.FREQUENT_2GRAM_CHARACTERS + n - 2] += lengths[index]
    for n in range(5, 11):
        if count < n:
            break
        # A word is in as many n-grams as begin at it or up to n - 1 words before it; near the ends these are fewer than
        # n.
        windows = n * total
        for index in range(count if count < 2 * n else n - 1):
            windows -= (n - min(index + 1, n, count - index, count - n + 1)) * lengths[index]
        if count >= 2 * n:
            for index in range(count - n + 1, count):
                windows -= (n - (count - index)) * lengths[index]
        row[Column.ALL_5GRAM_CHARACTERS + n - 5] = windows
