"""WARC framing: where records begin and end in a stream of decompressed bytes, and what lies between them.

In: a path. Out, in the order of the file: `Frame` for each record whose framing holds, `Gap` for all bytes that belong to none. Every byte
but line feeds between records and padding after gzip members is in exactly one of them.

Framing holds when a record has a version line, headers, a Content-Length, that many bytes, and after them (and line feeds) another
record, an empty line, or the end. A Content-Length that lies shows by what follows it, by the end of the file, or, in files of one
compressed member per record, by a member that begins inside. The record is then a gap and reading goes on at the next version line.

Why not an archive library's iterator: fastwarc 2.0 ends silently in a truncated gzip member, raises at the first bad header without
telling where the next record is, and skips nothing; accounting for every byte needs the framing itself. A test compares with it.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field

from pipeline.http import parse_headers
from pipeline.readers.compressed import Damaged, Piece, pieces
from pipeline.readers.records import EXCERPT_BYTES

# Longer blocks are read past, not held. Above the limit for HTML, below what a worker can hold.
MOST_BLOCK_BYTES = 32 << 20
MOST_HEADER_BYTES = 64 << 10
_VERSION = b"WARC/"
_RECORD = re.compile(rb"WARC/\d+\.\d+[ \t]*\r?\n")
_RECORD_ON_NEW_LINE = re.compile(rb"(?<=\n)WARC/\d+\.\d+[ \t]*\r?\n")
_HEADERS_END = re.compile(rb"\r?\n\r?\n")
_LONGEST_VERSION_LINE = 64
# How far to look for what follows a record: more line feeds than this count as its end.
_AFTER_RECORD = 256


@dataclass(frozen=True)
class Frame:
    """One record.

    Attributes:
        offset: where the record begins. In the raw file, when it begins there: plain files, and files of one compressed member per record
            (the offset that CDX indexes give). In files compressed as a whole: in the decompressed stream.
        headers: lower-case names and values.
        block: the content; its first `MOST_BLOCK_BYTES` when it is longer.
        length: bytes of the whole block.
    """

    offset: int
    headers: dict[str, str]
    block: bytes
    length: int


@dataclass(frozen=True)
class Gap:
    """Bytes that are no record.

    Attributes:
        name: WARC-Record-ID, when the headers of a record could be read.
    """

    offset: int
    name: str | None
    error: str
    excerpt: bytes


def frames(path: str) -> Iterator[Frame | Gap]:
    """All records and gaps of a file, compressed or not; nothing for an empty file.

    Raises:
        GristmillError: the file is missing.
    """
    stream = _Stream(pieces(path, resume=_VERSION))
    while True:
        stream.skip_line_feeds()
        if stream.has(1):
            yield _next(stream)
        elif stream.damage is not None:
            yield Gap(stream.damage.member, None, str(stream.damage), b"")
            stream.pass_damage()
        else:
            return


@dataclass
class _Stream:
    """The decompressed bytes from the current position on; `data` begins there."""

    events: Iterator[Piece | Damaged]
    data: bytearray = field(default_factory=bytearray)
    position: int = 0
    members: deque[tuple[int, int]] = field(default_factory=deque)  # (position, offset in the raw file), ascending
    member: int = 0  # the one that the byte before the current position belongs to
    damage: Damaged | None = None
    ended: bool = False

    def has(self, count: int) -> bool:
        """Make `count` bytes available, if there are so many before the end or damage."""
        while len(self.data) < count:
            if self.damage is not None or self.ended:
                return False
            event = next(self.events, None)
            if event is None:
                self.ended = True
            elif isinstance(event, Damaged):
                self.damage = event
            else:
                if event.member is not None:
                    self.members.append((self.position + len(self.data), event.member))
                self.data += event.data
        return True

    def drop(self, count: int) -> None:
        """Go on by `count` bytes, which must be available."""
        del self.data[:count]
        self.position += count
        while self.members and self.members[0][0] < self.position:
            self.member = self.members.popleft()[1]

    def skip_line_feeds(self) -> None:
        while self.has(1) and self.data[0] in b"\r\n":
            self.drop(len(self.data) - len(self.data.lstrip(b"\r\n")))

    def offset(self) -> int:
        """Offset of the current position as in `Frame.offset`."""
        if self.members and self.members[0][0] == self.position:
            return self.members[0][1]
        return self.position

    def members_within(self, begin: int, end: int) -> list[int]:
        """Where members begin in [begin, end), counted from the current position."""
        return [position - self.position for position, _ in self.members if begin <= position - self.position < end]

    def damage_reaches(self, end: int) -> bool:
        """True when the byte before `end` lies in the damaged member."""
        before = [offset for position, offset in self.members if position - self.position < end]
        return self.damage is not None and self.damage.member == (before[-1] if before else self.member)

    def pass_damage(self) -> None:
        """Leave everything before the damage behind."""
        self.drop(len(self.data))
        self.damage = None


def _next(stream: _Stream) -> Frame | Gap:
    offset = stream.offset()
    stream.has(_LONGEST_VERSION_LINE)
    version = _RECORD.match(stream.data)
    if version is None:
        return _resync(stream, 0, offset, None, "bytes outside records: no WARC version line")
    end = _headers_end(stream)
    if end is None:
        return _resync(stream, version.end(), offset, None, "invalid WARC headers: they do not end")
    headers = dict(reversed(parse_headers(bytes(stream.data[version.end() : end]).split(b"\n"))))
    name, given = headers.get("warc-record-id"), headers.get("content-length", "")
    if not (given.isascii() and given.isdigit() and len(given) < 19):
        return _resync(stream, end, offset, name, f"invalid WARC headers: Content-Length {given[:40]!r}")
    length = int(given)
    held = min(length, MOST_BLOCK_BYTES)
    complete = stream.has(end + held)
    for inside in stream.members_within(end, end + held):
        stream.has(inside + _LONGEST_VERSION_LINE)
        if _RECORD.match(stream.data, inside) is not None:
            return _resync(stream, inside, offset, name, f"wrong Content-Length: {length}, but a record begins {inside - end} bytes on")
    if not complete:
        return _resync(stream, end, offset, name, f"record cut short: Content-Length {length}, but {len(stream.data) - end} bytes are left")
    if length <= held and not _framed(stream, end + length):
        return _resync(stream, end, offset, name, f"wrong Content-Length: {length}, but no record ends there")
    block = bytes(stream.data[end : end + held])
    if not _drop_through(stream, end + length):
        stream.drop(len(stream.data))
        return Gap(offset, name, f"record cut short: Content-Length {length}", block[:EXCERPT_BYTES])
    return Frame(offset, headers, block, length)


def _headers_end(stream: _Stream) -> int | None:
    """Where the block begins."""
    available = 1024
    while True:
        more = stream.has(available)
        end = _HEADERS_END.search(stream.data, 0, MOST_HEADER_BYTES)
        if end is not None:
            return end.end()
        if not more or available >= MOST_HEADER_BYTES:
            return None
        available *= 2


def _framed(stream: _Stream, end: int) -> bool:
    """True when a record may end at `end`: an empty line, the end of the file, or (line feeds and) another record follow."""
    stream.has(end + _AFTER_RECORD)
    after = bytes(stream.data[end : end + _AFTER_RECORD])
    feeds = len(after) - len(after.lstrip(b"\r\n"))
    if feeds == len(after) < _AFTER_RECORD:
        # What damage cuts off may be the end of this very record; a wrong checksum speaks against all of its member.
        return not stream.damage_reaches(end)
    return after[:feeds].count(b"\n") >= 2 or _RECORD.match(after, feeds) is not None


def _drop_through(stream: _Stream, count: int) -> bool:
    """Go on by any number of bytes; False when there are fewer before the end or damage."""
    while count:
        portion = min(count, max(len(stream.data), 1))
        if not stream.has(portion):
            return False
        stream.drop(portion)
        count -= portion
    return True


def _resync(stream: _Stream, begin: int, offset: int, name: str | None, error: str) -> Gap:
    """A gap from the current position to the next record at `begin` or after, or to the end, or to damage."""
    stream.has(EXCERPT_BYTES)
    excerpt = bytes(stream.data[:EXCERPT_BYTES])
    passed = 0
    while True:
        stream.has(begin + _LONGEST_VERSION_LINE)
        found = _record_from(stream, begin)
        if found is not None:
            stream.drop(found)
            passed += found
            return Gap(offset, name, f"{error} ({passed} bytes)", excerpt[:passed])
        seen = len(stream.data)
        if not stream.has(seen + 1):
            break
        # A version line may lie across the end of what was seen; the line feed before it counts as well.
        begin = max(begin, seen - _LONGEST_VERSION_LINE)
        if begin > 1 << 20:
            stream.drop(begin - 1)
            passed, begin = passed + begin - 1, 1
    passed += len(stream.data)
    if stream.damage is not None:
        error = f"{stream.damage}; {error}"
        stream.pass_damage()
    stream.drop(len(stream.data))
    return Gap(offset, name, f"{error} ({passed} bytes)", excerpt)


def _record_from(stream: _Stream, begin: int) -> int | None:
    """Where the next record begins: on a new line, or with a member."""
    line = _RECORD_ON_NEW_LINE.search(stream.data, begin)
    found = [] if line is None else [line.start()]
    found += [at for at in stream.members_within(begin, len(stream.data)) if at > 0 and _RECORD.match(stream.data, at) is not None]
    return min(found, default=None)
