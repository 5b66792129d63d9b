"""Raw files as streams of decompressed bytes.

In: a path; plain, gzip, zstd, bzip2, xz or lz4 by its first bytes, of one or many members. Out: portions of bytes in
the order of the file, each saying where a member begins. Damage is distinguished from the end: everything readable
before it is delivered first (less what the last `_FEED` compressed bytes before the damage would have given). Reading
may begin at a member in the middle of a file.

A zstd file may begin with a dictionary for all its frames, in a skippable frame (IIPC, "Zstandard compression for WARC
files 1.0", section 3); skippable frames elsewhere are passed over (RFC 8878, section 3.1.2; the LZ4 frame format has
them too).

Memory is bounded: compressed bytes are fed in such small portions that even a bomb gives some tens of MB at a time.
Beside that, a zstd frame takes as much as its window, up to 2 GiB, or its content where that is less (`frame_headers`);
a member that asks for more, or for a dictionary that is not there, is damage that says so.

Cost is linear in the file: after damage, the search for the next member starts at the damaged one's beginning only
while at most `_MOST_AGAIN` bytes are read again, and no more than have been read before.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from isal import isal_zlib

from manifests.errors import GristmillError
from manifests.step import Problem
from storage.files import open_stream
from storage.frame_headers import HEADER_BYTES, unusual, zstd_window
from storage.raw_file import DICTIONARY_FRAME, MEMBER_HEAD, SKIPPABLE, RawFile, find_member, identified

_RAW_CHUNK = 1 << 16
_NOT_ZERO = re.compile(rb"[^\0]")
# The largest portion of compressed bytes for a decompressor: a portion may grow 1,000 times in gzip, 20,000 times in
# bzip2, 32,000 in zstd, 255 times in lz4.
_FEED = {"gzip": 1 << 14, "zstd": 1 << 10, "bzip2": 1 << 11, "xz": 1 << 12, "lz4": 1 << 16}
# Gzip members up to these sizes, compressed and not, are decompressed whole before any of it is delivered; records of
# archives seldom are larger.
_MOST_WHOLE = 1 << 20
_MOST_WHOLE_CONTENT = 16 << 20
# Members within members, each damaged at its end, could cause a file to be read as often as there are members.
_MOST_AGAIN = 256 << 20
# RFC 1952, section 2.3.1: the header's checksum, and bits that must be zero.
_UNUSUAL_FLAGS = 0xE2


class Damaged(Exception):
    """The compressed stream ends early or is corrupt.

    Attributes:
        problem: what is wrong with it.
        offset: decompressed bytes delivered before.
        member: offset in the raw file of the member that is damaged.
    """

    def __init__(self, problem: Problem, offset: int, member: int) -> None:
        super().__init__(str(problem))
        self.problem = problem
        self.offset = offset
        self.member = member


@dataclass(frozen=True)
class Portion:
    """Some decompressed bytes.

    Attributes:
        member: offset in the raw file of the member that begins with this portion; None when the portion goes on with
            one.
    """

    data: bytes
    member: int | None


def chunks(path: str) -> Iterator[bytes]:
    """Decompressed bytes of a file; nothing for an empty file.

    Raises:
        GristmillError: the file is missing.
        Damaged: after the last readable chunk.
    """
    with opened(path) as raw:
        for event in portions(raw):
            if isinstance(event, Damaged):
                raise event
            yield event.data


@contextmanager
def opened(path: str) -> Iterator[RawFile]:
    """Open a file and look at its first bytes.

    Raises:
        GristmillError: the file is missing.
    """
    try:
        file = open_stream(path)
    except FileNotFoundError:
        remedy = "it was there when the run began: do not change inputs during a run"
        raise GristmillError("no such file", where=path, remedy=remedy) from None
    with file:
        yield identified(file)


def window_bytes(path: str) -> int:
    """Bytes that decompressing the first frame of a zstd file takes; 0 for other files.

    Raises:
        GristmillError: the file is missing.
    """
    with opened(path) as raw:
        raw.file.seek(0)
        return zstd_window(bytes(raw.file.read(HEADER_BYTES)))


def beginning(raw: RawFile) -> bytes:
    """The first decompressed bytes of a file, at least some hundreds if the file has that many."""
    raw.file.seek(0)
    if raw.kind is None:
        return bytes(raw.file.read(MEMBER_HEAD))
    return next((event.data for event in portions(raw) if isinstance(event, Portion)), b"")


def portions(
    raw: RawFile, *, resume: re.Pattern[bytes] | None = None, start: int = 0, stop: int | None = None
) -> Iterator[Portion | Damaged]:
    """Decompressed bytes with the places where members begin; damage comes as an event.

    Args:
        resume: after damage, go on with the next member whose content begins like this; None: stop there.
        start: where to begin: in a plain file with this byte, in others with the first member from there on whose
            content matches `resume`.
        stop: a first member that begins here or later is not wanted; reading itself goes on to the end of the file.
    """
    file = raw.file
    if raw.kind is None:
        position = start
        while True:
            file.seek(position)  # the reader of the file may have moved its position
            data = bytes(file.read(_RAW_CHUNK))
            if not data:
                return
            yield Portion(data, 0 if position == 0 else None)
            position += len(data)
    else:
        begin: int | None = 0
        if start and resume is not None:
            begin = find_member(raw, start, resume, stop)
        if begin is not None:
            yield from _members(raw, begin, resume)


@dataclass
class _Unread:
    """Compressed bytes that were read and not used; `end` is where in the file they end."""

    file: Any
    chunk: bytes
    end: int

    def more(self) -> bool:
        """Read on; False at the end of the file."""
        data = bytes(self.file.read(_RAW_CHUNK))
        self.chunk += data
        self.end += len(data)
        return bool(data)

    def at(self) -> int:
        return self.end - len(self.chunk)

    def seek(self, position: int) -> None:
        self.file.seek(position)
        self.chunk, self.end = b"", position


def _members(raw: RawFile, begin: int, resume: re.Pattern[bytes] | None) -> Iterator[Portion | Damaged]:
    """Member after member from the one at `begin` on."""
    kind = str(raw.kind)
    unread = _Unread(raw.file, b"", 0)
    unread.seek(begin)
    delivered, count, again = 0, 0, 0
    while _at_member(unread, kind):
        start, begun = unread.at(), False
        if kind == "gzip" and resume is not None:
            content = _whole(unread)
            if content is not None:
                for plain in filter(None, content):
                    yield Portion(plain, None if begun else start)
                    begun = True
                    delivered += len(plain)
                count += 1
                continue
        while len(unread.chunk) < HEADER_BYTES and unread.more():
            pass
        head = unread.chunk[:HEADER_BYTES]
        current = raw.make()
        problem: str | None = None
        while problem is None and not current.eof:
            plain, unread.chunk, problem = _decompress(
                current, unread.chunk, _FEED[kind], fresh=not begun and count > 0
            )
            if plain:
                yield Portion(plain, None if begun else start)
                begun = True
                delivered += len(plain)
            if problem is None and not current.eof and not unread.more():
                problem = "the file ends in the middle of a member"
        count += 1
        if problem is not None:
            yield Damaged(
                unusual(kind, head, dictionary=raw.dictionary) or Problem(f"damaged {kind}", problem), delivered, start
            )
            behind = start + 1 if again <= _MOST_AGAIN + unread.end else unread.end
            found = None if resume is None else find_member(raw, behind, resume, None)
            if found is None:
                return
            again += max(0, unread.end - found)
            unread.seek(found)


def _whole(unread: _Unread) -> list[bytes] | None:
    """Content of a gzip member by ISA-L, a quarter faster than zlib-ng; None, and nothing used, for what is large,
    unusual or damaged.

    ISA-L may accept what zlib does not, and gives other bytes before damage. So only what agrees with the member's
    checksum and length counts, and everything else is read again by zlib-ng.
    """
    chunk, end = unread.chunk, unread.end
    content = _by_isal(unread) if len(chunk) > 3 and chunk[2] == 8 and not chunk[3] & _UNUSUAL_FLAGS else None
    if content is None:
        # How much is delivered before damage must not depend on which library tried first.
        if unread.end != end:
            unread.file.seek(end)
        unread.chunk, unread.end = chunk, end
    return content


def _by_isal(unread: _Unread) -> list[bytes] | None:
    current = isal_zlib.decompressobj(wbits=31)
    content: list[bytes] = []
    used, room = 0, _MOST_WHOLE_CONTENT
    try:
        while not current.eof and room > 0 and (used < len(unread.chunk) or (used <= _MOST_WHOLE and unread.more())):
            content.append(current.decompress(unread.chunk[used:], room))
            used = len(unread.chunk)
            room -= len(content[-1])
    except Exception:
        return None
    if not current.eof:
        return None
    unread.chunk = current.unused_data
    return content


def _at_member(unread: _Unread, kind: str) -> bool:
    """Go on to the next member: past padding, as tar and tape leave it, and past skippable frames.

    False when there is no further member.
    """
    used = 0  # so that thousands of small frames do not copy what follows them
    while True:
        found = _NOT_ZERO.search(unread.chunk, used)
        used = len(unread.chunk) if found is None else found.start()
        head = unread.chunk[used : used + 8]
        if not head:
            unread.chunk, used = b"", 0
            if not unread.more():
                return False
        elif kind not in ("zstd", "lz4") or not SKIPPABLE.match((head + DICTIONARY_FRAME)[:4]):
            unread.chunk = unread.chunk[used:]
            return True
        elif len(head) < 8:
            unread.chunk, used = head, 0
            if not unread.more():
                return True  # a frame that is cut: the decompressor will say so
        else:
            start = unread.at() + used
            beyond = start + 8 + int.from_bytes(head[4:], "little")
            while unread.end < beyond:
                unread.chunk = b""
                if not unread.more():
                    unread.chunk, unread.end = head, start + 8
                    return True
            used = len(unread.chunk) - (unread.end - beyond)


def _decompress(current: Any, chunk: bytes, feed: int, *, fresh: bool) -> tuple[bytes, bytes, str | None]:
    """(decompressed, bytes left over, what is wrong).

    The messages are ours: those of libraries change between versions.
    """
    out = []
    for at in range(0, len(chunk), feed):
        try:
            out.append(current.decompress(chunk[at : at + feed]))
        except Exception:
            return (
                b"".join(out),
                b"",
                "bytes that are no member follow a member" if fresh and not at else "corrupt data or wrong checksum",
            )
        if current.eof:
            return b"".join(out), (current.unused_data or b"") + chunk[at + feed :], None
    return b"".join(out), b"", None
