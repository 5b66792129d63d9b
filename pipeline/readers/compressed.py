"""Raw files as streams of decompressed bytes.

In: a path; plain, gzip, zstd, bzip2, xz or lz4 by its first bytes, of one or many members. Out: pieces of bytes in the order of the file,
each saying where a member begins. Damage is told apart from the end: everything readable before it is delivered first (less
what the last `_FEED` compressed bytes before the damage would have given).

Memory is bounded: compressed bytes are fed in such small portions that even a bomb gives some tens of MB at a time.
"""

from __future__ import annotations

import bz2
import lzma
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import zstandard

from manifests.errors import GristmillError
from manifests.storage import open_stream

_RAW_CHUNK = 1 << 16
# The largest portion of compressed bytes for a decompressor: a portion may grow 1,000 times in gzip, 20,000 times in bzip2, 32,000 in zstd.
_FEED = {"gzip": 1 << 14, "zstd": 1 << 10, "bzip2": 1 << 11, "xz": 1 << 12}
_MAGIC = {"gzip": b"\x1f\x8b", "zstd": b"\x28\xb5\x2f\xfd", "bzip2": b"BZh", "xz": b"\xfd7zXZ\x00", "lz4": b"\x04\x22\x4d\x18"}


class Damaged(Exception):
    """The compressed stream ends early or is corrupt.

    Attributes:
        offset: decompressed bytes delivered before.
        member: offset in the raw file of the member that is damaged.
    """

    def __init__(self, message: str, offset: int, member: int) -> None:
        super().__init__(message)
        self.offset = offset
        self.member = member


@dataclass(frozen=True)
class Piece:
    """Some decompressed bytes.

    Attributes:
        member: offset in the raw file of the member that begins with this piece; None when the piece goes on with one.
    """

    data: bytes
    member: int | None


def chunks(path: str) -> Iterator[bytes]:
    """Decompressed bytes of a file; nothing for an empty file.

    Raises:
        GristmillError: the file is missing.
        Damaged: after the last readable chunk.
    """
    for event in pieces(path):
        if isinstance(event, Damaged):
            raise event
        yield event.data


def pieces(path: str, *, resume: bytes | None = None) -> Iterator[Piece | Damaged]:
    """Decompressed bytes of a file with the places where members begin; damage comes as an event.

    Args:
        resume: after damage, go on with the next member whose content begins with these bytes; None: stop there.

    Raises:
        GristmillError: the file is missing.
    """
    with _open(path) as file:
        first = bytes(file.read(_RAW_CHUNK))
        kind = next((name for name, magic in _MAGIC.items() if first.startswith(magic)), None)
        if kind == "lz4":
            yield from _lz4(path)
            return
        if kind is not None:
            yield from _members(file, first, kind, resume)
            return
        member: int | None = 0
        while first:
            yield Piece(first, member)
            first, member = bytes(file.read(_RAW_CHUNK)), None


def _open(path: str) -> Any:
    try:
        return open_stream(path)
    except FileNotFoundError:
        remedy = "it was there when the run began: do not change inputs during a run"
        raise GristmillError("no such file", where=path, remedy=remedy) from None


def _members(file: Any, chunk: bytes, kind: str, resume: bytes | None) -> Iterator[Piece | Damaged]:
    """Member after member; `chunk` holds the bytes read so far."""
    make = _decompressor(kind)
    end, delivered, count = len(chunk), 0, 0
    while True:
        chunk = chunk.lstrip(b"\x00")  # padding after a member, as tar and tape leave it
        if not chunk:
            chunk = bytes(file.read(_RAW_CHUNK))
            end += len(chunk)
            if not chunk:
                return
            continue
        start, current, begun = end - len(chunk), make(), False
        problem: str | None = None
        while problem is None and not current.eof:
            plain, chunk, problem = _decompress(current, chunk, _FEED[kind], fresh=not begun and count > 0)
            if plain:
                yield Piece(plain, None if begun else start)
                begun = True
                delivered += len(plain)
            if problem is None and not current.eof and not chunk:
                chunk = bytes(file.read(_RAW_CHUNK))
                end += len(chunk)
                if not chunk:
                    problem = "the file ends in the middle of a member"
        count += 1
        if problem is not None:
            yield Damaged(f"damaged {kind}: {problem}", delivered, start)
            found = None if resume is None else _find_member(file, start + 1, kind, resume)
            if found is None:
                return
            file.seek(found)
            chunk = bytes(file.read(_RAW_CHUNK))
            end = found + len(chunk)


def _decompress(current: Any, chunk: bytes, feed: int, *, fresh: bool) -> tuple[bytes, bytes, str | None]:
    """(decompressed, bytes left over, what is wrong). The messages are ours: those of libraries change between versions."""
    out = []
    for at in range(0, len(chunk), feed):
        try:
            out.append(current.decompress(chunk[at : at + feed]))
        except Exception:
            return b"".join(out), b"", "bytes that are no member follow a member" if fresh and not at else "corrupt data or wrong checksum"
        if current.eof:
            return b"".join(out), current.unused_data + chunk[at + feed :], None
    return b"".join(out), b"", None


def _find_member(file: Any, position: int, kind: str, resume: bytes) -> int | None:
    """Offset of the next member from `position` on whose content begins with `resume`."""
    magic, make = _MAGIC[kind], _decompressor(kind)
    base, window = position, b""
    while True:
        file.seek(base + len(window))
        more = bytes(file.read(1 << 20))
        if not more:
            return None
        window += more
        at = window.find(magic)
        while at >= 0:
            file.seek(base + at)
            if _begins(make(), bytes(file.read(4096)), resume):
                return base + at
            at = window.find(magic, at + 1)
        base += len(window) - len(magic) + 1
        window = window[len(window) - len(magic) + 1 :]


def _begins(decompressor: Any, head: bytes, expected: bytes) -> bool:
    try:
        return bool(decompressor.decompress(head).startswith(expected))
    except Exception:
        return False


def _decompressor(kind: str) -> Callable[[], Any]:
    """What makes a decompressor for one member: `decompress(bytes)`, `eof`, `unused_data`."""
    if kind == "gzip":
        return lambda: zlib.decompressobj(wbits=31)
    if kind == "bzip2":
        return bz2.BZ2Decompressor
    if kind == "xz":
        return lambda: lzma.LZMADecompressor(memlimit=1 << 30)
    return lambda: zstandard.ZstdDecompressor().decompressobj()


def _lz4(path: str) -> Iterator[Piece | Damaged]:
    """All frames as one member: Arrow's decoder does not tell where frames begin."""
    delivered = 0
    with _open(path) as file, pa.CompressedInputStream(file, "lz4") as stream:
        while True:
            try:
                plain = stream.read(_RAW_CHUNK)
            except OSError as error:
                problem = "the file ends in the middle of a member" if "runcated" in str(error) else "corrupt data or wrong checksum"
                yield Damaged(f"damaged lz4: {problem}", delivered, 0)
                return
            if not plain:
                return
            yield Piece(bytes(plain), None if delivered else 0)
            delivered += len(plain)
