"""Large XML files read as a stream, past places that are not XML.

In: a path and a handler. Out: nothing but calls of the handler, in the order of the file. A place that is not XML costs
the record it lies in: reading goes on at the next tag that begins a record. Document types, and with them entities, are
refused. Memory is bounded: a tag that does not end within `MOST_UNPARSED` bytes is damage, and so are elements nested
deeper than `MOST_DEPTH`.

The parser looks at an unfinished tag (comment, instruction) from its beginning whenever more comes (expat 2.5; later
versions wait by themselves). So it gets more only when as much has arrived as it holds.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from xml.parsers import expat

from manifests.step import Problem
from pipeline.readers.records import EXCERPT_BYTES
from storage.compressed import Damaged, chunks

# expat keeps every open element in memory; the dumps read here nest 5.
MOST_DEPTH = 32
# The parser holds an unfinished tag in memory, and is fed at most 1 MiB at once by Python: none is so long.
MOST_UNPARSED = 16 << 20
# The errors that are reported at the first byte of a tag because of what comes before it.
_NOTHING_BEGINS_HERE = tuple(
    expat.errors.codes[name]
    for name in (expat.errors.XML_ERROR_INVALID_TOKEN, expat.errors.XML_ERROR_JUNK_AFTER_DOC_ELEMENT)
)


class Refused(Exception):
    """The file has a document type."""


@dataclass
class Handler:
    """Called for each tag; a format's subclass defines what to do with them.

    Attributes:
        origin: offset in the decompressed stream of the parser's first byte.
        path: names of the open elements.
    """

    origin: int = 0
    parser: Any = None
    path: list[str] = field(default_factory=list)

    def opened(self, tag: str, attributes: dict[str, str]) -> None:
        """An element begins; `path` holds it already."""

    def closed(self, tag: str) -> None:
        """An element ends; `path` holds it still."""

    def characters(self, data: str) -> None:
        """Some text between tags."""

    def restarted(self) -> None:
        """The parser begins anew, after damage: what was open is lost."""

    def lost(self, offset: int, problem: Problem, excerpt: bytes) -> None:
        """Damage at a byte of the stream; what lies there is to be quarantined."""
        raise NotImplementedError

    def offset(self) -> int:
        """Where in the stream the current tag begins."""
        return int(self.origin + self.parser.CurrentByteIndex)

    def begin(self, origin: int) -> None:
        """A new parser whose first byte is at `origin` of the stream."""
        self.origin, self.path = origin, []
        self.restarted()
        self.parser = expat.ParserCreate()
        self.parser.buffer_text = True
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self.characters
        self.parser.StartDoctypeDeclHandler = _refuse

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        self.path.append(tag)
        if len(self.path) > MOST_DEPTH:
            raise _damage("elements nested too deeply")
        self.opened(tag, attributes)

    def _end(self, tag: str) -> None:
        self.closed(tag)
        self.path.pop()


def _damage(message: str) -> expat.ExpatError:
    error = expat.ExpatError(message)
    error.code = 0
    return error


def _refuse(*declaration: object) -> None:
    raise Refused


def parse(path: str, handler: Handler, *, root: str, record: bytes, holds: str) -> Iterator[None]:
    """Call the handler for the whole file; yields after each chunk, so that what has gathered can be taken.

    Args:
        root: name of the outermost element.
        record: how the tag of a record begins: where reading goes on after damage.
        holds: what the file holds, for the message about an empty one.

    Raises:
        GristmillError: the file is missing.
    """
    feed = _Feed(handler, f"<{root}>".encode(), record)
    handler.begin(0)
    try:
        for data in _gathered(path, feed):
            feed.take(data)
            yield
        if feed.position == 0:
            handler.lost(0, Problem("empty file", f"it holds no {holds}"), b"")
        elif not feed.searching:
            handler.parser.Parse(b"", True)
    except Damaged as damage:
        handler.lost(damage.offset, damage.problem, b"")
    except expat.ExpatError as error:
        handler.lost(feed.position, Problem("damaged XML", f"the file ends early ({_message(error)})"), b"")
    except Refused:
        handler.lost(0, Problem("refused", "the file declares a document type, which dumps do not have"), b"")


@dataclass
class _Feed:
    """What the parser gets.

    Attributes:
        position: bytes of the stream so far.
        searching: after damage, until a record begins.
        tail: the last bytes while searching: a record's tag may begin in them.
        wanted: how many bytes are to come before the parser looks at what it holds again.
    """

    handler: Handler
    opening: bytes
    record: bytes
    position: int = 0
    searching: bool = False
    tail: bytes = b""
    wanted: int = 0

    def take(self, data: bytes) -> None:
        """Parse some bytes more."""
        self.position += len(data)
        data, self.tail = self.tail + data, b""
        at = 0
        while at < len(data):
            if self.searching:
                found = data.find(self.record, at)
                if found < 0:
                    self.tail = data[max(at, len(data) - len(self.record) + 1) :]
                    break
                at, self.searching = found, False
                self.handler.begin(self._place(data, at) - len(self.opening))
                self.handler.parser.Parse(self.opening, False)
            try:
                self.handler.parser.Parse(memoryview(data)[at:], False)
                held = self.position - self.handler.offset()
                if held > MOST_UNPARSED:
                    raise _damage("a tag does not end")
                self.wanted = min(held, MOST_UNPARSED - held + 1)
                return
            except expat.ExpatError as error:
                at = self._behind(data, at, error)
        self.wanted = 0

    def _behind(self, data: bytes, at: int, error: expat.ExpatError) -> int:
        """Report damage in what was parsed from `at` on; returns where the search for the next record begins."""
        begin = self._place(data, at)
        place = max(begin, self.handler.offset())
        index = at + place - begin
        self.handler.lost(place, Problem("damaged XML", _message(error)), data[index : index + EXCERPT_BYTES])
        self.searching = True
        # What ends a broken record may be the beginning of the next one, which is whole.
        within = place > self.handler.origin + len(self.opening)
        whole = (
            error.code in _NOTHING_BEGINS_HERE
            and within
            and self.record.startswith(data[index : index + len(self.record)])
        )
        return index if whole else index + 1

    def _place(self, data: bytes, at: int) -> int:
        return self.position - len(data) + at


def _gathered(path: str, feed: _Feed) -> Iterator[bytes]:
    """Decompressed bytes in portions of at least what is wanted, whatever is left at the end.

    Raises:
        Damaged: after the last readable bytes.
    """
    parts: list[bytes] = []
    size = 0
    damaged: Damaged | None = None
    try:
        for chunk in chunks(path):
            parts.append(chunk)
            size += len(chunk)
            if size >= feed.wanted:
                data, parts, size = b"".join(parts), [], 0
                yield data
    except Damaged as damage:
        damaged = damage
    if parts:
        yield b"".join(parts)
    if damaged is not None:
        raise damaged


def _message(error: expat.ExpatError) -> str:
    """Without line and column, which are relative to where the parser began."""
    return str(error).split(": line", 1)[0]
