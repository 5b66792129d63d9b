"""The text of a page's markup, copied without white space and bullets.

In: bytes of markup, and where text begins in it. Out: its bytes, what character references stand for in their place. A
bounded amount of work for each byte.
"""

from __future__ import annotations

from html.entities import html5

from kernels.arrays import Bytes, Int64s
from kernels.compiled import bare_kernel, kernel
from pipeline.readers.web.html_list_marks import CHARACTERS, LINKED
from pipeline.readers.web.html_names import number_of, numbered

ENTITIES = numbered(
    {name[:-1]: ord(text) for name, text in html5.items() if name[-1] == ";" and len(text) == 1 and len(name) <= 9}
)


@kernel
def squeeze(data: Bytes, out: Bytes) -> int:
    """Copies a text without white space and bullets; how many bytes were copied."""
    at = used = 0
    while at < len(data):
        at, used = copy(data, at, out, used)
    return used


@bare_kernel
def copy_text(data: Bytes, at: int, text: Bytes, used: int, now: Int64s, in_link: bool) -> tuple[int, int]:
    """Copies text up to the next sign that may begin a tag or a reference, without white space; (where that is, bytes
    of text).
    """
    size = len(data)
    solid = 0
    first = True
    while first or (at < size and data[at] != 60 and data[at] != 38):
        first = False
        byte = data[at]
        before = used
        if 32 < byte < 0xC2:
            text[used] = byte
            used += 1
            at += 1
        else:
            at, used = copy(data, at, text, used)
        solid += used > before and byte & 0xC0 != 0x80
    now[CHARACTERS] += solid
    if in_link:
        now[LINKED] += solid
    return at, used


@bare_kernel
def copy(data: Bytes, at: int, out: Bytes, used: int) -> tuple[int, int]:
    """Copies a byte, or leaves out a white space or bullet; (where to go on, bytes of text)."""
    width = blank_width(data, at)
    if width == 0 and bullet_at(data, at):
        width = 3
    if width:
        return at + width, used
    out[used] = data[at]
    return at + 1, used + 1


@bare_kernel
def blank_width(data: Bytes, at: int) -> int:
    """How many bytes a white space has that begins there; 0 if none begins."""
    byte = data[at]
    if byte <= 32:
        return 1
    if byte < 0xC2 or byte > 0xE3:
        return 0
    if byte == 0xC2:
        return 2 if at + 1 < len(data) and data[at + 1] in (0x85, 0xA0) else 0
    if byte >= 0xE1 and at + 2 < len(data):
        second, third = data[at + 1], data[at + 2]
        if byte == 0xE2 and (
            (second == 0x80 and (third <= 0x8A or third in (0xA8, 0xA9, 0xAF))) or (second == 0x81 and third == 0x9F)
        ):
            return 3
        if (byte == 0xE3 and second == 0x80 and third == 0x80) or (byte == 0xE1 and second == 0x9A and third == 0x80):
            return 3
    return 0


@bare_kernel
def bullet_at(data: Bytes, at: int) -> bool:
    """Whether a bullet begins there."""
    return bool(data[at] == 0xE2 and at + 2 < len(data) and data[at + 1] == 0x80 and data[at + 2] == 0xA2)


@bare_kernel
def copy_reference(data: Bytes, at: int, text: Bytes, used: int, entities: Int64s) -> tuple[int, int]:
    """Copies what a character reference stands for; (where to go on, bytes of text)."""
    size = len(data)
    end = at + 1
    point = -1
    if end < size and data[end] == 35:
        end += 1
        base = 10
        if end < size and data[end] | 32 == 120:
            end, base = end + 1, 16
        first = end
        value = 0
        while end < size and end < first + 7:
            byte = data[end]
            digit = byte - 48 if 48 <= byte <= 57 else (byte | 32) - 87 if 97 <= byte | 32 <= 102 else 99
            if digit >= base:
                break
            value = value * base + digit
            end += 1
        point = value if end > first and 0 < value < 0x110000 else -1
    else:
        name = 0
        while end < size and end < at + 9 and (97 <= data[end] | 32 <= 122 or 48 <= data[end] <= 57):
            name = (name << 8) | data[end]
            end += 1
        point = number_of(entities, name)
    if point < 0:
        return copy(data, at, text, used)
    if end < size and data[end] == 59:
        end += 1
    # A reference is at least as long as what it stands for: it is written after the text, and then copied or left out
    # like other text.
    if point < 0x80:
        text[used] = point
        length = 1
    elif point < 0x800:
        text[used] = 0xC0 | point >> 6
        length = 2
    elif point < 0x10000:
        text[used], text[used + 1] = 0xE0 | point >> 12, 0x80 | point >> 6 & 63
        length = 3
    else:
        text[used], text[used + 1], text[used + 2] = 0xF0 | point >> 18, 0x80 | point >> 12 & 63, 0x80 | point >> 6 & 63
        length = 4
    if length > 1:
        text[used + length - 1] = 0x80 | point & 63
    place, stop = used, used + length
    while place < stop:
        place, used = copy(text, place, text, used)
    return end, used
