"""Web archives: WARC, WET, and ARC by its first bytes. Bytes that belong to no record are one broken entry.

Documents come from `response` records that hold an HTML page with status 200 (text by `pipeline.readers.web.html`),
from `resource` records that are an HTML page with an HTTP URL (what crawlers write that keep pages without their
response), and from `conversion` records (WET: text as it is). Everything else is skipped under its reason: other types
under their name (`request`, `warcinfo`, `revisit`, ...), `not_http`, `http_status`, `not_html`, `html_too_large`,
`html_too_complex`, `content_encoding`, `undecodable`, `empty_text`. What cannot be parsed is broken. The offset is
`framing.Frame.offset`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from manifests.corpus import Extraction
from manifests.step import Problem
from pipeline.losses import Extracted
from pipeline.readers.archives.arc import ARC, arc_text
from pipeline.readers.archives.frame_stream import Grammar
from pipeline.readers.archives.framing import Frame, Gap, frames
from pipeline.readers.archives.responses import body_text, response_text
from pipeline.readers.pieces import Piece
from pipeline.readers.records import NOT_SAMPLED, Batcher, Draw, Record, Records, unforeseen
from pipeline.readers.web.charset import Undecodable, decode_utf8, is_soup
from pipeline.readers.web.html import TooComplex
from pipeline.readers.web.http import HttpError, Response, UnusableBody, parse_headers
from pipeline.readers.web.mime import is_html, media_type
from storage.compressed import beginning, opened

# Record types of WARC 1.1 (ISO 28500:2017, section 6) without a page or text of their own. An unknown type counts as
# `unknown_type`.
_OTHER_TYPES = frozenset({"warcinfo", "request", "metadata", "revisit", "continuation"})
_VERSION_LINE = rb"WARC/[0-9]{1,4}\.[0-9]{1,4}[ \t]{0,16}\r?\n"


def read_warc(
    path: str, *, piece: Piece | None = None, extraction: Extraction = "resiliparse", draw: Draw | None = None
) -> Iterator[Records]:
    """Batches of one file or of a piece of it, in its order.

    Args:
        extraction: how the main content of a page is found.
        draw: records that it leaves out are skipped as `not_sampled`; gaps are all reported.

    Raises:
        GristmillError: the file is missing.
    """
    batcher = Batcher()
    with opened(path) as raw:
        arc = ARC.first_line.match(beginning(raw)) is not None
        for event in frames(raw, ARC if arc else WARC, piece=piece):
            if isinstance(event, Gap):
                batcher.quarantine(event.offset, event.name, event.problem, event.excerpt)
            elif draw is None:
                _record(batcher, event, arc=arc, extraction=extraction)
            elif draw.wants(event.offset, event.length):
                with draw.making_text():
                    _record(batcher, event, arc=arc, extraction=extraction)
            else:
                batcher.skip(NOT_SAMPLED)
            yield from batcher.full()
    yield batcher.take()


def _headers(head: bytes) -> dict[str, str]:
    """Names and values; where a header is given twice, the first one counts."""
    return dict(reversed(parse_headers(head.split(b"\n")[1:])))


WARC = Grammar(
    name="WARC",
    first_line=re.compile(_VERSION_LINE),
    after_line_feed=re.compile(rb"(?<=\n)" + _VERSION_LINE),
    longest_first_line=64,
    header_lines=True,
    empty_line_ends=True,
    headers=_headers,
)


def _record(batcher: Batcher, frame: Frame, *, arc: bool, extraction: Extraction) -> None:
    name = frame.headers.get("warc-record-id")
    # wget writes the URI in angle brackets, as the grammar of WARC 1.0 had it.
    url = frame.headers.get("warc-target-uri", "").strip("<>") or None
    try:
        page = arc_text(frame, url, extraction=extraction) if arc else _text(frame, url, extraction)
    except UnusableBody as error:
        batcher.skip(error.reason)
    except TooComplex:
        batcher.skip("html_too_complex")
    except HttpError as error:
        batcher.quarantine(frame.offset, name, error.problem, frame.block)
    except Undecodable as error:
        batcher.quarantine(frame.offset, name, Problem("invalid UTF-8", str(error)), frame.block)
    except Exception as error:
        batcher.quarantine(frame.offset, name, unforeseen(error), frame.block)
    else:
        batcher.add(Record(frame.offset, name, url, page.text, page.lost))


def _text(frame: Frame, url: str | None, extraction: Extraction) -> Extracted:
    """Text of a record."""
    kind = frame.headers.get("warc-type", "").lower()
    media = frame.headers.get("content-type", "").split(";", 1)[0].strip().lower()
    http = url is None or url.lower().startswith(("http:", "https:"))
    if kind == "response":
        if media not in ("", "application/http") or not http:
            raise UnusableBody("not_http", f"{media} {url}")
        identified = frame.headers.get("warc-identified-payload-type", "").strip().lower()
        return response_text(frame.block, length=frame.length, identified=identified, extraction=extraction)
    if kind == "resource":
        if url is None or not http or not is_html(media_type([frame.headers.get("content-type", "")])[0], b""):
            raise UnusableBody("resource", f"{media} {url}")
        page = Response(200, (("content-type", frame.headers.get("content-type", "")),), frame.block)
        return body_text(page, whole=frame.length <= len(frame.block), extraction=extraction)
    if kind == "conversion":
        if frame.length > len(frame.block):
            raise UnusableBody("text_too_large", f"{frame.length} bytes")
        return _converted(frame.block)
    if not kind:
        raise HttpError(Problem("invalid WARC headers", "no WARC-Type"))
    raise UnusableBody(kind if kind in _OTHER_TYPES else "unknown_type", kind)


def _converted(block: bytes) -> Extracted:
    """Text that another program has extracted, in UTF-8; it holds U+FFFD where that program could not decode.

    Raises:
        Undecodable: it is not UTF-8.
        UnusableBody: too much of it is U+FFFD.
    """
    decoded = decode_utf8(block)
    if is_soup(decoded.text):
        raise UnusableBody("undecodable", "the text holds more U+FFFD than words bear")
    return Extracted(decoded.text, decoded.lost)
