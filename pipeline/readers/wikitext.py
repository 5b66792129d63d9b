"""Wikitext to text, in one linear pass.

In: the source of a MediaWiki page. Out: its running text. Templates, tables, references, files, categories, comments and formatting are
removed, links and list items keep their words (what Llama 1 removed from Wikipedia: "hyperlinks, comments and other formatting
boilerplate", arXiv 2302.13971, section 2.1). Headings stay as lines of their own, unless nothing is left under them.

A general parser (mwparserfromhell 0.7 was measured) needs time quadratic in the depth of unclosed templates: seconds for 12 kB of `{{a|`.
Here openings wait on a stack of bounded depth, and what never closes is plain text.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Collection

_MOST_DEPTH = 64
# Their content is no running text. (mwparserfromhell's list of invisible tags, and those that hold other languages than wikitext.)
_DROPPED_TAGS = (
    "ref",
    "references",
    "math",
    "chem",
    "gallery",
    "timeline",
    "score",
    "imagemap",
    "graph",
    "hiero",
    "mapframe",
    "templatedata",
    "syntaxhighlight",
    "source",
    "style",
    "script",
)
_TOKENS = re.compile(
    r"(?P<comment><!--)|(?P<open>\{\{|\[\[|^[ \t:*#]*\{\|)|(?P<close>\}\}|\]\]|^[ \t]*\|\}(?!\}))"
    rf"|<(?P<tag>{'|'.join(_DROPPED_TAGS)})(?=[\s/>])(?P<attributes>[^<>]{{0,2000}})>",
    re.IGNORECASE | re.MULTILINE,
)
_CLOSES = {"}}": "{{", "]]": "[[", "|}": "{|"}
_EXTERNAL_LINK = re.compile(r"\[(?:https?:|ftp:|mailto:|news:|irc:)?//[^\s\]<>\[]{1,2000}([^\[\]\n]{0,2000})\]", re.IGNORECASE)
_INTERLANGUAGE = re.compile(r"[a-z]{2,3}(?:-[a-z]+)*:")
_QUOTES = re.compile(r"'{2,}")
_BREAK = re.compile(r"<br\s*/?>", re.IGNORECASE)
_ANY_TAG = re.compile(r"</?[a-z][^<>]{0,2000}>", re.IGNORECASE)
_SWITCH = re.compile(r"__[A-Z]{3,30}__")
_HEADING = re.compile(r"(={1,6})[ \t]*(.+?)[ \t]*\1[ \t]*")
_LIST = re.compile(r"[*#:;]+[ \t]*")
# What is left where a template stood alone or first in brackets, as pronunciations do.
# The look-behind lets a run of blanks be tried once, from its beginning: without it the cost is the square of the run.
_EMPTY_BRACKETS = re.compile(r"(?<![ \t])[ \t]*\([\s,;:]{0,20}\)")
_EMPTY_BEGINNING = re.compile(r"\([ \t]{0,5}[,;:][\s,;:]{0,20}")
_MANY_BLANK_LINES = re.compile(r"\n{3,}")
_SPACES = re.compile(r"[ \t\u00a0]{2,}")
# Of templates whose words are part of the sentence: which positional argument is their text.
_INLINE = {"nowrap": (1,), "lang": (2,), "convert": (1, 2), "cvt": (1, 2), "nobold": (1,), "small": (1,), "abbr": (1,), "transl": (2,)}


def wikitext_to_text(source: str, *, dropped_namespaces: Collection[str] = ("file", "image", "category")) -> str:
    """The page's running text.

    Args:
        dropped_namespaces: lower-case names; links into them are no running text.
    """
    text = _ANY_TAG.sub("", _BREAK.sub("\n", _flatten(source, dropped_namespaces)))
    text = _SWITCH.sub("", _QUOTES.sub("", _EXTERNAL_LINK.sub(lambda match: match[1].strip(), text)))
    text = _EMPTY_BEGINNING.sub("(", _EMPTY_BRACKETS.sub("", html.unescape(text)))
    return _lines(text)


def _flatten(source: str, dropped: Collection[str]) -> str:
    """Without comments, templates, tables, dropped tags; links replaced by their words."""
    out: list[str] = []
    waiting: list[tuple[str, int]] = []  # opening, its place in `out`
    never: set[str] = set()  # closings that do not come any more
    lower = source.lower()
    position = 0
    while (token := _TOKENS.search(source, position)) is not None:
        out.append(source[position : token.start()])
        position = token.end()
        if token["comment"] or token["tag"]:
            closing = "-->" if token["comment"] else f"</{token['tag'].lower()}"
            if (token["attributes"] or "").rstrip().endswith("/"):
                continue
            end = -1 if closing in never else lower.find(closing, position)
            if end < 0:
                never.add(closing)
                if token["comment"]:
                    position = len(source)  # as MediaWiki does
            else:
                bracket = source.find(">", end)
                position = len(source) if bracket < 0 else bracket + 1
        elif token["open"]:
            opening = token["open"].lstrip(" \t:*#")
            if len(waiting) < _MOST_DEPTH:
                waiting.append((opening, len(out)))
            out.append(opening)
        else:
            closing = token["close"].lstrip()
            while waiting and waiting[-1][0] != _CLOSES[closing] and any(opening == _CLOSES[closing] for opening, _ in waiting):
                waiting.pop()
            if waiting and waiting[-1][0] == _CLOSES[closing]:
                opening, place = waiting.pop()
                content = "".join(out[place + 1 :])
                del out[place:]
                out.append(_RENDER[opening](content, dropped))
            else:
                out.append(closing)
    out.append(source[position:])
    return "".join(out)


def _template(content: str, dropped: Collection[str]) -> str:
    name, *arguments = content.split("|")
    wanted = _INLINE.get(name.strip().lower())
    if wanted is None:
        return ""
    positional = [argument.strip() for argument in arguments if "=" not in argument]
    return " ".join(positional[index - 1] for index in wanted if index <= len(positional))


def _link(content: str, dropped: Collection[str]) -> str:
    target, *labels = content.split("|")
    target = target.strip()
    inline = target.startswith(":")  # [[:Category:Rivers]] is a link to the category, not a mark of the page
    target = target.removeprefix(":")
    namespace = target.split(":", 1)[0].strip().lower() if ":" in target else ""
    if not inline and (namespace in dropped or (not labels and _INTERLANGUAGE.match(target))):
        return ""
    return labels[-1] if labels and labels[-1].strip() else target.lstrip("#").replace("_", " ")


def _table(content: str, dropped: Collection[str]) -> str:
    return ""


_RENDER: dict[str, Callable[[str, Collection[str]], str]] = {"{{": _template, "[[": _link, "{|": _table}


def _lines(text: str) -> str:
    """List marks become bullets; headings lose theirs, and go when no line follows before the next one of the same or a higher level."""
    lines: list[str] = []
    headings: list[tuple[int, str]] = []  # not written yet
    for raw in text.split("\n"):
        line = _SPACES.sub(" ", raw).strip()
        heading = _HEADING.fullmatch(line) if line.startswith("=") else None
        if heading is not None:
            level = len(heading[1])
            headings = [waiting for waiting in headings if waiting[0] < level] + [(level, heading[2])]
            continue
        mark = _LIST.match(line)
        if mark is not None:
            words = line[mark.end() :]
            line = "" if not words else words if mark[0][0] in ":;" else f"• {words}"
        if line and headings:
            lines += [part for _, title in headings for part in ("", title)] + [""]
            headings = []
        lines.append(line)
    return _MANY_BLANK_LINES.sub("\n\n", "\n".join(lines)).strip()
