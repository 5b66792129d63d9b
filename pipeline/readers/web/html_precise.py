"""HTML to text by trafilatura (Barbaresi 2021): slower and more precise than resiliparse.

In: the decoded page, and its tree where there is one. Out: its text, a line per block; empty where nothing is found.

Trafilatura runs without network, clock, metadata, or its cache of passages seen on earlier pages: a page's text depends
on the page alone. Its mode without second opinions is used: on the 100 development pages with a full gold text those
change F1 by less than 0.001 (of wanted and unwanted passages elsewhere from 0.907 to 0.915) and take 40 % more time.
Tables are kept: they change F1 by less than 0.001 and regain wanted passages (0.925 instead of 0.913 of them).
"""

from __future__ import annotations

import logging
import re
import unicodedata
from functools import cache, lru_cache
from typing import Any

from resiliparse.extract.html2text import extract_plain_text
from resiliparse.parse.html import HTMLTree

from kernels.newer_characters import newer_characters

# Each of these bounds a family of pages found by search whose cost grows faster than their size; up to all of them the
# worst takes a few seconds. Of the development pages 99 % are below each.
MOST_TAGS = 30_000
# libxml2 stops at 256; the serialiser recurses.
MOST_DEPTH = 100
# Link density is measured on each level again: 3 microseconds for each tag and level.
MOST_TAGS_BY_DEPTH = 1_200_000
# Removing an element copies the text around it: 0.5 nanoseconds for each tag and character.
MOST_TAGS_BY_CHARACTERS = 5_000_000_000
# Rows are filled up to as many cells as the spans of the widest ask for.
_MOST_SPANS = 10_000
_SPAN = re.compile(r"colspan\s*=\s*[\"']?\s*(\d{1,9})", re.IGNORECASE)
_JOINERS = frozenset("\u200c\u200d")
_NONCHARACTERS = frozenset(range(0xFDD0, 0xFDF0)) | {
    plane + last for plane in range(0, 0x110000, 0x10000) for last in (0xFFFE, 0xFFFF)
}


def too_complex_for_precise(html: str, tree: HTMLTree) -> str | None:
    """Why trafilatura may take more than a few seconds for the page; None if it does not."""
    tags = html.count("<")
    if tags > MOST_TAGS:
        return f"more than {MOST_TAGS:,} tags"
    depth = min(MOST_DEPTH, MOST_TAGS_BY_DEPTH // max(tags, 1))
    if deeper_than(depth, tree):
        return f"{tags:,} tags nested deeper than {depth} elements"
    if tags * len(html) > MOST_TAGS_BY_CHARACTERS:
        # Scripts are removed whole: only what is shown counts.
        characters = len(extract_plain_text(tree, preserve_formatting=False, main_content=False, noscript=True))
        if tags * characters > MOST_TAGS_BY_CHARACTERS:
            return f"{tags:,} tags around {characters:,} characters"
    return None


def deeper_than(depth: int, tree: HTMLTree) -> bool:
    """Whether elements are nested deeper than that."""
    return tree.document is not None and tree.document.query_selector(">".join(["*"] * (depth + 1))) is not None


def precise_text(html: str) -> str:
    """Text of the page's main content; empty when trafilatura finds none.

    For pages that `too_complex_for_precise` lets pass.
    """
    extract, options = _trafilatura()
    spans = _SPAN.findall(html)
    if spans and sum(map(int, spans)) > _MOST_SPANS:
        html = _SPAN.sub("data-span=1", html)
    return extract(html, options=options()) or ""


@lru_cache(maxsize=2**14)
def _kept(character: str) -> str:
    """The character, or nothing for control characters and the like.

    Trafilatura itself leaves out what Python cannot print: the two joiners of Persian and Hindi words and of emoji, and
    all characters that are newer than the Unicode of the Python that runs, among them the emoji of each year.
    """
    point = ord(character)
    if character.isprintable() or character.isspace() or character in _JOINERS or point in newer_characters():
        return character
    return character if unicodedata.category(character) == "Cn" and point not in _NONCHARACTERS else ""


@cache
def _trafilatura() -> tuple[Any, Any]:
    # Imported when first needed: it takes half a second.
    from trafilatura import extract, utils
    from trafilatura.settings import Extractor

    utils.return_printables_and_spaces = _kept  # type: ignore[attr-defined,unused-ignore]

    # It reports pages without text as errors; here that is an outcome like any other.
    logging.getLogger("trafilatura").setLevel(logging.CRITICAL + 1)

    def options() -> Any:
        return Extractor(output_format="txt", fast=True, comments=False, tables=True, dedup=False, with_metadata=False)

    return extract, options
