"""The walk over a document's bytes: words, lines and paragraphs under every definition that a filter asks for, each
found once.

In: UTF-8 bytes of one document, tables, scratch. Out: counts in `row`, hashes and lengths in scratch, packed properties
of its lines. `pipeline.text.signals` says what each count means.

A run of characters that are not space is found and classified by bit masks of 64 bytes if it is ASCII, else byte by
byte. Where it is all letters or all digits, as most are, it is at once the word of whitespace, of `\\w` and of
separated punctuation; only other runs are looked at again. Hashes stand for words, lines and paragraphs, 64 bits each:
two different ones of a document collide with probability below 1e-7 for a million of them.
"""

from __future__ import annotations

import numba as nb
import numpy as np

from kernels.arrays import Boolean, Bytes, Int64s, Integer, Uint16s, Uint32s, Uint64s
from kernels.characters import LETTER, WORD
from kernels.compiled import kernel
from kernels.hashing import SEED, mix
from kernels.utf8 import code_point, without_space_behind
from pipeline.text.signal_columns import Column
from pipeline.text.words.joined import PREFIX_BYTES
from pipeline.text.words.keep import FULL, KEPT, SEEN, USED, keep_marked, keep_parts, keep_word
from pipeline.text.words.line import line_properties
from pipeline.text.words.point_classes import DIGIT, TERMINAL
from pipeline.text.words.runs import (
    NEWLINE,
    any_run,
    bits,
    breaks_line,
    copy,
    hash_shingle_word,
    hash_shingle_words,
    is_bullet,
    is_closing,
    look_again,
    plain_run,
)
from pipeline.text.words.scratch import Scratch
from pipeline.text.words.separate import CUT, LONGEST_SPECIAL, STOP, look_up
from pipeline.text.words.word_hash import hash_word

U64 = np.uint64
# FineWeb's short lines (datatrove 0.10.1, fineweb_quality_filter.py, `short_line_length`).
SHORT_LINE = 30


@kernel
def walk(
    data: Bytes, start: Integer, end: Integer, points: Uint16s, kinds: Bytes, hashes: Uint64s, values: Uint32s,
    whole: bool, shingles_wanted: bool, scratch: Scratch, state: Int64s, packed: Uint32s, packed_count: Integer,
    row: Int64s,
) -> tuple[Integer, ...]:  # fmt: skip
    """Walk over one document, `start < end`.

    It is long because what is left here shares some thirty counters, each of which a kernel for words, lines or
    paragraphs would have to take and return. What shares few is cut out (`runs`, `keep`, `line`): as parts of this
    kernel these cost nothing (0.97 to 1.00 times the CPU seconds of all statistics).

    Args:
        data: valid UTF-8.
        points, kinds: `pipeline.text.words.point_classes`.
        hashes, values: `pipeline.text.words.special_words`.
        whole: separated words are those of whitespace.
        shingles_wanted: `\\w` words are kept in `scratch.shingle_words`.
        state: scratch, [4].
        packed, packed_count: properties of lines, and how many there are: those of this document's lines are put after
            them.
        row: [len(COLUMNS)], zeros.

    Returns:
        How many words, lines, paragraphs, raw lines, raw paragraphs and shingle words were kept in scratch, and the new
        `packed_count`.
    """
    words, word_lengths = scratch.words, scratch.word_lengths
    lines, line_lengths = scratch.lines, scratch.line_lengths
    paragraphs, paragraph_lengths = scratch.paragraphs, scratch.paragraph_lengths
    raw_lines, raw_line_lengths = scratch.raw_lines, scratch.raw_line_lengths
    raw_paragraphs, raw_paragraph_lengths = scratch.raw_paragraphs, scratch.raw_paragraph_lengths
    separated, separated_lengths, starts, characters = (
        scratch.separated,
        scratch.separated_lengths,
        scratch.starts,
        scratch.characters,
    )
    ends, shingle_words = scratch.ends, scratch.shingle_words
    room = nb.int64(len(characters) - PREFIX_BYTES - 8)
    state[:] = 0
    starts[0] = 0

    kept_words = kept_lines = kept_paragraphs = kept_raw_lines = kept_raw_paragraphs = nb.int64(0)
    shingle_count: Integer = nb.int64(0)
    word_count = word_characters = letter_characters = letter_words = stops = seen = nb.int64(0)
    line_count = paragraph_count = newlines = nb.int64(0)
    simple_words = mark_words = simple_letter_words = simple_characters = nb.int64(0)
    stem_value: Integer = nb.int64(0)
    extra: Integer = nb.int64(0)  # bytes that do not begin a character, so far
    line, paragraph = SEED, SEED
    line_length = paragraph_length = line_words = nb.int64(0)
    line_longest: Integer = nb.int64(0)
    line_start = start
    line_start_extra: Integer = nb.int64(0)
    line_first: Integer = nb.int64(-1)
    line_first_extra: Integer = nb.int64(0)
    # Raw lines: space before the first word, then words and space.
    lead, raw, raw_at_word = SEED, SEED, SEED
    raw_paragraph, raw_paragraph_length = SEED, nb.int64(-1)
    word_end = start
    word_end_extra: Integer = nb.int64(0)
    ellipsis_last: Boolean = False
    split_first: Integer = nb.int64(-1)
    split_start = start
    body_begin: Integer = nb.int64(-1)
    body_end = without_space_behind(data, start, end, points)
    i = start
    while True:
        # A run of characters that are not space.
        first, first_extra = i, extra
        point: Integer = nb.int64(NEWLINE)
        width: Integer = nb.int64(1)
        letters: Integer = nb.int64(0)
        common: Integer = nb.int64(255)
        stem_common: Integer = nb.int64(255)
        if i < end:
            size, letters, common, stem_common = plain_run(data, i, end)
            i += size
            if size == 0:
                i, more, letters, common, stem_common, point, width = any_run(data, i, end, points, kinds)
                extra += more
            elif i < end:
                point = nb.int64(data[i])
        if i > first:
            length = (i - first) - (extra - first_extra)
            h = stem = hash_word(data, first, i)
            word_count += 1
            word_characters += length
            letter_characters += letters
            letter_words += letters > 0
            value = look_up(h, hashes, values) if length <= LONGEST_SPECIAL else nb.int64(0)
            if value & STOP:
                stops += 1
                seen |= 1 << (value & 15)
            if kept_words < len(words):
                words[kept_words] = h
                word_lengths[kept_words] = length
                kept_words += 1
            if line_length == 0:
                line_first, line_first_extra = first, first_extra
                lead, raw = raw, SEED
                if body_begin < 0:
                    body_begin = first
            if split_first < 0:
                split_first = first
            line = mix(line, h)
            line_length += length
            line_words += 1
            line_longest = max(line_longest, length)
            paragraph = mix(paragraph, h)
            paragraph_length += length
            raw = mix(raw, h)
            raw_at_word = raw
            word_end, word_end_extra = i, extra
            ellipsis_last = False
            simple = common & (LETTER | DIGIT) != 0
            # A word and one mark after it, not a special case: most of the other runs.
            marked = (
                not simple
                and not value & CUT
                and stem_common & (LETTER | DIGIT)
                and i - first > 1
                and is_closing(data, first, i)
            )
            if marked:
                stem = hash_word(data, first, i - 1)
                stem_value = look_up(stem, hashes, values) if length <= LONGEST_SPECIAL else nb.int64(0)
                marked = not stem_value & CUT and state[KEPT] + 1 < len(separated)
            if shingles_wanted:
                if common & WORD or (marked and stem_common & WORD):
                    shingle_words[shingle_count] = hash_shingle_word(data, first, i if common & WORD else i - 1)
                    shingle_count += 1
                else:
                    shingle_count = hash_shingle_words(data, first, i, points, shingle_words, shingle_count)
            if not simple and not marked:
                ellipsis_last = look_again(data, first, i, row)
            used = state[USED]
            if used + (i - first) > room:
                state[FULL] = 1
            if not state[FULL]:
                copy(data, first, i, characters, used)
            if simple and not value & CUT and not whole:
                simple_words += 1
                simple_letter_words += letters > 0
                simple_characters += length
                keep_word(h, length, used + (i - first), value, separated, separated_lengths, starts, state)
            elif marked and not whole:
                simple_words += 1
                mark_words += 1
                simple_letter_words += letters > 0
                simple_characters += length - 1
                mark = hash_word(data, i - 1, i)
                keep_marked(
                    stem, mark, length, used + (i - first), stem_value, separated, separated_lengths, starts, state
                )
            else:
                keep_parts(
                    data, first, i, first - used, value, whole or length == 1, points, hashes, values, separated,
                    separated_lengths, starts, ends, room, state, row,
                )  # fmt: skip
        if i < end and point == 32:
            raw = mix(raw, U64(32))
            i += 1
            continue
        if i >= end or breaks_line(point):
            # What `str.splitlines` gives; a line feed after a carriage return ends nothing.
            if not (i < end and point == NEWLINE and i > start and data[i - 1] == 13) and (
                i < end or split_start < end
            ):
                row[Column.SPLIT_LINES] += 1
                if split_first >= 0:
                    row[Column.SPLIT_BULLET_LINES] += is_bullet(data, split_first, end) == 3
                    row[Column.SPLIT_ELLIPSIS_LINES] += ellipsis_last
                split_first = nb.int64(-1)
            split_start = i + width
        if point != NEWLINE:
            raw = mix(raw, U64(point))
            i += width
            extra += width - 1
            continue
        # The end of a line, or of the text.
        if i < end:
            newlines += 1
        if line_length == 0:
            lead, raw = raw, SEED
        raw_length = (i - line_start) - (extra - line_start_extra)
        if raw_length:
            row[Column.RAW_LINES] += 1
            if kept_raw_lines < len(raw_lines):
                raw_lines[kept_raw_lines] = mix(lead, raw)
                raw_line_lengths[kept_raw_lines] = raw_length if line_length else -raw_length
                kept_raw_lines += 1
            row[Column.RAW_BULLET_LINES] += data[line_start] == 42 or data[line_start] == 45
            row[Column.RAW_ELLIPSIS_LINES] += (
                i - line_start >= 3 and data[i - 3] == 0xE2 and data[i - 2] == 0x80 and data[i - 1] == 0xA6
            )
            if body_begin >= 0 and line_start < body_end:
                # The text's own first and last space is no part of its paragraphs.
                begins = line_first == body_begin and line_length > 0
                if begins:
                    lead = SEED
                length = (line_first - line_start) - (line_first_extra - line_start_extra) if begins else nb.int64(0)
                length = raw_length - length
                if i >= body_end:
                    raw = raw_at_word
                    length -= (i - word_end) - (extra - word_end_extra)
                raw_paragraph = mix(raw_paragraph, mix(lead, raw))
                raw_paragraph_length += length + 1
        if raw_paragraph_length >= 0 and (raw_length == 0 or i >= end):
            row[Column.RAW_PARAGRAPHS] += 1
            if kept_raw_paragraphs < len(raw_paragraphs):
                raw_paragraphs[kept_raw_paragraphs] = raw_paragraph
                raw_paragraph_lengths[kept_raw_paragraphs] = raw_paragraph_length
                kept_raw_paragraphs += 1
            raw_paragraph, raw_paragraph_length = SEED, nb.int64(-1)
        if line_length:
            line_count += 1
            row[Column.BULLET_LINES] += is_bullet(data, line_first, end) != 0
            row[Column.ELLIPSIS_LINES] += ellipsis_last
            row[Column.SHORT_LINES] += raw_length <= SHORT_LINE
            if word_end == i:
                last = i - 1
                while data[last] & 0xC0 == 0x80:
                    last -= 1
                last_point, _ = code_point(data, last)
                row[Column.TERMINAL_LINES] += points[last_point] & TERMINAL != 0
            packed[packed_count] = line_properties(data, line_first, word_end, line_words, line_longest, points)
            packed_count += 1
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
            paragraph = SEED
            paragraph_length = nb.int64(0)
        if i >= end:
            break
        line = lead = raw = SEED
        line_length = line_words = line_longest = nb.int64(0)
        i += 1
        line_start, line_start_extra = i, extra
    used = state[USED]
    for offset in range(PREFIX_BYTES + 8):
        characters[used + offset] = 0
    row[Column.CHARACTERS], row[Column.WORD_CHARACTERS], row[Column.LETTER_CHARACTERS] = (
        end - start - extra,
        word_characters,
        letter_characters,
    )
    row[Column.WORDS], row[Column.LETTER_WORDS], row[Column.STOP_WORDS], row[Column.DISTINCT_STOP_WORDS] = (
        word_count,
        letter_words,
        stops,
        bits(seen),
    )
    row[Column.LINES], row[Column.PARAGRAPHS], row[Column.NEWLINES] = line_count, paragraph_count, newlines
    row[Column.SEPARATED_WORDS] += simple_words + mark_words
    row[Column.SEPARATED_LETTER_WORDS] += simple_letter_words
    row[Column.SEPARATED_DISTINCT_STOP_WORDS] = bits(state[SEEN])
    row[Column.PLAIN_WORDS] += simple_words
    row[Column.PLAIN_WORD_CHARACTERS] += simple_characters
    return kept_words, kept_lines, kept_paragraphs, kept_raw_lines, kept_raw_paragraphs, shingle_count, packed_count
