"""Tables that are not closed, or are made by templates.

In: text from which whole tables have been removed. Out: the text without the lines of tables that are left: from `{|`
on, those that begin with a bar or an exclamation mark, until the table ends, or a heading comes. Lines that begin
otherwise stay: an unclosed table swallows the prose that follows it, and MediaWiki shows that prose.
"""

from __future__ import annotations

import re

from pipeline.readers.wiki.flatten import BAR

_BEGINS = re.compile(rf"^[ \t:*#]*(?:\{{[|{BAR}]|[|{BAR}][-}}])", re.MULTILINE)
_HEADING = re.compile(r"={2,6}[^=].*=[ \t]*")


def without_open_tables(text: str) -> str:
    """The text without the lines of open tables."""
    if _BEGINS.search(text) is None:
        return text
    kept: list[str] = []
    depth = 0
    for line in text.split("\n"):
        # A row without a beginning: a template has begun the table.
        row = line.lstrip(" \t:*#").replace(BAR, "|")
        if row.startswith("{|"):
            depth += 1
        elif row.startswith("|}") and (depth or BAR in line):
            depth = max(0, depth - 1)
            if row[2:].strip():
                kept.append(row[2:])
        elif row.startswith("|-"):
            depth = max(depth, 1)
        elif not (depth and row.startswith(("|", "!"))):
            depth = 0 if depth and _HEADING.fullmatch(line) else depth
            kept.append(line)
    return "\n".join(kept)
