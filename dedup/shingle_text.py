"""The text of which shingles are pieces: a document's words, or its characters, one after the other.

In: UTF-8 bytes of a document and the classes of code points. Out: bytes, and where each word or character begins in
them. A shingle of n is what lies between where its first begins and where the one after its last does, without the
space before that.

*Words* are those of `dedup.signatures`, each followed by one space: a shingle's words are joined by one.

*Characters* are code points, A to Z lower-cased. ASCII punctuation (Python's `string.punctuation`) is left out; then a
run of white space (`str.isspace` of Unicode 14) counts as one space, and at the ends of the text as nothing. This is
what SlimPajama does (Cerebras modelzoo, slimpajama/dedup/to_hash.py, `get_features`), but for letters beyond A to Z,
which it lower-cases too, and for texts shorter than a shingle, of which it makes none. Nothing is between a shingle's
characters. Letters are separated from their combining marks, as code points are.
"""

from __future__ import annotations

from kernels.arrays import Boolean, Bytes, Int64s, Integer
from kernels.characters import ALONE, MARK, SPACE, WORD
from kernels.compiled import bare_kernel
from kernels.utf8 import code_point

_SPACE = 32


@bare_kernel
def write_words(data: Bytes, start: Integer, end: Integer, table: Bytes, out: Bytes, starts: Int64s) -> Integer:
    """Write the words of `data[start:end]`; returns their number.

    Args:
        data: valid UTF-8.
        table: `kernels.characters.classes()`.
        out: room for twice as many bytes as the document has.
        starts: room for one number more than the document has bytes; where each word begins in `out`, and the end.
    """
    count = 0
    at: Integer = 0
    inside = alone = False
    i = start
    while i < end:
        point, width = code_point(data, i)
        kind = table[point]
        goes_on = kind & MARK != 0 or (not alone and kind & (WORD | ALONE) == WORD)
        if not (inside and goes_on):
            if inside:
                out[at] = _SPACE
                at += 1
            inside, alone = kind & WORD != 0, kind & ALONE != 0
            if inside:
                starts[count] = at
                count += 1
        if inside:
            at = _write_character(data, i, width, out, at)
        i += width
    if inside:
        out[at] = _SPACE
        at += 1
    starts[count] = at
    return count


@bare_kernel
def write_characters(data: Bytes, start: Integer, end: Integer, table: Bytes, out: Bytes, starts: Int64s) -> Integer:
    """Write the characters of `data[start:end]`; returns their number. Arguments as for `write_words`."""
    count = 0
    at: Integer = 0
    space = False
    i = start
    while i < end:
        point, width = code_point(data, i)
        if table[point] & SPACE:
            space = count > 0
        elif not _is_punctuation(point):
            if space:
                out[at] = _SPACE
                starts[count] = at
                at += 1
                count += 1
                space = False
            starts[count] = at
            count += 1
            at = _write_character(data, i, width, out, at)
        i += width
    starts[count] = at
    return count


@bare_kernel
def _write_character(data: Bytes, i: Integer, width: int, out: Bytes, at: Integer) -> Integer:
    """One character, A to Z lower-cased; returns where the next one goes."""
    out[at] = lower_case(data[i])
    for offset in range(1, width):
        out[at + offset] = data[i + offset]
    return at + width


@bare_kernel
def lower_case(byte: int) -> int:
    """A to Z lower-cased, and no other byte: those of longer characters are above."""
    return byte | 32 if 65 <= byte <= 90 else byte


@bare_kernel
def _is_punctuation(point: Integer) -> Boolean:
    return 33 <= point <= 47 or 58 <= point <= 64 or 91 <= point <= 96 or 123 <= point <= 126
