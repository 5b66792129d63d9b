"""Tar archives as a stream: one pass, members in their order, memory for one member.

In: decompressed bytes. Out: `Member` for each regular file, `Gap` for bytes that belong to none. After a broken header
reading goes on at the next block that is one: archives of a hundred thousand papers are worth it.

Python's `tarfile` does not do it, even with `ignore_zeros`: a broken header after a long name, an extended header with
a malformed number, and some hundred long names in a row end an archive with an error that it cannot go on from;
extended headers of any size are read into memory; headers with an owner that is no number are passed over; GNU's times
become folders of the name. What it does changes with Python's version.

Sources: POSIX.1-2017 `pax`, sections "ustar Interchange Format" and "pax Extended Header"; GNU tar's manual, "Basic Tar
Format".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from manifests.step import Problem

_BLOCK = 512
# Long names and extended headers; more is damage.
_MOST_HEADER = 1 << 20
_OCTAL = re.compile(rb"[ \x00]*([0-7]*)[ \x00]*")
_PAX_PATH = re.compile(rb"(?:^|\n)\d{1,7} path=([^\n]*)\n")
_PAX_SIZE = re.compile(rb"(?:^|\n)\d{1,7} size=(\d{1,15})\n")


@dataclass(frozen=True)
class Member:
    """A regular file in the archive.

    Attributes:
        offset: of its header, in bytes of the archive.
        data: None when it was not wanted.
    """

    offset: int
    name: str
    size: int
    data: bytes | None


@dataclass(frozen=True)
class Gap:
    """Bytes that belong to no whole member.

    Attributes:
        name: of the member that the archive ends in.
    """

    offset: int
    name: str | None
    problem: Problem


def is_tar(head: bytes) -> bool:
    """True when a stream that begins with these bytes (512 at least) is an archive."""
    return len(head) >= _BLOCK and _checked(head[:_BLOCK])


def members(stream: Iterator[bytes], *, wanted: Callable[[str, int], bool]) -> Iterator[Member | Gap]:
    """The archive's files.

    Args:
        wanted: given name and size, whether to read the content. It is held in memory whole.

    Raises:
        Damaged: from the stream.
    """
    source = _Source(stream)
    name: bytes | None = None
    size: int | None = None
    lost: int | None = None
    while True:
        offset = source.position
        block = source.read(_BLOCK)
        valid = len(block) == _BLOCK and _checked(block)
        if lost is not None and (valid or not block):
            yield Gap(lost, None, Problem("damaged tar", "bytes that are no member"))
            lost = None
        if not block:
            return
        if not valid:
            if lost is None and block.strip(b"\x00"):
                lost, name, size = offset, None, None
            continue
        kind, length = block[156:157], _size(block[124:136])
        if size is not None and kind not in (b"x", b"g", b"L", b"K"):
            length = size
        if kind in (b"x", b"L") and length <= _MOST_HEADER:
            content = source.read(length)
            source.skip(-length % _BLOCK)
            if kind == b"L":
                name = content.rstrip(b"\x00")
            else:
                path, long = _PAX_PATH.search(content), _PAX_SIZE.search(content)
                name, size = path[1] if path else name, int(long[1]) if long else size
            continue
        here = _text(block[:100].split(b"\x00", 1)[0] if name is None else name)
        prefix = block[345:500].split(b"\x00", 1)[0] if name is None and block[257:263] == b"ustar\x00" else b""
        here = f"{_text(prefix)}/{here}" if prefix else here
        regular = kind in (b"0", b"\x00", b"7")
        if kind in b"123456":
            length = 0  # links, devices, folders: no content follows, whatever the size says
        if regular and wanted(here, length):
            content = source.read(length)
            complete = len(content) == length
        else:
            content = b""
            complete = source.skip(length) == length
        if not complete:
            yield Gap(
                offset, here if regular else None, Problem("damaged tar", "the archive ends in the middle of a member")
            )
            return
        source.skip(-length % _BLOCK)
        if regular:
            yield Member(offset, here, length, content if wanted(here, length) else None)
        if kind not in (b"g", b"K"):
            name, size = None, None


class _Source:
    """Bytes of a stream by count."""

    def __init__(self, stream: Iterator[bytes]) -> None:
        self.stream = stream
        self.chunk = b""
        self.at = 0
        self.position = 0

    def read(self, count: int) -> bytes:
        """That many bytes, fewer at the end."""
        parts, missing = [], count
        while missing:
            if self.at == len(self.chunk):
                self.chunk, self.at = next(self.stream, b""), 0
                if not self.chunk:
                    break
            parts.append(self.chunk[self.at : self.at + missing])
            self.at += len(parts[-1])
            missing -= len(parts[-1])
        self.position += count - missing
        return b"".join(parts)

    def skip(self, count: int) -> int:
        """How many of the bytes there were."""
        left = count
        while left:
            got = len(self.read(min(left, 1 << 16)))
            if not got:
                break
            left -= got
        return count - left


def _checked(block: bytes) -> bool:
    """The header's sum is right: its own field counts as blanks, bytes as unsigned or, in old archives, signed."""
    stored = _OCTAL.fullmatch(block[148:156])
    if stored is None or not stored[1]:
        return False
    rest = block[:148] + b" " * 8 + block[156:]
    total = sum(rest)
    return int(stored[1], 8) in (total, total - 256 * sum(byte > 127 for byte in rest))


def _size(field: bytes) -> int:
    if field[0] & 0x80:  # GNU: binary, for files of 8 GiB and more
        return int.from_bytes(bytes([field[0] & 0x7F]) + field[1:], "big")
    octal = _OCTAL.match(field)
    return int(octal[1] or b"0", 8) if octal else 0


def _text(name: bytes) -> str:
    return name.decode("utf-8", "replace")
