"""JSON Lines. A record is a line that is not blank; its offset is that of the line's first byte in the decompressed stream.

A line belongs to the piece that its first byte lies in; compressed files belong to their first piece. What damage to the compressed
stream leaves of a last line belongs to the one broken entry for the damage.

JSON is that of RFC 8259, and what Python's `json` writes beside it: NaN, Infinity, and half of a surrogate pair, which becomes U+FFFD.
A field's name is a key of the object; where there is none, what stands before a dot names an object within it (`meta.url`).
"""

from __future__ import annotations

import codecs
import json
from collections.abc import Iterable, Iterator
from typing import Any

import orjson

from manifests.corpus import Source
from pipeline.readers.compressed import Damaged, RawFile, opened, portions
from pipeline.readers.pieces import Piece
from pipeline.readers.records import EXCERPT_BYTES, Batcher, Record, Records

# Longer lines are quarantined unread: they would have to be held in memory whole.
MOST_LINE_BYTES = 64 << 20
# What Python's parser reads without regard to its limit of recursion; more brackets may be nested deeper.
_MOST_BRACKETS = 500


class _Missing:
    """There is no such field; null is something else."""


_MISSING = _Missing()


def read_jsonl(path: str, *, source: Source, piece: Piece | None = None) -> Iterator[Records]:
    """Batches of one file or of a piece of it, in its order.

    Raises:
        GristmillError: the file is missing.
    """
    batcher = Batcher()
    with opened(path) as raw:
        first = piece is None or not piece.start
        # What is compressed cannot be entered in its middle, whatever its name says.
        begin = 0 if first or piece is None else None if raw.kind else _line_start(raw, piece.start, piece.stop)
        if begin is not None:
            stop = None if piece is None or raw.kind else piece.stop
            yield from _read(batcher, raw, source, begin=begin, stop=stop)
    yield batcher.take()


def _line_start(raw: RawFile, position: int, stop: int) -> int | None:
    """Where the first line begins in [position, stop) of a plain file."""
    for event in portions(raw, start=position - 1):
        if isinstance(event, Damaged) or position > stop:
            return None
        found = event.data.find(b"\n")
        if found >= 0:
            return position + found if position + found < stop else None
        position += len(event.data)
    return None


def _read(batcher: Batcher, raw: RawFile, source: Source, *, begin: int, stop: int | None) -> Iterator[Records]:
    """The lines that begin in [begin, stop)."""
    empty = begin == 0
    try:
        for offset, line, size in lines(_chunks(raw, begin), most=MOST_LINE_BYTES, start=begin):
            if stop is not None and offset >= stop:
                break
            empty = False
            if size > MOST_LINE_BYTES:
                batcher.quarantine(offset, None, f"line too long: {size} bytes, at most {MOST_LINE_BYTES} are read", line)
            elif line.strip():
                if offset == 0:
                    line = line.removeprefix(codecs.BOM_UTF8)
                _record(batcher, offset, line, source)
            yield from batcher.full()
    except Damaged as damage:
        empty = False
        batcher.quarantine(damage.offset, None, str(damage), b"")
    if empty:
        batcher.quarantine(0, None, "empty file: it holds no line", b"")


def _chunks(raw: RawFile, begin: int) -> Iterator[bytes]:
    for event in portions(raw, start=begin):
        if isinstance(event, Damaged):
            raise event
        yield event.data


def _record(batcher: Batcher, offset: int, line: bytes, source: Source) -> None:
    try:
        value = _loads(line)
    except ValueError as error:
        batcher.quarantine(offset, None, _problem(line, error), line)
        return
    if not isinstance(value, dict):
        batcher.quarantine(offset, None, f"not an object: {type(value).__name__}", line)
        return
    text, name, url = _field(value, source.text_field), _field(value, source.id_field), _field(value, source.url_field)
    if not isinstance(text, str):
        what = "is missing" if text is _MISSING else f"is {type(text).__name__}, not text"
        problem = f"no text: field `{source.text_field}` {what}; fields: {', '.join(sorted(value)[:12])}"
        batcher.quarantine(offset, _text(name), problem, line)
        return
    # What is no text is no URL.
    batcher.add(Record(offset, _text(name), url if isinstance(url, str) else None, text))


def _loads(line: bytes) -> Any:
    """The value of a line.

    Raises:
        ValueError: it is no JSON.
    """
    try:
        return orjson.loads(line)
    except orjson.JSONDecodeError:
        if line.count(b"[") + line.count(b"{") > _MOST_BRACKETS:
            raise
        try:
            return json.loads(line.decode())
        except ValueError:
            pass
        raise


def _problem(line: bytes, error: ValueError) -> str:
    """What is wrong with a line that is no JSON."""
    if b"\x00" in line:
        return "invalid UTF-8: it holds NUL bytes, as UTF-16 does; convert the file to UTF-8"
    kind = "invalid UTF-8" if "utf-8" in str(error).lower() or not _is_utf8(line) else "invalid JSON"
    return f"{kind}: {error}"


def _field(value: dict[str, Any], path: str) -> Any:
    """What a field holds, also one of an object within the object; `_MISSING` if there is none."""
    if path in value or "." not in path:
        return value.get(path, _MISSING)
    first, rest = path.split(".", 1)
    inner = value.get(first)
    return _field(inner, rest) if isinstance(inner, dict) else _MISSING


def lines(stream: Iterable[bytes], *, most: int, start: int = 0) -> Iterator[tuple[int, bytes, int]]:
    """(offset, line without its line feed, size) of every line. Of a line of more than `most` bytes only the first come.

    `start` is the offset of the stream's first byte.

    Memory stays below about `most` bytes plus one chunk, whatever the line's length.
    """
    pieces: list[bytes] = []
    size, position = 0, start
    damage: Damaged | None = None
    iterator = iter(stream)
    while True:
        try:
            chunk = next(iterator, None)
        except Damaged as error:
            damage, chunk = error, None
        if chunk is None:
            break
        parts = chunk.split(b"\n")
        for index, part in enumerate(parts):
            if size <= most:
                pieces.append(part)
            size += len(part)
            if size > most:
                pieces = [b"".join(pieces)[:EXCERPT_BYTES]]
            position += len(part)
            if index < len(parts) - 1:
                yield start, b"".join(pieces), size
                pieces, size = [], 0
                position += 1
                start = position
    # What a damaged stream left of its last line is part of the damage, not a record.
    if damage is not None:
        raise damage
    if size:
        yield start, b"".join(pieces), size


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode()
    except UnicodeDecodeError:
        return False
    return True


def _text(value: Any) -> str | None:
    """A name as text; what is no text as JSON."""
    if value is None or value is _MISSING:
        return None
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
