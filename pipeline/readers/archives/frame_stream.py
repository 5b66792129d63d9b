"""The decompressed bytes of a web archive as `framing` reads them, and the members of the file that they come from.

In: portions of a file, and its grammar. Out: `Stream`, the bytes from the current position on, with the places where
members begin; each byte is looked at a bounded number of times, however many records search among the same bytes and
members.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from storage.compressed import Damaged, Portion
from storage.raw_file import RawFile

MOST_HEADER_BYTES = 64 << 10
_HEADERS_END = re.compile(rb"\r?\n\r?\n")
_EMPTY_LINE_BYTES = 4
# How many members that were passed are forgotten at once.
_MOST_PASSED = 1_024
# How far to look for what follows a record: more line feeds than this count as its end.
AFTER_RECORD = 256
# Offsets of records inside a member: the member's plus 1, times this, plus the place in its content. All others are
# smaller below 4 GiB.
_INSIDE_MEMBER = 1 << 32


@dataclass(frozen=True)
class Grammar:
    """What a format's records look like.

    Attributes:
        name: in messages.
        first_line: the whole first line of a record.
        after_line_feed: the same where a line begins.
        longest_first_line: bytes.
        header_lines: lines up to an empty one follow the first line.
        empty_line_ends: an empty line after a block shows that the block ends there; else only a record or the end of
            the file does.
        headers: first line and header lines to lower-case names and values, with `content-length`.
    """

    name: str
    first_line: re.Pattern[bytes]
    after_line_feed: re.Pattern[bytes]
    longest_first_line: int
    header_lines: bool
    empty_line_ends: bool
    headers: Callable[[bytes], dict[str, str]]


@dataclass
class Stream:
    """The decompressed bytes from the current position on; `data` begins there."""

    events: Iterator[Portion | Damaged]
    raw: RawFile
    grammar: Grammar
    position: int
    data: bytearray = field(default_factory=bytearray)
    members: list[tuple[int, int]] = field(default_factory=list)  # (position, offset in the raw file), ascending
    passed: int = 0  # how many of `members` lie before the current position
    member: tuple[int, int] = (0, 0)  # (position, offset) of the member that holds the byte before the current position
    record_members: list[int] = field(default_factory=list)  # positions of members that begin with a record
    judged: int = 0  # how many of `members` have been checked for a record
    # Where the search for one began and got to, and where the line found ends.
    empty_line: tuple[int, int, int | None] = (0, 0, None)
    damage: Damaged | None = None
    ended: bool = False

    def has(self, count: int) -> bool:
        """Make `count` bytes available; False when the end or damage comes before."""
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
        """Move on by `count` bytes, which must be available."""
        del self.data[:count]
        self.position += count
        while self.passed < len(self.members) and self.members[self.passed][0] < self.position:
            self.member = self.members[self.passed]
            self.passed += 1
        if self.passed > _MOST_PASSED and 2 * self.passed > len(self.members):
            del self.members[: self.passed]
            del self.record_members[: bisect_left(self.record_members, self.position)]
            self.judged, self.passed = max(0, self.judged - self.passed), 0

    def skip_line_feeds(self) -> None:
        while self.has(1) and self.data[0] in b"\r\n":
            head = self.data[:AFTER_RECORD]
            self.drop(len(head) - len(head.lstrip(b"\r\n")))

    def place(self) -> int | None:
        """Offset of the current position in the raw file; None inside a member."""
        if self.raw.kind is None:
            return self.position
        next_one = self.members[self.passed] if self.passed < len(self.members) else (-1, 0)
        return next_one[1] if next_one[0] == self.position else None

    def offset(self) -> int:
        """Offset of the current position as in `Frame.offset`."""
        place = self.place()
        return place if place is not None else (self.member[1] + 1) * _INSIDE_MEMBER + self.position - self.member[0]

    def record_member(self, begin: int, end: int) -> int | None:
        """Where the first member begins in [begin, end) that begins with a record, counted from the current position.

        Each member is looked at once, however many records search among the same members.
        """
        if self.raw.kind is None:
            return None
        first, stop = self.position + begin, self.position + end
        found = bisect_left(self.record_members, first)
        while (
            found == len(self.record_members)
            and self.judged < len(self.members)
            and self.members[self.judged][0] < stop
        ):
            at = self.members[self.judged][0]
            self.judged += 1
            if at >= self.position:
                self.has(at - self.position + self.grammar.longest_first_line)
                if self.grammar.first_line.match(self.data, at - self.position) is not None:
                    self.record_members.append(at)
                    found += at < first
        if found < len(self.record_members) and self.record_members[found] < stop:
            return self.record_members[found] - self.position
        return None

    def headers_end(self) -> int | None:
        """Where the first empty line ends, if that is within what headers may have.

        No byte is searched twice for it.
        """
        available = max(1024, min(len(self.data), MOST_HEADER_BYTES))
        while True:
            more = self.has(available)
            end = self._empty_line_end()
            if end is not None or not more or available >= MOST_HEADER_BYTES:
                return end if end is not None and end <= MOST_HEADER_BYTES else None
            available *= 2

    def _empty_line_end(self) -> int | None:
        """Where the first empty line ends, from the current position; None when the bytes at hand hold none."""
        began, searched, end = self.empty_line
        if end is not None and self.position <= end - _EMPTY_LINE_BYTES and self.position >= began:
            return end - self.position
        # One may lie across the end of what was searched.
        begin = (
            max(0, searched - _EMPTY_LINE_BYTES + 1 - self.position) if end is None and self.position >= began else 0
        )
        stop = min(len(self.data), MOST_HEADER_BYTES)
        found = _HEADERS_END.search(self.data, begin, stop)
        if found is None:
            self.empty_line = (self.position, max(searched, self.position + stop), None)
            return None
        self.empty_line = (self.position, self.position + found.end(), self.position + found.end())
        return found.end()

    def damage_reaches(self, end: int) -> bool:
        """True when the byte before `end` lies in the damaged member."""
        before = bisect_left(self.members, (self.position + end, -1), lo=self.passed)
        return (
            self.damage is not None
            and self.damage.member == (self.members[before - 1] if before > self.passed else self.member)[1]
        )

    def pass_damage(self) -> None:
        """Drop everything up to the damage."""
        self.drop(len(self.data))
        self.damage = None
