"""Bodies of HTTP responses without their transfer and content encodings.

In: a `Response`. Out: bytes, at most as many as are asked for: each decoder gives its output in portions, so that a
bomb costs little more memory than the limit. Archives lie: headers often name encodings that the archiver has already
removed, so an encoding is undone only where the body really begins like one, and a body that is text is taken as it is.
A body that is cut, or breaks off, gives what came before; this is counted.

Sources: RFC 9110 (content codings), RFC 9112 (chunked), RFC 8878 and 9659 (zstd), RFC 1952 (gzip).
"""

from __future__ import annotations

import codecs
import re
import zlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import brotli  # type: ignore[import-untyped]
import zstandard

from pipeline.losses import Kind, Lost
from pipeline.readers.web.http import Response, UnusableBody

_CHUNK_SIZE: Final = re.compile(rb"[ \t]*([0-9A-Fa-f]{1,8})[ \t]*(?:;[^\r\n]*)?\r?\n")
# No text begins with a gzip header: three bytes, of which two are controls.
_GZIP: Final = b"\x1f\x8b\x08"
_ZSTD: Final = b"\x28\xb5\x2f\xfd"
# Each costs a pass over up to the whole limit; curl allows five.
_MOST_ENCODINGS: Final = 5
_PORTION_IN: Final = 1 << 10
_PORTION_OUT: Final = 1 << 16
# How much of a body is looked at to tell text from compressed bytes: text holds no controls, and so
# many compressed bytes are not free of them by accident.
_HEAD: Final = 4 << 10
_LEAST_TEXT: Final = 32
_CONTROLS: Final = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]")


@dataclass(frozen=True)
class Body:
    """What a response holds once its encodings are undone.

    Attributes:
        lost: `cut_bodies` when an encoding does not come to its end, by its name.
    """

    content: bytes
    lost: Lost


class _Cut(Exception):
    """The stream breaks off, or continues in a way that its format does not allow."""


def decode_body(response: Response, *, most: int) -> bytes:
    """The content alone of `whole_body`."""
    return whole_body(response, most=most).content


def whole_body(response: Response, *, most: int) -> Body:
    """The body without transfer and content encodings, at most `most` bytes.

    A truncated or corrupt encoding gives what could be decoded before; an encoding that the body does not have is
    ignored.

    Raises:
        UnusableBody: `html_too_large`, or `content_encoding` for one that is not known or gives nothing, and for more
            than five.
    """
    cut: Counter[tuple[Kind, str]] = Counter()
    body = response.body
    if "chunked" in (response.header("transfer-encoding") or "").lower():
        body = _dechunk(body, cut)
    names = [name.strip().lower() for name in (response.header("content-encoding") or "").split(",")]
    names = [name for name in names if name not in ("", "identity", "none")]
    if len(names) > _MOST_ENCODINGS:
        raise UnusableBody("content_encoding", f"{len(names)} encodings")
    for name in reversed(names):
        body = _decode_content(body, name, most, cut)
    if body.startswith(_GZIP):  # an encoding that no header names, or that was applied twice
        body = _gathered(_zlib(body, 31), "gzip", most, cut)
    if len(body) > most:
        raise UnusableBody("html_too_large", f"more than {most} bytes")
    return Body(body, dict(cut))


def _dechunk(body: bytes, cut: Counter[tuple[Kind, str]]) -> bytes:
    """Chunks joined; from the first broken chunk on, the rest as it is (a body that is not chunked at all comes back
    unchanged).
    """
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
        if position > len(body):
            cut["cut_bodies", "chunked"] += 1
        if body.startswith(b"\r\n", position):
            position += 2
        elif body.startswith(b"\n", position):
            position += 1
        else:
            parts.append(body[position:])
            break
    return b"".join(parts)


def _decode_content(body: bytes, name: str, most: int, cut: Counter[tuple[Kind, str]]) -> bytes:
    if not body or _is_text(body):
        return body
    if name in ("gzip", "x-gzip"):
        return _gathered(_zlib(body, 31), "gzip", most, cut) if body.startswith(_GZIP[:2]) else body
    if name == "zstd":
        return _gathered(_zstd(body), name, most, cut) if body.startswith(_ZSTD) else body
    if name not in ("deflate", "br"):
        if _is_legacy_text(body):
            return body
        raise UnusableBody("content_encoding", f"encoding {name!r} is not known")
    broken: Counter[tuple[Kind, str]] = Counter()
    try:
        found = _inflated(body, most, broken) if name == "deflate" else _gathered(_brotli(body), name, most, broken)
    except UnusableBody as error:
        if error.reason == "content_encoding" and _is_legacy_text(body):
            return body
        raise
    if broken and _is_legacy_text(body):  # a few bytes of text may look like a stream
        return body
    cut.update(broken)
    return found


def _is_text(body: bytes) -> bool:
    """True for markup, and for text in Unicode: compressed bytes are not valid UTF-8 for long."""
    head = body[:_HEAD]
    for mark, encoding in ((codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be")):
        if head.startswith(mark):
            return head[2:].decode(encoding, "replace").lstrip().startswith("<")
    head = head.removeprefix(codecs.BOM_UTF8)
    if _CONTROLS.search(head):
        return False
    if head.lstrip().startswith(b"<"):
        return True
    try:
        text = codecs.getincrementaldecoder("utf-8")().decode(head, len(body) <= _HEAD)
    except UnicodeDecodeError:
        return False
    return len(text) >= _LEAST_TEXT or "<" in text


def _is_legacy_text(body: bytes) -> bool:
    """True for what may be text in an encoding that extends ASCII, when it is nothing else."""
    return len(body) >= _LEAST_TEXT and not _CONTROLS.search(body[:_HEAD])


def _inflated(body: bytes, most: int, cut: Counter[tuple[Kind, str]]) -> bytes:
    """By the standard a zlib stream; many servers send it without its header."""
    try:
        return _gathered(_zlib(body, 15), "deflate", most, cut)
    except UnusableBody as error:
        if error.reason != "content_encoding":
            raise
    return _gathered(_zlib(body, -15), "deflate", most, cut)


def _zlib(body: bytes, window_bits: int) -> Iterator[bytes]:
    """The decoded stream; for gzip, all members that follow one another."""
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
        if not decompressor.eof:
            raise _Cut
        at -= len(decompressor.unused_data)
        if not (window_bits == 31 and body.startswith(_GZIP, at)):
            return


def _brotli(body: bytes) -> Iterator[bytes]:
    decompressor: Any = brotli.Decompressor()
    for at in range(0, len(body), _PORTION_IN):
        yield decompressor.process(body[at : at + _PORTION_IN], output_buffer_limit=_PORTION_OUT)
        while not decompressor.can_accept_more_data():
            yield decompressor.process(b"", output_buffer_limit=_PORTION_OUT)
    if not decompressor.is_finished():
        raise _Cut


def _zstd(body: bytes) -> Iterator[bytes]:
    # RFC 9659: in HTTP the window is at most 8 MB.
    reader: Any = zstandard.ZstdDecompressor(max_window_size=8 << 20).stream_reader(
        body, read_size=_PORTION_IN, read_across_frames=True
    )
    while portion := reader.read(_PORTION_OUT):
        yield portion
    if not _whole_frames(body):
        raise _Cut


def _whole_frames(body: bytes) -> bool:
    """False when the last zstd frame ends before its last block (RFC 8878, section 3.1.1); its
    decoder does not say so.
    """
    at = 0
    while body.startswith(_ZSTD, at) and at + 4 < len(body):
        flags = body[at + 4]
        single = flags >> 5 & 1
        at += 5 + (not single) + (0, 1, 2, 4)[flags & 3] + (single, 2, 4, 8)[flags >> 6]
        last = 0
        while not last:
            header = int.from_bytes(body[at : at + 3], "little")
            last, size = header & 1, 1 if header >> 1 & 3 == 1 else header >> 3
            at += 3 + size
            if at > len(body):
                return False
        at += 4 * (flags >> 2 & 1)
    return at <= len(body)


def _gathered(portions: Iterator[bytes], name: str, most: int, cut: Counter[tuple[Kind, str]]) -> bytes:
    """What a decoder gives before it fails, which is counted."""
    out: list[bytes] = []
    size = 0
    broken = False
    while True:
        try:
            portion = next(portions, None)
        except Exception:
            broken = True
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
    if broken:
        cut["cut_bodies", name] += 1
    return b"".join(out)
