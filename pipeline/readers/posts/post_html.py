"""HTML of posts to text, in one linear pass.

In: the body of a post as Stack Exchange's dumps have it: a fragment that the site made from Markdown, with few tags,
always closed. Out: its text; paragraphs are separated by a blank line, list items marked, code blocks kept with their
line breaks and indents, all tags removed (Llama 1: "We remove the HTML tags from text", arXiv 2302.13971, section 2.1).
Powers and indices stay readable (`pipeline.readers.superscripts`). Alternative texts and link targets are left out.

Extractors for pages look for the main content and weigh blocks; in a post, everything is content.
"""

from __future__ import annotations

import re
from collections import Counter

from pipeline.losses import Extracted, Kind
from pipeline.readers.character_references import unescaped
from pipeline.readers.superscripts import first_behind, in_text, last_of

_TAG = re.compile(r"<!--|<(?P<end>/?)(?P<name>[a-zA-Z][a-zA-Z0-9]{0,15})(?=[\s/>])[^<>]{0,16384}>")
_BLANKS = re.compile(r"[ \t\n\r\f]+")
_BLOCKS = frozenset(
    tuple(
        "p, pre, blockquote, ul, ol, dl, h1, h2, h3, h4, h5, h6, hr, table, div, section, figure, details".split(", ")
    )
)
_ROWS = frozenset(("li", "tr", "dt", "dd", "summary", "caption"))
_CELLS = frozenset(("td", "th"))
_HIDDEN = frozenset(("script", "style"))
_MARKS = frozenset(("sup", "sub"))
# Deeper lists than this are marked like the ones at this depth.
_MOST_DEPTH = 64
_MOST_MARKS = 8
# What an unclosed power holds.
_WORD = re.compile(r"\S{1,20}")


def post_to_text(source: str) -> str:
    """The post's text."""
    return extract_post(source).text


def extract_post(source: str) -> Extracted:
    """The post's text, and what it lost: scripts and styles, and references to no character."""
    out = _Lines()
    lost: Counter[tuple[Kind, str]] = Counter()
    hidden: str | None = None
    preformatted = position = 0
    while (tag := _TAG.search(source, position)) is not None:
        if hidden is None:
            out.write(unescaped(source[position : tag.start()], lost=lost), preformatted > 0)
        position = tag.end()
        if tag["name"] is None:
            closing = source.find("-->", position)
            position = len(source) if closing < 0 else closing + 3
            continue
        name, opens = tag["name"].lower(), not tag["end"]
        if name in _HIDDEN:
            if opens:
                lost["dropped_elements", name] += 1
            hidden = name if opens else None
        elif hidden is not None:
            continue
        if name in _MARKS:
            if not opens:
                out.marked(name, first_behind(source, position, tag=_TAG), preformatted > 0)
            elif not tag[0].endswith("/>") and len(out.marks) < _MOST_MARKS:
                out.marks.append((name, []))
            continue
        if name in _BLOCKS or name in _ROWS or name in _CELLS or name == "br":
            out.unmarked(preformatted > 0)
        if name == "pre":
            preformatted = max(0, preformatted + (1 if opens else -1))
        out.tag(name, opens)
    if hidden is None:
        out.write(unescaped(source[position:], lost=lost), preformatted > 0)
    out.unmarked(preformatted > 0)
    return Extracted("".join(out.parts).lstrip("\n").rstrip(), dict(lost))


class _Lines:
    """Text so far, and the breaks that wait for the next word."""

    def __init__(self) -> None:
        self.parts: list[str] = []
        self.breaks = 0
        self.mark = ""
        self.spaced = True  # nothing, or white space, ends the text
        self.lists: list[int] = []  # for each open list the number of its next item; -1: not numbered
        self.marks: list[tuple[str, list[str]]] = []  # for each open power or index its tag and the text in it

    def tag(self, name: str, opens: bool) -> None:
        """Breaks and marks that a tag makes."""
        if name in _BLOCKS:
            # A list in a list item begins on the next line.
            self.breaks = max(self.breaks, 1 if name in ("ul", "ol") and len(self.lists) > (0 if opens else 1) else 2)
        elif name in _ROWS:
            self.breaks = max(self.breaks, 1)
        elif name in _CELLS and opens and not self.breaks:
            self.write(" ", False)
        elif name == "br":
            self.breaks = min(2, self.breaks + 1)
        if name in ("ul", "ol"):
            if not opens:
                del self.lists[-1:]
            elif len(self.lists) < _MOST_DEPTH:
                self.lists.append(1 if name == "ol" else -1)
        elif name == "li" and opens:
            number = self.lists[-1] if self.lists else -1
            self.mark = "• " if number < 0 else f"{number}. "
            if number >= 0:
                self.lists[-1] += 1

    def write(self, text: str, preformatted: bool) -> None:
        """Text between two tags; white space becomes one blank, except in code.

        Text in a power waits for the end of the power.
        """
        if self.marks:
            self.marks[-1][1].append(text)
            return
        if preformatted:
            text = text.replace("\r\n", "\n")
            if self.breaks:
                text = text.lstrip("\n") if text.strip() else ""
        else:
            text = _BLANKS.sub(" ", text)
            if self.spaced or self.breaks or self.mark:
                text = text.lstrip(" ")
        if not text:
            return
        if self.breaks and self.parts:
            self.parts[-1] = self.parts[-1].rstrip(" \n")
            self.parts.append("\n" * self.breaks)
        self.parts.append(self.mark + text)
        self.spaced = not preformatted and text.endswith(" ")
        self.breaks, self.mark = 0, ""

    def marked(self, tag: str, after: str, preformatted: bool) -> None:
        """The end of a power or index; an end without its beginning is ignored."""
        if self.marks and self.marks[-1][0] == tag:
            inside = "".join(self.marks.pop()[1])
            self.write(in_text(tag, self.before(), inside, after=after), preformatted)

    def unmarked(self, preformatted: bool) -> None:
        """The end of a line: a power that is not closed holds one word."""
        while self.marks:
            tag, parts = self.marks.pop()
            inside = "".join(parts)
            word = _WORD.match(inside)
            end = 0 if word is None else word.end()
            if end:
                self.write(in_text(tag, self.before(), inside[:end], after=inside[end : end + 1]), preformatted)
            self.write(inside[end:], preformatted)

    def before(self) -> str:
        """The last characters before what is written next."""
        if self.marks:
            return last_of(self.marks[-1][1])
        return "" if self.breaks or self.mark else last_of(self.parts)
