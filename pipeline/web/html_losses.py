"""What a page holds and its extracted text does not: the inside ledger of HTML.

In: the markup of a page, and the text that an extractor found in it. Out: elements by tag, under `dropped_elements`.

A block (`li`, `tr`, `pre`, `figure`, `blockquote`, `dt`, `dd`, `h1` to `h6`, `p`) is lost when it has text and the text that was found does
not hold what it begins with: its first `_KEY` bytes, white space aside. What lies in a lost block is counted with it, items in items
excepted. `nav`, `header`, `footer`, `aside` and `form` count as one, and so does what is not shown (`noscript`, `hidden`; a `template` is
no part of the page), so that lists lost from the text of a page are seen apart from its menus. What a page has beyond the limits is counted
as `BEYOND`.
"""

from __future__ import annotations

import re
from collections import Counter

from pipeline.losses import Kind
from pipeline.web.html_blocks import FRAMES, HIDDEN, NAMES, NOSCRIPT, blocks_of, squeezed

BEYOND = "(not looked at)"
_LI = NAMES.index("li")
# `\d` of Unicode 14, on every Python.
_NUMBER = re.compile(r"(?:(?![\U00011f50-\U00011f59\U0001e4f0-\U0001e4f9])\d){1,6}\.\s")
_BULLET = "\u2022"
_KEY = 32
# Shorter beginnings stand in many words: they must be a line or a cell of their own.
_SHORT = 8
# Bytes of the text that are searched for all blocks of a page together.
_MOST_SEARCHED = 200_000_000


def lost_elements(html: str, text: str) -> Counter[tuple[Kind, str]]:
    """Elements of a page whose text is not in `text`, by tag."""
    blocks = blocks_of(html.encode("utf-8", "surrogatepass"))
    page, words = blocks.text.tobytes(), squeezed(text)
    lines: frozenset[bytes] | None = None
    lost: Counter[tuple[Kind, str]] = Counter()
    # Blocks stand in the text in their order, most of them: the search goes on where the last one was found.
    reached = within = 0
    within_kind = -1
    searched = _MOST_SEARCHED
    columns = (column.tolist() for column in (blocks.kinds, blocks.starts, blocks.stops, blocks.firsts, blocks.afters))
    beyond = blocks.beyond
    for number, (kind, start, stop, first, after) in enumerate(zip(*columns, strict=True)):
        if start == stop or (number < within and not (kind == within_kind == _LI)):
            continue
        if kind not in (HIDDEN, NOSCRIPT):
            if searched < 0:
                beyond += 1
                continue
            key = page[start : min(stop, start + _KEY)]
            if len(key) >= _SHORT:
                at = words.find(key, reached)
                if at >= 0:
                    searched -= at - reached
                    reached = at
                    continue
                searched -= len(words)
                if key in words:
                    continue
            if lines is None:
                lines = _short_lines(text)
            if key in lines or (NAMES[kind] not in FRAMES and _begins(page[start : min(first, start + _KEY)], words, lines, key)):
                continue
        within, within_kind = after, kind
        lost["dropped_elements", NAMES[kind]] += 1
    if beyond:
        lost["dropped_elements", BEYOND] += beyond
    return lost


def _short_lines(text: str) -> frozenset[bytes]:
    """The short ones of the lines and cells, without white space, bullets and numbers."""
    cells = text.replace("\t", "\n").replace("|", "\n").split("\n")
    parts = (cell.strip().removeprefix(_BULLET).removeprefix("- ").lstrip() for cell in cells)
    short = ("".join(_NUMBER.sub("", part, count=1).split()).encode("utf-8", "surrogatepass") for part in parts if len(part) < 4 * _SHORT)
    return frozenset(part for part in short if 0 < len(part) < _SHORT)


def _begins(first: bytes, words: bytes, lines: frozenset[bytes], key: bytes) -> bool:
    """Whether the first piece of text in a block was found: bullets and numbers may have been written behind it."""
    return first != key and (first in words if len(first) >= _SHORT else first in lines)
