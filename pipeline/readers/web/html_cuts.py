"""Parts of a page's markup that nobody reads, or that resiliparse misreads: the page is parsed without them.

In: what a pass over the markup (`pipeline.readers.web.html_blocks`) meets. Out: where those parts begin and end, in
their order. They are scripts, styles, comments, `meta` and `link`, and white space between blocks: a third of the nodes
of a page, and resiliparse walks all of them.

The text of a page is the same without them. Where they are decides: between tags, so that no two pieces of text become
one, nor a piece and what follows it a tag or a reference; and never all that an element holds, since resiliparse does
not step out of empty elements (lists after an empty one are written a level deeper).
"""

from __future__ import annotations

import numpy as np

from kernels.arrays import Bytes, Int64s
from kernels.compiled import bare_kernel, kernel
from kernels.unaligned import eight_bytes, put_eight_bytes
from pipeline.readers.web.html_names import packed
from pipeline.readers.web.html_tags import BEGINS, HOLDS, IS_BLOCK

# White space that is looked at around a part of the markup.
_MOST_BLANKS = 128
_LI, _PRE = packed("li"), packed("pre")
# What is known of the tag before: where it ends, its name, whether it closes, and its number in `TAGS`. And how many
# `pre` are open.
_END, _NAME, _CLOSES, _FACTS, _PREFORMATTED, BEFORE = range(6)


def without(markup: bytes, cuts: Int64s) -> bytes:
    """Markup without some parts of it."""
    return _left(np.frombuffer(markup, np.uint8), cuts).tobytes()


@kernel
def _left(data: Bytes, cuts: Int64s) -> Bytes:
    count = cuts.shape[1]
    size = len(data)
    for row in range(count):
        size -= cuts[1, row] - cuts[0, row]
    left = np.empty(size, np.uint8)
    used = at = 0
    for row in range(count):
        used = _copy(data, at, cuts[0, row], left, used)
        at = cuts[1, row]
    _copy(data, at, len(data), left, used)
    return left


@bare_kernel
def _copy(data: Bytes, at: int, end: int, left: Bytes, used: int) -> int:
    """Copies bytes from one place to before another; how many there are then."""
    while at + 8 <= end:
        put_eight_bytes(left, used, eight_bytes(data, at))
        at += 8
        used += 8
    while at < end:
        left[used] = data[at]
        at += 1
        used += 1
    return used


@bare_kernel
def noted(cuts: Int64s, count: int, first: int, end: int) -> int:
    """Notes a part of the markup, if it holds anything; how many are noted then. There is room for it."""
    if first == end:
        return count
    cuts[0, count], cuts[1, count] = first, end
    return count + 1


@bare_kernel
def may_go(data: Bytes, at: int, end: int) -> bool:
    """Whether a comment or an element without text, from one place to before another, can be left out."""
    first, last = at, end
    least, most = max(0, at - _MOST_BLANKS), min(len(data), end + _MOST_BLANKS)
    while first > least and data[first - 1] <= 32:
        first -= 1
    while last < most and data[last] <= 32:
        last += 1
    if first == 0 or last == len(data):
        return True
    follows = data[last + 1] if data[last] == 60 and last + 1 < len(data) else 0
    tag = follows == 33 or follows == 47 or follows == 63 or 97 <= follows | 32 <= 122
    only = first == at and last == end and follows == 47
    return bool(data[first - 1] == 62 and tag and not only)


@bare_kernel
def blanks_before(data: Bytes, at: int, name: int, closing: bool, facts: int, before: Int64s) -> int:
    """Where white space before a tag begins that can be left out; where the tag begins if there is no such white space.

    One of the two tags around it must begin an element for sure: were both passed over, the words around them would
    become one.

    Args:
        facts: the number of the tag's name in `pipeline.readers.web.html_tags.TAGS`.
    """
    last = before[_FACTS]
    if closing or not facts & last & IS_BLOCK or before[_PREFORMATTED] or data[at - 1] > 32:
        return at
    within = (facts | last) & BEGINS != 0 and last & HOLDS != 0 and not name == before[_NAME] == _LI
    may_be_cut = facts & BEGINS != 0 if before[_CLOSES] else within
    return before[_END] if may_be_cut and _is_blank(data, before[_END], at) else at


@bare_kernel
def note_tag(name: int, closing: bool, facts: int, end: int, before: Int64s) -> None:
    """Notes a tag, for what follows it."""
    before[_END], before[_NAME], before[_CLOSES], before[_FACTS] = end, name, closing, facts
    if name == _PRE:
        before[_PREFORMATTED] = max(0, before[_PREFORMATTED] + (-1 if closing else 1))


@bare_kernel
def note_cut(data: Bytes, first: int, end: int, before: Int64s) -> None:
    """Notes a part that is left out: what follows it follows the tag before."""
    if not _is_blank(data, before[_END], first):
        before[_FACTS] = 0
    before[_END] = end


@bare_kernel
def _is_blank(data: Bytes, first: int, end: int) -> bool:
    while end > first and data[end - 1] <= 32:
        end -= 1
    return bool(end == first)
