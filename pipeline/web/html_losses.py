"""What a page holds and its extracted text does not: the inside ledger of HTML.

In: a parsed page, and the text that an extractor found in it. Out: elements by tag, under `dropped_elements`.

A block (`li`, `tr`, `pre`, `figure`, `blockquote`, `dt`, `dd`, `h1` to `h6`, `p`) is lost when it has text and the text that was found does
not hold what it begins with: its first `_KEY` characters, white space aside. What lies in a lost block is counted with it, items in items
excepted. `nav`, `header`, `footer`, `aside` and `form` count as one, and so does what is not shown (`noscript`, `hidden`; a `template` is
no part of the page), so that lists lost from the text of a page are seen apart from its menus. One query, and a bounded number of elements
and characters.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

from resiliparse.parse.html import NodeType

from pipeline.losses import Kind
from pipeline.web.html_tree import is_hidden

_FRAMES = "nav,header,footer,aside,form"
_BLOCKS = "li,tr,p,h1,h2,h3,h4,h5,h6,pre,blockquote,dd,dt,figure"
_UNSHOWN = "noscript,[hidden],[aria-hidden=true],[style*=none i],[style*=hidden i]"
_QUERY = f":is({_FRAMES},{_BLOCKS},{_UNSHOWN}):not(:is({_FRAMES}) *)"
_WHOLE = frozenset({*_FRAMES.split(","), "noscript"})
_BLOCK_TAGS = frozenset(_BLOCKS.split(","))
_NUMBER = re.compile(r"\d{1,6}\.\s")
_BULLET = "\u2022"
_KEY = 32
# Shorter beginnings stand in many words: they must be a line or a cell of their own.
_SHORT = 8
_MOST_ELEMENTS = 3_000
_MOST_READ = 4_000_000
_MOST_SEARCHED = 50_000_000
# Nodes passed on the way to the first text.
_MOST_PASSED = 50


def lost_elements(body: Any, text: str) -> Counter[tuple[Kind, str]]:
    """Elements of a page whose text is not in `text`, by tag."""
    lost: Counter[tuple[Kind, str]] = Counter()
    words = "".join(text.split()).replace(_BULLET, "")
    lines: frozenset[str] | None = None
    within: Any = None
    read, searched = _MOST_READ, _MOST_SEARCHED
    for element in body.query_selector_all(_QUERY)[:_MOST_ELEMENTS]:
        content = element.text
        read -= len(content)
        searched -= len(words)
        if read < 0 or searched < 0:
            break
        key = "".join((content[: 8 * _KEY].strip() or content.strip()[: 8 * _KEY]).split()).replace(_BULLET, "")[:_KEY]
        if not key or (len(key) >= _SHORT and key in words):
            continue
        tag = element.tag
        if within is not None and not (tag == "li" and within.tag == "li") and within.contains(element):
            continue
        if lines is None:
            lines = _short_lines(text)
        if key in lines:
            continue
        if tag not in _WHOLE:
            if is_hidden(element):
                tag = "hidden"
            elif tag not in _BLOCK_TAGS or _begins(element, key, words, lines):
                continue
        within = element
        lost["dropped_elements", tag] += 1
    return lost


def _short_lines(text: str) -> frozenset[str]:
    """The short ones of the lines and cells, without white space, bullets and numbers."""
    parts = (part.strip().removeprefix(_BULLET).removeprefix("- ") for part in text.replace("\t", "\n").replace("|", "\n").split("\n"))
    squeezed = ("".join(_NUMBER.sub("", part.lstrip(), count=1).split()) for part in parts if len(part) < 4 * _SHORT)
    return frozenset(part for part in squeezed if 0 < len(part) < _SHORT)


def _begins(element: Any, key: str, words: str, lines: frozenset[str]) -> bool:
    """Whether the first text in a block was found: bullets and numbers may have been written between its parts."""
    if key[:_SHORT] not in words and not any(key[:end] in lines for end in range(1, _SHORT)):
        return False
    first = "".join(_first_text(element).split())[:_KEY]
    return first != key and (first in words if len(first) >= _SHORT else first in lines)


def _first_text(element: Any) -> str:
    """The first text in an element that is more than white space."""
    node = element.first_child
    for _ in range(_MOST_PASSED):
        if node is None:
            break
        if node.type == NodeType.TEXT:
            value = node.value or ""
            if value.strip():
                return str(value)
        following = node.first_child or node.next_sibling
        while following is None:
            node = node.parent
            if node is None or node == element:
                return ""
            following = node.next_sibling
        node = following
    return ""
