"""Which blocks of a page its extracted text does not hold, looked for in one pass.

In: the blocks of a page (`pipeline.readers.web.html_blocks`), and the text that was found in it. Out: the blocks that
are lost, in their order. The bytes that may be searched are bounded; blocks beyond are only counted.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from kernels.arrays import Bytes, Int64s
from kernels.compiled import bare_kernel, kernel
from kernels.unaligned import bytes_between, lowest
from pipeline.readers.web.html_blocks import Blocks
from pipeline.readers.web.html_characters import blank_width, bullet_at, squeeze
from pipeline.readers.web.html_tags import FRAMES, HIDDEN, NAMES, NOSCRIPT

_LI: Final = NAMES.index("li")
_FRAME: Final = NAMES.index(FRAMES[0])
# Bytes of a block that are looked for.
_KEY: Final = 32
# Shorter beginnings are part of many words: they must be a line or a cell of their own.
_SHORT: Final = 8
# A line with more characters has no short beginning, whatever number and bullet it has.
_LONG: Final = 4 * _SHORT
# Digits of a number before an item.
_MOST_DIGITS: Final = 6
# Bytes after a text that may be read together with it.
_PADDING: Final = 128


class Lost(NamedTuple):
    """What a text lacks of m blocks.

    Attributes:
        rows: those of the blocks that it does not hold, int64[].
        beyond: how many were not looked for.
    """

    rows: Int64s
    beyond: int


def lost_blocks(blocks: Blocks, text: str, *, most_searched: int) -> Lost:
    """Blocks whose beginning is not in a text; those within a lost one are not given, except items in items.

    Args:
        most_searched: bytes of the text that are searched for all blocks together.
    """
    found = np.frombuffer(text.encode("utf-8", "surrogatepass"), np.uint8)
    columns = (blocks.kinds, blocks.starts, blocks.stops, blocks.firsts, blocks.afters)
    lost, beyond = _lost(found, blocks.text, *columns, most_searched)
    return Lost(lost, beyond)


@kernel
def _lost(
    found: Bytes,
    page: Bytes,
    kinds: Int64s,
    starts: Int64s,
    stops: Int64s,
    firsts: Int64s,
    afters: Int64s,
    most_searched: int,
) -> tuple[Int64s, int]:
    words = np.empty(len(found) + _PADDING, np.uint8)
    size = squeeze(found, words)
    words[size : size + _PADDING] = 0
    lines = np.empty(256, np.int64)
    lines_known = -1
    lost = np.empty(len(kinds), np.int64)
    count = beyond = 0
    # Most blocks are in the text in their order: the search continues where the last one was found.
    reached = within = 0
    within_kind = -1
    searched = most_searched
    for number in range(len(kinds)):
        kind, start, stop = kinds[number], starts[number], stops[number]
        if start == stop or (number < within and not (kind == _LI and within_kind == _LI)):
            continue
        if kind != HIDDEN and kind != NOSCRIPT:
            if searched < 0:
                beyond += 1
                continue
            length = min(stop - start, _KEY)
            if length >= _SHORT:
                at = _find(words, reached, size, page, start, length)
                if at >= 0:
                    searched -= at - reached
                    reached = at
                    continue
                searched -= size
                if _find(words, 0, min(size, reached + length - 1), page, start, length) >= 0:
                    continue
            if lines_known < 0:
                lines, lines_known = _short_lines(found)
            first = min(firsts[number] - start, _KEY)
            if _is_line(lines[:lines_known], page, start, length):
                continue
            # Bullets and numbers may have been written after the first piece of text in a block.
            if kind < _FRAME and 0 < first < length:
                if first >= _SHORT:
                    searched -= size
                    if _find_in_pieces(words, size, page, start, first, length):
                        continue
                if first < _SHORT and _is_line(lines[:lines_known], page, start, first):
                    continue
        within, within_kind = afters[number], kind
        lost[count] = number
        count += 1
    return lost[:count], beyond


@bare_kernel
def _find(words: Bytes, at: int, end: int, page: Bytes, start: int, length: int) -> int:
    """Where the bytes of a page from `start` on are in the words before `end`; -1 if they are not there."""
    first, last = page[start], page[start + length - 1]
    while at + length <= end:
        # The first byte and the last one rule most wrong places out.
        places = bytes_between(words, at, first, first, 0) & bytes_between(words, at + length - 1, last, last, 0)
        while places:
            place = at + lowest(places)
            if place + length > end:
                return -1
            same = 1
            while same < length and words[place + same] == page[start + same]:
                same += 1
            if same == length:
                return int(place)
            places &= places - np.uint64(1)
        at += 64
    return -1


@bare_kernel
def _find_in_pieces(words: Bytes, end: int, page: Bytes, start: int, first: int, length: int) -> bool:
    """Whether the first bytes of a page are in the words, and the next few after what extractors write between."""
    at = 0
    while True:
        place = _find(words, at, end, page, start, first)
        if place < 0:
            return False
        behind = place + first
        if _same_cells(words, behind, end, page, start + first, start + length):
            return True
        if _same_cells(words, _after_number(words, behind, end), end, page, start + first, start + length):
            return True
        at = place + 1


@bare_kernel
def _after_number(words: Bytes, at: int, end: int) -> int:
    """Where a number and its point, or a hyphen, end."""
    most = min(end, at + _MOST_DIGITS)
    while at < most and 48 <= words[at] <= 57:
        at += 1
    return at + 1 if at < end and (words[at] == 46 or words[at] == 45) else at


@bare_kernel
def _same_cells(words: Bytes, at: int, end: int, page: Bytes, start: int, stop: int) -> bool:
    """Whether the next few bytes of a page are there, lines between cells aside."""
    stop = min(stop, start + _SHORT)
    while start < stop and at < end:
        if words[at] == page[start]:
            start += 1
        elif words[at] != 124:
            return False
        at += 1
    return start == stop


@kernel
def _short_lines(data: Bytes) -> tuple[Int64s, int]:
    """The short ones of the lines and cells, without white space, bullets and numbers, packed and in order; and how
    many they are.
    """
    size = len(data)
    lines = np.empty(256, np.int64)
    line = np.empty(4 * _LONG, np.uint8)
    count = begin = 0
    while begin < size:
        end = begin
        while end < size and data[end] != 10 and data[end] != 9 and data[end] != 124:
            end += 1
        first, last = _short_part(data, begin, end)
        length = _without_number(data, first, last, line)
        if 0 < length < _SHORT:
            if count == len(lines):
                larger = np.empty(4 * count, np.int64)
                larger[:count] = lines
                lines = larger
            lines[count] = _packed(line, 0, length)
            count += 1
        begin = end + 1
    lines[:count].sort()
    return lines, count


@bare_kernel
def _short_part(data: Bytes, at: int, end: int) -> tuple[int, int]:
    """Where a line begins after its bullet, and ends; empty if the line is not short."""
    at = _after_blanks(data, at, end)
    if at + 3 <= end and bullet_at(data, at):
        at += 3
    # A hyphen before nothing is the line itself.
    if at + 2 <= end and data[at] == 45 and data[at + 1] == 32 and _after_blanks(data, at + 2, end) < end:
        at += 2
    at = _after_blanks(data, at, end)
    begin = last = at
    characters = 0
    while at < end:
        width = blank_width(data, at)
        if width:
            characters += 1
            at += width
            continue
        characters += data[at] & 0xC0 != 0x80
        if characters >= _LONG:
            return begin, begin
        at += 1
        last = at
    return begin, last


@bare_kernel
def _without_number(data: Bytes, at: int, end: int, line: Bytes) -> int:
    """Copies a line without white space and its first number with a point; how many bytes were copied."""
    used = digits = 0
    numbered = False
    while at < end:
        width = blank_width(data, at)
        if width:
            if digits and not numbered and data[at - 1] == 46:
                numbered = True
                used -= min(digits, _MOST_DIGITS) + 1
            digits = 0
            at += width
            continue
        byte = data[at]
        # A point with white space after it keeps the count of the digits before it.
        if byte != 46 or at + 1 >= end or not blank_width(data, at + 1):
            digits = digits + 1 if 48 <= byte <= 57 else 0
        line[used] = byte
        used += 1
        at += 1
    return used


@bare_kernel
def _after_blanks(data: Bytes, at: int, end: int) -> int:
    while at < end:
        width = blank_width(data, at)
        if width == 0:
            break
        at += width
    return at


@bare_kernel
def _packed(data: Bytes, at: int, length: int) -> int:
    number = 0
    for place in range(at, at + length):
        number = (number << 8) | int(data[place])
    return number


@bare_kernel
def _is_line(lines: Int64s, page: Bytes, start: int, length: int) -> bool:
    """Whether a short beginning is a line or a cell of its own."""
    if length >= _SHORT:
        return False
    key = _packed(page, start, length)
    place = np.searchsorted(lines, key)
    return bool(place < len(lines) and lines[place] == key)
