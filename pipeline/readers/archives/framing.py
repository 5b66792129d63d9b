"""Framing of web archives: where records begin and end in a stream of decompressed bytes, and what lies between them.

In: an opened file and its grammar, WARC's or ARC's. Out, in the order of the file: `Frame` for each record whose
framing holds, `Gap` for all bytes that belong to none. Every byte but line feeds between records and padding after gzip
members is in exactly one of them.

Framing holds when a record has a first line, headers, a length, that many bytes, and after them what the grammar wants:
another record, an empty line, or the end. A length that lies shows by what follows it, by the end of the file, or, in
files of one compressed member per record, by a member that begins inside. The record is then a gap and reading goes on
at the next first line.

A piece of a file begins with the first frame that begins in it and ends before the first frame that begins after it; in
compressed files only frames that begin with their member count, and only where the first two records have members of
their own: else the first piece is the file. To find the first frame, reading begins `LOOK_BACK_BYTES` before the piece
at whatever looks like a record: archives that were themselves archived look like records too, but framing is back in
step at the next true record.

Why not an archive library's iterator: fastwarc 2.0 ends silently in a truncated gzip member, raises at the first bad
header without saying where the next record is, and skips nothing; accounting for every byte needs the framing itself. A
test compares with it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from manifests.step import Problem
from pipeline.readers.archives.frame_stream import AFTER_RECORD, Grammar, Stream
from pipeline.readers.pieces import Piece
from pipeline.readers.records import EXCERPT_BYTES
from storage.compressed import portions
from storage.raw_file import RawFile

# Longer blocks are read past, not held. Above the limit for HTML, below what a worker can hold.
MOST_BLOCK_BYTES = 32 << 20
# As long as a record that is held: only around longer records that hold archives could a piece begin out of step.
LOOK_BACK_BYTES = 32 << 20


@dataclass(frozen=True)
class Frame:
    """One record.

    Attributes:
        offset: where the record begins. In the raw file, when it begins there: plain files, and files of one compressed
            member per record (the offset that CDX indexes give). Inside a member: the member's offset plus 1, times
            2**32, plus the place in its content: of files compressed as a whole the lower 32 bits are the place in the
            decompressed stream.
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
    """Bytes that belong to no record.

    Attributes:
        name: WARC-Record-ID, when the headers of a record could be read.
    """

    offset: int
    name: str | None
    problem: Problem
    excerpt: bytes


def frames(raw: RawFile, grammar: Grammar, *, piece: Piece | None = None) -> Iterator[Frame | Gap]:
    """All records and gaps of a file, compressed or not, or of one piece of it. An empty file is a gap."""
    begin = 0
    if piece is not None and raw.kind is not None and not _one_by_one(raw, grammar):
        if piece.start:
            return
        piece = None
    if piece is not None and piece.start:
        begin = max(0, piece.start - LOOK_BACK_BYTES)
        if raw.kind is None and begin:
            found = _first_in_plain(raw, grammar, begin, piece.stop)
            if found is None:
                return
            begin = found
    owned = piece is None or not piece.start
    stop = None if piece is None else piece.stop
    stream = Stream(
        portions(raw, resume=grammar.first_line, start=begin, stop=stop),
        raw,
        grammar,
        position=begin if raw.kind is None else 0,
    )
    empty = owned
    while True:
        stream.skip_line_feeds()
        event: Frame | Gap
        if stream.has(1):
            place = stream.place()
            event = _next(stream)
            if piece is not None and place is not None and isinstance(event, Frame):
                if place >= piece.stop:
                    return
                owned = owned or place >= piece.start
        elif stream.damage is not None:
            event = Gap(stream.damage.member, None, stream.damage.problem, b"")
            stream.pass_damage()
        else:
            break
        empty = False
        if owned:
            yield event
    if empty:
        yield Gap(0, None, Problem("empty file", "it holds no record"), b"")


def _one_by_one(raw: RawFile, grammar: Grammar) -> bool:
    """True when the second record of a compressed file begins with a member, as far as can be read."""
    stream = Stream(portions(raw, resume=grammar.first_line), raw, grammar, position=0)
    for _ in range(2):
        stream.skip_line_feeds()
        if not stream.has(1):
            return True
        place = stream.place()
        _next(stream)
    return place is not None


def _first_in_plain(raw: RawFile, grammar: Grammar, begin: int, stop: int) -> int | None:
    """Where the first line that could begin a record stands in [begin, stop) of a plain file."""
    window, base = b"", begin
    while base < stop:
        raw.file.seek(base + len(window))
        more = bytes(raw.file.read(1 << 20))
        window += more
        found = grammar.after_line_feed.search(window)
        if found is not None:
            return base + found.start()
        if not more:
            return None
        kept = min(len(window), grammar.longest_first_line + 1)
        base, window = base + len(window) - kept, window[len(window) - kept :]
    return None


def _next(stream: Stream) -> Frame | Gap:
    grammar, offset = stream.grammar, stream.offset()
    stream.has(grammar.longest_first_line)
    line = grammar.first_line.match(stream.data)
    if line is None:
        return _resync(stream, 0, offset, None, Problem("bytes outside records", f"no first line of {grammar.name}"))
    end = stream.headers_end() if grammar.header_lines else line.end()
    inside = stream.record_member(1, len(stream.data) if end is None else end)
    if end is None or inside is not None:
        # A member that begins with a record always begins one, whatever the bytes before it wait for.
        return _resync(
            stream, inside or line.end(), offset, None, Problem(f"invalid {grammar.name} headers", "they do not end")
        )
    headers = grammar.headers(bytes(stream.data[:end]))
    name, given = headers.get("warc-record-id"), headers.get("content-length", "")
    if not (given.isascii() and given.isdigit() and len(given) < 19):
        return _resync(
            stream, end, offset, name, Problem(f"invalid {grammar.name} headers", f"Content-Length {given[:40]!r}")
        )
    length = int(given)
    held = min(length, MOST_BLOCK_BYTES)
    complete = stream.has(end + held)
    inside = stream.record_member(end, end + held)
    if inside is not None:
        return _resync(
            stream,
            inside,
            offset,
            name,
            Problem("wrong Content-Length", f"{length}, but a record begins {inside - end} bytes on"),
        )
    if not complete:
        return _resync(
            stream,
            end,
            offset,
            name,
            Problem("record cut short", f"Content-Length {length}, but {len(stream.data) - end} bytes are left"),
        )
    if length > held and stream.raw.kind is None and not _is_in_plain(stream, end + length):
        return _resync(
            stream, end, offset, name, Problem("record cut short", f"Content-Length {length}, but the file ends before")
        )
    # Of a long record the end can be looked at only where looking costs nothing; a member that begins inside shows
    # below.
    framed = (
        _framed(stream, end + length)
        if length <= held
        else stream.raw.kind is not None or _framed_in_plain(stream, end + length)
    )
    if not framed:
        return _resync(
            stream, end, offset, name, Problem("wrong Content-Length", f"{length}, but no record ends there")
        )
    with memoryview(stream.data) as view:
        block = bytes(view[end : end + held])
    if not _drop_through(stream, end + length):
        return Gap(offset, name, Problem("record cut short", f"Content-Length {length}"), block[:EXCERPT_BYTES])
    return Frame(offset, headers, block, length)


def _framed(stream: Stream, end: int) -> bool:
    """True when a record may end at `end`."""
    stream.has(end + AFTER_RECORD + stream.grammar.longest_first_line)
    after = bytes(stream.data[end : end + AFTER_RECORD + stream.grammar.longest_first_line])
    if not after.strip(b"\r\n") and len(after) < AFTER_RECORD:
        # What damage cuts off may be the end of this very record; a wrong checksum speaks against all of its member.
        return not stream.damage_reaches(end)
    return _ends_block(after, stream.grammar) or stream.record_member(end, end + 1) is not None


def _is_in_plain(stream: Stream, end: int) -> bool:
    """True when a plain file has so many bytes, counted from the current position."""
    stream.raw.file.seek(stream.position + end - 1)
    return bool(stream.raw.file.read(1))


def _framed_in_plain(stream: Stream, end: int) -> bool:
    """As `_framed`, far ahead in a plain file."""
    stream.raw.file.seek(stream.position + end)
    after = bytes(stream.raw.file.read(AFTER_RECORD + stream.grammar.longest_first_line))
    return not after.strip(b"\r\n") or _ends_block(after, stream.grammar)


def _ends_block(after: bytes, grammar: Grammar) -> bool:
    """True when what follows a block shows that it ends: an empty line, or (line feeds and) another record."""
    feeds = len(after) - len(after.lstrip(b"\r\n"))
    if grammar.empty_line_ends and after[:feeds].count(b"\n") >= 2:
        return True
    return (feeds > 0 or grammar.empty_line_ends) and grammar.first_line.match(after, feeds) is not None


def _drop_through(stream: Stream, count: int) -> bool:
    """Go on by any number of bytes, of which the first ones are a record's; False when another record or the end or
    damage comes before.
    """
    first = 1
    while count:
        portion = min(count, max(len(stream.data), 1))
        complete = stream.has(portion)
        inside = stream.record_member(first, portion)
        if inside is not None or not complete:
            stream.drop(len(stream.data) if inside is None else inside)
            return False
        stream.drop(portion)
        first = 0
        count -= portion
    return True


def _resync(stream: Stream, begin: int, offset: int, name: str | None, problem: Problem) -> Gap:
    """A gap from the current position to the next record at `begin` or after, or to the end, or to damage."""
    stream.has(EXCERPT_BYTES)
    excerpt = bytes(stream.data[:EXCERPT_BYTES])
    passed = 0
    while True:
        stream.has(begin + stream.grammar.longest_first_line)
        found = _record_from(stream, begin)
        if found is not None:
            stream.drop(found)
            passed += found
            return Gap(offset, name, problem._replace(detail=f"{problem.detail} ({passed} bytes)"), excerpt[:passed])
        seen = len(stream.data)
        if not stream.has(seen + 1):
            break
        # A first line may lie across the end of what was seen; the line feed before it counts as well.
        begin = max(begin, seen - stream.grammar.longest_first_line)
        if begin > 1 << 20:
            stream.drop(begin - 1)
            passed, begin = passed + begin - 1, 1
    passed += len(stream.data)
    if stream.damage is not None:
        damage = stream.damage.problem
        problem = Problem(damage.kind, f"{damage.detail}; {problem}")
        stream.pass_damage()
    stream.drop(len(stream.data))
    return Gap(offset, name, problem._replace(detail=f"{problem.detail} ({passed} bytes)"), excerpt)


def _record_from(stream: Stream, begin: int) -> int | None:
    """Where the next record begins: on a new line, or with a member."""
    inside = stream.record_member(max(begin, 1), len(stream.data))
    # A line that begins before the member may end in it.
    stop = len(stream.data) if inside is None else inside + stream.grammar.longest_first_line
    line = stream.grammar.after_line_feed.search(stream.data, begin, stop)
    found = [] if line is None else [line.start()]
    return min([*found, inside] if inside is not None else found, default=None)
