"""Where the pieces of a page's markup end: names of tags, comments, and content that is not text.

In: bytes of markup, and where a piece begins. Out: where it ends, by the HTML standard's tokenizer (13.2.5), and
whether that is sure, whatever is before it. Each byte is looked at a bounded number of times.
"""

from __future__ import annotations

from kernels.arrays import Bytes
from kernels.compiled import bare_kernel, kernel
from kernels.unaligned import bytes_between, ones
from pipeline.readers.web.html_attributes import next_byte, read_attributes


@kernel
def signs(data: Bytes) -> tuple[int, int]:
    """How many `<` there are, and how many of those may begin an `ul` or `ol`."""
    size, at, signs, lists = len(data), 0, 0, 0
    while at + 65 <= size:
        found = bytes_between(data, at, 60, 60, 0)
        signs += ones(found)
        lists += ones(found & (bytes_between(data, at + 1, 111, 111, 32) | bytes_between(data, at + 1, 117, 117, 32)))
        at += 64
    while at < size:
        if data[at] == 60:
            signs += 1
            lists += at + 1 < size and data[at + 1] | 32 in (111, 117)
        at += 1
    return signs, lists


@bare_kernel
def tag_name(data: Bytes, at: int) -> tuple[int, int]:
    """The last eight letters of a tag's name, packed, and where it ends."""
    name = 0
    while at < len(data) and data[at] > 32 and data[at] != 47 and data[at] != 62:
        name = (name << 8) | (data[at] | 32 if 65 <= data[at] <= 90 else data[at])
        at += 1
    return name, at


@bare_kernel
def tag_end(data: Bytes, at: int) -> int:
    """Where an end tag ends."""
    return int(read_attributes(data, tag_name(data, at + 2)[1])[0])


@bare_kernel
def comment_end(data: Bytes, at: int) -> tuple[int, bool]:
    """Where a comment ends, or what is read as one; and whether it surely is a comment, wherever it is."""
    size = len(data)
    if at + 3 < size and data[at + 1] == 33 and data[at + 2] == 45 and data[at + 3] == 45:
        begins = at + 4
        at = next_byte(data, begins, 62)
        while at < size:
            # `<!-->` and `<!--->` are whole comments.
            short = at <= begins + 1 and (at == begins or data[begins] == 45)
            marked = at > begins + 2 and data[at - 1] == 33
            if short or (at > begins + 1 and data[at - 1 - marked] == 45 and data[at - 2 - marked] == 45):
                return at + 1, True
            at = next_byte(data, at + 1, 62)
        return size, False
    return min(size, next_byte(data, at, 62) + 1), False


@bare_kernel
def raw_end(data: Bytes, at: int, begins: int, name: int) -> tuple[int, bool]:
    """Where the end tag of an element begins whose content is not text, and whether that is sure.

    A script that begins within a comment of a script hides its own end tag.
    """
    size, letters, comment, sure = len(data), 0, False, True
    while letters < 8 and name >> (8 * letters):
        letters += 1
    at = next_byte(data, at, 60)
    while at + 1 < size:
        closing = data[at + 1] == 47
        if closing or comment:
            first, place = at + 1 + closing, 0
            while (
                place < letters and first + place < size and (data[first + place] | 32) == (data[begins + place] | 32)
            ):
                place += 1
            name_end = first + place
            if place == letters and (
                name_end >= size or data[name_end] <= 32 or data[name_end] == 47 or data[name_end] == 62
            ):
                if closing:
                    return at, sure
                sure = False
        comment |= at + 3 < size and data[at + 1] == 33 and data[at + 2] == 45 and data[at + 3] == 45
        at = next_byte(data, at + 1, 60)
    return size, sure


@bare_kernel
def has_text(data: Bytes, at: int, end: int) -> bool:
    """Whether there is more than white space, or a comment as old styles and scripts are written in."""
    while at < end and data[at] <= 32:
        at += 1
    return at < end and data[at] != 60
