"""What the markup tells of a page's lists: which of them cannot be running text, whatever a parser's tree says.

In: counts of what a pass over the markup has read so far, when a list begins and when it ends. Out: for each `ul` and `ol` marks, and which
blocks lie in it, in the order of the page. Most lists of a page are menus; to ask the tree for all their links costs more than the pass.

The characters of a list are counted with all white space, those of its links without any: a list that has too many of them in links by this
count has them by the tree's too.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from dedup.kernel import bare_kernel, kernel

Integers = npt.NDArray[np.int64]

# A list of running text has at most this share of its characters in links.
MOST_LINKED: Final = 0.6
# Marks: an `ol`; a list that is not shown; one that may be running text; one that may be a frame of sections; one in another; one in what
# seems to be a `nav`, `header`, `footer`, `aside` or `form`, as the tree must say: what is not closed may seem to go on.
NUMBERED, UNSEEN, MAY_BE_TEXT, MAY_BE_FRAME, INNER, SEEMS_MENU = 1, 2, 4, 8, 16, 32

# What has been read so far: characters, those of links, elements that make sections; and the row of the list that is open.
CHARACTERS, LINKED, SECTIONS, OPEN, COUNTERS = range(5)
# Of each list the same three, when it began and then within it; the list around it, its marks, whether it has ended, and how many blocks
# there were when it began and when it ended.
_OUTER, _MARKS, _ENDED, _FIRST_BLOCK, _AFTER_BLOCKS, ROWS = range(3, 9)


@kernel
def larger(lists: Integers) -> Integers:
    """A table with room for more lists."""
    grown = np.zeros((ROWS, 4 * lists.shape[1]), np.int64)
    grown[:, : lists.shape[1]] = lists
    return grown


@bare_kernel
def begin_list(lists: Integers, row: int, now: Integers, blocks: int, numbered: bool, unseen: bool, in_frame: bool) -> None:
    """Notes where a list begins."""
    lists[CHARACTERS, row], lists[LINKED, row], lists[SECTIONS, row] = now[CHARACTERS], now[LINKED], now[SECTIONS]
    lists[_OUTER, row] = now[OPEN]
    lists[_MARKS, row] = NUMBERED * numbered + UNSEEN * unseen + INNER * (now[OPEN] >= 0) + SEEMS_MENU * in_frame
    lists[_ENDED, row], lists[_FIRST_BLOCK, row], lists[_AFTER_BLOCKS, row] = 0, blocks, blocks
    if not unseen:
        now[OPEN] = row


@bare_kernel
def end_list(lists: Integers, row: int, now: Integers, blocks: int) -> None:
    """Notes what a list held."""
    now[OPEN] = lists[_OUTER, row]
    for fact in (CHARACTERS, LINKED, SECTIONS):
        lists[fact, row] = now[fact] - lists[fact, row]
    lists[_ENDED, row], lists[_AFTER_BLOCKS, row] = 1, blocks


@kernel
def marks_of(lists: Integers, count: int) -> Integers:
    """Marks of the first lists of a table."""
    marks = np.empty(count, np.int64)
    for row in range(count):
        outer, ended, mark = lists[_OUTER, row], lists[_ENDED, row], lists[_MARKS, row]
        if not ended or lists[LINKED, row] <= MOST_LINKED * lists[CHARACTERS, row]:
            mark |= MAY_BE_TEXT
        if (ended and lists[SECTIONS, row]) or (outer >= 0 and marks[outer] & (MAY_BE_TEXT | MAY_BE_FRAME)):
            # What is done with the list around it may change what it is.
            mark |= MAY_BE_FRAME
        marks[row] = mark
    return marks


@kernel
def blocks_within(lists: Integers, count: int) -> Integers:
    """int64[2, count]: which blocks lie in the first lists of a table, from one to before the other."""
    return lists[_FIRST_BLOCK : _AFTER_BLOCKS + 1, :count].copy()
