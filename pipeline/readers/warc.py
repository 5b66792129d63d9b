"""WARC and WET: web archives. A record is a WARC record; bytes that belong to none are one broken entry per stretch.

Documents come from `response` records that hold an HTML page with status 200 (text by `pipeline.html`) and from `conversion` records
(WET: text as it is). Everything else is skipped under its reason: other types under their name (`request`, `warcinfo`, ...), `not_http`,
`http_status`, `not_html`, `html_too_large`, `html_too_complex`, `content_encoding`, `empty_text`. What cannot be parsed is broken.
The offset is `framing.Frame.offset`.
"""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.html import MOST_HTML_BYTES, TooComplex, html_to_text
from pipeline.http import HttpError, UnusableBody, content_type, decode_body, decode_text, is_html, parse_response
from pipeline.readers.framing import Frame, Gap, frames
from pipeline.readers.records import Batcher, Record, Records

# Record types of WARC 1.1 (ISO 28500:2017, section 6) without a page or text of their own. An unknown type counts as `unknown_type`.
_OTHER_TYPES = frozenset({"warcinfo", "resource", "request", "metadata", "revisit", "continuation"})


def read_warc(path: str) -> Iterator[Records]:
    """Batches of one file, in its order.

    Raises:
        GristmillError: the file is missing.
    """
    batcher = Batcher()
    empty = True
    for event in frames(path):
        empty = False
        if isinstance(event, Gap):
            batcher.quarantine(event.offset, event.name, event.error, event.excerpt)
        else:
            _record(batcher, event)
        yield from batcher.full()
    if empty:
        batcher.quarantine(0, None, "empty file: it holds no record", b"")
    yield batcher.take()


def _record(batcher: Batcher, frame: Frame) -> None:
    name = frame.headers.get("warc-record-id")
    # wget writes the URI in angle brackets, as the grammar of WARC 1.0 had it.
    url = frame.headers.get("warc-target-uri", "").strip("<>") or None
    kind = frame.headers.get("warc-type", "").lower()
    try:
        if kind == "response":
            text = _page(frame, url)
        elif kind == "conversion":
            text = _converted(frame)
        elif kind:
            batcher.skip(kind if kind in _OTHER_TYPES else "unknown_type")
            return
        else:
            raise HttpError("invalid WARC headers: no WARC-Type")
    except UnusableBody as error:
        batcher.skip(error.reason)
    except TooComplex:
        batcher.skip("html_too_complex")
    except (HttpError, UnicodeDecodeError) as error:
        kind_of_error = "invalid UTF-8: " if isinstance(error, UnicodeDecodeError) else ""
        batcher.quarantine(frame.offset, name, f"{kind_of_error}{error}", frame.block)
    else:
        batcher.add(Record(frame.offset, name, url, text))


def _page(frame: Frame, url: str | None) -> str:
    """Text of the HTML page in a `response` record."""
    media = frame.headers.get("content-type", "").split(";", 1)[0].strip().lower()
    if media not in ("", "application/http") or (url is not None and not url.lower().startswith(("http:", "https:"))):
        raise UnusableBody("not_http", f"{media} {url}")
    response = parse_response(frame.block)
    if response.status != 200:
        raise UnusableBody("http_status", str(response.status))
    if frame.length > len(frame.block):
        raise UnusableBody("html_too_large" if is_html(content_type(response), response.body) else "not_html", f"{frame.length} bytes")
    media = content_type(response)
    if not media and not response.body:
        raise UnusableBody("empty_text", "no body")
    identified = frame.headers.get("warc-identified-payload-type", "").lower()
    body = decode_body(response, most=MOST_HTML_BYTES) if is_html(media or identified, b"") or not media else b""
    if not is_html(media or identified, body):
        raise UnusableBody("not_html", media)
    return html_to_text(decode_text(body, header=response.header("content-type")))


def _converted(frame: Frame) -> str:
    if frame.length > len(frame.block):
        raise UnusableBody("text_too_large", f"{frame.length} bytes")
    return frame.block.decode("utf-8")
