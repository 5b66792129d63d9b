"""Wikitext to text, in one linear pass.

In: the source of a MediaWiki page. Out: its running text. Templates, tables, references, files, categories, comments and formatting are
removed, links and list items keep their words (what Llama 1 removed from Wikipedia: "hyperlinks, comments and other formatting
boilerplate", arXiv 2302.13971, section 2.1). Headings stay as lines of their own, unless nothing is left under them. Formulas stay, as
LaTeX between dollar signs: they are parts of sentences, and so are the templates that `wikitext_templates` knows.

A general parser (mwparserfromhell 0.7 was measured) needs time quadratic in the depth of unclosed templates: seconds for 12 kB of `{{a|`.
Here openings wait on a stack of bounded depth, and what never closes is plain text.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Collection

from pipeline.readers.wikitext_templates import template_text

_MOST_DEPTH = 64
# Their content is no running text. (mwparserfromhell's list of invisible tags, and those that hold other languages than wikitext.)
_DROPPED_TAGS = (
    *("ref", "references", "gallery", "timeline", "score", "imagemap", "graph", "hiero", "mapframe", "maplink", "templatedata", "inputbox"),
    *("syntaxhighlight", "source", "style", "script", "includeonly", "categorytree", "templatestyles"),
)
# Their content is no wikitext, and is shown.
_KEPT_TAGS = ("nowiki", "pre", "math", "chem", "ce")
_TOKENS = re.compile(
    r"(?P<comment><!--)|(?P<open>\{\{|\[\[|^[ \t:*#]*\{\||<table(?=[\s>])[^<>]{0,2000}>)"
    r"|(?P<close>\}\}|\]\]|^[ \t]*\|\}(?!\})|</table\s{0,20}>)"
    rf"|<(?P<tag>{'|'.join((*_DROPPED_TAGS, *_KEPT_TAGS))})(?=[\s/>])(?P<attributes>[^<>]{{0,2000}})>",
    re.IGNORECASE | re.MULTILINE,
)
_CLOSES = {"}}": "{{", "]]": "[[", "|}": "{|", "</table>": "<table>"}
# Marks of this module in the text: a template that was dropped in a sentence; a passage kept as it is, by its number.
_HOLE = "\x01"
_KEPT = re.compile("\x02([0-9]{1,9})\x02")
_EXTERNAL_LINK = re.compile(r"\[(?:https?:|ftp:|mailto:|news:|irc:)?//[^\s\]<>\[]{1,2000}([^\[\]\n]{0,2000})\]", re.IGNORECASE)
_INTERLANGUAGE = re.compile(r"[a-z]{2,3}(?:-[a-z]+)*:")
_QUOTES = re.compile("'{2,}")
_BREAK = re.compile(r"<br\s*/?>", re.IGNORECASE)
_ANY_TAG = re.compile(r"</?[a-z][^<>]{0,2000}>", re.IGNORECASE)
_SWITCH = re.compile(r"__([^\W\d_]{3,30}(?:_[^\W\d_]{2,20})?)__")
# Chinese, Serbian and others: -{text}-, -{zh-cn:one; zh-tw:other}-, -{flags|text}-.
_VARIANTS = re.compile(r"-\{(?:[A-Za-z; -]{0,40}\|)?([^{}]{0,500})\}-")
_FIRST_VARIANT = re.compile(r"\s*[a-z]{2,3}(?:-[a-z]{2,10}){0,2}\s*:([^;]*)(?:;|\Z)")
_HEADING = re.compile(r"(={1,6})[ \t]*(.+?)[ \t]*\1[ \t]*")
_LIST = re.compile(r"[*#:;]+[ \t]*")
# What is left where a template stood alone or first in brackets, as pronunciations do.
# The look-behind lets a run of blanks be tried once, from its beginning: without it the cost is the square of the run.
_EMPTY_BRACKETS = re.compile(r"(?<![ \t])[ \t]*\([\s,;:]{0,20}\)")
_EMPTY_BEGINNING = re.compile(r"\([ \t]{0,5}[,;:][\s,;:]{0,20}")
# Blanks and signs that only joined a dropped template to its sentence.
_HOLES = (
    (re.compile(r"\x01(?: ?\x01)*"), "\x01"),
    (re.compile(r"(?<=\() ?\x01 ?(?:[,;:] ?)?"), ""),
    (re.compile(r"[,;] ?\x01 ?(?=[,;.)])"), ""),
    (re.compile(r" ?\x01 ?(?=[,;.:)])"), ""),
    (re.compile(r"(?:^| )\x01(?: |$)", re.MULTILINE), " "),
    (re.compile(r"\x01"), ""),
)
_MANY_BLANK_LINES = re.compile(r"\n{3,}")
_SPACES = re.compile(r"[ \t\u00a0]{2,}")


def wikitext_to_text(source: str, *, dropped_namespaces: Collection[str] = ("file", "image", "category")) -> str:
    """The page's running text.

    Args:
        dropped_namespaces: lower-case names; links into them are no running text.
    """
    kept: list[str] = []
    text = _flatten(source.replace("\x01", "").replace("\x02", ""), dropped_namespaces, kept)
    text = _ANY_TAG.sub("", _BREAK.sub("\n", text))
    text = _EXTERNAL_LINK.sub(lambda match: match[1].strip(), text)
    text = _SWITCH.sub(lambda match: "" if match[1].isupper() else match[0], text)
    if "-{" in text:
        text = _VARIANTS.sub(_variant, text)
    if "''" in text:
        text = "\n".join(map(_without_quotes, text.split("\n")))
    text = html.unescape(text)
    if _HOLE in text:
        for hole, replacement in _HOLES:
            text = hole.sub(replacement, text)
    text = _lines(_EMPTY_BEGINNING.sub("(", _EMPTY_BRACKETS.sub("", text)))
    return _KEPT.sub(lambda match: kept[int(match[1])], text) if kept else text


def _variant(match: re.Match[str]) -> str:
    """The first of several variants."""
    first = _FIRST_VARIANT.match(match[1])
    return match[1] if first is None else first[1].strip()


def _without_quotes(line: str) -> str:
    """A line without the apostrophes that make text bold and italic.

    As MediaWiki reads them (Parser::doQuotes): two for italic, three for bold, five for both, of others the first are apostrophes; when
    both bold and italic are left open, one bold is an apostrophe before italic: after a word of one letter, else after a longer one.
    """
    runs = list(_QUOTES.finditer(line))
    if not runs:
        return line
    apostrophes = [{2: 0, 3: 0, 4: 1}.get(len(run[0]), len(run[0]) - 5) for run in runs]
    sizes = [len(run[0]) - apostrophe for run, apostrophe in zip(runs, apostrophes, strict=True)]
    if sum(size in (2, 5) for size in sizes) % 2 and sum(size in (3, 5) for size in sizes) % 2:
        bold = [index for index, size in enumerate(sizes) if size == 3]
        before = [line[max(0, run.start() - 2) : run.start()] + "'" * apostrophe for run, apostrophe in zip(runs, apostrophes, strict=True)]
        single = [index for index in bold if before[index][-2:-1] == " " and before[index][-1:] != " "]
        longer = [index for index in bold if before[index][-1:] != " " and index not in single[:1]]
        for index in (single or longer or bold)[:1]:
            apostrophes[index] += 1
    out, position = [], 0
    for run, apostrophe in zip(runs, apostrophes, strict=True):
        out += [line[position : run.start()], "'" * apostrophe]
        position = run.end()
    return "".join([*out, line[position:]])


def _flatten(source: str, dropped: Collection[str], kept: list[str]) -> str:
    """Without comments, templates, tables, dropped tags; links replaced by their words. Passages are appended to `kept`."""
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
                if token["tag"] and token["tag"].lower() in _KEPT_TAGS:
                    out.append(_passage(token["tag"].lower(), source[position:end], kept))
                bracket = source.find(">", end)
                position = len(source) if bracket < 0 else bracket + 1
        elif token["open"]:
            opening = "<table>" if token["open"][0] == "<" else token["open"].lstrip(" \t:*#")
            if len(waiting) < _MOST_DEPTH:
                waiting.append((opening, len(out)))
            out.append(token["open"] if opening == "<table>" else opening)
        else:
            closing = "</table>" if token["close"][0] == "<" else token["close"].lstrip()
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


def _passage(tag: str, content: str, kept: list[str]) -> str:
    """The place of a passage whose content is no wikitext; of a formula as LaTeX."""
    if tag in ("math", "chem", "ce"):
        formula = " ".join(content.split())
        content = f"${formula}$" if tag == "math" else f"$\\ce{{{formula}}}$"
        content = "" if not formula else content
    content = html.unescape(content)
    if tag == "pre":
        content = "\n" + content.strip("\n") + "\n"
    kept.append(content)
    return f"\x02{len(kept) - 1}\x02"


def _template(content: str, dropped: Collection[str]) -> str:
    text = template_text(content)
    return _HOLE if text is None else text


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


_RENDER: dict[str, Callable[[str, Collection[str]], str]] = {"{{": _template, "[[": _link, "{|": _table, "<table>": _table}


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
            line = "" if not words.strip(" .,;:") else words if mark[0][0] in ":;" else f"• {words}"
        if line and headings:
            lines += [part for _, title in headings for part in ("", title)] + [""]
            headings = []
        lines.append(line)
    return _MANY_BLANK_LINES.sub("\n\n", "\n".join(lines)).strip()
