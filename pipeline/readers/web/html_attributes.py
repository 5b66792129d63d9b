"""The attributes of a tag: where they end, and whether they keep the element from being shown.

In: bytes of markup, and where the name of a tag ends. Out: where the tag ends, by the HTML standard's tokenizer
(13.2.5.32 to 13.2.5.39), and whether `hidden`, `aria-hidden` or `style` hides it: the rules of
`pipeline.readers.web.html_tree.is_hidden`, for a pass that has no tree. Each byte is looked at a bounded number of
times.
"""

from __future__ import annotations

import numpy as np

from kernels.arrays import Bytes, Int64s
from kernels.compiled import bare_kernel, inlined_kernel
from kernels.unaligned import bytes_between, lowest

# What attributes say of an element: it is not shown; it is a link to a page (one to an e-mail address leads to no
# page); it has one of the `SHORT_CLASSES`; its id is made of a heading; and whether it is shown is said in a way that
# resiliparse misreads: `hidden=until-found`, `display: none !important`.
HIDES, LINKS, SHORT, TITLED, MISREAD = 1, 2, 4, 8, 16
# Bytes that what is misread has at least: `display:none!`.
LEAST_MISREAD = 13
# Signs between the words of an id that is made of a heading, as manuals make them: "handling-security-related-bugs".
TITLE_SEPARATORS = 2
# Resiliparse knows Jetpack's frames and WhatsApp's buttons by these. `jp` is what Japanese is called on pages in two
# languages; both are what tools that shorten names make (three of the 647 development pages).
SHORT_CLASSES = ("jp", "wa")

_HIDDEN, _STYLE, _ARIA, _HREF, _CLASS, _ID = (
    np.frombuffer(name, np.uint8) for name in (b"hidden", b"style", b"aria-hidden", b"href", b"class", b"id")
)
_FIRST_SHORT, _SECOND_SHORT = (np.frombuffer(name.encode(), np.uint8) for name in SHORT_CLASSES)
_MAILTO = np.frombuffer(b"mailto:", np.uint8)
_UNTIL_FOUND, _TRUE = np.frombuffer(b"until-found", np.uint8), np.frombuffer(b"true", np.uint8)
_DISPLAY, _NONE = np.frombuffer(b"display", np.uint8), np.frombuffer(b"none", np.uint8)
_VISIBILITY, _COLLAPSE = np.frombuffer(b"visibility", np.uint8), np.frombuffer(b"collapse", np.uint8)
# Blanks around the words of a declaration.
_MOST_BLANKS = 20


@bare_kernel
def next_byte(data: Bytes, at: int, wanted: int) -> int:
    """Where the next byte of that value is; the end of the data if there is no such byte."""
    size = len(data)
    while at + 64 <= size:
        found = bytes_between(data, at, wanted, wanted, 0)
        if found:
            return int(at + lowest(found))
        at += 64
    while at < size and data[at] != wanted:
        at += 1
    return at


@bare_kernel
def read_attributes(data: Bytes, at: int) -> tuple[int, int, int]:
    """(where the tag ends, after its `>`; bits of `HIDES` and the others; attributes), from the end of its name on."""
    traits = count = 0
    at = _next_name(data, at)
    while at < len(data) and data[at] != 62:
        name = at
        name_end, value, value_end, at = _attribute(data, name)
        traits |= _traits(data, name, name_end, value, value_end)
        count += 1
        at = _next_name(data, at)
    return min(at + 1, len(data)), traits, count


@bare_kernel
def misread(data: Bytes, at: int, cuts: Int64s, count: int) -> int:
    """Notes, of a tag from the end of its name on, what makes resiliparse misread whether the element is shown.

    Args:
        cuts: int64[2, m], where each part begins and ends is added to it; there is room for one for each
            `LEAST_MISREAD` bytes of the tag.
        count: parts that are noted already.

    Returns:
        How many parts are noted then.
    """
    at = _next_name(data, at)
    while at < len(data) and data[at] != 62:
        name = at
        name_end, value, value_end, at = _attribute(data, name)
        if _traits(data, name, name_end, value, value_end) & MISREAD:
            if name_end - name == len(_HIDDEN):
                cuts[0, count], cuts[1, count] = name, at
                count += 1
            else:
                count = _important(data, value, value_end, cuts, count)
        at = _next_name(data, at)
    return count


@bare_kernel
def _next_name(data: Bytes, at: int) -> int:
    """Where the next attribute begins, or the tag ends."""
    while at < len(data) and (_blank(data[at]) or data[at] == 47):
        at += 1
    return at


@bare_kernel
def _attribute(data: Bytes, at: int) -> tuple[int, int, int, int]:
    """Where the name of an attribute ends, its value begins and ends, and the attribute ends."""
    size = len(data)
    at += 1
    while at < size and data[at] != 61 and data[at] != 62 and data[at] != 47 and not _blank(data[at]):
        at += 1
    name_end = at
    while at < size and _blank(data[at]):
        at += 1
    if at == size or data[at] != 61:
        return name_end, at, at, at
    at += 1
    while at < size and _blank(data[at]):
        at += 1
    if at < size and (data[at] == 34 or data[at] == 39):
        end = next_byte(data, at + 1, data[at])
        return name_end, at + 1, end, min(end + 1, size)
    value = at
    while at < size and data[at] != 62 and not _blank(data[at]):
        at += 1
    return name_end, value, at, at


@bare_kernel
def _traits(data: Bytes, name: int, name_end: int, value: int, value_end: int) -> int:
    length = name_end - name
    if length == len(_HREF):
        return LINKS * (starts(data, name, name_end, _HREF) and not _is_address(data, value, value_end))
    if length == len(_CLASS) and starts(data, name, name_end, _CLASS):
        return SHORT * _has_short_class(data, value, value_end)
    if length == len(_ID):
        return TITLED * (starts(data, name, name_end, _ID) and _is_title(data, value, value_end))
    return _hides(data, name, name_end, value, value_end)


@bare_kernel
def _is_address(data: Bytes, at: int, end: int) -> bool:
    first, last = _stripped(data, at, end)
    return starts(data, first, last, _MAILTO)


@bare_kernel
def _is_title(data: Bytes, at: int, end: int) -> bool:
    signs = 0
    while at < end and signs < TITLE_SEPARATORS:
        signs += data[at] == 45 or data[at] == 95
        at += 1
    return signs >= TITLE_SEPARATORS


@bare_kernel
def _has_short_class(data: Bytes, at: int, end: int) -> bool:
    begin = at
    while at <= end:
        if at == end or _blank(data[at]):
            if at - begin == 2 and (starts(data, begin, at, _FIRST_SHORT) or starts(data, begin, at, _SECOND_SHORT)):
                return True
            begin = at + 1
        at += 1
    return False


@bare_kernel
def _hides(data: Bytes, name: int, name_end: int, value: int, value_end: int) -> int:
    length = name_end - name
    if length == len(_STYLE) and starts(data, name, name_end, _STYLE):
        return _not_shown(data, value, value_end)
    if length == len(_HIDDEN) and starts(data, name, name_end, _HIDDEN):
        first, last = _stripped(data, value, value_end)
        until = last - first == len(_UNTIL_FOUND) and starts(data, first, last, _UNTIL_FOUND)
        return MISREAD if until else HIDES
    if length == len(_ARIA) and starts(data, name, name_end, _ARIA):
        first, last = _stripped(data, value, value_end)
        return HIDES * (last - first == len(_TRUE) and starts(data, first, last, _TRUE))
    return 0


@bare_kernel
def _not_shown(data: Bytes, at: int, end: int) -> int:
    """Whether a declaration of a style is `display: none`, `visibility: hidden` or `visibility: collapse`, and whether
    it is important.
    """
    traits = 0
    while at < end:
        word_end = _hiding(data, at, end)
        if word_end >= 0:
            word_end = _after_blanks(data, word_end, end)
            traits |= HIDES | MISREAD * (word_end < end and data[word_end] == 33)
        at = _next_declaration(data, at, end)
    return traits


@bare_kernel
def _important(data: Bytes, at: int, end: int, cuts: Int64s, count: int) -> int:
    """Notes the `!important` of those declarations of a style that hide; how many parts are noted then."""
    while at < end:
        word_end, following = _hiding(data, at, end), _next_declaration(data, at, end)
        if word_end >= 0:
            mark = _after_blanks(data, word_end, end)
            if mark < end and data[mark] == 33:
                cuts[0, count], cuts[1, count] = word_end, min(following - 1, end)
                count += 1
        at = following
    return count


@bare_kernel
def _next_declaration(data: Bytes, at: int, end: int) -> int:
    while at < end and data[at] != 59:
        at += 1
    return at + 1


@bare_kernel
def _hiding(data: Bytes, at: int, end: int) -> int:
    """Where the word ends by which a declaration of a style hides an element; -1 if it does not hide it."""
    first = _after_blanks(data, at, end)
    if starts(data, first, end, _DISPLAY):
        word = _after_colon(data, first + len(_DISPLAY), end)
        return _whole_word(data, word, end, _NONE)
    if starts(data, first, end, _VISIBILITY):
        word = _after_colon(data, first + len(_VISIBILITY), end)
        word_end = _whole_word(data, word, end, _HIDDEN)
        return word_end if word_end >= 0 else _whole_word(data, word, end, _COLLAPSE)
    return -1


@bare_kernel
def _whole_word(data: Bytes, at: int, end: int, word: Bytes) -> int:
    """Where a word ends that is there; -1 if it is not there, or if `at` is negative."""
    if at < 0 or not starts(data, at, end, word) or _goes_on(data, at + len(word), end):
        return -1
    return at + len(word)


@bare_kernel
def starts(data: Bytes, at: int, end: int, word: Bytes) -> bool:
    """Whether a word, given in lower case, is there in any case."""
    if at + len(word) > end:
        return False
    for place in range(len(word)):
        byte = data[at + place]
        if (byte | 32 if 65 <= byte <= 90 else byte) != word[place]:
            return False
    return True


@inlined_kernel
def _blank(byte: int) -> bool:
    return byte == 32 or (byte >= 9 and byte <= 13)


@bare_kernel
def _after_blanks(data: Bytes, at: int, end: int) -> int:
    most = min(end, at + _MOST_BLANKS)
    while at < most and _blank(data[at]):
        at += 1
    return at


@bare_kernel
def _after_colon(data: Bytes, at: int, end: int) -> int:
    at = _after_blanks(data, at, end)
    return _after_blanks(data, at + 1, end) if at < end and data[at] == 58 else -1


@bare_kernel
def _goes_on(data: Bytes, at: int, end: int) -> bool:
    """Whether the word is only the beginning of one."""
    if at >= end:
        return False
    byte = data[at]
    return bool(byte == 45 or byte == 95 or byte >= 128 or 48 <= byte <= 57 or 97 <= byte | 32 <= 122)


@bare_kernel
def _stripped(data: Bytes, first: int, last: int) -> tuple[int, int]:
    while first < last and _blank(data[first]):
        first += 1
    while last > first and _blank(data[last - 1]):
        last -= 1
    return first, last
