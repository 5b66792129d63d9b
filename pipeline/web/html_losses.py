"""What a page holds and its extracted text does not: the inside ledger of HTML.

In: the markup of a page, and the text that an extractor found in it. Out: elements by tag, under `dropped_elements`.

A block (`li`, `tr`, `pre`, `figure`, `blockquote`, `dt`, `dd`, `h1` to `h6`, `p`) is lost when it has text and the text that was found does
not hold what it begins with: its first 32 bytes, white space aside. What lies in a lost block is counted with it, items in items
excepted. `nav`, `header`, `footer`, `aside` and `form` count as one, and so does what is not shown (`noscript`, `hidden`; a `template` is
no part of the page), so that lists lost from the text of a page are seen apart from its menus. What a page has beyond the limits is counted
as `BEYOND`.
"""

from __future__ import annotations

from collections import Counter

from pipeline.losses import Kind
from pipeline.web.html_blocks import NAMES, Blocks, blocks_of
from pipeline.web.html_search import lost_blocks

BEYOND = "(not looked at)"
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
