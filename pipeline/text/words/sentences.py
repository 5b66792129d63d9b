"""Where a sentence ends inside a line.

In: UTF-8 bytes of a document, the bounds of a line in it, a place of a mark. Out: whether a sentence ends there.

The rule is our own, near to what NLTK's punkt and spaCy's sentencizer find: a sentence ends at `.`, `!` or `?` (closing
quotes and brackets may follow) before space, or between a small letter and a capital (`end.Begin`), and at a CJK full
stop, exclamation or question mark; but not at two and more dots or a dot before another (`. . .`), and not at the dot
of a single letter or of an abbreviation (`ABBREVIATIONS`).
"""

from __future__ import annotations

import numba as nb
import numpy as np

from kernels.arrays import Boolean, Bytes, Integer
from kernels.compiled import bare_kernel

# Dots after these end no sentence: common abbreviations of English prose, at most eight letters.
ABBREVIATIONS = (
    "adm", "al", "apr", "aug", "ave", "bros", "ca", "capt", "cf", "cmdr", "co", "col", "corp", "dec", "dept", "dr",
    "ed", "eds", "est", "etc", "feb", "fig", "figs", "gen", "gov", "hon", "inc", "jan", "jr", "jul", "jun", "lt",
    "ltd", "maj", "mar", "messrs", "mr", "mrs", "ms", "mt", "nov", "oct", "pp", "pres", "prof", "rep", "rev", "sec",
    "sen", "sep", "sept", "sgt", "sr", "st", "vol", "vs",
)  # fmt: skip

# Up to eight letters as one number. numba compiles global arrays in.
_ABBREVIATIONS = np.array([int.from_bytes(word.encode(), "big") for word in ABBREVIATIONS], np.uint64)


@bare_kernel
def ends_sentence(data: Bytes, start: Integer, i: Integer, end: Integer) -> Boolean:
    """Whether a sentence ends with the mark at `i` and more of the line follows."""
    mark = data[i]
    if mark >= 0xE3:
        # U+3002, U+FF01, U+FF0E, U+FF1F
        second, third = data[i + 1], data[i + 2]
        if not (
            (mark == 0xE3 and second == 0x80 and third == 0x82)
            or (mark == 0xEF and second == 0xBC and third in (0x81, 0x8E, 0x9F))
        ):
            return False
        # Among several marks the last one counts, and closing brackets and quotes (U+3001 to U+301F, U+FF08 to U+FF0E)
        # belong to the sentence.
        after = i + 3
        if after + 2 < end and (data[after] == 0xE3 and data[after + 1] == 0x80):
            after += 3
        if (
            after + 2 < end
            and data[after] == 0xEF
            and data[after + 1] == 0xBC
            and data[after + 2] in (0x81, 0x8E, 0x9F)
        ):
            return False
        return after < end
    after = i + 1
    if after >= end:
        return False
    following = data[after]
    if following == 46 or following == 33 or following == 63:
        return False
    if mark == 46:
        before = data[i - 1] if i > start else nb.uint8(32)
        if before == 46:
            return False
        if 97 <= before <= 122 and 65 <= following <= 90:
            return True
    # " ' ) ] } and U+2019, U+201D
    while after < end:
        if data[after] in (34, 39, 41, 93, 125):
            after += 1
        elif after + 2 < end and data[after] == 0xE2 and data[after + 1] == 0x80 and data[after + 2] in (0x99, 0x9D):
            after += 3
        else:
            break
    if after >= end or not (data[after] == 32 or data[after] == 9):
        return False
    # Among dots with a space between them (`. . .`) the last one counts.
    if mark == 46 and after + 1 < end and data[after + 1] == 46:
        return False
    return mark != 46 or not _is_abbreviation(data, start, i)


@bare_kernel
def _is_abbreviation(data: Bytes, start: Integer, i: Integer) -> Boolean:
    """Whether the letters right before `i` are a single one or an abbreviation."""
    letters = nb.uint64(0)
    first = i
    while first > start and (65 <= (data[first - 1] & 0xDF) <= 90):
        first -= 1
        if i - first > 8:
            return False
    # Letters after letters of other alphabets are not a word of their own.
    if first == i or (first > start and data[first - 1] >= 0x80):
        return False
    if i - first == 1:
        return True
    for at in range(first, i):
        letters = (letters << nb.uint64(8)) | nb.uint64(data[at] | 32)
    # A loop without branches, which compiles to vector instructions.
    found = False
    for abbreviation in _ABBREVIATIONS:
        found |= abbreviation == letters
    return found
