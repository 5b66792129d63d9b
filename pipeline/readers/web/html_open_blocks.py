"""Blocks that are open while a page's markup is read, and where they end.

In: the tables of a pass over the markup (`Page`), and the kind of a block that begins or ends. Out: the same tables, in
which it has begun or ended. Of the HTML standard's tree builder (13.2.6) only this is kept: `p`, `li`, `dt`, `dd` and
`tr` end where the next one begins.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from kernels.arrays import Bytes, Int64s
from kernels.compiled import bare_kernel, part_kernel
from pipeline.readers.web.html_list_marks import (
    CHARACTERS,
    DEPTH,
    FIGURES,
    FRAMED,
    LEAST,
    PARAGRAPHS,
    end_containers,
    end_list,
    frame_lists,
)
from pipeline.readers.web.html_tags import BLOCKS, NAMES, NOSCRIPT, SCOPES

FRAME: Final = len(BLOCKS)
SCOPE: Final = len(NAMES)
UL, OL, DL, TABLE = range(SCOPE, SCOPE + len(SCOPES))
_FORM: Final = NAMES.index("form")
_P, _LI, _TR, _DD, _DT, _PRE, _BLOCKQUOTE, _FIGURE = (
    NAMES.index(name) for name in ("p", "li", "tr", "dd", "dt", "pre", "blockquote", "figure")
)

# Blocks that are open at the same time; those beyond are only counted.
MOST_OPEN: Final = 512
# How far up the open blocks an end tag or an implied end is looked for.
_NEAR: Final = 24

# The state of the pass: blocks that have begun; bytes of text; blocks that are open, and frames among them; the first
# block whose first piece of text has not ended; lists that have begun; drawings and formulas that are open; cuts.
# Whether a link is open, whether there was a drawing or a formula, and whether the parser may have read other tags. Of
# the element that is not shown: its packed name (0 where all is shown), how many elements of that name are open, and
# its row (-1 if it is no block).
BEGUN, USED, HEIGHT, FRAMES, UNENDED, LISTED, FOREIGN, CUT = range(8)
IN_LINK, DRAWN, UNSURE, AWAY, AWAY_DEPTH, AWAY_ROW, STATE = range(8, 15)
# Rows of what the pass finds.
_KIND, _STARTS, _STOPS, _FIRSTS, _AFTERS, FOUND = range(6)
# Rows of the stack, for each open block: its kind; its row, or the row of the list. And, as they were when it began,
# how many containers were open, and how many characters, elements that figures may frame and lists there had been.
_OPEN_KIND, _OPEN_ROW, _DEPTH_BEFORE, _CHARACTERS_BEFORE, _FRAMED_BEFORE, _LISTED_BEFORE, OPEN_ROWS = range(7)


class Page(NamedTuple):
    """The markup of a page, what kernels look up, and the tables that a pass fills.

    Attributes:
        data: the markup, UTF-8, uint8[n].
        tags: `pipeline.readers.web.html_tags.TAGS`.
        entities: `pipeline.readers.web.html_characters.ENTITIES`.
        text: the text without white space and bullets, uint8[n].
        found: kinds, starts, stops, firsts and afters of `pipeline.readers.web.html_blocks.Blocks`, int64[5, blocks].
        lists: what `pipeline.readers.web.html_list_marks` notes of lists, int64[ROWS, lists].
        cuts: parts of the markup that are left out, int64[2, cuts].
        now: what `pipeline.readers.web.html_list_marks` counts, int64[COUNTERS].
        before: what `pipeline.readers.web.html_cuts` notes of the tag before, int64[BEFORE].
        stack: the open blocks, int64[OPEN_ROWS, MOST_OPEN].
        state: where the pass is, int64[STATE].
    """

    data: Bytes
    tags: Int64s
    entities: Int64s
    text: Bytes
    found: Int64s
    lists: Int64s
    cuts: Int64s
    now: Int64s
    before: Int64s
    stack: Int64s
    state: Int64s


@bare_kernel
def note_hidden_text(page: Page) -> None:
    """Notes that the element that is not shown has text."""
    row = page.state[AWAY_ROW]
    if row >= 0:
        page.found[_STOPS, row] = page.found[_STARTS, row] + 1


@part_kernel
def end_first_texts(page: Page) -> None:
    """Ends the first piece of text of those blocks that have text by now."""
    row, used = page.state[UNENDED], page.state[USED]
    while row < page.state[BEGUN] and used > page.found[_STARTS, row]:
        page.found[_FIRSTS, row] = used
        row += 1
    page.state[UNENDED] = row


@part_kernel
def begin_block(page: Page, kind: int) -> int:
    """Begins a block; its row."""
    row, used = int(page.state[BEGUN]), page.state[USED]
    page.found[_KIND, row], page.found[_AFTERS, row] = kind, row + 1
    page.found[_STARTS, row] = page.found[_STOPS, row] = page.found[_FIRSTS, row] = used
    page.state[BEGUN] += 1
    return row


@part_kernel
def push_block(page: Page, kind: int, row: int) -> None:
    """Puts a block, a frame or a scope that has begun on the stack, which has room for it."""
    now, stack, state = page.now, page.stack, page.state
    height = state[HEIGHT]
    stack[_OPEN_KIND, height], stack[_OPEN_ROW, height] = kind, row
    stack[_DEPTH_BEFORE, height], stack[_CHARACTERS_BEFORE, height] = now[DEPTH], now[CHARACTERS]
    stack[_FRAMED_BEFORE, height], stack[_LISTED_BEFORE, height] = now[FRAMED], state[LISTED]
    if state[FRAMES] == 0:
        now[LEAST] = now[DEPTH]
    now[FRAMED] += kind in (UL, OL, DL, TABLE, _PRE, _BLOCKQUOTE)
    state[HEIGHT] += 1
    state[FRAMES] += FRAME <= kind < NOSCRIPT


@bare_kernel
def pop_blocks(page: Page, down_to: int) -> None:
    """Ends the open blocks from the top of the stack down to a place in it."""
    now, stack, state = page.now, page.stack, page.state
    height = state[HEIGHT]
    while height > down_to:
        height -= 1
        kind, row = stack[_OPEN_KIND, height], stack[_OPEN_ROW, height]
        state[FRAMES] -= FRAME <= kind < NOSCRIPT
        end_containers(now, stack[_DEPTH_BEFORE, height])
        if kind == _P:
            now[PARAGRAPHS] += now[CHARACTERS] - stack[_CHARACTERS_BEFORE, height]
        now[FIGURES] += kind == _FIGURE and now[FRAMED] > stack[_FRAMED_BEFORE, height]
        if kind in (UL, OL):
            end_list(page.lists, row, now, state[BEGUN])
        elif row >= 0:
            page.found[_STOPS, row], page.found[_AFTERS, row] = state[USED], state[BEGUN]
    state[HEIGHT] = height


@part_kernel
def close_block(page: Page, kind: int) -> None:
    """Ends the open block of a kind, and those within it."""
    stack, state = page.stack, page.state
    height = state[HEIGHT]
    for place in range(height - 1, max(-1, height - 1 - _NEAR), -1):
        if stack[_OPEN_KIND, place] == kind:
            # A form may end with the element around it, and in a table holds nothing.
            if state[FRAMES] == 1 and FRAME <= kind < _FORM and page.now[LEAST] >= stack[_DEPTH_BEFORE, place]:
                frame_lists(page.lists, stack[_LISTED_BEFORE, place], state[LISTED])
            pop_blocks(page, place)
            break


@part_kernel
def imply_ends(page: Page, kind: int) -> None:
    """Ends what the beginning of a block ends."""
    stack, state = page.stack, page.state
    if state[HEIGHT] and stack[_OPEN_KIND, state[HEIGHT] - 1] == _P:
        pop_blocks(page, state[HEIGHT] - 1)
    if kind not in (_LI, _TR, _DD, _DT):
        return
    height = state[HEIGHT]
    for place in range(height - 1, max(-1, height - 1 - _NEAR), -1):
        other = stack[_OPEN_KIND, place]
        if other == kind or (kind in (_DD, _DT) and other in (_DD, _DT)):
            pop_blocks(page, place)
            break
        if (kind == _LI and other in (UL, OL)) or (kind == _TR and other == TABLE):
            break
        if kind in (_DD, _DT) and other == DL:
            break
