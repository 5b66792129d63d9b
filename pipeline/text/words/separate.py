"""Words with their punctuation taken off, near to what spaCy's English tokenizer finds: the words that datatrove's
filters count.

In: a run of characters that are not space. Out: the words that it is cut into, which leave nothing out. The rules are
those of spaCy 3.8 (`spacy/tokenizer.pyx`; `spacy/lang/punctuation.py` and `spacy/lang/en`), applied in its order:
affixes are cut off from both ends until what is left has none or is a special case; special cases are cut as listed
(`pipeline.text.words.special_words`); an address stays whole; the rest is cut at infixes. Not followed: emoticons,
icons and alphabets that only spaCy's lists leave out, IP addresses with a path, special cases of more than one run of
characters.
"""

from __future__ import annotations

import numba as nb
import numpy as np

from kernels.arrays import Boolean, Bytes, Int32s, Integer, Uint16s, Uint32s, Uint64s
from kernels.characters import LETTER
from kernels.compiled import bare_kernel, inlined_kernel, part_kernel
from kernels.utf8 import code_point
from pipeline.text.words.point_classes import AFFIX, CURRENCY, HYPHEN, ICON, QUOTE, UPPER
from pipeline.text.words.word_hash import hash_word

# Kinds of special words, the upper bits of their value; below them the number of a stop word, or the bytes of the
# first, second and third word that it is cut into.
STOP = 1 << 28
UNIT = 1 << 29
CUT = 1 << 30
LONGEST_SPECIAL = 12

_DOT = 46
_DASHES = (0x2013, 0x2014)


@bare_kernel
def look_up(h: np.uint64, hashes: Uint64s, values: Uint32s) -> Integer:
    """The value of a special word, 0 for any other."""
    mask = len(hashes) - 1
    slot = nb.int64(h) & mask
    while values[slot] != 0 and hashes[slot] != h:
        slot = (slot + 1) & mask
    value: Integer = nb.int64(values[slot])
    return value


@inlined_kernel
def _special(data: Bytes, start: Integer, end: Integer, hashes: Uint64s, values: Uint32s, kind: Integer) -> Integer:
    """The value of the special word of this kind between two places, or 0."""
    if end - start > LONGEST_SPECIAL or end <= start:
        return nb.int64(0)
    value = look_up(hash_word(data, start, end), hashes, values)
    return value if value & kind else nb.int64(0)


@bare_kernel
def separate(
    data: Bytes, start: Integer, end: Integer, value: Integer, points: Uint16s, hashes: Uint64s, values: Uint32s,
    ends: Int32s,
) -> Integer:  # fmt: skip
    """Cut the run of characters from `start` to `end`, `start < end`, into words.

    Args:
        data: valid UTF-8.
        value: of the run as a special word (`look_up`).
        points: `pipeline.text.words.point_classes`; hashes, values: `pipeline.text.words.special_words`.
        ends: [end - start or more]; filled with where each word ends, in bytes after `start`.

    Returns:
        How many words these are.
    """
    a, b = start, end
    count: Integer = 0
    # Where suffixes begin stands at the end of `ends`, the outermost last, until all before them is known.
    stack = len(ends)
    special = value & CUT
    while a < b and not special:
        prefix = _prefix(data, a, b, points)
        special = _special(data, a + prefix, b, hashes, values, CUT) if prefix else special
        suffix: Integer = 0
        if not special:
            suffix = _suffix(data, a + prefix, b, points, hashes, values)
            special = _special(data, a, b - suffix, hashes, values, CUT) if suffix else special
            if special:
                prefix = 0
            elif prefix and suffix:
                special = _special(data, a + prefix, b - suffix, hashes, values, CUT)
        if prefix:
            a += prefix
            ends[count] = a - start
            count += 1
        if suffix:
            stack -= 1
            ends[stack] = b - start
            b -= suffix
        if not (prefix or suffix):
            break
    if a < b:
        if special:
            value = special if (a > start or b < end) else value
            second = a + (value & 255)
            third = second + ((value >> 8) & 255)
            for cut in (second, third):
                if a < cut < b:
                    ends[count] = cut - start
                    count += 1
                    a = cut
        elif not _is_address(data, a, b):
            count = _cut_at_infixes(data, start, a, b, points, ends, count)
        if count == 0 or ends[count - 1] < b - start:
            ends[count] = b - start
            count += 1
    while stack < len(ends):
        ends[count] = ends[stack]
        count += 1
        stack += 1
    return count


@part_kernel
def _cut_at_infixes(
    data: Bytes, start: Integer, a: Integer, b: Integer, points: Uint16s, ends: Int32s, count: Integer
) -> Integer:
    """Go on filling `ends` from `count` on with the words between `a` and `b`, all but the last;
    returns the new count.
    """
    i = a
    while i < b:
        if 97 <= (data[i] | 32) <= 122 or _digit(data[i]):
            i += 1
            continue
        infix = _infix(data, a, i, b, points)
        if infix == 0:
            i += 1
            while i < b and data[i] & 0xC0 == 0x80:
                i += 1
            continue
        if i > start and (count == 0 or ends[count - 1] < i - start):
            ends[count] = i - start
            count += 1
        i += infix
        ends[count] = i - start
        count += 1
    return count


@bare_kernel
def _before(data: Bytes, start: Integer, end: Integer) -> Integer:
    """Where the last character before `end` begins."""
    i = end - 1
    while i > start and data[i] & 0xC0 == 0x80:
        i -= 1
    return i


@bare_kernel
def _digit(byte: Integer) -> Boolean:
    return 48 <= byte <= 57


@inlined_kernel
def _prefix(data: Bytes, a: Integer, b: Integer, points: Uint16s) -> Integer:
    """Bytes of the prefix at `a`; 0 for none."""
    point, width = code_point(data, a)
    if point == _DOT:
        dots = 1
        while a + dots < b and data[a + dots] == _DOT:
            dots += 1
        return dots if dots > 1 else 0
    if point == 43:  # +
        return 0 if a + 1 < b and _digit(data[a + 1]) else 1
    if points[point] & (AFFIX | CURRENCY) or point in (0xA7, 37, 61) or point in _DASHES:  # § % =
        return width
    # US$, C$, A$
    if point in (65, 67) and a + 1 < b and data[a + 1] == 36:
        return 2
    return 3 if point == 85 and a + 2 < b and data[a + 1] == 83 and data[a + 2] == 36 else 0


@inlined_kernel
def _suffix(data: Bytes, a: Integer, b: Integer, points: Uint16s, hashes: Uint64s, values: Uint32s) -> Integer:
    """Bytes of the suffix before `b`; 0 for none. Nothing before `a` is looked at."""
    if a >= b:
        return 0
    last = _before(data, a, b)
    point, width = code_point(data, last)
    before = _before(data, a, last) if last > a else a
    previous: Integer = nb.int64(0)
    if last > a:
        previous, _ = code_point(data, before)
    if point == _DOT:
        if previous == _DOT:
            dots = 2
            while b - dots > a and data[b - dots - 1] == _DOT:
                dots += 1
            return dots
        if last == a:
            return 0
        kind = points[previous]
        small = kind & LETTER and not kind & UPPER
        mark = kind & AFFIX and not kind & ICON
        if _digit(previous) or small or mark or previous in (37, 0xB2, 45, 43):
            return 1
        if kind & LETTER and before > a:
            earlier, _ = code_point(data, _before(data, a, before))
            kind = points[earlier]
            if kind & UPPER or (kind & LETTER and earlier > 0x530):
                return 1
        return 0
    if point in (115, 83) and previous in (39, 0x2019):
        return b - before
    if last > a and _digit(data[last - 1]) and (point == 43 or points[point] & CURRENCY):
        return width
    # A unit after a digit: letters, % and /, ² and ³.
    i = b
    while i > a and b - i < 7 and not _digit(data[i - 1]):
        i -= 1
    if i < b and i > a and _digit(data[i - 1]) and _special(data, i, b, hashes, values, UNIT):
        return b - i
    return width if points[point] & AFFIX or point in _DASHES else 0


@bare_kernel
def _infix(data: Bytes, a: Integer, i: Integer, b: Integer, points: Uint16s) -> Integer:
    """Bytes of the infix at `i`; 0 for none."""
    point, width = code_point(data, i)
    kind = points[point]
    if kind & LETTER or _digit(point):
        return 0
    if point == 0x2026 or kind & ICON:
        return width
    if point == _DOT and i + 1 < b and data[i + 1] == _DOT:
        dots = 2
        while i + dots < b and data[i + dots] == _DOT:
            dots += 1
        return dots
    if i == a or i + width >= b:
        return 0
    previous, _ = code_point(data, _before(data, a, i))
    following, _ = code_point(data, i + width)
    left, right = points[previous], points[following]
    if point in (43, 45, 42, 94) and _digit(previous) and (_digit(following) or following == 45):
        return width
    if point == _DOT:
        small = (left & LETTER and not left & UPPER) or left & QUOTE
        # Letters of alphabets without case are capitals too.
        capital = (
            right & UPPER
            or right & QUOTE
            or (right & LETTER and following > 0x530 and not 0x1E00 <= following < 0x2000)
        )
        return 1 if small and capital else 0
    if point == 44:
        return 1 if left & LETTER and right & LETTER else 0
    if kind & HYPHEN:
        if not (left & LETTER or _digit(previous)):
            return 0
        # One to three hyphens, one or two long dashes.
        size = width
        while i + size + width <= b and size < (3 if width == 1 else 6) and point != 0x2013 and point != 126:
            again, _ = code_point(data, i + size)
            if again != point:
                break
            size += width
        if i + size >= b:
            return 0
        following, _ = code_point(data, i + size)
        return size if points[following] & LETTER else 0
    if point in (58, 60, 62, 61, 47):  # : < > = /
        return 1 if (left & LETTER or _digit(previous)) and right & LETTER else 0
    return 0


@bare_kernel
def _is_address(data: Bytes, a: Integer, b: Integer) -> Boolean:
    """Whether the whole is a web or mail address: a scheme and a user where given, labels with dots between them, the
    last of two and more small letters, then a port, a path or nothing."""
    dot = False
    for at in range(a, b):
        dot |= data[at] == _DOT
    if not dot:
        return False
    host = a
    for at in range(a + 2, b - 2):
        if data[at] == 58 and data[at + 1] == 47 and data[at + 2] == 47:
            host = at + 3
            break
    for at in range(host, b):
        if data[at] == 64:
            host = at + 1
        elif data[at] in (47, 63):
            break
    label = i = host
    labels = 0
    while i < b:
        byte = data[i]
        letter = 97 <= (byte | 32) <= 122 or byte >= 0x80
        if byte == _DOT:
            if i == label:
                return False
            labels += 1
            label = i + 1
        elif not (letter or _digit(byte) or byte in (45, 95)):
            break
        i += 1
    if labels == 0 or i - label < 2:
        return False
    for at in range(label, i):
        if not (97 <= data[at] <= 122 or data[at] >= 0x80):
            return False
    return i == b or data[i] in (47, 63, 35) or (data[i] == 58 and i + 1 < b and _digit(data[i + 1]))
