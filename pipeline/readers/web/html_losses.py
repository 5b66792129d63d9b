"""What a page holds and its extracted text does not: the inside ledger of HTML.

In: the markup of a page, and the text that an extractor found in it. Out: elements by tag, under `dropped_elements`; in
which lists of the page something may be lost; and whether most of its paragraphs are.

A block (`li`, `tr`, `pre`, `figure`, `blockquote`, `dt`, `dd`, `h1` to `h6`, `p`) is lost when it has text and the text
that was found does not hold what it begins with: its first 32 bytes, white space and what extractors write between
pieces of text aside. What lies in a lost block is counted with it, items in items excepted. `nav`, `header`, `footer`,
`aside` and `form` count as one, and so does what is not shown (`noscript`, `hidden`; a `template` is not part of the
page), so that lists lost from the text of a page are seen apart from its menus. What a page has beyond the limits is
counted as `BEYOND`.
"""

from __future__ import annotations

from collections import Counter

import numpy as np
import numpy.typing as npt

from pipeline.losses import Kind
from pipeline.readers.web.html_blocks import Blocks, blocks_of
from pipeline.readers.web.html_list_marks import SEEMS_MENU
from pipeline.readers.web.html_search import lost_blocks
from pipeline.readers.web.html_tags import NAMES

BEYOND = "(not looked at)"
_PARAGRAPH = NAMES.index("p")
# With fewer in paragraphs a page has no text to be lost.
_FEW = 500
# Bytes of the text that are searched for all blocks of a page together.
_MOST_SEARCHED = 200_000_000


def lost_elements(html: str, text: str) -> Counter[tuple[Kind, str]]:
    """Elements of a page whose text is not in `text`, by tag."""
    return lost_of(blocks_of(html.encode("utf-8", "surrogatepass")), text)


def lost_of(blocks: Blocks, text: str) -> Counter[tuple[Kind, str]]:
    """The same of the blocks of a page."""
    found = lost_blocks(blocks, text, most_searched=_MOST_SEARCHED)
    lost: Counter[tuple[Kind, str]] = Counter()
    for kind in blocks.kinds[found.rows].tolist():
        lost["dropped_elements", NAMES[kind]] += 1
    if blocks.beyond + found.beyond:
        lost["dropped_elements", BEYOND] = blocks.beyond + found.beyond
    return lost


def lists_with_losses(blocks: Blocks, text: str) -> npt.NDArray[np.bool_]:
    """bool[n]: which of a page's lists may have items that `text` lacks, also as part of what is lost around them."""
    found = lost_blocks(blocks, text, most_searched=_MOST_SEARCHED)
    if blocks.beyond + found.beyond:
        return np.ones(len(blocks.lists), np.bool_)
    # How many lost blocks each block is or lies in, and then how many such blocks there are before each.
    steps = np.zeros(len(blocks.kinds) + 1, np.int64)
    np.add.at(steps, found.rows, 1)
    np.add.at(steps, blocks.afters[found.rows], -1)
    before = np.concatenate(([0], np.cumsum(np.cumsum(steps)[:-1] > 0)))
    first, after = blocks.in_lists
    lossy: npt.NDArray[np.bool_] = (before[after] > before[first]) | (blocks.lists & SEEMS_MENU != 0)
    return lossy


def lacks_paragraphs(blocks: Blocks, text: str) -> bool:
    """Whether most of what a page has in paragraphs is not in `text`, which is shorter than they are."""
    if blocks.paragraphs <= max(len(text), _FEW):
        return False
    sizes = np.where(blocks.kinds == _PARAGRAPH, blocks.stops - blocks.starts, 0)
    whole = int(sizes.sum())
    lost = int(sizes[lost_blocks(blocks, text, most_searched=_MOST_SEARCHED).rows].sum())
    return lost > _FEW and 2 * lost > whole
