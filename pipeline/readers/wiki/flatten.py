"""Wikitext without comments, templates, tables and links.

In: the source of a page. Out: `Flat`: the text, in which templates and links are their words, and marks stand for what
is decided later.

One pass over the tokens; openings wait on a stack of bounded depth, and what never closes is plain text. What an
opening holds is looked at once for each level that it lies in: linear in the source times `_MOST_DEPTH`.

A bar or an equals sign within a link or a template is not one of the template around it (MediaWiki's preprocessor): it
is set aside.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field

from pipeline.losses import LONGEST_NAME, Kind
from pipeline.readers.character_references import unescaped
from pipeline.readers.wiki.templates import Unexpanded, template_text

# Marks in the text: something was dropped in a sentence; a passage kept as it is, by its number; a template that only
# has words in a sentence, by its number; a bar and an equals sign that are set aside.
HOLE = "\x01"
BAR, EQUALS = "\x04", "\x05"
KEPT = re.compile("\x02([0-9]{1,9})\x02")
UNEXPANDED = re.compile("\x03([0-9]{1,9})\x03")
_MARKS = re.compile("[\x01-\x05]")

_MOST_DEPTH = 64
# Characters that the templates of a page may add to their source: as many as a page of MediaWiki's holds
# ($wgMaxArticleSize). A title or a filling in hundreds of thousands of places is not an article.
MOST_ADDED = 2 << 20
# Tags whose content is not running text. (mwparserfromhell's list of invisible tags, and those that hold other
# languages than wikitext.)
_DROPPED_TAGS = tuple(
    "ref, references, gallery, timeline, score, imagemap, graph, hiero, mapframe, maplink, templatedata, "
    "inputbox, style, script, includeonly, categorytree, templatestyles, indicator, charinsert, rss, "
    "dynamicpagelist, quiz".split(", ")
)
# Tags whose content is not wikitext, and is shown.
_KEPT_TAGS = ("nowiki", "pre", "math", "chem", "ce", "syntaxhighlight", "source")
# All begin with one of six characters, which lets the search skip what is between.
_TOKENS = re.compile(
    r"[<{\[}\]|](?:(?<=<)(?:(?P<comment>!--)|(?P<table>/?table(?=[\s>])[^<>]{0,2000}>)"
    rf"|(?P<tag>{'|'.join((*_DROPPED_TAGS, *_KEPT_TAGS))})(?=[\s/>])(?P<attributes>[^<>]{{0,2000}})>)"
    r"|(?<=\{)[{|]|(?<=\[)\[|(?<=\})\}|(?<=\])\]|(?<=\|)\}(?!\}))",
    re.IGNORECASE,
)
_BRACES = len("{{}}")
_OPENINGS = frozenset(("{{", "[[", "{|", "<table>"))
_CLOSES = {"}}": "{{", "]]": "[[", "|}": "{|", "</table>": "<table>"}
_ENDINGS = {tag: re.compile(f"</{tag}(?![a-z])", re.IGNORECASE) for tag in (*_DROPPED_TAGS, *_KEPT_TAGS)}
_REFERENCE = re.compile(r"<ref(?:\s[^<>/]{0,2000})?>", re.IGNORECASE)
_INLINE = re.compile(r"(?<![\w-])inline(?![\w-])", re.IGNORECASE)
_NOWIKI = re.compile(r"</?nowiki\s{0,5}/?>", re.IGNORECASE)
_FILE = re.compile(r"\.(?:jpe?g|png|svg|gif|tiff?|ogg|ogv|oga|webm|webp|pdf|djvu|mid|wav|mp3|stl|xcf)\Z", re.IGNORECASE)
_INTERLANGUAGE = re.compile(r"[a-z]{2,3}(?:-[a-z]+)*:")


@dataclass
class Flat:
    """A page while its templates and links are replaced.

    Attributes:
        title: of the page.
        dropped: lower-case names of namespaces; links into them are not running text.
        kept: passages whose places are in the text.
        unexpanded: templates whose places are in the text.
        lost: what was dropped, by kind and name.
        added: characters that templates have added to their source.
    """

    title: str
    dropped: Collection[str]
    text: str = ""
    kept: list[str] = field(default_factory=list)
    unexpanded: list[Unexpanded] = field(default_factory=list)
    lost: Counter[tuple[Kind, str]] = field(default_factory=Counter)
    added: int = 0

    def drop(self, element: str) -> str:
        """Count one element that is removed with what it holds."""
        self.lost["dropped_elements", element] += 1
        return ""


def flatten(source: str, *, title: str, dropped: Collection[str]) -> Flat:
    """The page's text with marks."""
    flat = Flat(title, dropped)
    source = _MARKS.sub("", source)
    out: list[str] = []
    waiting: list[tuple[str, int]] = []  # opening, its place in `out`
    ends: dict[str, int] = {}  # where the next end of a tag is; the source's length: there is no end
    position = 0
    while (token := _TOKENS.search(source, position)) is not None:
        if token.start() > position:
            out.append(source[position : token.start()])
        position = token.end()
        if token["comment"]:
            position = _after_comment(source, token.start())
        elif token["tag"]:
            tag, attributes = token["tag"].lower(), token["attributes"].rstrip()
            if attributes.endswith("/"):
                continue
            if ends.get(tag, -1) < position:
                ending = _ENDINGS[tag].search(source, position)
                ends[tag] = len(source) if ending is None else ending.start()
            end = ends[tag]
            if end == len(source) or (tag == "ref" and _REFERENCE.search(source, position, end)):
                out.append(" ")  # never closed
                continue
            if tag in _KEPT_TAGS:
                out.append(_passage(tag, attributes, source[position:end], flat))
            else:
                flat.drop(tag)
            bracket = source.find(">", end)
            position = len(source) if bracket < 0 else bracket + 1
        else:
            mark = token[0] if token["table"] is None else "</table>" if token["table"][0] == "/" else "<table>"
            if mark in ("{|", "|}") and not _begins_line(source, token.start()):
                out.append(mark)
            elif mark in _OPENINGS:
                if len(waiting) < _MOST_DEPTH:
                    waiting.append((mark, len(out)))
                out.append(token[0])
            else:
                while (
                    waiting
                    and waiting[-1][0] != _CLOSES[mark]
                    and any(opening == _CLOSES[mark] for opening, _ in waiting)
                ):
                    waiting.pop()
                if waiting and waiting[-1][0] == _CLOSES[mark]:
                    opening, place = waiting.pop()
                    content = "".join(out[place + 1 :])
                    del out[place:]
                    out.append(_words(opening, content, flat))
                else:
                    out.append(token[0])
    out.append(source[position:])
    flat.text = "".join(out)
    return flat


def _begins_line(source: str, start: int) -> bool:
    """Whether there are only blanks and marks of lists before a place on its line."""
    while start and source[start - 1] in " \t:*#":
        start -= 1
    return start == 0 or source[start - 1] == "\n"


def _after_comment(source: str, start: int) -> int:
    """Where the text continues; a line that holds only a comment is removed with it."""
    end = source.find("-->", start + 4)
    if end < 0:
        return len(source)  # as MediaWiki does
    end += 3
    alone = (start == 0 or source[start - 1] == "\n") and source.startswith("\n", end)
    return end + 1 if alone else end


def _passage(tag: str, attributes: str, content: str, flat: Flat) -> str:
    """The mark for a passage whose content is not wikitext; a formula is kept as LaTeX."""
    if tag in ("math", "chem", "ce"):
        formula = " ".join(unescaped(content, lost=flat.lost).split())
        content = f"${formula}$" if tag == "math" else f"$\\ce{{{formula}}}$"
        content = "" if not formula else content
    elif tag in ("syntaxhighlight", "source"):
        content = content.strip("\n").rstrip()
        content = content.strip() if _INLINE.search(attributes) else f"\n{content}\n"
    else:
        if tag == "pre":
            content = "\n" + _NOWIKI.sub("", content).strip("\n") + "\n"
        content = unescaped(content, lost=flat.lost)
    flat.kept.append(content)
    return f"\x02{len(flat.kept) - 1}\x02"


def _words(opening: str, content: str, flat: Flat) -> str:
    """What replaces a template, a link or a table."""
    if opening == "{{":
        text = _template(content, flat)
    elif opening == "[[":
        text = _link(content, flat)
    else:
        return flat.drop("table")
    if "|" in text:
        text = text.replace("|", BAR)
    return text.replace("=", EQUALS) if "=" in text else text


def _template(content: str, flat: Flat) -> str:
    text = template_text(content, title=flat.title)
    if isinstance(text, Unexpanded):
        flat.unexpanded.append(text)
        return f"\x03{len(flat.unexpanded) - 1}\x03"
    if text is not None and len(text) > len(content) + _BRACES:
        flat.added += len(text) - len(content) - _BRACES
        if flat.added > MOST_ADDED:
            flat.lost[
                "templates_not_expanded", content[:LONGEST_NAME].partition("|")[0].partition(":")[0].strip().lower()
            ] += 1
            return HOLE
    return HOLE if text is None else text


def _link(content: str, flat: Flat) -> str:
    target, bar, label = content.partition("|")
    if not bar:
        target, bar, label = content.partition(BAR)
    target = target.strip()
    inline = target.startswith(":")  # [[:Category:Rivers]] is a link to the category, not a mark of the page
    target = target.removeprefix(":")
    namespace = target.split(":", 1)[0].strip().lower() if ":" in target else ""
    if not inline and (namespace in flat.dropped or (namespace and _FILE.search(target))):
        return flat.drop("file") if label and _FILE.search(target) else ""
    if not inline and not bar and _INTERLANGUAGE.match(target):
        return ""
    return label if label.strip() else target.lstrip("#").replace("_", " ")
