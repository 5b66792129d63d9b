"""What a page is made of, before it is parsed: tags, attributes, and whether some kinds of elements are on it at all.

In: the markup of a page, UTF-8. Out: counts. One pass, a bounded amount of work for each byte whatever they are.

Where a tag ends depends on the quotes in it, and where quotes count depends on what is a tag: in a script or a comment
`<b` begins none. So every `<` before a letter counts as a beginning, and all beginnings are followed at the same time:
of those that are in the same state only the one with most attributes matters.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from kernels.compiled import bare_kernel, kernel
from kernels.unaligned import bytes_between, lowest
from pipeline.readers.web.html_attributes import next_byte
from pipeline.readers.web.html_names import packed
from pipeline.readers.web.html_tags import FORMATTING

# States within a tag, after the HTML standard (13.2.5): its name, between attributes, in a name, after it, before a
# value, in a value.
_NAME, _BETWEEN, _ATTRIBUTE, _AFTER, _BEFORE_VALUE, _DOUBLE, _SINGLE, _BARE, _STATES = range(9)
_ENDED = -1
_ATTRIBUTES, _FORMATTING, _RAISED, _EMPTY_ANCHORS, _LISTS, _COUNTS = range(6)
# What may begin at a `<`.
_NO_TAG, _SOME_TAG, _ANCHOR = range(3)


_FORMATTING_NAMES = np.sort(np.array([packed(name) for name in FORMATTING], np.int64))
_A, _UL, _SUP, _SUB = (packed(name) for name in ("a", "ul", "sup", "sub"))


class Census(NamedTuple):
    """Counts of a page.

    Attributes:
        attributes: how many the tag with most of them has, wherever a tag may begin.
        formatting: tags of formatting elements with attributes, opened.
        raised: `sup` and `sub`.
        empty_anchors: tags that may be `<a id="here"/>`.
        lists: `ul`.
    """

    attributes: int
    formatting: int
    raised: int
    empty_anchors: int
    lists: int


def take_census(markup: bytes) -> Census:
    """Takes the census of a page."""
    counts = _count(np.frombuffer(markup, np.uint8), _STEPS, _FORMATTING_NAMES)
    return Census(*(int(count) for count in counts))


@kernel
def _count(
    data: npt.NDArray[np.uint8], steps: npt.NDArray[np.int8], formatting: npt.NDArray[np.int64]
) -> npt.NDArray[np.int64]:
    counts = np.zeros(_COUNTS, np.int64)
    held = np.full(_STATES, -1, np.int64)
    moved = np.full(_STATES, -1, np.int64)
    size = len(data)
    at = 0
    while at < size:
        at = next_byte(data, at, 60)
        if at == size:
            break
        begins = _begins(data, at, formatting, counts)
        if not begins:
            at += 1
            continue
        at += 1
        # One beginning at a time while there is only one.
        state, attributes, most = _NAME, 0, counts[_ATTRIBUTES]
        while at < size:
            if _DOUBLE <= state <= _SINGLE and at + 64 <= size:
                # Quotes and `<`: nothing else in a value matters.
                signs = (
                    bytes_between(data, at, 34, 34, 0)
                    | bytes_between(data, at, 39, 39, 0)
                    | bytes_between(data, at, 60, 60, 0)
                )
                at += lowest(signs)
                if not signs:
                    continue
            byte = data[at]
            if byte == 60 and _begins(data, at, formatting, counts):
                break
            following = steps[state * 256 + byte]
            if following != state:
                if following == _ATTRIBUTE:
                    attributes += 1
                elif following == _ENDED:
                    break
                state = following
            at += 1
        counts[_ATTRIBUTES] = max(most, attributes)
        if at >= size or data[at] == 62:
            counts[_EMPTY_ANCHORS] += begins == _ANCHOR and at < size and data[at - 1] == 47
            at += 1
            continue
        at = _count_several(data, at, state, attributes, steps, formatting, counts, held, moved)
    return counts[:_COUNTS]


@bare_kernel
def _count_several(
    data: npt.NDArray[np.uint8],
    at: int,
    state: int,
    attributes: int,
    steps: npt.NDArray[np.int8],
    formatting: npt.NDArray[np.int64],
    counts: npt.NDArray[np.int64],
    held: npt.NDArray[np.int64],
    moved: npt.NDArray[np.int64],
) -> int:
    """Read on from a beginning within a tag until all that have begun have ended, or all but one that begins.

    Returns:
        The place where they have all ended.
    """
    held[:] = -1
    held[state] = attributes
    size = len(data)
    first = True
    while at < size:
        byte = data[at]
        begins = first
        if byte == 60 and not first:
            begins = _begins(data, at, formatting, counts) != _NO_TAG
        first = False
        counts[_EMPTY_ANCHORS] += byte == 62 and data[at - 1] == 47
        active = begins
        for here in range(_STATES):
            moved[here] = -1
        for here in range(_STATES):
            if held[here] < 0:
                continue
            following = steps[here * 256 + byte]
            if following != _ENDED:
                found = held[here]
                if following == _ATTRIBUTE and here != _ATTRIBUTE:
                    found += 1
                    counts[_ATTRIBUTES] = max(counts[_ATTRIBUTES], found)
                moved[following] = max(moved[following], found)
                active = True
        if begins:
            moved[_NAME] = max(moved[_NAME], 0)
        held, moved = moved, held
        at += 1
        if not active:
            break
    return at


@bare_kernel
def _begins(
    data: npt.NDArray[np.uint8], at: int, formatting: npt.NDArray[np.int64], counts: npt.NDArray[np.int64]
) -> int:
    """What may begin at a `<`; counts its kind."""
    size = len(data)
    at += 1
    closing = at < size and data[at] == 47
    if closing:
        at += 1
    name = 0
    letters = 0
    while at < size and letters < 8 and (97 <= data[at] | 32 <= 122 or (letters > 0 and 48 <= data[at] <= 57)):
        name = (name << 8) | (data[at] | 32 if data[at] >= 65 else data[at])
        letters += 1
        at += 1
    if letters == 0:
        return _NO_TAG
    if not closing and (at >= size or data[at] <= 32 or data[at] == 47 or data[at] == 62):
        if name == _UL:
            counts[_LISTS] += 1
        elif name in (_SUP, _SUB):
            counts[_RAISED] += 1
        elif letters <= 6 and at < size and data[at] != 62:
            place = np.searchsorted(formatting, name)
            if place < len(formatting) and formatting[place] == name:
                counts[_FORMATTING] += 1
        if name == _A:
            return _ANCHOR
    return _SOME_TAG


def _next(state: int, byte: int) -> int:
    """The state after a byte, by the HTML standard's tokenizer."""
    blank = byte == 32 or 9 <= byte <= 13
    if state == _DOUBLE:
        return _BETWEEN if byte == 34 else _DOUBLE
    if state == _SINGLE:
        return _BETWEEN if byte == 39 else _SINGLE
    if byte == 62:
        return _ENDED
    if state == _NAME:
        return _BETWEEN if blank or byte == 47 else _NAME
    if state == _BETWEEN:
        return _BETWEEN if blank or byte == 47 else _ATTRIBUTE
    if state == _ATTRIBUTE:
        if blank:
            return _AFTER
        return _BETWEEN if byte == 47 else (_BEFORE_VALUE if byte == 61 else _ATTRIBUTE)
    if state == _AFTER:
        if blank:
            return _AFTER
        return _BETWEEN if byte == 47 else (_BEFORE_VALUE if byte == 61 else _ATTRIBUTE)
    if state == _BEFORE_VALUE:
        if blank:
            return _BEFORE_VALUE
        return _DOUBLE if byte == 34 else (_SINGLE if byte == 39 else _BARE)
    return _BETWEEN if blank else _BARE


_STEPS = np.array([_next(state, byte) for state in range(_STATES) for byte in range(256)], np.int8)
