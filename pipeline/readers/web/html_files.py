"""Folders of HTML pages: one file, compressed or not, is one page.

In: a file. Out: one record, its offset 0, its name that of the file, its text the main content of the page
(`pipeline.readers.web.html`).

The charset comes from the byte order mark, the `meta` element or detection (`pipeline.readers.web.charset`). The URL is
the one that the page gives as its own: `<link rel="canonical">` (RFC 6596), the comment that browsers write when they
save a page ("Mark of the Web"), or `<base href>`; the first of them that is absolute. A file without a page is skipped
as `not_html`, `html_too_large`, `html_too_complex`, `undecodable`, `empty_text`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from manifests.corpus import Extraction
from manifests.step import Problem
from pipeline.losses import Kind
from pipeline.readers.character_references import unescaped
from pipeline.readers.records import EXCERPT_BYTES, NOT_SAMPLED, Batcher, Draw, Record, Records, unforeseen
from pipeline.readers.web.charset import Undecodable, decode_text, is_soup
from pipeline.readers.web.html import MOST_HTML_BYTES, TooComplex, extract_html
from pipeline.readers.whole import TooLarge, read_whole
from storage.compressed import Damaged

# Where the head of a page ends is not always marked; links to the page itself come early.
_HEAD_CHARACTERS = 1 << 18
# RFC 9110, section 4.1, asks for 8,000 octets at least; nobody supports more.
_MOST_URL = 8192
_SAVED_FROM = re.compile(r"<!--\s{0,20}saved from url=\(\d{1,8}\)(https?://[^\s<>\"]{1,8192})", re.IGNORECASE)
# A comment without an end reaches to the end of the page.
_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)
_LINK = re.compile(r"<(link|base)\s([^<>]{1,16384})>", re.IGNORECASE)
_ATTRIBUTE = re.compile(
    r"(?<![^\s\"'/])(rel|href)\s{0,20}=\s{0,20}(?:\"([^\"]*)\"|'([^']*)'|([^\s\"'<>]+))", re.IGNORECASE
)
_ABSOLUTE = re.compile(r"https?://[^\s/]", re.IGNORECASE)
# Other things that lie in such folders under names of pages: PDF, gzip and zip files within, images. Text holds no NUL.
_OTHER = (b"%PDF-", b"PK\x03\x04", b"\x89PNG", b"\xff\xd8\xff", b"GIF8")


def read_html_files(
    path: str, *, name: str, extraction: Extraction = "resiliparse", draw: Draw | None = None
) -> Iterator[Records]:
    """The page in one file.

    Args:
        name: the record's name.
        extraction: how the main content is found.
        draw: a file that it leaves out is not opened, and skipped as `not_sampled`.

    Raises:
        GristmillError: the file is missing.
    """
    batcher = Batcher()
    if draw is None:
        _file(batcher, path, name, extraction)
    elif draw.wants(0, 1):
        with draw.making_text():
            _file(batcher, path, name, extraction)
    else:
        batcher.skip(NOT_SAMPLED)
    yield batcher.take()


def _file(batcher: Batcher, path: str, name: str, extraction: Extraction) -> None:
    try:
        body = read_whole(path, most=MOST_HTML_BYTES)
    except Damaged as damage:
        batcher.quarantine(0, name, damage.problem, b"")
    except TooLarge:
        batcher.skip("html_too_large")
    else:
        if not body:
            batcher.quarantine(0, name, Problem("empty file", "it holds no page"), b"")
        else:
            try:
                _page(batcher, name, body, extraction)
            except Exception as error:
                batcher.quarantine(0, name, unforeseen(error), body[:EXCERPT_BYTES])


def _page(batcher: Batcher, name: str, body: bytes, extraction: Extraction) -> None:
    if body.startswith(_OTHER) or b"<" not in body:
        batcher.skip("not_html")
        return
    try:
        decoded = decode_text(body)
    except Undecodable:
        batcher.skip("undecodable")
        return
    page = decoded.text
    if "\x00" in page[:1024]:
        batcher.skip("not_html")
        return
    try:
        found = extract_html(page, utf8=decoded.utf8, extraction=extraction)
    except TooComplex:
        batcher.skip("html_too_complex")
    else:
        if is_soup(found.text):
            batcher.skip("undecodable")
            return
        batcher.add(Record(0, name, page_url(page), found.text, {**found.lost, **decoded.lost}))


def page_url(page: str) -> str | None:
    """The absolute URL that a page gives as its own, or None."""
    head = page[:_HEAD_CHARACTERS]
    saved = _SAVED_FROM.search(head)
    found = {} if saved is None else {"saved": saved[1]}
    for link in _LINK.finditer(_COMMENT.sub("", head)):
        attributes: dict[str, str] = {}
        for match in _ATTRIBUTE.finditer(link[2]):
            attributes.setdefault(match[1].lower(), next(value for value in match.groups()[1:] if value is not None))
        if link[1].lower() == "base":
            found.setdefault("base", attributes.get("href", ""))
        elif "canonical" in attributes.get("rel", "").lower().split():
            found.setdefault("canonical", attributes.get("href", ""))
    for source in ("canonical", "saved", "base"):
        # What is longer before its references are resolved is not an address either.
        written = found.get(source, "")
        lost: Counter[tuple[Kind, str]] = Counter()
        url = unescaped(written, lost=lost).strip() if len(written) <= 8 * _MOST_URL else ""
        if _ABSOLUTE.match(url) and len(url) <= _MOST_URL and not lost:
            return url
    return None
