"""Pages of sites with hand-written selectors of their text: the test data of `python bench/extraction.py --selected`.

In: the unpacked npm package `@postlight/mercury-parser` 1.1.1 (the last version that includes its pages):
`fixtures/<site>/*.html` and, for each site, `src/extractors/custom/<site>/index.js` with CSS selectors of the text and
of elements to remove from it. Out: (site, HTML, text), in the order of their names.

The selectors were written by hand for each site by people who looked at the page; none of our rules was chosen with
them. Selectors that need a program, and pages on which they find fewer than `LEAST` characters, are skipped.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from resiliparse.extract.html2text import extract_plain_text
from resiliparse.parse.html import HTMLTree

LEAST = 300
# What is never text, whatever a site's rules say.
_NEVER = "script,style,noscript,iframe,form,button"
_COMMENT = re.compile(r"^\s*//[^\n]*$|/\*.*?\*/", re.MULTILINE | re.DOTALL)


class Rules(NamedTuple):
    """Selectors of a site: of its text, the first that finds anything counts (all of a list together); of what goes
    from it.
    """

    content: list[str | list[str]]
    clean: list[str]


def read_selected(folder: Path) -> Iterator[tuple[str, str, str]]:
    """(site, HTML, text) of all pages whose rules find text.

    Raises:
        FileNotFoundError: the folder is not that package.
    """
    custom = folder / "src" / "extractors" / "custom"
    if not custom.is_dir():
        raise FileNotFoundError(
            f"{custom}: no such folder; give the unpacked npm package @postlight/mercury-parser 1.1.1"
        )
    for script in sorted(custom.glob("*/index.js")):
        rules = read_rules(script.read_text(encoding="utf-8"))
        site = script.parent.name
        for page in sorted((folder / "fixtures" / site).glob("*.html")) if rules else ():
            html = page.read_text(encoding="utf-8", errors="replace")
            text = selected_text(html, rules)
            if len(text) >= LEAST:
                yield site, html, text


def read_rules(script: str) -> Rules | None:
    """Rules of a site's script; None when it has none for the text."""
    script = _COMMENT.sub("", script)
    begin = re.search(r"^\s*content:\s*\{", script, re.MULTILINE)
    if begin is None:
        return None
    content = _selectors(script, "selectors", begin.end())
    return (
        Rules(content, [rule for rule in _selectors(script, "clean", begin.end()) if isinstance(rule, str)])
        if content
        else None
    )


def _selectors(script: str, name: str, at: int) -> list[Any]:
    """The array of strings of that name, the first behind a place; strings and arrays are written alike in Python."""
    found = re.compile(rf"\b{name}:\s*\[").search(script, at)
    if found is None:
        return []
    depth, end = 1, found.end()
    while depth and end < len(script):
        depth += {"[": 1, "]": -1}.get(script[end], 0)
        end += 1
    try:
        return list(ast.literal_eval(script[found.end() - 1 : end]))
    except (SyntaxError, ValueError):
        return []


def selected_text(html: str, rules: Rules) -> str:
    """What the rules find on a page; empty when they find nothing."""
    body: Any = HTMLTree.parse(html).body
    for rule in rules.content if body is not None else ():
        parts = [body.query_selector_all(selector)[:] for selector in ([rule] if isinstance(rule, str) else rule)]
        if not all(parts):
            continue
        elements = [element for part in parts for element in part]
        outermost = [
            element
            for element in elements
            if not any(other != element and other.contains(element) for other in elements)
        ]
        text = "\n".join(_text(element, rules.clean) for element in dict.fromkeys(outermost))
        if len(text) >= LEAST:
            return text
    return ""


def _text(element: Any, clean: list[str]) -> str:
    tree: Any = HTMLTree.parse(f"<html><body>{element.outer_html}</body></html>")
    for selector in (*clean, _NEVER):
        for part in tree.body.query_selector_all(selector)[:]:
            part.remove()
    return str(extract_plain_text(tree, main_content=False, alt_texts=False, list_bullets=False, noscript=False))
