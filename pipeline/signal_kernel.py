"""The numba kernels behind `pipeline.signals`: one walk over a document's bytes, then counting over hashes of words, lines and paragraphs.

In: UTF-8 bytes and offsets of n documents, scratch arrays. Out: `out`, int64[n, len(COLUMNS)], row-aligned. Documents are measured one
after the other and do not see each other. `pipeline.signals` says what each column means; `tests/property/test_signals.py` holds the
slow reference.

Hashes stand for words, 64 bits each: two different words of a document collide with probability below 1e-7 for a million words.
"""

from __future__ import annotations

from typing import Any

import numba as nb
import numpy as np

from dedup.characters import LETTER, SPACE

U64 = nb.uint64
_SEED = np.uint64(0xCBF29CE484222325)
_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)

# Columns of the output matrix, in this order.
COLUMNS = (
    "characters",
    "word_characters",
    "letter_characters",
    "words",
    "letter_words",
    "stop_words",
    "distinct_stop_words",
    "hash_symbols",
    "ellipses",
    "lines",
    "bullet_lines",
    "ellipsis_lines",
    "repeated_lines",
    "repeated_line_characters",
    "paragraphs",
    "repeated_paragraphs",
    "repeated_paragraph_characters",
    "top_2gram_characters",
    "top_3gram_characters",
    "top_4gram_characters",
    "repeated_5gram_characters",
    "repeated_6gram_characters",
    "repeated_7gram_characters",
    "repeated_8gram_characters",
    "repeated_9gram_characters",
    "repeated_10gram_characters",
)
(
    CHARACTERS,
    WORD_CHARACTERS,
    LETTER_CHARACTERS,
    WORDS,
    LETTER_WORDS,
    STOP_WORDS,
    DISTINCT_STOP_WORDS,
    HASH_SYMBOLS,
    ELLIPSES,
    LINES,
    BULLET_LINES,
    ELLIPSIS_LINES,
    REPEATED_LINES,
    REPEATED_LINE_CHARACTERS,
    PARAGRAPHS,
    REPEATED_PARAGRAPHS,
    REPEATED_PARAGRAPH_CHARACTERS,
    TOP_2GRAM,
) = range(18)
REPEATED_5GRAM = TOP_2GRAM + 3

_HASH = 35
_DOT = 46
_NEWLINE = 10
_ELLIPSIS = 0x2026
_LONGEST_STOP_WORD = 4
# Slots hold positions as int32, raised by a base that grows with every count: below this there is room for one more count.
_LAST_BASE = (1 << 31) - (1 << 22)


@nb.njit(cache=True, nogil=True)
def measure(
    data: Any,
    offsets: Any,
    table: Any,
    stop_words: Any,
    words: Any,
    word_lengths: Any,
    lines: Any,
    line_lengths: Any,
    paragraphs: Any,
    paragraph_lengths: Any,
    grams: Any,
    alive: Any,
    following: Any,
    counts: Any,
    slots: Any,
    out: Any,
) -> None:
    """Fill `out`.

    Args:
        data, offsets: uint8[], int64[n + 1].
        table: `dedup.characters.classes()`.
        stop_words: uint64[], their hashes (`pipeline.signals.word_hash`).
        words, word_lengths: scratch, uint64[w] and int32[w]; words beyond w are counted but not looked at for repeats. w <= 2^21.
        lines, line_lengths, paragraphs, paragraph_lengths: scratch, uint64[l] and int32[l], likewise.
        grams, counts: scratch, uint64[w], int32[w].
        alive, following: scratch, uint8[w + 1].
        slots: scratch, int32[a power of two >= 2 max(w, l)], zeros.
        out: int64[n, len(COLUMNS)].
    """
    base = nb.int64(1)
    seen = np.zeros(len(stop_words), np.uint8)
    for document in range(len(offsets) - 1):
        row = out[document]
        word_count, line_count, paragraph_count = _walk(
            data,
            offsets[document],
            offsets[document + 1],
            table,
            stop_words,
            seen,
            words,
            word_lengths,
            lines,
            line_lengths,
            paragraphs,
            paragraph_lengths,
            row,
        )
        # Small documents use a small part of the table, which stays in cache.
        mask = nb.int64(63)
        while mask + 1 < 2 * max(word_count, line_count):
            mask = 2 * mask + 1
        row[REPEATED_LINES], row[REPEATED_LINE_CHARACTERS] = _repeats(lines, line_lengths, line_count, slots, base, mask)
        base = _next_base(slots, base, line_count)
        row[REPEATED_PARAGRAPHS], row[REPEATED_PARAGRAPH_CHARACTERS] = _repeats(
            paragraphs, paragraph_lengths, paragraph_count, slots, base, mask
        )
        base = _next_base(slots, base, paragraph_count)
        base = _ngrams(words, word_lengths, word_count, grams, alive, following, counts, slots, base, mask, row)


@nb.njit(cache=True, nogil=True)
def _walk(
    data: Any,
    start: Any,
    end: Any,
    table: Any,
    stop_words: Any,
    seen: Any,
    words: Any,
    word_lengths: Any,
    lines: Any,
    line_lengths: Any,
    paragraphs: Any,
    paragraph_lengths: Any,
    row: Any,
) -> Any:
    """Words, lines and paragraphs of one document. Returns how many of each were kept in the scratch arrays."""
    characters = word_characters = letter_characters = letter_words = stops = distinct = hash_symbols = ellipses = 0
    word_count = line_count = bullet_lines = ellipsis_lines = kept_words = kept_lines = kept_paragraphs = 0
    paragraph_count = 0
    word, line, paragraph = _SEED, _SEED, _SEED
    length = line_length = paragraph_length = 0
    letters = dots = dots_in_a_row = 0
    bullet = False
    first = last = nb.int64(0)
    for index in range(len(seen)):
        seen[index] = 0
    i = start
    while i <= end:
        # The end closes word and line as a line feed would.
        point = nb.int64(_NEWLINE)
        width = 1
        if i < end:
            characters += 1
            point = nb.int64(data[i])
            if point >= 0xF0:
                width = 4
                point = (
                    ((point & 7) << 18)
                    | (nb.int64(data[i + 1] & 63) << 12)
                    | (nb.int64(data[i + 2] & 63) << 6)
                    | nb.int64(data[i + 3] & 63)
                )
            elif point >= 0xE0:
                width = 3
                point = ((point & 15) << 12) | (nb.int64(data[i + 1] & 63) << 6) | nb.int64(data[i + 2] & 63)
            elif point >= 0x80:
                width = 2
                point = ((point & 31) << 6) | nb.int64(data[i + 1] & 63)
        kind = table[point]
        if not kind & SPACE:
            for offset in range(width):
                word = (word ^ U64(data[i + offset])) * _MULTIPLIER
                word ^= word >> U64(29)
            if length == 0:
                first = point
                dots_in_a_row = 0
            length += 1
            if kind & LETTER:
                letters += 1
                dots_in_a_row = 0
            elif point == _DOT:
                dots_in_a_row += 1
                dots += dots_in_a_row % 3 == 0
            else:
                dots_in_a_row = 0
                hash_symbols += point == _HASH
                ellipses += point == _ELLIPSIS
            last = point
            i += width
            continue
        if length:
            word_count += 1
            word_characters += length
            letter_characters += letters
            letter_words += letters > 0
            if length <= _LONGEST_STOP_WORD:
                for index in range(len(stop_words)):
                    if stop_words[index] == word:
                        stops += 1
                        distinct += seen[index] == 0
                        seen[index] = 1
            if kept_words < len(words):
                words[kept_words] = word
                word_lengths[kept_words] = length
                kept_words += 1
            if line_length == 0:
                # •, ‣, ◦, ⁃, -, *
                bullet = first in (0x2022, 0x2023, 0x25E6, 0x2043, 45, 42)
            line = (line ^ word) * _MULTIPLIER
            line ^= line >> U64(32)
            line_length += length
            paragraph = (paragraph ^ word) * _MULTIPLIER
            paragraph ^= paragraph >> U64(32)
            paragraph_length += length
            word = _SEED
            length = letters = 0
        if point == _NEWLINE:
            if line_length:
                line_count += 1
                bullet_lines += bullet
                ellipsis_lines += last == _ELLIPSIS or dots_in_a_row >= 3
                if kept_lines < len(lines):
                    lines[kept_lines] = line
                    line_lengths[kept_lines] = line_length
                    kept_lines += 1
            if paragraph_length and (line_length == 0 or i >= end):
                paragraph_count += 1
                if kept_paragraphs < len(paragraphs):
                    paragraphs[kept_paragraphs] = paragraph
                    paragraph_lengths[kept_paragraphs] = paragraph_length
                    kept_paragraphs += 1
                paragraph = _SEED
                paragraph_length = 0
            line = _SEED
            line_length = 0
        i += width
    row[CHARACTERS], row[WORD_CHARACTERS], row[LETTER_CHARACTERS], row[WORDS] = characters, word_characters, letter_characters, word_count
    row[LETTER_WORDS], row[STOP_WORDS], row[DISTINCT_STOP_WORDS] = letter_words, stops, distinct
    row[HASH_SYMBOLS], row[ELLIPSES], row[LINES] = hash_symbols, ellipses + dots, line_count
    row[BULLET_LINES], row[ELLIPSIS_LINES], row[PARAGRAPHS] = bullet_lines, ellipsis_lines, paragraph_count
    return kept_words, kept_lines, kept_paragraphs


@nb.njit(cache=True, nogil=True)
def _repeats(hashes: Any, lengths: Any, count: int, slots: Any, base: Any, mask: Any) -> Any:
    """Second and later copies among `count` hashes: how many, and their characters."""
    repeated = characters = 0
    for index in range(count):
        slot = _find(hashes, hashes[index], slots, base, mask)
        if slots[slot] >= base:
            repeated += 1
            characters += lengths[index]
        else:
            slots[slot] = base + index
    return repeated, characters


@nb.njit(cache=True, nogil=True)
def _ngrams(
    words: Any, lengths: Any, count: int, grams: Any, alive: Any, following: Any, counts: Any, slots: Any, base: Any, mask: Any, row: Any
) -> Any:
    """Top 2- to 4-grams and repeated 5- to 10-grams. Returns the next free base.

    An n-gram can occur twice only if the (n-1)-grams at both its ends do: `alive` marks the positions where the (n-1)-gram occurs more
    than once, the others are never hashed again.
    """
    for index in range(count):
        grams[index] = words[index]
        alive[index] = 1
    for n in range(2, 11):
        positions = count - n + 1
        if positions <= 0:
            break
        most = most_first = 0
        covered = covered_to = 0
        repeats = 0
        for index in range(positions):
            following[index] = 0
        for index in range(positions):
            if not (alive[index] and alive[index + 1]):
                continue
            h = grams[index] * _MULTIPLIER + words[index + n - 1]
            h ^= h >> U64(32)
            grams[index] = h
            slot = _find(grams, h, slots, base, mask)
            if slots[slot] < base:
                slots[slot] = base + index
                counts[index] = 1
                continue
            first = slots[slot] - base
            counts[first] += 1
            following[first] = following[index] = 1
            repeats += 1
            if n <= 4:
                if counts[first] > most or (counts[first] == most and first < most_first):
                    most, most_first = counts[first], first
            else:
                for word in range(max(index, covered_to), index + n):
                    covered += lengths[word]
                covered_to = index + n
        base = _next_base(slots, base, positions)
        if repeats == 0:
            break
        if n <= 4:
            total = 0
            for word in range(most_first, most_first + n):
                total += lengths[word]
            row[TOP_2GRAM + n - 2] = most * total
        else:
            row[REPEATED_5GRAM + n - 5] = covered
        for index in range(positions):
            alive[index] = following[index]
        alive[positions] = 0
    return base


@nb.njit(cache=True, nogil=True, inline="always")
def _find(hashes: Any, wanted: Any, slots: Any, base: Any, mask: Any) -> Any:
    """The slot of the first position of this count with the hash `wanted`, or the free slot for it. A slot below `base` is free."""
    slot = nb.int64(wanted) & mask
    while slots[slot] >= base and hashes[slots[slot] - base] != wanted:
        slot = (slot + 1) & mask
    return slot


@nb.njit(cache=True, nogil=True, inline="always")
def _next_base(slots: Any, base: Any, used: Any) -> Any:
    """The base of the next count, which frees all slots at once; near the end of int32 they are cleared one by one instead."""
    base += used
    if base >= _LAST_BASE:
        slots[:] = 0
        base = nb.int64(1)
    return base
