"""The encoding that a page gives as its own: `meta` elements and the XML declaration.

In: the beginning of a page as bytes. Out: an encoding's name (`pipeline.readers.web.charset_labels`), or None.

As the HTML standard's prescan (13.2.3.2) reads it: comments are skipped, tags are read by their attributes,
`http-equiv` needs its `content`. More of the page is looked at than the standard asks for, since browsers act on a late
`meta` too; what scripts and styles hold is then not an element. Each byte is looked at a few times, whatever the page
holds.
"""

from __future__ import annotations

import re
from typing import Final

from pipeline.readers.web.charset_labels import encoding_of

# The standard looks at 1,024 bytes; real pages have their `meta` later, after scripts and comments.
_LOOKED_AT: Final = 64 << 10
_TAG: Final = re.compile(rb"</?([A-Za-z][^\t\n\f\r />]*)")
_ATTRIBUTE: Final = re.compile(rb"[\t\n\f\r /]*([^\t\n\f\r />][^\t\n\f\r />=]*)[\t\n\f\r ]*(=[\t\n\f\r ]*)?")
_UNQUOTED: Final = re.compile(rb"[^\t\n\f\r >]+")
_XML: Final = re.compile(rb"\s{0,64}<\?xml[^>]{1,200}?\sencoding\s{0,20}=\s{0,20}[\"']([A-Za-z0-9_:.-]{1,40})[\"']")
_CONTENT_CHARSET: Final = re.compile(
    r"charset[\t\n\f\r ]*=[\t\n\f\r ]*(?:\"([^\"]*)\"|'([^']*)'|([^\t\n\f\r ;\"']+))", re.IGNORECASE
)
_RAW: Final = (b"script", b"style")


def declared_in(body: bytes) -> str | None:
    """The encoding that the page names; UTF-16 means UTF-8, since the name could be read."""
    found = _in_meta(body[:_LOOKED_AT])
    if found is None:
        xml = _XML.match(body[:1024])
        found = encoding_of(xml[1].decode("ascii")) if xml else None
    if found in ("utf-16le", "utf-16be"):
        return "utf-8"
    return "windows-1252" if found == "x-user-defined" else found


def _in_meta(head: bytes) -> str | None:
    at = 0
    lower = head.lower()
    unclosed: set[bytes] = set()
    while True:
        at = head.find(b"<", at)
        if at < 0:
            return None
        if head.startswith(b"<!--", at):
            end = head.find(b"-->", at + 2)
            if end < 0:
                return None
            at = end + 3
            continue
        tag = _TAG.match(head, at)
        if tag is None:
            if head[at + 1 : at + 2] in (b"!", b"/", b"?"):
                end = head.find(b">", at)
                if end < 0:
                    return None
                at = end
            at += 1
            continue
        attributes, at = _attributes(head, tag.end())
        if at < 0:
            return None
        name = tag[1].lower()
        if head[tag.start() + 1 : tag.start() + 2] == b"/":
            continue
        if name == b"meta":
            found = _of_meta(attributes)
            if found is not None:
                return found
        elif name in _RAW and name not in unclosed:
            end = lower.find(b"</" + name, at)
            if end < 0:  # not looked for again
                unclosed.add(name)
            else:
                at = end


def _attributes(head: bytes, at: int) -> tuple[dict[bytes, bytes], int]:
    """Attributes of the tag whose name ends at `at`, the first of each name, and where the tag ends; -1 when it does
    not.
    """
    attributes: dict[bytes, bytes] = {}
    while True:
        found = _ATTRIBUTE.match(head, at)
        if found is None:
            end = head.find(b">", at)
            return attributes, end + 1 if end >= 0 else -1
        at = found.end()
        value = b""
        if found[2] is not None:
            quote = head[at : at + 1]
            if quote in (b'"', b"'"):
                end = head.find(quote, at + 1)
                if end < 0:
                    return attributes, -1
                value, at = head[at + 1 : end], end + 1
            else:
                unquoted = _UNQUOTED.match(head, at)
                if unquoted is not None:
                    value, at = unquoted[0], unquoted.end()
        attributes.setdefault(found[1].lower(), value)


def _of_meta(attributes: dict[bytes, bytes]) -> str | None:
    charset = attributes.get(b"charset")
    if charset is not None:
        return encoding_of(charset.decode("latin-1").strip("\"' "))
    if attributes.get(b"http-equiv", b"").strip().lower() != b"content-type":
        return None
    given = _CONTENT_CHARSET.search(attributes.get(b"content", b"").decode("latin-1"))
    return encoding_of(next(value for value in given.groups() if value is not None)) if given else None
