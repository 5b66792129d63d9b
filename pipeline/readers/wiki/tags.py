"""Tags in wikitext.

In: text without comments, templates, links. Out: the same without the tags that MediaWiki knows. Everything else
between angle brackets is text, as MediaWiki shows it: `#include <stdio.h>`, `map<string, int>`,
`<https://example.org>`.

Breaks and blocks end a line; items of lists get a list's mark; powers and indices stay readable
(`pipeline.readers.superscripts`). The names are those of HTML that MediaWiki lets through
(https://www.mediawiki.org/wiki/Help:HTML_in_wikitext) and of the extensions of Wikimedia's sites.
"""

from __future__ import annotations

import re
from collections import Counter

from pipeline.losses import Kind
from pipeline.readers.character_references import unescaped
from pipeline.readers.superscripts import first_behind, in_text, last_of

_HTML = tuple(
    "abbr, b, bdi, bdo, big, blockquote, br, caption, center, cite, code, col, colgroup, data, dd, del, "
    "dfn, div, dl, dt, em, font, h1, h2, h3, h4, h5, h6, hr, i, ins, kbd, li, link, mark, meta, ol, p, q, "
    "rb, rp, rt, rtc, ruby, s, samp, small, span, strike, strong, sub, sup, table, tbody, td, tfoot, th, "
    "thead, time, tr, tt, u, ul, var, wbr".split(", ")
)
_EXTENSIONS = tuple(
    "ref, references, gallery, timeline, score, imagemap, graph, hiero, mapframe, maplink, templatedata, "
    "inputbox, syntaxhighlight, source, includeonly, noinclude, onlyinclude, categorytree, "
    "templatestyles, indicator, poem, section, nowiki, pre, math, chem, ce, translate, tvar, languages, "
    "charinsert, pages, pagelist, nobr, phonos, style, labeledsectiontransclusion, page-collection, "
    "dynamicpagelist, rss, talkpage, thread, quiz, slippymap, listing, buy".split(", ")
)
_LINES = frozenset(
    tuple(
        "br, hr, p, div, blockquote, center, poem, ul, ol, dl, dd, dt, h1, h2, h3, h4, h5, h6, tr, "
        "caption, table".split(", ")
    )
)
# Longer names first: a name ends where something other than a letter begins.
_TAG = re.compile(
    rf"<(?P<end>/?)(?P<name>{'|'.join(sorted({*_HTML, *_EXTENSIONS}, key=len, reverse=True))})"
    r"(?P<attributes>(?:[\s/\\][^<>]{0,2000})?)>",
    re.IGNORECASE,
)
# Between a power and the text after it.
_PASSED = re.compile(rf"{_TAG.pattern}|'{{2,5}}", re.IGNORECASE)
_MARKS = frozenset(("sup", "sub"))
_MOST_DEPTH = 8
_QUOTES = re.compile("'{2,5}")
_WORD = re.compile(r"\S{1,20}")


def without_tags(text: str, *, lost: Counter[tuple[Kind, str]]) -> str:
    """The text without known tags.

    Args:
        lost: counts references that stand for no character.
    """
    out: list[str] = []
    opened: list[tuple[str, int]] = []  # sup and sub, and their places in `out`
    position = 0
    for tag in _TAG.finditer(text):
        name = tag["name"].lower()
        # i<b and c>d compares: a tag of one letter has attributes with values, or no attributes.
        if len(name) == 1 and "=" not in tag["attributes"] and tag["attributes"].strip(" \t\n/\\"):
            continue
        if tag.start() > position:
            out.append(text[position : tag.start()])
        position = tag.end()
        if name in _MARKS:
            ends = bool(tag["end"]) or (bool(opened) and opened[-1][0] == name and _is_short(out, opened[-1][1]))
            if not ends:
                if len(opened) < _MOST_DEPTH and not tag["attributes"].rstrip().endswith("/"):
                    opened.append((name, len(out)))
            elif opened and opened[-1][0] == name:
                _mark(out, *opened.pop(), first_behind(text, position, tag=_PASSED), lost)
        elif name in _LINES:
            out.append("\n")
        elif name == "li":
            out.append("\n" if tag["end"] else "\n* ")
        elif name in ("td", "th"):
            out.append(" ")
    out.append(text[position:])
    while opened:
        # Never closed: it holds a word.
        name, place = opened.pop()
        inside = "".join(out[place:])
        del out[place:]
        word = _WORD.match(inside)
        if word is None:
            out.append(inside)
        else:
            out.append(word[0])
            _mark(out, name, place, inside[word.end() : word.end() + 1], lost)
            out.append(inside[word.end() :])
    return "".join(out)


def _is_short(out: list[str], place: int) -> bool:
    """Whether what a power holds so far looks whole: `10<sup>6<sup>` has its end mistyped."""
    return (
        len(out) == place + 1 and 0 < len(out[place]) <= 12 and not any(character.isspace() for character in out[place])
    )


def _mark(out: list[str], name: str, place: int, after: str, lost: Counter[tuple[Kind, str]]) -> None:
    inside = "".join(out[place:])
    del out[place:]
    if "&" in inside:
        inside = unescaped(inside, lost=lost)
    inside = _QUOTES.sub("", inside)
    marked = in_text(name, last_of(out), inside, after=after)
    if marked:
        out.append(marked)
