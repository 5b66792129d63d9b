"""ARC, the format of web archives before WARC: the first line of a record, and the text in it.
`pipeline.readers.archives.warc` reads both.

A record is one line, then as many bytes as its last field says, then a line feed. Version 1 has the fields URL,
address, date, media type, length; version 2 has status, checksum, location, offset and file name before the length.
URLs may hold spaces, so fields count from the end.

Documents are the HTML pages with an HTTP URL and status 200. Skipped: `filedesc` (the record that describes the file),
and as in WARC `not_http`, `http_status`, `not_html`, `html_too_large`, `html_too_complex`, `content_encoding`,
`undecodable`, `empty_text`.

Source: "Arc File Format", Internet Archive, 1996 (https://archive.org/web/researcher/ArcFileFormat.php).
"""

from __future__ import annotations

import re

from manifests.corpus import Extraction
from pipeline.losses import Extracted
from pipeline.readers.archives.frame_stream import Grammar
from pipeline.readers.archives.framing import Frame
from pipeline.readers.archives.responses import response_text
from pipeline.readers.web.http import UnusableBody

# Looser than the format: a line whose length or date is wrong still begins a record: that one is broken, and no other
# is lost.
_SCHEME = rb"[A-Za-z][A-Za-z0-9+.-]{0,20}"
_LINE = (
    rb"(" + _SCHEME + rb":[^\r\n]{0,3000}) ([^ \r\n]{1,60}) ([0-9]{8,20}) ([^ \r\n]{0,200})((?: [^ \r\n]{1,100}){5})?"
    rb" (-?[0-9A-Za-z]{1,20})\r?\n"
)
_FIRST_LINE = re.compile(_LINE)


def _headers(line: bytes) -> dict[str, str]:
    """URL, media type and length under the names that WARC has for them."""
    fields = _FIRST_LINE.match(line)
    if fields is None:
        return {}
    return {
        "warc-target-uri": fields[1].decode("utf-8", "replace"),
        "content-type": fields[4].decode("utf-8", "replace").lower(),
        "content-length": fields[6].decode("ascii"),
    }


ARC = Grammar(
    name="ARC",
    first_line=_FIRST_LINE,
    after_line_feed=re.compile(rb"(?<=\n)" + _LINE),
    longest_first_line=4000,
    header_lines=False,
    empty_line_ends=False,
    headers=_headers,
)


def arc_text(frame: Frame, url: str | None, *, extraction: Extraction) -> Extracted:
    """Text of the page in a record.

    Raises:
        HttpError, UnusableBody, TooComplex: as `responses.response_text`.
    """
    scheme = (url or "").split(":", 1)[0].lower()
    if scheme == "filedesc":
        raise UnusableBody("filedesc", "describes the file")
    if scheme not in ("http", "https"):
        raise UnusableBody("not_http", scheme)
    media = frame.headers["content-type"]
    return response_text(
        frame.block, length=frame.length, identified="" if media == "no-type" else media, extraction=extraction
    )
