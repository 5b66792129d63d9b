"""What the walk asks of one run of characters that are not space, and of single characters: marks, bullets, symbols,
hashes.

In: UTF-8 bytes of a document and the bounds of the run in it. Out: numbers; bytes and hashes go to arrays of the
caller.
"""

from __future__ import annotations

import numba as nb
import numpy as np

from kernels.arrays import Boolean, Bytes, Int64s, Integer, Uint16s, Uint64s
from kernels.characters import ALONE, LETTER, MARK, SPACE, WORD
from kernels.compiled import bare_kernel, inlined_kernel, part_kernel
from kernels.hashing import MULTIPLIER, SEED, hash_byte
from kernels.unaligned import bytes_between, eight_bytes, lowest, ones, put_eight_bytes
from kernels.utf8 import code_point
from pipeline.text.signal_columns import Column
from pipeline.text.words.point_classes import DIGIT

U64 = np.uint64
_ALL = np.uint64(0xFFFFFFFFFFFFFFFF)

_HASH = 35
DOT = 46
NEWLINE = 10


@bare_kernel
def is_closing(data: Bytes, start: Integer, end: Integer) -> Boolean:
    """Whether the last byte is a mark that `pipeline.text.words.separate` would cut off after letters or digits."""
    mark: int = data[end - 1]
    before: int = data[end - 2]
    if mark == DOT:
        capitals: Boolean = end - start > 2 and 65 <= before <= 90 and 65 <= data[end - 3] <= 90
        return 97 <= before <= 122 or 48 <= before <= 57 or capitals
    # , ; : ! ? ) ] and quotes
    return (
        mark == 44
        or mark == 58
        or mark == 59
        or mark == 33
        or mark == 63
        or mark == 41
        or mark == 93
        or mark == 34
        or mark == 39
    )


@bare_kernel
def breaks_line(point: Integer) -> Boolean:
    """Whether `str.splitlines` ends a line here."""
    return 10 <= point <= 13 or 0x1C <= point <= 0x1E or point == 0x85 or point == 0x2028 or point == 0x2029


@bare_kernel
def is_bullet(data: Bytes, at: Integer, end: Integer) -> int:
    """0, or 1 for a bullet of Gopher's kind (• ‣ ◦ ⁃ - *), or 3 if it is one of datatrove's two as well (• -)."""
    byte = data[at]
    if byte == 45:
        return 3
    if byte == 42:
        return 1
    if byte != 0xE2 or at + 2 >= end:
        return 0
    point, _ = code_point(data, at)
    if point == 0x2022:
        return 3
    return 1 if point in (0x2023, 0x25E6, 0x2043) else 0


@bare_kernel
def look_again(data: Bytes, start: Integer, end: Integer, row: Int64s) -> Boolean:
    """Count the symbols of a run of characters; returns whether it ends in an ellipsis."""
    hashes = ellipses = dots = dots_in_a_row = 0
    i = start
    while i < end:
        byte = data[i]
        if byte == DOT:
            dots_in_a_row += 1
            dots += dots_in_a_row % 3 == 0
        else:
            dots_in_a_row = 0
            hashes += byte == _HASH
            if byte == 0xE2 and data[i + 1] == 0x80 and data[i + 2] == 0xA6:
                ellipses += 1
        i += 1
    row[Column.HASH_SYMBOLS] += hashes
    row[Column.ELLIPSES] += ellipses + dots
    row[Column.SYMBOL_WORDS] += hashes + ellipses > 0
    return dots_in_a_row >= 3 or (
        end - start >= 3 and data[end - 3] == 0xE2 and data[end - 2] == 0x80 and data[end - 1] == 0xA6
    )


@bare_kernel
def plain_run(data: Bytes, start: Integer, end: Integer) -> tuple[Integer, Integer, Integer, Integer]:
    """The run of characters that begins at `start < end`, if it is ASCII, ends within 63 bytes at space and 64 bytes
    can be read.

    Returns:
        Its bytes, 0 if it is no such run; its letters; LETTER, WORD and DIGIT where all its characters are such; the
        same without the last.
    """
    none = nb.int64(0)
    if start + 64 > len(data):
        return none, none, none, none
    size = min(lowest(~bytes_between(data, start, 0x21, 0x7F, 0)), end - start)
    if (
        size == 64
        or size == 0
        or not (start + size == end or data[start + size] == 32 or data[start + size] == NEWLINE)
    ):
        return none, none, none, none
    inside = _ALL >> U64(64 - size)
    letter = bytes_between(data, start, 97, 122, 32) & inside
    digit = bytes_between(data, start, 48, 57, 0) & inside
    word = letter | digit | (bytes_between(data, start, 95, 95, 0) & inside)
    stem = inside >> U64(1)
    common = nb.int64(letter == inside) * LETTER | nb.int64(digit == inside) * DIGIT | nb.int64(word == inside) * WORD
    stem_common = nb.int64(letter & stem == stem) * (LETTER | WORD) | nb.int64(digit & stem == stem) * (DIGIT | WORD)
    return nb.int64(size), ones(letter), common, stem_common


@part_kernel
def any_run(data: Bytes, start: Integer, end: Integer, points: Uint16s, kinds: Bytes) -> tuple[Integer, ...]:
    """The run of characters that begins at `start < end`, whatever they are; empty if space stands there.

    Returns:
        Where it ends; how many of its bytes do not begin a character; its letters; the classes that all its characters
        have; the same without the last; the space that ends it and its bytes, for the end of the text a line feed.
    """
    extra = letters = nb.int64(0)
    common = stem_common = nb.int64(255)
    i = start
    while i < end:
        byte = data[i]
        kind = nb.int64(kinds[byte])
        if kind & SPACE:
            if byte < 0x80:
                return i, extra, letters, common, stem_common, nb.int64(byte), nb.int64(1)
            point, width = code_point(data, i)
            kind = nb.int64(points[point])
            if kind & SPACE:
                return i, extra, letters, common, stem_common, point, nb.int64(width)
            # What is a word of its own joins no word.
            kind &= LETTER if kind & ALONE else LETTER | WORD
            i += width - 1
            extra += width - 1
        stem_common = common
        common &= kind
        letters += (kind >> 1) & 1
        i += 1
    return i, extra, letters, common, stem_common, nb.int64(NEWLINE), nb.int64(1)


@inlined_kernel
def copy(data: Bytes, start: Integer, end: Integer, out: Bytes, at: Integer) -> None:
    """Copy bytes to `out` from `at` on; up to 16 more are written after them."""
    if end - start <= 16 and start + 16 <= len(data):
        put_eight_bytes(out, at, eight_bytes(data, start))
        put_eight_bytes(out, at + 8, eight_bytes(data, start + 8))
        return
    for offset in range(end - start):
        out[at + offset] = data[start + offset]


@bare_kernel
def bits(mask: Integer) -> Integer:
    count = nb.int64(0)
    while mask:
        count += mask & 1
        mask >>= 1
    return count


@bare_kernel
def hash_shingle_word(data: Bytes, start: Integer, end: Integer) -> np.uint64:
    """The hash of one `\\w` word, A to Z lower-cased (`dedup.signatures`)."""
    h = SEED
    for i in range(start, end):
        byte = data[i]
        h = hash_byte(h, byte | 32 if 65 <= byte <= 90 else byte)
    return h


@bare_kernel
def hash_shingle_words(
    data: Bytes, start: Integer, end: Integer, points: Uint16s, out: Uint64s, count: Integer
) -> Integer:
    """Hashes of the words of a run of characters, A to Z lower-cased (`dedup.signatures`); returns the new count."""
    inside = alone = False
    h = SEED
    i = start
    while i < end:
        point, width = code_point(data, i)
        kind = points[point]
        goes_on = kind & MARK != 0 or (not alone and kind & (WORD | ALONE) == WORD)
        if not (inside and goes_on):
            if inside:
                out[count] = h
                count += 1
            inside, alone = kind & WORD != 0, kind & ALONE != 0
            h = SEED
        if inside:
            if width == 1:
                byte = point | 32 if 65 <= point <= 90 else point
                h = (h ^ U64(byte)) * MULTIPLIER
                h ^= h >> U64(29)
            else:
                for offset in range(width):
                    h = (h ^ U64(data[i + offset])) * MULTIPLIER
                    h ^= h >> U64(29)
        i += width
    if inside:
        out[count] = h
        count += 1
    return count
