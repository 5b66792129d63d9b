"""What the markup says of a page's lists: which cannot be running text, and which surely are, without a parser's tree.

In: counts of what a pass over the markup has read so far, when a list begins and when it ends. Out: for each `ul` and
`ol` marks, and which blocks lie in it, in the order of the page. Most lists of a page are menus, and most others
survive as they are; to ask the tree for their links, or for what is around them, costs more than the pass. Characters
are counted without white space.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from kernels.arrays import Int64s
from kernels.compiled import bare_kernel, kernel

# A list of running text has at most this share of its characters in links.
MOST_LINKED: Final = 0.6
# With fewer in links a list may hold a whole page: headings, frames and all.
HARDLY_LINKED: Final = 0.1
# Marks: an `ol`; a list that is not shown; one that may be running text; one that may be a frame of sections; one in
# another; one in what seems to be a `nav`, `header`, `footer`, `aside` or `form`, which only the tree can say for sure
# (what is not closed may seem to continue); one that is text, with hardly a link; one around which nothing counts
# against it; one in what is a `nav`, `header`, `footer` or `aside`, well closed.
NUMBERED, UNSEEN, MAY_BE_TEXT, MAY_BE_FRAME, INNER, SEEMS_MENU, IS_TEXT, APART, IS_FRAMED = (
    1 << bit for bit in range(9)
)
SETTLED = IS_TEXT | APART

# What has been read so far: characters, those of links, elements that make sections, `a` that are not links, and
# characters of paragraphs; the row of the list that is open; how many containers
# (`pipeline.readers.web.html_tags.IS_CONTAINER`) are open, and which of them have ids that are made of headings: bits,
# that of the innermost one lowest, and the fewest that were open since a frame began; elements that figures may only
# frame, and figures that do; what `pipeline.readers.web.html_census.Census` asks for; blocks beyond those that are
# looked at, elements that may have a short class, and places from which on the parser may read other tags.
CHARACTERS, LINKED, SECTIONS, ANCHORS, PARAGRAPHS, OPEN, DEPTH, TITLES, LEAST, FRAMED, FIGURES = range(11)
ATTRIBUTES, FORMATTED, RAISED, EMPTY_ANCHORS, BEYOND, SHORT_CLASSES, DOUBTS, COUNTERS = range(11, 19)
# Of each list the first four, when it began and then within it; the list around it, its marks, whether it has ended,
# and how many blocks there were when it began and when it ended.
_OUTER, _MARKS, _ENDED, _FIRST_BLOCK, _AFTER_BLOCKS, ROWS = range(4, 10)

# Below this depth resiliparse looks at the links of a list only; ids count in as many elements around it.
DEEP: Final = 4
# Containers may seem to be open that are not.
_SURELY_DEEP: Final = DEEP + 1
_AROUND: Final = (1 << _SURELY_DEEP) - 1
_MOST_BITS: Final = (1 << 60) - 1


@kernel
def larger(table: Int64s, more: int) -> Int64s:
    """A table with four times the columns, and at least so many more."""
    count = table.shape[1]
    grown = np.zeros((len(table), max(4 * count, count + more)), np.int64)
    grown[:, :count] = table
    return grown


@bare_kernel
def begin_list(lists: Int64s, row: int, now: Int64s, blocks: int, numbered: bool, unseen: bool, in_frame: bool) -> None:
    """Notes where a list begins."""
    for fact in range(_OUTER):
        lists[fact, row] = now[fact]
    lists[_OUTER, row] = now[OPEN]
    apart = now[DEPTH] >= _SURELY_DEEP and now[TITLES] & _AROUND == 0
    lists[_MARKS, row] = (
        NUMBERED * numbered + UNSEEN * unseen + INNER * (now[OPEN] >= 0) + SEEMS_MENU * in_frame + APART * apart
    )
    lists[_ENDED, row], lists[_FIRST_BLOCK, row], lists[_AFTER_BLOCKS, row] = 0, blocks, blocks
    if not unseen:
        now[OPEN] = row


@bare_kernel
def end_list(lists: Int64s, row: int, now: Int64s, blocks: int) -> None:
    """Notes what a list held."""
    now[OPEN] = lists[_OUTER, row]
    for fact in range(_OUTER):
        lists[fact, row] = now[fact] - lists[fact, row]
    lists[_ENDED, row], lists[_AFTER_BLOCKS, row] = 1, blocks


@bare_kernel
def begin_container(now: Int64s, titled: bool) -> None:
    """Notes that a container begins."""
    now[DEPTH] += 1
    now[TITLES] = (now[TITLES] << 1 & _MOST_BITS) | titled


@bare_kernel
def end_containers(now: Int64s, depth: int) -> None:
    """Notes that those have ended which are deeper."""
    while now[DEPTH] > depth:
        now[DEPTH] -= 1
        now[TITLES] >>= 1
    now[LEAST] = min(now[LEAST], now[DEPTH])


@bare_kernel
def frame_lists(lists: Int64s, first: int, after: int) -> None:
    """Notes that lists, from one to before another, are in a frame."""
    for row in range(first, after):
        lists[_MARKS, row] |= IS_FRAMED


@kernel
def marks_of(lists: Int64s, count: int) -> Int64s:
    """Marks of the first lists of a table."""
    marks = np.empty(count, np.int64)
    for row in range(count):
        outer, ended, mark = lists[_OUTER, row], lists[_ENDED, row], lists[_MARKS, row]
        if not ended or lists[LINKED, row] <= MOST_LINKED * lists[CHARACTERS, row]:
            mark |= MAY_BE_TEXT
        if (
            ended
            and lists[CHARACTERS, row]
            and not lists[ANCHORS, row]
            and lists[LINKED, row] <= HARDLY_LINKED * lists[CHARACTERS, row]
        ):
            mark |= IS_TEXT
        if not ended or lists[SECTIONS, row] or (outer >= 0 and marks[outer] & (MAY_BE_TEXT | MAY_BE_FRAME)):
            # What is done with the list around it may change what it is.
            mark |= MAY_BE_FRAME
        marks[row] = mark
    return marks


@kernel
def blocks_within(lists: Int64s, count: int) -> Int64s:
    """int64[2, count]: which blocks lie in the first lists of a table, from one to before the other."""
    return lists[_FIRST_BLOCK : _AFTER_BLOCKS + 1, :count].copy()
