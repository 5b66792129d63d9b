"""List items of manuals that an extractor keeps: what `python bench/extraction.py --lists FOLDER` measures.

In: a folder with one folder per package, each with HTML pages. Out: for each choice of `extraction` the share of list
items kept, on both halves of the packages.

The page's text is known from how each kind of manual is generated (Sphinx, DocBook, Texinfo, AsciiDoc and so on): it is
in the element that the generator marks as the body, or everywhere except in the generator's navigation elements. Items
of lists in which more than half of the characters are in links are counted separately. Items that begin with a heading
or a table are sections and not counted. An item is kept if its first words occur consecutively in the text.

Pages are parsed by lxml, so that the measured extractors do not define what is right. Packages are halved by a hash,
not pages: pages of one package share a template, so rules chosen on half of the pages would also fit the other half.
"""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import lxml.html  # type: ignore[import-untyped]

from pipeline.readers.web.charset import decode_text

# Elements that a generator makes for the page's text, the most particular first.
CONTENT = (
    "//div[@role='main']",
    "//main",
    "//div[@id='page-content']",
    "//div[@id='content']",
    "//div[@class='body']",
    "//div[@class='contents']",
    "//article",
    "//body",
)
_ASIDE_TAGS = frozenset(
    {"nav", "header", "footer", "aside", "script", "style", "template", "noscript", "form", "button", "select"}
)
# What generators call the parts for finding one's way; whole names, so that no running text is called the same.
_ASIDE_NAMES = frozenset(
    [
        "toc",
        "contents",
        "table-of-contents",
        "toctree-wrapper",
        "sphinxsidebar",
        "sidebar",
        "related",
        "navheader",
        "navfooter",
        "navigation",
        "nav",
        "nav-panel",
        "navbar",
        "header",
        "footer",
        "menu",
        "index",
        "printindex",
        "indextable",
        "genindex-jumpbox",
        "headerlink",
        "breadcrumb",
        "breadcrumbs",
        "path",
        "up",
        "top",
        "toplang",
        "bottomlang",
        "quickview",
        "preamble",
        "shortcontents",
        "summary-letter",
        "tabs",
        "titlearea",
        "navpath",
    ]
)
FEWEST_WORDS = 2
MOST_WORDS = 8
MOST_PAGES = 30
LINKED = 0.5
_WORD = re.compile(r"\w+")


@dataclass(frozen=True)
class Manual:
    """A page, and the first words of its list items: those in running text, and those in lists of links."""

    package: str
    name: str
    html: str
    items: tuple[str, ...]
    links: tuple[str, ...]


def half(package: str) -> int:
    """Which half of the packages it belongs to: rules were chosen on 0, and are shown on 1."""
    return hashlib.sha256(package.encode()).digest()[0] % 2


def read_manuals(folder: Path, *, most: int = MOST_PAGES) -> list[Manual]:
    """Up to `most` pages of each package that have list items, drawn by a hash of their names."""
    manuals = []
    for package in sorted(path for path in folder.iterdir() if path.is_dir()):
        files = sorted(package.rglob("*.htm*"), key=lambda path: hashlib.sha256(path.name.encode()).digest())
        found = 0
        for file in files:
            html = decode_text(file.read_bytes(), charset=None).text
            items, links = gold_items(html)
            if items:
                manuals.append(Manual(package.name, file.name, html, tuple(items), tuple(links)))
                found += 1
                if found == most:
                    break
    return manuals


def gold_items(html: str) -> tuple[list[str], list[str]]:
    """First words of the items of lists with running text, and of those of lists of links, that belong to the page's
    text.
    """
    try:
        tree = lxml.html.document_fromstring(html.encode(), parser=lxml.html.HTMLParser(encoding="utf-8"))
    except (lxml.etree.ParserError, ValueError):
        return [], []
    root = next((found[0] for path in CONTENT if len(found := tree.xpath(path)) == 1), tree)
    items: list[str] = []
    links: list[str] = []
    for listed in _lists(root):
        found = [
            words
            for item in listed
            if item.tag == "li"
            and not _is_section(item)
            and len(words := _words("".join(_own_text(item)))) >= FEWEST_WORDS
        ]
        whole = len("".join(_own_text(listed)).strip())
        linked = sum(len(link.text_content()) for link in listed.iter("a"))
        (links if linked > LINKED * max(whole, len(listed.text_content().strip())) else items).extend(
            " ".join(words[:MOST_WORDS]) for words in found
        )
    return items, links


def _is_section(item: Any) -> bool:
    """True for an item that begins with a heading or a table, or is a section: Javadoc makes the frame of a page of
    such lists.
    """
    first = next((child for child in item if isinstance(child.tag, str)), None)
    while first is not None and first.tag in ("div", "ul", "li", "a"):
        first = next((child for child in first if isinstance(child.tag, str)), None)
    return first is not None and first.tag in ("section", "table", "h1", "h2", "h3", "h4", "h5", "h6")


def _lists(element: Any) -> Iterator[Any]:
    for child in element:
        if isinstance(child.tag, str) and not _is_aside(child):
            if child.tag in ("ul", "ol"):
                yield child
            yield from _lists(child)


def _is_aside(element: Any) -> bool:
    names = f"{element.get('class') or ''} {element.get('id') or ''} {element.get('role') or ''}".lower().split()
    return (
        element.tag in _ASIDE_TAGS
        or not _ASIDE_NAMES.isdisjoint(names)
        or "display:none" in (element.get("style") or "").replace(" ", "")
    )


def _own_text(element: Any) -> Iterator[str]:
    """Texts in an element without those of lists within it: an item's own words up to there."""
    yield element.text or ""
    for child in element:
        if isinstance(child.tag, str):
            if child.tag in ("ul", "ol", "dl", "table", "pre"):
                return
            block = " " if child.tag in ("p", "div", "br", "h3", "h4") else ""
            yield block
            if child.tag not in ("script", "style"):
                yield from _own_text(child)
            yield block
        yield child.tail or ""


def _words(text: str) -> list[str]:
    return _WORD.findall(text)


def kept(manuals: Sequence[Manual], extract: Callable[[str], str]) -> dict[str, Any]:
    """Items kept of those there are, for both halves and each package: `[kept, all, links kept, all links]`."""
    counts: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0, 0])
    for manual in manuals:
        text = f" {' '.join(_words(extract(manual.html)))} "
        row = [
            sum(f" {item} " in text for item in manual.items),
            len(manual.items),
            sum(f" {item} " in text for item in manual.links),
            len(manual.links),
        ]
        for name in ("tuned" if half(manual.package) == 0 else "held_out", manual.package):
            counts[name] = [a + b for a, b in zip(counts[name], row, strict=True)]
    return dict(counts)
