"""Lists of running text that an extractor left out, put back where they were.

In: the text that an extractor found, and the page's tree. Out: the text, with the lists of running text that it lacks
(`pipeline.readers.web.html_lists` says which those are).

A list belongs after the words that are before it on the page; where the text lacks these too, the list stays out: what
is around it was not taken for the page's text. The work is bounded in characters searched.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from resiliparse.parse.html import NodeType

from kernels.newer_characters import with_stand_ins
from pipeline.readers.web.html_lists import Lists, text_lists

# Characters of the text that are searched for all lists of a page together.
_MOST_SEARCHED = 1_000_000_000
_KEY = 32
_NUMBER = re.compile(r"\s*\d{1,6}\.\s")
_BETWEEN_WORDS = re.compile(r"[\W_]+")
_SHORTEST_KEY = 4
_SHORTEST_FOUND = 8
_NOT_OWN = frozenset({"ul", "ol", "script", "style", "template", "noscript"})
_OTHERS_WITHIN = ",".join(sorted(_NOT_OWN))
_APART = frozenset(
    {
        "p",
        "div",
        "br",
        "pre",
        "dl",
        "dt",
        "dd",
        "table",
        "tr",
        "td",
        "th",
        "section",
        "blockquote",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
    }
)
# Headings, summaries and labels are left out by some extractors: what is before them gives the place as well.
_SHORT = 80
_MOST_BEFORE = 8


def restore_lists(text: str, root: Any, lists: Lists, *, bullet: str = "- ") -> str:
    """The text with the lists that it lacks.

    Args:
        root: the element whose lists are meant.
        lists: those of the page.
    """
    words, lines = "", frozenset[str]()
    pieces: list[str] = []
    done = 0
    budget = _MOST_SEARCHED
    offsets: list[int] | None = None
    squeezed_done = 0
    for element in text_lists(root, lists):
        items = element.get_elements_by_tag_name("li")[:]
        keys = [_key(_own_text(item)) for item in items]
        if not words:
            words, lines = _squeezed(text), _short_lines(text)
        budget -= (len(items) + 2) * (len(words) + 1)
        if budget < 0:
            break
        missing = [item for item, key in zip(items, keys, strict=True) if not _is_there(key, words, lines)]
        if not missing or 2 * len(missing) < len(items) or "".join(keys) in words:
            continue
        at, read = _place(element, words, squeezed_done)
        budget -= read
        if at is None:
            continue
        if offsets is None:
            offsets = [place for place, character in enumerate(with_stand_ins(text)) if character.isalnum()]
        end = text.find("\n", offsets[at - 1])
        end = len(text) if end < 0 else end
        if end < done:
            end = done
        pieces.append(text[done:end])
        pieces.append("\n" + "\n".join(bullet + " ".join("".join(_own_pieces(item)).split()) for item in missing))
        done, squeezed_done = end, at
    if not pieces:
        return text
    return "".join(pieces) + text[done:]


def _squeezed(text: str) -> str:
    return _BETWEEN_WORDS.sub("", with_stand_ins(text))


def _key(text: str) -> str:
    return _squeezed(text[: 4 * _KEY])[:_KEY]


def _short_lines(text: str) -> frozenset[str]:
    """The short ones of the lines, without bullets and numbers."""
    return frozenset(
        _squeezed(_NUMBER.sub("", line, count=1)) for line in with_stand_ins(text).split("\n") if len(line) < _SHORT
    )


def _is_there(key: str, words: str, lines: frozenset[str]) -> bool:
    """Whether an item is in the text; a word or two may be part of other text, and must be a line of their own."""
    return key in words if len(key) >= _SHORTEST_FOUND or not key else key in lines


def _own_text(item: Any) -> str:
    """Text of an item without that of the lists within it; white space aside."""
    return item.text if item.query_selector(_OTHERS_WITHIN) is None else "".join(_own_pieces(item))


def _own_pieces(element: Any) -> Iterator[str]:
    for child in element.child_nodes[:]:
        if child.type == NodeType.TEXT:
            yield child.value or ""
        elif child.type == NodeType.ELEMENT and child.tag not in _NOT_OWN:
            apart = " " if child.tag in _APART else ""
            yield apart
            yield from _own_pieces(child)
            yield apart


def _place(element: Any, words: str, after: int) -> tuple[int | None, int]:
    """Where in the squeezed text the words end that are before the list, and how many characters were read."""
    read = 0
    for _ in range(_MOST_BEFORE):
        beside = element.previous_sibling
        for _ in range(_MOST_BEFORE):
            if beside is None:
                break
            text = (
                beside.value if beside.type == NodeType.TEXT else beside.text if beside.type == NodeType.ELEMENT else ""
            ) or ""
            read += len(text)
            before = _squeezed(text[-4 * _KEY :])[-_KEY:]
            if len(before) >= _SHORTEST_KEY:
                at = words.find(before, after)
                at = words.find(before) if at < 0 else at
                if at < 0 and len(text) < _SHORT:
                    beside = beside.previous_sibling
                    continue
                return (at + len(before) if at >= 0 else None), read
            beside = beside.previous_sibling
        element = element.parent
        if element is None or element.tag == "body":
            return None, read
    return None, read
