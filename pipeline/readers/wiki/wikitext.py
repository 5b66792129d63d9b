"""Wikitext to text, in one linear pass.

In: the source of a MediaWiki page. Out: its running text, and what was lost on the way. Templates, tables, references,
files, categories, comments and formatting are removed, links and list items keep their words (what Llama 1 removed from
Wikipedia: "hyperlinks, comments and other formatting boilerplate", arXiv 2302.13971, section 2.1). Headings stay as
lines of their own, unless nothing is left under them. Formulas stay, as LaTeX between dollar signs, and code stays:
they are parts of sentences, and so are templates that show words (`pipeline.readers.wiki.templates`).

A general parser (mwparserfromhell 0.7 was measured) needs time quadratic in the depth of unclosed templates: seconds
for 12 kB of `{{a|`. Here openings wait on a stack of bounded depth, and what never closes is plain text
(`pipeline.readers.wiki.flatten`).
"""

from __future__ import annotations

import re
from collections.abc import Collection

from kernels.newer_characters import markup_with_stand_ins, with_stand_ins
from pipeline.losses import Extracted, extracted_without_stand_ins
from pipeline.readers.character_references import unescaped
from pipeline.readers.wiki.cells import without_open_tables
from pipeline.readers.wiki.flatten import BAR, EQUALS, HOLE, KEPT, UNEXPANDED, Flat, flatten
from pipeline.readers.wiki.functions import as_title
from pipeline.readers.wiki.tags import without_tags

_EXTERNAL_LINK = re.compile(
    r"\[(?:https?:|ftp:|mailto:|news:|irc:)?//[^\s\]<>\[]{1,2000}+([^\[\]\n]{0,2000}+)\]", re.IGNORECASE
)
_QUOTES = re.compile("'{2,}")
_SWITCH = re.compile(r"__([^\W\d_]{3,30}(?:_[^\W\d_]{2,20})?)__")
# Chinese, Serbian and others: -{text}-, -{zh-cn:one; zh-tw:other}-, -{flags|text}-.
_VARIANTS = re.compile(r"-\{(?:[A-Za-z; -]{0,40}\|)?([^{}]{0,500})\}-")
_FIRST_VARIANT = re.compile(r"\s*[a-z]{2,3}(?:-[a-z]{2,10}){0,2}\s*:([^;]*)(?:;|\Z)")
# Marks, tags and addresses on a line beside a template are not words.
_NO_OTHER_WORDS = re.compile(r"\x03[0-9]{1,9}\x03|<[^<>]{0,2000}>|https?://\S{1,2000}")
_OTHER_WORDS = re.compile(r"[^\W_]|\x02")
_PREFORMATTED = re.compile(r" {1,200}[^\s*#:;|!{}]")
_HEADING = re.compile(r"(={1,6})[ \t]*(.+?)[ \t]*\1[ \t]*")
_LIST = re.compile(r"[*#:;]+[ \t]*")
# What is left where a template was alone or first in brackets, as pronunciations are.
# The look-behind lets a run of blanks be tried once, from its beginning: without it the cost is the square of the run.
_EMPTY = re.compile(r"\([\s,;:]{0,20}\)")
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


def wikitext_to_text(
    source: str, *, title: str = "", dropped_namespaces: Collection[str] = ("file", "image", "category")
) -> str:
    """The page's running text; see `extract_wikitext`."""
    return extract_wikitext(source, title=title, dropped_namespaces=dropped_namespaces).text


def extract_wikitext(
    source: str, *, title: str = "", dropped_namespaces: Collection[str] = ("file", "image", "category")
) -> Extracted:
    """The page's running text, and what it lost.

    Args:
        title: of the page, for `{{PAGENAME}}`; nothing where it is longer than titles are.
        dropped_namespaces: lower-case names; links into them are not running text.
    """
    known = markup_with_stand_ins(source)
    if known is source:
        return _extract(source, as_title(title), dropped_namespaces)
    found = _extract(known, with_stand_ins(as_title(title)), dropped_namespaces)
    return extracted_without_stand_ins(found)


def _extract(source: str, title: str, dropped_namespaces: Collection[str]) -> Extracted:
    flat = flatten(source, title=title, dropped=dropped_namespaces)
    text = without_open_tables(flat.text)
    if flat.unexpanded:
        text = _settled(text, flat)
    text = text.replace(BAR, "|").replace(EQUALS, "=")
    if "<" in text:
        text = without_tags(text, lost=flat.lost)
    text = _EXTERNAL_LINK.sub(lambda match: match[1].strip(), text)
    text = _SWITCH.sub(lambda match: "" if match[1].isupper() else match[0], text)
    if "-{" in text:
        text = _VARIANTS.sub(_variant, text)
    if "''" in text:
        text = "\n".join(map(_without_quotes, text.split("\n")))
    text = unescaped(text, lost=flat.lost)
    if HOLE in text:
        for hole, replacement in _HOLES:
            text = hole.sub(replacement, text)
    if _EMPTY.search(text):
        text = _EMPTY_BRACKETS.sub("", text)
    text = _lines(_EMPTY_BEGINNING.sub("(", text))
    if flat.kept:
        text = KEPT.sub(lambda match: flat.kept[int(match[1])], text).strip()
    return Extracted(text, dict(flat.lost))


def _settled(text: str, flat: Flat) -> str:
    """Templates that only have words in a sentence: their words where there is other text on the line, else nothing.

    Each is put in once, however often its mark was repeated.
    """
    used: set[int] = set()

    def shown(match: re.Match[str]) -> str:
        number = int(match[1])
        if number in used:
            return ""
        used.add(number)
        template = flat.unexpanded[number]
        if template.name:
            flat.lost["templates_not_expanded", template.name] += 1
        words = UNEXPANDED.sub(shown, template.words) if sentence else ""
        return words or HOLE

    lines = text.split("\n")
    for index, line in enumerate(lines):
        if "\x03" in line:
            sentence = _OTHER_WORDS.search(_NO_OTHER_WORDS.sub(" ", line)) is not None
            lines[index] = UNEXPANDED.sub(shown, line)
    return "\n".join(lines)


def _variant(match: re.Match[str]) -> str:
    """The first of several variants."""
    first = _FIRST_VARIANT.match(match[1])
    return match[1] if first is None else first[1].strip()


def _without_quotes(line: str) -> str:
    """A line without the apostrophes that make text bold and italic.

    As MediaWiki reads them (Parser::doQuotes): two for italic, three for bold, five for both; of any other number, the
    first ones are apostrophes. When both bold and italic are left open, one bold is an apostrophe before italic: after
    a word of one letter, else after a longer one.
    """
    if "''" not in line:
        return line
    runs = list(_QUOTES.finditer(line))
    apostrophes = [{2: 0, 3: 0, 4: 1}.get(len(run[0]), len(run[0]) - 5) for run in runs]
    sizes = [len(run[0]) - apostrophe for run, apostrophe in zip(runs, apostrophes, strict=True)]
    if sum(size in (2, 5) for size in sizes) % 2 and sum(size in (3, 5) for size in sizes) % 2:
        bold = [index for index, size in enumerate(sizes) if size == 3]
        before = [
            line[max(0, run.start() - 2) : run.start()] + "'" * apostrophe
            for run, apostrophe in zip(runs, apostrophes, strict=True)
        ]
        single = [index for index in bold if before[index][-2:-1] == " " and before[index][-1:] != " "]
        longer = [index for index in bold if before[index][-1:] != " " and index not in single[:1]]
        for index in (single or longer or bold)[:1]:
            apostrophes[index] += 1
    out, position = [], 0
    for run, apostrophe in zip(runs, apostrophes, strict=True):
        out += [line[position : run.start()], "'" * apostrophe]
        position = run.end()
    return "".join([*out, line[position:]])


def _is_preformatted(lines: list[str], number: int) -> bool:
    """Whether a line that begins with a blank is one of several, shown as they are. A single one is mostly a slip."""
    near = (lines[number - 1] if number else "", lines[number + 1] if number + 1 < len(lines) else "")
    return _PREFORMATTED.match(lines[number]) is not None and any(_PREFORMATTED.match(line) for line in near)


def _lines(text: str) -> str:
    """List marks become bullets; headings lose theirs, and are left out if empty up to the next one as high."""
    lines: list[str] = []
    headings: list[tuple[int, str]] = []  # not written yet
    sources = text.split("\n")
    for number, raw in enumerate(sources):
        if raw.startswith(" ") and _is_preformatted(sources, number) and not headings:
            lines.append(raw[1:].rstrip())
            continue
        line = _SPACES.sub(" ", raw).strip()
        if line.startswith("----"):
            line = line.lstrip("-").lstrip()
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
