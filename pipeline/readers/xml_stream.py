"""Large XML files read as a stream, past places that are no XML.

In: a path and a handler. Out: nothing but calls of the handler, in the order of the file. A place that is no XML costs the record it lies
in: reading goes on at the next tag that begins a record. Document types, and with them entities, are refused. Memory is bounded: a tag
that does not end within `MOST_UNPARSED` bytes is damage, and so are elements nested deeper than `MOST_DEPTH`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from xml.parsers import expat

from pipeline.readers.compressed import Damaged, chunks

# expat keeps every open element in memory; the dumps read here nest 5.
MOST_DEPTH = 32
# The parser holds an unfinished tag in memory: none is so long.
MOST_UNPARSED = 64 << 20
# The errors that stand at the first byte of a tag because of what comes before it.
_NOTHING_BEGINS_HERE = tuple(
    expat.errors.codes[name] for name in (expat.errors.XML_ERROR_INVALID_TOKEN, expat.errors.XML_ERROR_JUNK_AFTER_DOC_ELEMENT)
)


class Refused(Exception):
    """The file has a document type."""


@dataclass
class Handler:
    """Called for each tag; what a format does with them is its subclass's to say.

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
        """The parser begins anew, behind damage: what was open is lost."""

    def lost(self, offset: int, error: str, excerpt: bytes) -> None:
        """Damage at a byte of the stream; what lies there is to be quarantined."""
        raise NotImplementedError

    def offset(self) -> int:
        """Where in the stream the current tag begins."""
        return int(self.origin + self.parser.CurrentByteIndex)

    def begin(self, origin: int) -> None:
        """A new parser whose first byte stands at `origin` of the stream."""
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
        record: how the tag of a record begins: where reading goes on behind damage.
        holds: what the file holds, for the message about an empty one.

    Raises:
        GristmillError: the file is missing.
    """
    opening = f"<{root}>".encode()
    handler.begin(0)
    position = 0
    searching = False
    tail = b""
    try:
        for chunk in chunks(path):
            position += len(chunk)
            data, tail = tail + chunk, b""
            while data:
                if searching:
                    found = data.find(record)
                    if found < 0:
                        data, tail = b"", data[-len(record) + 1 :]
                        continue
                    data, searching = data[found:], False
                    handler.begin(position - len(data) - len(opening))
                    handler.parser.Parse(opening, False)
                begin = position - len(data)
                try:
                    handler.parser.Parse(data, False)
                    if position - handler.offset() > MOST_UNPARSED:
                        raise _damage("a tag does not end")
                    data = b""
                except expat.ExpatError as error:
                    at = max(begin, handler.offset())
                    handler.lost(at, f"damaged XML: {_message(error)}", data[at - begin :])
                    # What ends a broken record may be the beginning of the next one, which is whole.
                    rest = data[at - begin :]
                    whole = (
                        error.code in _NOTHING_BEGINS_HERE and at > handler.origin + len(opening) and record.startswith(rest[: len(record)])
                    )
                    data, searching = rest if whole else rest[1:], True
            yield
        if position == 0:
            handler.lost(0, f"empty file: it holds no {holds}", b"")
        elif not searching:
            handler.parser.Parse(b"", True)
    except Damaged as damage:
        handler.lost(damage.offset, str(damage), b"")
    except expat.ExpatError as error:
        handler.lost(position, f"damaged XML: the file ends early ({_message(error)})", b"")
    except Refused:
        handler.lost(0, "refused: the file declares a document type, which dumps do not have", b"")


def _message(error: expat.ExpatError) -> str:
    """Without line and column, which are relative to where the parser began."""
    return str(error).split(": line", 1)[0]
