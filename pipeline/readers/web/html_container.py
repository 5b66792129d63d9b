"""Which element of a page holds its running text.

In: a parsed page. Out: one element, or None. A function of the tree alone.

Readability (Arc90, 2009) scores the parents of paragraphs; here the paragraphs' characters are added up along all their
ancestors, and the deepest element is taken that holds most of them: title, byline and teasers lie beside it, not in it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from pipeline.readers.web.html_tree import names_of

# An element takes over from the element around it when it holds this share of its paragraphs' characters. From 0.75 to
# 0.9 the F1 of the 100 development pages with a full gold text is the same to 0.001; at 0.7 recall falls by 0.007.
SHARE = 0.8
# Comments may be longer than what they comment on: names count while this share of the characters is left. From 0.1 to
# 0.3 F1 is the same.
LEAST_INSIDE = 0.2
# The development pages have up to 3,000; so many of either take about a second.
MOST_PARAGRAPHS = 300_000
MOST_ANCESTORS = 100_000

_ASIDE_TAGS = frozenset({"aside", "nav", "footer", "form", "header", "noscript", "template"})
_ASIDE_NAMES = re.compile(r"comment|sidebar|footer|cookie|consent|newsletter|related", re.IGNORECASE)
_ARTICLE_TAGS = frozenset({"article", "main"})


def paragraph_container(
    body: Any, *, share: float = SHARE, least_inside: float = LEAST_INSIDE, named: bool = True
) -> Any | None:
    """The deepest element that holds most of the paragraphs' characters; None when no element below `body` does, or the
    page is too large.

    Args:
        share, least_inside: as `SHARE` and `LEAST_INSIDE`; bench/held_out.py tries others.
        named: whether the names of elements count, beside their tags, for what is aside.
    """
    # A slice is read at once; going through the collection would look every index up from the start.
    paragraphs = body.query_selector_all("p")[:]
    if len(paragraphs) > MOST_PARAGRAPHS:
        return None
    held: dict[Any, int] = {}
    for paragraph in paragraphs:
        length = len(paragraph.text.strip())
        if length:
            parent = paragraph.parent
            held[parent] = held.get(parent, 0) + length
    best, inside = _heaviest(body, held, is_aside if named else _has_aside_tag, share)
    if best is None:
        return None
    # A post about cookies, a frame "with-sidebar": a name that takes out nearly the whole page means something else.
    if inside < least_inside * sum(held.values()):
        best, _ = _heaviest(body, held, _has_aside_tag, share)
    return best if best != body else None


def _heaviest(body: Any, held: dict[Any, int], is_aside: Callable[[Any], bool], share: float) -> tuple[Any | None, int]:
    """The deepest element with most of the characters that are not aside, and how many those are; None if there are too
    many elements.

    Args:
        held: characters directly under an element.
    """
    aside: dict[Any, bool] = {body: False}
    parents: dict[Any, Any] = {}
    characters: dict[Any, int] = {body: 0}
    for element, length in held.items():
        unseen = []
        while element not in aside:
            unseen.append(element)
            element = element.parent
        if len(aside) + len(unseen) > MOST_ANCESTORS:
            return None, 0
        for child in reversed(unseen):
            aside[child] = aside[element] or is_aside(child)
            parents[child] = element
            characters[child] = 0
            element = child
        if not aside[element]:
            characters[element] += length
    # Parents were entered before their children.
    for element, parent in reversed(parents.items()):
        characters[parent] += characters[element]
    best = body
    for element, parent in parents.items():
        if parent == best and 0 < characters[element] >= share * characters[parent]:
            best = element
    return best, characters[body]


def _has_aside_tag(element: Any) -> bool:
    return element.tag in _ASIDE_TAGS


def is_aside(element: Any) -> bool:
    """Whether text in the element is likely not the page's own."""
    if element.tag in _ASIDE_TAGS or element.tag in _ARTICLE_TAGS:
        return element.tag in _ASIDE_TAGS
    return _ASIDE_NAMES.search(names_of(element)) is not None
