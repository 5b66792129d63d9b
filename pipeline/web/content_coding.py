"""Bodies of HTTP responses without their transfer and content encodings.

In: a `Response`. Out: bytes, at most as many as are asked for: each decoder gives its output in portions, so that a bomb costs little more
memory than the limit. Archives lie: headers often speak of encodings that the archiver has already removed, so an encoding is undone only
where the body really begins like one.

Sources: RFC 9110 (content codings), RFC 9112 (chunked), RFC 8878 and 9659 (zstd), RFC 1952 (gzip).
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator
from typing import Any, Final

import brotli  # type: ignore[import-untyped]
import zstandard

from pipeline.web.http import Response, UnusableBody

_CHUNK_SIZE: Final = re.compile(rb"[ \t]*([0-9A-Fa-f]{1,8})[ \t]*(?:;[^\r\n]*)?\r?\n")
# No text begins with a gzip header: three bytes, of which two are controls.
_GZIP: Final = b"\x1f\x8b\x08"
_ZSTD: Final = b"\x28\xb5\x2f\xfd"
# Each costs a pass over up to the whole limit; curl allows five.
_MOST_ENCODINGS: Final = 5
_PORTION_IN: Final = 1 << 10
_PORTION_OUT: Final = 1 << 16


def decode_body(response: Response, *, most: int) -> bytes:
    """The body without transfer and content encodings, at most `most` bytes.

    A truncated or corrupt encoding gives what could be decoded before; an encoding that the body does not have is ignored.

    Raises:
        UnusableBody: `html_too_large`, or `content_encoding` for one that is not known or gives nothing, and for more than five.
    """
    body = response.body
    if "chunked" in (response.header("transfer-encoding") or "").lower():
        body = _dechunk(body)
    names = [name.strip().lower() for name in (response.header("content-encoding") or "").split(",")]
    names = [name for name in names if name not in ("", "identity", "none")]
    if len(names) > _MOST_ENCODINGS:
        raise UnusableBody("content_encoding", f"{len(names)} encodings")
    for name in reversed(names):
        body = _decode_content(body, name, most)
    if body.startswith(_GZIP):  # an encoding that no header tells of, or that was done twice
        body = _inflate(body, (31,), most)
    if len(body) > most:
        raise UnusableBody("html_too_large", f"more than {most} bytes")
    return body


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
    if not body:
        return body
    if name in ("gzip", "x-gzip"):
        return _inflate(body, (31,), most) if body.startswith(b"\x1f\x8b") else body
    if name == "deflate":
        # By the standard a zlib stream; many servers send it without its header.
        return body if _looks_like_text(body) else _inflate(body, (15, -15), most)
    if name == "zstd":
        return _gathered(_zstd(body), most) if body.startswith(_ZSTD) else body
    if name == "br":
        return body if _looks_like_text(body) else _gathered(_brotli(body), most)
    if _looks_like_text(body):
        return body
    raise UnusableBody("content_encoding", f"encoding {name!r} is not known")


def _looks_like_text(body: bytes) -> bool:
    head = body[:512].lstrip()
    return head.startswith(b"<") and not any(byte < 9 for byte in head)


def _inflate(body: bytes, window_bits: tuple[int, ...], most: int) -> bytes:
    for bits in window_bits[:-1]:
        try:
            return _gathered(_zlib(body, bits), most)
        except UnusableBody as error:
            if error.reason != "content_encoding":
                raise
    return _gathered(_zlib(body, window_bits[-1]), most)


def _zlib(body: bytes, window_bits: int) -> Iterator[bytes]:
    """The stream; of gzip, all members that follow one another."""
    at = 0
    while at < len(body):
        decompressor = zlib.decompressobj(window_bits)
        while not decompressor.eof and at < len(body):
            portion = body[at : at + _PORTION_IN]
            at += len(portion)
            while portion:
                yield decompressor.decompress(portion, _PORTION_OUT)
                portion = decompressor.unconsumed_tail
        yield decompressor.flush()
        at -= len(decompressor.unused_data)
        if not (window_bits == 31 and body.startswith(_GZIP, at)):
            return


def _brotli(body: bytes) -> Iterator[bytes]:
    decompressor: Any = brotli.Decompressor()
    for at in range(0, len(body), _PORTION_IN):
        yield decompressor.process(body[at : at + _PORTION_IN], output_buffer_limit=_PORTION_OUT)
        while not decompressor.can_accept_more_data():
            yield decompressor.process(b"", output_buffer_limit=_PORTION_OUT)


def _zstd(body: bytes) -> Iterator[bytes]:
    # RFC 9659: in HTTP the window is at most 8 MB.
    reader: Any = zstandard.ZstdDecompressor(max_window_size=8 << 20).stream_reader(body, read_size=_PORTION_IN, read_across_frames=True)
    while portion := reader.read(_PORTION_OUT):
        yield portion


def _gathered(portions: Iterator[bytes], most: int) -> bytes:
    """What a decoder gives before it fails."""
    out: list[bytes] = []
    size = 0
    while True:
        try:
            portion = next(portions, None)
        except Exception:
            break
        if portion is None:
            break
        if portion:
            out.append(portion)
            size += len(portion)
        if size > most:
            raise UnusableBody("html_too_large", f"more than {most} bytes once decoded")
    if not out:
        raise UnusableBody("content_encoding", "nothing could be decoded")
    return b"".join(out)
