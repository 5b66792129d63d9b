"""Where the blocks of a page begin and end in its text, read from the markup in one pass.

In: the markup of a page, UTF-8. Out: `Blocks`, in the order of the page.

A parser's tree would say the same, but to ask it for each block costs as much as extracting the text. Tags, comments and the content of
scripts are read as the HTML standard's tokenizer does (13.2.5); of its tree builder only that `p`, `li`, `dt`, `dd` and `tr` end where the
next one begins. A bounded amount of work for each byte, whatever they are.
"""

from __future__ import annotations

from html.entities import html5
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from dedup.kernel import bare_kernel, kernel
from pipeline.web.html_attributes import next_byte, packed, read_attributes

Bytes = npt.NDArray[np.uint8]
Integers = npt.NDArray[np.int64]

# Blocks that hold text; frames, which count as one with all that they hold; what is not shown.
BLOCKS: Final = ("li", "tr", "p", "h1", "h2", "h3", "h4", "h5", "h6", "pre", "blockquote", "dd", "dt", "figure")
FRAMES: Final = ("nav", "header", "footer", "aside", "form")
NAMES: Final = (*BLOCKS, *FRAMES, "noscript", "hidden")
NOSCRIPT: Final = NAMES.index("noscript")
HIDDEN: Final = NAMES.index("hidden")
# Where the search for an open item, row or paragraph ends.
_SCOPES: Final = ("ul", "ol", "dl", "table")
_FRAME, _SCOPE = len(BLOCKS), len(NAMES)
_P, _LI, _TR, _DD, _DT = (NAMES.index(name) for name in ("p", "li", "tr", "dd", "dt"))
_UL, _OL, _DL, _TABLE = range(_SCOPE, _SCOPE + 4)

# Blocks that are open at the same time, and blocks of a page; what is beyond is only counted.
_MOST_OPEN = 512
_MOST_BLOCKS = 100_000
# How far up the open blocks an end tag or an implied end is looked for.
_NEAR = 24


def _sorted(numbers: dict[str, int]) -> Integers:
    """int64[n, 2]: names, packed and in order, and their numbers."""
    return np.array(sorted((packed(name), number) for name, number in numbers.items()), np.int64)


_KINDS = _sorted({name: number for number, name in enumerate((*NAMES[:HIDDEN], "\0", *_SCOPES))})
# Elements whose content is no text, and those without any.
_RAW = _sorted(dict.fromkeys(("script", "style", "title", "textarea", "iframe", "noembed", "noframes", "xmp"), 0))
_VOID = _sorted(dict.fromkeys("area base br col embed hr img input link meta source track wbr".split(), 0))  # noqa: SIM905
_ENTITIES = _sorted({name[:-1]: ord(text) for name, text in html5.items() if name[-1] == ";" and len(text) == 1 and len(name) <= 9})
_TEMPLATE, _DIV, _PARAGRAPH = packed("template"), packed("div"), packed("p")
# Rows of what the pass finds.
_KIND, _STARTS, _STOPS, _FIRSTS, _AFTERS = range(5)


class Blocks(NamedTuple):
    """m blocks of a page.

    Attributes:
        text: the page's text without white space and bullets, uint8[].
        kinds: places in `NAMES`, int64[m].
        starts, stops: where the block begins and ends in `text`, int64[m]; of what is not shown, where it would stand and whether it has
            text (one more), which is not in `text`.
        firsts: where the first piece of its text ends, as a tag ends it; int64[m].
        afters: how many blocks had begun when it ended, int64[m]: those behind it up to there lie in it.
        beyond: blocks that were passed over.
    """

    text: Bytes
    kinds: Integers
    starts: Integers
    stops: Integers
    firsts: Integers
    afters: Integers
    beyond: int


def blocks_of(markup: bytes) -> Blocks:
    """Blocks of a page that are in no frame, and its frames."""
    text, found, beyond = _read(np.frombuffer(markup, np.uint8), _KINDS, _RAW, _VOID, _ENTITIES)
    kinds, starts, stops, firsts, afters = found
    return Blocks(text, kinds, starts, stops, np.minimum(firsts, stops), afters, beyond)


def squeezed(text: str) -> bytes:
    """Text without white space and bullets, as `Blocks.text` is."""
    data = np.frombuffer(text.encode("utf-8", "surrogatepass"), np.uint8)
    out = np.empty(len(data), np.uint8)
    return out[: squeeze(data, out)].tobytes()


@kernel
def squeeze(data: Bytes, out: Bytes) -> int:
    """Copies a text without white space and bullets; how many bytes that are."""
    at = used = 0
    while at < len(data):
        at, used = _copy(data, at, out, used)
    return used


@kernel
def _read(data: Bytes, kinds: Integers, raw: Integers, void: Integers, entities: Integers) -> tuple[Bytes, Integers, int]:
    size = len(data)
    text = np.empty(size, np.uint8)
    found = np.zeros((5, 256), np.int64)
    stack = np.empty((2, _MOST_OPEN), np.int64)
    count = used = height = frames = beyond = named = 0
    # The element that is not shown, how many of its name are open in it, and its row.
    away, depth, unseen = 0, 0, -1
    at = 0
    while at < size:
        byte = data[at]
        closing = byte == 60 and at + 1 < size and data[at + 1] == 47
        begins = at + 1 + closing
        if byte != 60 or begins >= size or not 97 <= data[begins] | 32 <= 122:
            if byte == 60 and begins < size and (closing or data[begins] == 33 or data[begins] == 63):
                at = _comment_end(data, at)
            elif away:
                if byte > 32 and unseen >= 0:
                    found[_STOPS, unseen] = found[_STARTS, unseen] + 1
                at += 1
            elif byte == 38:
                at, used = _entity(data, at, text, used, entities)
            else:
                at, used = _copy(data, at, text, used)
            continue
        # A tag ends the first piece of text of the blocks that have begun.
        named = _end_first_texts(found, named, count, used)
        name, at = _name(data, begins)
        at, hidden = read_attributes(data, at)
        kind = _find(kinds, name)
        if away and away == _PARAGRAPH and kind >= 0 and not closing:
            away = 0
        if away:
            if name == away:
                depth += -1 if closing else 1
                away = away if depth else 0
            elif not closing and _find(raw, name) == 0:
                at = _raw_end(data, at, begins, name)
            continue
        if closing:
            if kind >= 0:
                height, frames = _close(found, stack, height, frames, kind, used, count)
            continue
        if _find(raw, name) == 0:
            at = _raw_end(data, at, begins, name)
            continue
        row = -1
        if (hidden or kind == NOSCRIPT or name == _TEMPLATE) and _find(void, name) < 0:
            away, depth, unseen = name, 1, -1
            kind = HIDDEN if hidden else kind
        elif kind >= 0 or name == _DIV:
            height, frames = _imply_ends(found, stack, height, frames, kind, used, count)
        if 0 <= kind < _SCOPE and frames == 0:
            if count == _MOST_BLOCKS or (height == _MOST_OPEN and not away):
                beyond += 1
                continue
            if count == found.shape[1]:
                larger = np.zeros((5, 4 * count), np.int64)
                larger[:, :count] = found
                found = larger
            row = count
            count += 1
            found[:, row] = used
            found[_KIND, row], found[_AFTERS, row] = kind, count
            unseen = row if away else -1
        if kind >= 0 and not away and height < _MOST_OPEN:
            stack[0, height], stack[1, height] = kind, row
            height += 1
            frames += _FRAME <= kind < NOSCRIPT
    _end_first_texts(found, named, count, used)
    _pop(found, stack, height, 0, frames, used, count)
    return text[:used], found[:, :count], beyond


@bare_kernel
def _end_first_texts(found: Integers, named: int, count: int, used: int) -> int:
    """Of the blocks from `named` on that have text by now, its first piece ends here; the first that is still without."""
    while named < count and used > found[_STARTS, named]:
        found[_FIRSTS, named] = used
        named += 1
    return named


@bare_kernel
def _pop(found: Integers, stack: Integers, height: int, down_to: int, frames: int, used: int, count: int) -> tuple[int, int]:
    """Ends the open blocks from the top of the stack on; (height, frames) that are left."""
    while height > down_to:
        height -= 1
        kind, row = stack[0, height], stack[1, height]
        frames -= _FRAME <= kind < NOSCRIPT
        if row >= 0:
            found[_STOPS, row], found[_AFTERS, row] = used, count
    return height, frames


@bare_kernel
def _close(found: Integers, stack: Integers, height: int, frames: int, kind: int, used: int, count: int) -> tuple[int, int]:
    """Ends the open block of a kind, and those within it; (height, frames) that are left."""
    for place in range(height - 1, max(-1, height - 1 - _NEAR), -1):
        if stack[0, place] == kind:
            return _pop(found, stack, height, place, frames, used, count)
    return height, frames


@bare_kernel
def _imply_ends(found: Integers, stack: Integers, height: int, frames: int, kind: int, used: int, count: int) -> tuple[int, int]:
    """Ends what the beginning of a block ends; (height, frames) that are left."""
    if height and stack[0, height - 1] == _P:
        height, frames = _pop(found, stack, height, height - 1, frames, used, count)
    if kind not in (_LI, _TR, _DD, _DT):
        return height, frames
    for place in range(height - 1, max(-1, height - 1 - _NEAR), -1):
        other = stack[0, place]
        if other == kind or (kind in (_DD, _DT) and other in (_DD, _DT)):
            return _pop(found, stack, height, place, frames, used, count)
        if (kind == _LI and other in (_UL, _OL)) or (kind == _TR and other == _TABLE) or (kind in (_DD, _DT) and other == _DL):
            break
    return height, frames


@bare_kernel
def _name(data: Bytes, at: int) -> tuple[int, int]:
    """The last eight letters of a tag's name, packed, and where it ends."""
    name = 0
    while at < len(data) and data[at] > 32 and data[at] != 47 and data[at] != 62:
        name = (name << 8) | (data[at] | 32 if 65 <= data[at] <= 90 else data[at])
        at += 1
    return name, at


@bare_kernel
def _find(table: Integers, name: int) -> int:
    """The number of a name; -1 for one that is not in the table."""
    low, high = 0, len(table)
    while low < high:
        middle = (low + high) >> 1
        if table[middle, 0] < name:
            low = middle + 1
        else:
            high = middle
    return table[low, 1] if low < len(table) and table[low, 0] == name else -1


@bare_kernel
def _comment_end(data: Bytes, at: int) -> int:
    size = len(data)
    if at + 3 < size and data[at + 1] == 33 and data[at + 2] == 45 and data[at + 3] == 45:
        at += 4
        if at < size and data[at] == 62:
            return at + 1
        at = next_byte(data, at, 62)
        while at < size and not (data[at - 1] == 45 and data[at - 2] == 45):
            at = next_byte(data, at + 1, 62)
        return at + 1
    return next_byte(data, at, 62) + 1


@bare_kernel
def _raw_end(data: Bytes, at: int, begins: int, name: int) -> int:
    """Where the end tag of an element begins whose content is no text."""
    size, letters = len(data), 0
    while letters < 8 and name >> (8 * letters):
        letters += 1
    at = next_byte(data, at, 60)
    while at + 1 < size:
        if data[at + 1] == 47:
            place = 0
            while place < letters and at + 2 + place < size and (data[at + 2 + place] | 32) == (data[begins + place] | 32):
                place += 1
            if place == letters:
                return at
        at = next_byte(data, at + 1, 60)
    return size


@bare_kernel
def _entity(data: Bytes, at: int, text: Bytes, used: int, entities: Integers) -> tuple[int, int]:
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
        point = _find(entities, name)
    if point < 0:
        return _copy(data, at, text, used)
    if end < size and data[end] == 59:
        end += 1
    # A reference is at least as long as what it stands for: that is written behind the text, and copied to itself or left out.
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
        place, used = _copy(text, place, text, used)
    return end, used


@bare_kernel
def _copy(data: Bytes, at: int, out: Bytes, used: int) -> tuple[int, int]:
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
    """How many bytes a white space has that begins there; 0 where none does."""
    byte = data[at]
    if byte <= 32:
        return 1
    if byte < 0xC2 or byte > 0xE3:
        return 0
    if byte == 0xC2:
        return 2 if at + 1 < len(data) and data[at + 1] in (0x85, 0xA0) else 0
    if byte >= 0xE1 and at + 2 < len(data):
        second, third = data[at + 1], data[at + 2]
        if byte == 0xE2 and ((second == 0x80 and (third <= 0x8A or third in (0xA8, 0xA9, 0xAF))) or (second == 0x81 and third == 0x9F)):
            return 3
        if (byte == 0xE3 and second == 0x80 and third == 0x80) or (byte == 0xE1 and second == 0x9A and third == 0x80):
            return 3
    return 0


@bare_kernel
def bullet_at(data: Bytes, at: int) -> bool:
    """Whether a bullet begins there."""
    return bool(data[at] == 0xE2 and at + 2 < len(data) and data[at + 1] == 0x80 and data[at + 2] == 0xA2)
