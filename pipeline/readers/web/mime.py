"""Media types as servers give them, and HTML by its beginning where they give none.

In: values of `Content-Type` headers; the beginning of a body. Out: the media type that browsers take, its charset, and
whether bytes begin like HTML.

Sources: Fetch, "extract a MIME type" and "legacy extract an encoding"; MIME Sniffing, section 7.1 (the tags by which
HTML is known).
"""

from __future__ import annotations

import re
from typing import Final

HTML: Final = frozenset({"text/html", "application/xhtml+xml"})
# What MIME Sniffing, section 7, treats as no type at all.
_UNKNOWN: Final = frozenset({"", "*/*", "unknown/unknown", "application/unknown"})
# White space ends the type, as browsers have it: `text/html charset=utf-8` is one.
_TYPE: Final = re.compile(
    r"[\t\n\r \"']*+([!#$%&*+.^_`|~0-9a-z-]++/[!#$%&*+.^_`|~0-9a-z-]++)(?=[\s;,('\"]|\Z)", re.IGNORECASE
)
_CHARSET: Final = re.compile(r"(?<![\w-])charset\s*+=\s*+[\"']?+\s*+([^\s;\"',]++)", re.IGNORECASE)
# Longer values of a header are cut: the longest type of HTML with its charset has some 60 characters.
LONGEST_HEADER: Final = 4096
_QUOTED_OR_COMMA: Final = re.compile(r"\"[^\"]*\"|,")
_TAGS: Final = "html|head|script|iframe|h1|div|font|table|a|style|title|b|body|br|p|meta|link|base|center"
_HTML_TAG: Final = re.compile(rb"<(?:!doctype[\t\n\f\r ]+html|(?:" + _TAGS.encode() + rb"))[\s>/]", re.IGNORECASE)
_SPACE: Final = re.compile(rb"[\t\n\f\r ]*")
# How much of a body is looked at for its type (MIME Sniffing, section 5.2).
_SNIFFED_BYTES: Final = 1445


def media_type(values: list[str]) -> tuple[str, str | None]:
    """The media type in lower case without parameters, empty when none is given, and its charset.

    Of several the last one counts; a charset given earlier with the same type still counts. A charset without any type
    counts too.

    Args:
        values: of all headers of that name, in their order.
    """
    essence, charset = "", None
    for value in _split(",".join(value[:LONGEST_HEADER] for value in values)):
        found = _TYPE.match(value)
        given = _CHARSET.search(value)
        name = found[1].lower() if found else ""
        if name == "*/*" or (not found and (essence or not given)):
            continue
        name = "" if name in _UNKNOWN else name
        if name != essence:
            charset = None
        essence = name
        charset = given[1] if given else charset
    return essence, charset


def is_html(media: str, body: bytes) -> bool:
    """True for HTML by its media type or, without one, by its beginning."""
    return media in HTML or (media in _UNKNOWN and begins_like_html(body))


def begins_like_html(body: bytes) -> bool:
    """True when a tag of HTML comes first, after white space, comments and an XML declaration."""
    head = body[:_SNIFFED_BYTES]
    at = 3 if head.startswith(b"\xef\xbb\xbf") else 0
    while True:
        at = _end_of(_SPACE, head, at)
        if head.startswith(b"<!--", at):
            end = head.find(b"-->", at + 2)
            if end < 0:
                return True
            at = end + 3
        elif head.startswith(b"<?xml", at):
            end = head.find(b"?>", at)
            if end < 0:
                return False
            at = end + 2
        else:
            return _HTML_TAG.match(head, at) is not None


def _end_of(pattern: re.Pattern[bytes], body: bytes, at: int) -> int:
    found = pattern.match(body, at)
    return found.end() if found else at


def _split(values: str) -> list[str]:
    """At commas that stand outside of double quotes; a quote that is not closed does not count."""
    parts: list[str] = []
    start = 0
    for found in _QUOTED_OR_COMMA.finditer(values):
        if found[0] == ",":
            parts.append(values[start : found.start()])
            start = found.end()
    return [*parts, values[start:]]
