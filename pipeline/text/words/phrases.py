"""Set phrases in a line, in any case of ASCII letters.

In: UTF-8 bytes of a document, the bounds of a line in it, phrases as bytes. Out: whether one is there.
"""

from __future__ import annotations

from kernels.arrays import Boolean, Bytes, Integer
from kernels.compiled import bare_kernel, kernel


@bare_kernel
def matches(data: Bytes, start: Integer, at: Integer, end: Integer, phrase: Bytes) -> Boolean:
    """Whether `phrase`, given in small letters, is at `at` within the line, in any case."""
    if at < start or at + len(phrase) > end:
        return False
    for offset in range(len(phrase)):
        byte = data[at + offset]
        if 65 <= byte <= 90:
            byte |= 32
        if byte != phrase[offset]:
            return False
    return True


@kernel
def among(data: Bytes, start: Integer, end: Integer, phrases: Bytes) -> Boolean:
    """Whether [start, end) is one of the phrases, in any case; a line feed ends each phrase."""
    return _one_stands(data, start, end, phrases, True, True)


@kernel
def begins(data: Bytes, start: Integer, end: Integer, phrases: Bytes) -> Boolean:
    """Whether one of the phrases is at the start of [start, end)."""
    return _one_stands(data, start, end, phrases, True, False)


@kernel
def closes(data: Bytes, start: Integer, end: Integer, phrases: Bytes) -> Boolean:
    """Whether one of the phrases is at the end of [start, end)."""
    return _one_stands(data, start, end, phrases, False, True)


@kernel
def _one_stands(data: Bytes, start: Integer, end: Integer, phrases: Bytes, first: bool, last: bool) -> Boolean:
    """Whether a phrase is at the start of [start, end), at its end, or, with both, all of it."""
    at = 0
    while at < len(phrases):
        stop = at
        while phrases[stop] != 10:
            stop += 1
        size = stop - at
        alone = size == end - start
        place = start if first else end - size
        if (alone or not (first and last)) and matches(data, start, place, end, phrases[at:stop]):
            return True
        at = stop + 1
    return False
