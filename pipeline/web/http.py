"""HTTP responses as archives keep them: status, headers, the body without its encodings, and the body as text.

In: the block of a WARC `response` record. Out: `Response`, bytes, text. Archives lie: headers often speak of encodings that the archiver
has already removed, so an encoding is undone only where the body really begins like one.

Sources: RFC 9110 (headers, content codings), RFC 9112 (chunked), RFC 8878 (zstd), the WHATWG Encoding and HTML standards (BOM before header
before `meta`).
"""

from __future__ import annotations

import codecs
import re
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import brotli  # type: ignore[import-untyped]
import zstandard
from resiliparse.parse.encoding import detect_encoding, map_encoding_to_html5

_STATUS_LINE = re.compile(rb"HTTP/\d(?:\.\d)?[ \t]+(\d{3})(?:[ \t]|\r?\n|\Z)")
_HEADERS_END = re.compile(rb"\r?\n\r?\n")
_HTML_START = re.compile(rb"\s*(?:<!--.*?-->\s*)*<(?:!doctype\s+html|html|head|body)[\s>]", re.IGNORECASE | re.DOTALL)
_CHARSET = re.compile(r"charset\s*=\s*[\"']?\s*([^\s;\"',]+)", re.IGNORECASE)
_CHUNK_SIZE = re.compile(rb"[ \t]*([0-9A-Fa-f]{1,8})[ \t]*(?:;[^\r\n]*)?\r?\n")
# The HTML standard looks at 1,024 bytes for `meta`; real pages have it later, after scripts and comments.
_META_BYTES = 8192
_META_CHARSET = re.compile(rb"<meta[^>]{0,512}?charset\s*=\s*[\"']?\s*([A-Za-z0-9_:.-]{1,40})", re.IGNORECASE)
# The HTML standard, 13.2.3.2: what an XML declaration at the very beginning says counts where there is no `meta`.
_XML_ENCODING = re.compile(rb"\s{0,64}<\?xml[^>]{1,200}?\sencoding\s*=\s*[\"']([A-Za-z0-9_:.-]{1,40})[\"']")
# No text begins with a gzip header: three bytes, of which two are controls.
_GZIP = b"\x1f\x8b\x08"
_ZSTD = b"\x28\xb5\x2f\xfd"
_BOMS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
_LEAD_BYTES = bytes(range(0xC0, 0x100))
# With more than this part of the non-ASCII characters undecodable, the page is not in UTF-8, whatever it says.
_MOST_REPLACED = 0.1


class HttpError(Exception):
    """The block is no HTTP response."""


class UnusableBody(Exception):
    """The body cannot be used; `reason` is the ledger's name for why."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason


@dataclass(frozen=True)
class Response:
    """An HTTP response.

    Attributes:
        headers: lower-case names and values in the order found; names may repeat.
        body: as stored.
    """

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def header(self, name: str) -> str | None:
        """All values of one header, joined by commas (RFC 9110, section 5.3); None when there is none."""
        values = [value for key, value in self.headers if key == name]
        return ", ".join(values) if values else None


def parse_response(block: bytes) -> Response:
    """Status line, headers and body of a block.

    Raises:
        HttpError: there is no status line.
    """
    line = _STATUS_LINE.match(block)
    if line is None:
        raise HttpError("no HTTP status line")
    end = _HEADERS_END.search(block)
    head, body = (block, b"") if end is None else (block[: end.start()], block[end.end() :])
    return Response(int(line[1]), parse_headers(head.split(b"\n")[1:]), body)


def parse_headers(lines: list[bytes]) -> tuple[tuple[str, str], ...]:
    """`Name: value` lines; a line that begins with white space goes on with the one before; lines without a colon are left out."""
    headers: list[tuple[str, str]] = []
    for line in lines:
        text = _decode_header(line.rstrip(b"\r\n"))
        if text[:1] in (" ", "\t") and headers:
            headers[-1] = (headers[-1][0], f"{headers[-1][1]} {text.strip()}")
        elif ":" in text:
            name, value = text.split(":", 1)
            headers.append((name.strip().lower(), value.strip()))
    return tuple(headers)


def content_type(response: Response) -> str:
    """Media type in lower case without parameters; of several the last one; empty when none is given."""
    given = [value.split(";", 1)[0].strip().lower() for name, value in response.headers if name == "content-type" and value]
    return given[-1] if given else ""


def is_html(media_type: str, body: bytes) -> bool:
    """True for HTML by its media type or, without one, by its beginning."""
    if media_type in ("text/html", "application/xhtml+xml"):
        return True
    return media_type in ("", "*/*", "unknown/unknown") and _HTML_START.match(body[:1024]) is not None


def decode_body(response: Response, *, most: int) -> bytes:
    """The body without transfer and content encodings, at most `most` bytes.

    A truncated or corrupt encoding gives what could be decoded before; an encoding that the body does not have is ignored.

    Raises:
        UnusableBody: `html_too_large`, or `content_encoding` for one that is not known or gives nothing.
    """
    body = response.body
    if "chunked" in (response.header("transfer-encoding") or "").lower():
        body = _dechunk(body)
    encodings = [name.strip().lower() for name in (response.header("content-encoding") or "").split(",")]
    for name in reversed(encodings):
        body = _decode_content(body, name, most)
    if body.startswith(_GZIP):  # an encoding that no header tells of, or that was done twice
        body = _inflate(body, (31,), most)
    if len(body) > most:
        raise UnusableBody("html_too_large", f"more than {most} bytes")
    return body


def decode_text(body: bytes, *, header: str | None) -> str:
    """The body as text; undecodable bytes become U+FFFD.

    Byte order mark, then valid UTF-8 whatever is declared (text in another encoding is practically never valid UTF-8 by accident), then the
    charset of the header, then that of `meta`, then detection.

    Args:
        header: value of the Content-Type header.
    """
    for mark, encoding in _BOMS:
        if body.startswith(mark):
            return body[len(mark) :].decode(encoding, "replace")
    declared = _declared(body, header)
    # UTF-16 and ISO-2022 text may be valid UTF-8 or even ASCII: there the declaration counts.
    if declared is not None and (declared.startswith("iso2022") or (declared.startswith("utf-16") and b"\x00" in body[:1024])):
        return body.decode(declared, "replace")
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError:
        pass
    if declared is None or declared.startswith("utf"):
        text = body.decode("utf-8", "replace")
        if text.count("\ufffd") <= _MOST_REPLACED * (len(body) - len(body.translate(None, _LEAD_BYTES))):
            return text
        declared = _python_codec(detect_encoding(body)) or "cp1252"
    return body.decode(declared, "replace")


def _declared(body: bytes, header: str | None) -> str | None:
    given = _CHARSET.search(header) if header else None
    codec = _python_codec(given[1]) if given else None
    if codec is not None:
        return codec
    meta = _META_CHARSET.search(body[:_META_BYTES])
    meta = meta or _XML_ENCODING.match(body[:1024])
    codec = _python_codec(meta[1].decode("ascii")) if meta else None
    # A page whose ASCII `meta` could be read is not in UTF-16 (HTML standard, 13.2.3.2, step 9).
    return "utf-8" if codec is not None and codec.startswith("utf-16") else codec


def _python_codec(label: str | None) -> str | None:
    """Python's name for a WHATWG encoding label, or None: `iso-8859-1` means windows-1252 on the web."""
    if label is None:
        return None
    name = map_encoding_to_html5(label, fallback_utf8=False)
    if name is None:
        return None
    try:
        return codecs.lookup({"iso-8859-8-i": "iso-8859-8", "x-mac-cyrillic": "mac-cyrillic"}.get(name.lower(), name)).name
    except LookupError:
        return None


def _dechunk(body: bytes) -> bytes:
    """Chunks joined; from the first broken chunk on, the rest as it is (a body that is not chunked at all comes back unchanged)."""
    parts: list[bytes] = []
    position = 0
    while position < len(body):
        size = _CHUNK_SIZE.match(body, position)
        if size is None:
            parts.append(body[position:])
            break
        length = int(size[1], 16)
        if length == 0:
            break
        parts.append(body[size.end() : size.end() + length])
        position = size.end() + length
        if body.startswith(b"\r\n", position):
            position += 2
        elif body.startswith(b"\n", position):
            position += 1
        else:
            parts.append(body[position:])
            break
    return b"".join(parts)


def _decode_content(body: bytes, name: str, most: int) -> bytes:
    if name in ("", "identity", "none") or not body:
        return body
    if name in ("gzip", "x-gzip"):
        return _inflate(body, (31,), most) if body.startswith(b"\x1f\x8b") else body
    if name == "deflate":
        # By the standard a zlib stream; many servers send it without its header.
        return body if _looks_like_text(body) else _inflate(body, (15, -15), most)
    if name == "zstd":
        return _zstd(body, most) if body.startswith(_ZSTD) else body
    if name == "br":
        return body if _looks_like_text(body) else _brotli(body, most)
    if _looks_like_text(body):
        return body
    raise UnusableBody("content_encoding", f"encoding {name!r} is not known")


def _looks_like_text(body: bytes) -> bool:
    head = body[:512].lstrip()
    return head.startswith(b"<") and not any(byte < 9 for byte in head)


def _inflate(body: bytes, window_bits: tuple[int, ...], most: int) -> bytes:
    for bits in window_bits:
        text = _run(zlib.decompressobj(bits).decompress, body, most)
        if text:
            return text
    raise UnusableBody("content_encoding", "nothing could be decoded")


def _brotli(body: bytes, most: int) -> bytes:
    decompressor: Any = brotli.Decompressor()
    text = _run(lambda part, _: decompressor.process(part), body, most)
    if not text:
        raise UnusableBody("content_encoding", "nothing could be decoded")
    return text


def _zstd(body: bytes, most: int) -> bytes:
    # RFC 9659: in HTTP the window is at most 8 MB.
    decompressor: Any = zstandard.ZstdDecompressor(max_window_size=8 << 20).decompressobj()
    text = _run(lambda part, _: bytes(decompressor.decompress(part)), body, most)
    if not text:
        raise UnusableBody("content_encoding", "nothing could be decoded")
    return text


def _run(decode: Callable[[bytes, int], bytes], body: bytes, most: int, *, portion: int = 1024) -> bytes:
    """What `decode` gives before it fails, fed in portions so that little is lost and a bomb stays small."""
    out: list[bytes] = []
    size = 0
    for at in range(0, len(body), portion):
        try:
            out.append(decode(body[at : at + portion], most + 1))
        except Exception:
            break
        size += len(out[-1])
        if size > most:
            raise UnusableBody("html_too_large", f"more than {most} bytes once decoded")
    return b"".join(out)


def _decode_header(line: bytes) -> str:
    try:
        return line.decode("utf-8")
    except UnicodeDecodeError:
        return line.decode("latin-1")
