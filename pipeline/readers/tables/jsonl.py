"""JSON Lines. A record is a line that is not blank; its offset is that of the line's first byte in the decompressed
stream.

A line belongs to the piece that its first byte lies in; compressed files belong to their first piece. What damage to
the compressed stream leaves of a last line belongs to the one broken entry for the damage.

A file that is one JSON value over many lines, or not UTF-8, holds no document: one broken entry says so and what to do
(`json_shape`). Where none of the first lines is JSON, the entry of the first one says that.

JSON is that of RFC 8259, and what Python's `json` writes beside it: NaN, Infinity, and half of a surrogate pair, which
becomes U+FFFD. A record separator before a line (RFC 7464) is not part of it. A field's name is a key of the object;
where there is no such key, the part before a dot names an object within it (`meta.url`).
"""

from __future__ import annotations

import codecs
import contextlib
import json
import re
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import numpy as np
import orjson

from manifests.corpus import Source
from manifests.step import Problem
from pipeline.readers.pieces import Piece
from pipeline.readers.records import EXCERPT_BYTES, MOST_NAME_BYTES, Batcher, Record, Records, unforeseen
from pipeline.readers.tables.json_shape import HEAD_BYTES, lines_are_none, other_than_json_lines, several_values
from storage.compressed import Damaged, opened, portions
from storage.raw_file import RawFile

# Longer lines are quarantined unread: they would have to be held in memory whole.
MOST_LINE_BYTES = 64 << 20
# What Python's parser reads, and writes, without regard to its limit of recursion.
_MOST_DEPTH = 500
_MOST_ID_DEPTH = 200
_DEPTH_BYTES = 1 << 20
# Python refuses to read longer integers, whose cost grows with the square of their length.
_MOST_DIGITS = 4_300
_STRING = re.compile(rb'"(?:[^"\\]++|\\.)*+(?:"|\\?\Z)', re.DOTALL)
_RECORD_SEPARATOR = b"\x1e"


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
        head, complete = _head(raw)
        other = other_than_json_lines(head, complete=complete, ahead=lambda: _readable(raw))
        if other is not None:
            if first:
                batcher.quarantine(0, None, other, head)
            yield batcher.take()
            return
        # What is compressed cannot be entered in its middle, whatever its name says.
        begin = 0 if first or piece is None else None if raw.kind else _line_start(raw, piece.start, piece.stop)
        if begin is not None:
            stop = None if piece is None or raw.kind else piece.stop
            yield from _read(batcher, raw, source, begin=begin, stop=stop, none=lines_are_none(head))
    yield batcher.take()


def _head(raw: RawFile) -> tuple[bytes, bool]:
    """The first decompressed bytes of a file, and whether they are all."""
    parts: list[bytes] = []
    size = 0
    for event in portions(raw):
        if isinstance(event, Damaged):
            return b"".join(parts), False
        parts.append(event.data)
        size += len(event.data)
        if size >= HEAD_BYTES:
            return b"".join(parts)[:HEAD_BYTES], False
    return b"".join(parts), True


def _readable(raw: RawFile) -> Iterator[bytes]:
    """Portions of a file, up to damage."""
    with contextlib.suppress(Damaged):
        yield from _chunks(raw, 0)


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


def _read(
    batcher: Batcher, raw: RawFile, source: Source, *, begin: int, stop: int | None, none: tuple[int, Problem] | None
) -> Iterator[Records]:
    """The lines that begin in [begin, stop).

    Args:
        none: the offset of a line, and what its entry says.
    """
    empty = begin == 0
    try:
        for offset, line, size in lines(_chunks(raw, begin), most=MOST_LINE_BYTES, start=begin):
            if stop is not None and offset >= stop:
                break
            empty = False
            if size > MOST_LINE_BYTES:
                batcher.quarantine(
                    offset, None, Problem("line too long", f"{size} bytes, at most {MOST_LINE_BYTES} are read"), line
                )
            elif line.strip():
                if offset == 0:
                    line = line.removeprefix(codecs.BOM_UTF8)
                problem = _record(batcher, offset, line, source)
                if problem is not None:
                    told = problem.problem if none is None or none[0] != offset else none[1]
                    batcher.quarantine(offset, problem.name, told, line)
            yield from batcher.full()
    except Damaged as damage:
        empty = False
        batcher.quarantine(damage.offset, None, damage.problem, b"")
    if empty:
        batcher.quarantine(0, None, Problem("empty file", "it holds no line"), b"")


def _chunks(raw: RawFile, begin: int) -> Iterator[bytes]:
    for event in portions(raw, start=begin):
        if isinstance(event, Damaged):
            raise event
        yield event.data


class _Unusable(NamedTuple):
    """A line without a document, and its id where that could be read."""

    name: str | None
    problem: Problem


def _record(batcher: Batcher, offset: int, line: bytes, source: Source) -> _Unusable | None:
    """Add one line's document, or say what is wrong with it."""
    try:
        value = _loads(line)
        if not isinstance(value, dict):
            return _Unusable(None, Problem("not an object", type(value).__name__))
        text, url = _field(value, source.text_field), _field(value, source.url_field)
        name = _text(_field(value, source.id_field))
        if name is not None and len(name) > MOST_NAME_BYTES:
            return _Unusable(
                None, Problem("id too large", f"{len(name)} characters, at most {MOST_NAME_BYTES} are read")
            )
        if not isinstance(text, str):
            what = "is missing" if text is _MISSING else f"is {type(text).__name__}, not text"
            fields = ", ".join(key[:80] for key in sorted(value)[:12])
            return _Unusable(name, Problem("no text", f"field `{source.text_field}` {what}; fields: {fields}"))
        # Only text can be a URL.
        batcher.add(Record(offset, name, url if isinstance(url, str) and len(url) <= MOST_NAME_BYTES else None, text))
        return None
    except _TooDeep:
        return _Unusable(None, Problem("id nested too deeply", f"more than {_MOST_ID_DEPTH} levels"))
    except ValueError as error:
        return _Unusable(None, _problem(line, error))
    except Exception as error:
        return _Unusable(None, unforeseen(error))


def _loads(line: bytes) -> Any:
    """The value of a line.

    Raises:
        ValueError: it is not JSON.
    """
    try:
        return orjson.loads(line)
    except orjson.JSONDecodeError:
        line = line.removeprefix(_RECORD_SEPARATOR)
        if _depth(line) > _MOST_DEPTH:
            raise
        try:
            return json.loads(line.decode(), parse_int=_integer)
        except ValueError:
            pass
        raise


def _depth(line: bytes) -> int:
    """How deep brackets are nested, not counting those in strings."""
    if line.count(b"[") + line.count(b"{") <= _MOST_DEPTH:
        return 0
    data = np.frombuffer(_STRING.sub(b"", line), np.uint8)
    deepest = depth = 0
    for part in np.split(data, range(_DEPTH_BYTES, len(data), _DEPTH_BYTES)):
        opened = (part == ord("[")) | (part == ord("{"))
        closed = (part == ord("]")) | (part == ord("}"))
        depths = depth + np.cumsum(opened.astype(np.int64) - closed)
        deepest, depth = max(deepest, int(depths.max(initial=0))), int(depths[-1]) if len(depths) else depth
    return deepest


def _integer(digits: str) -> int | float:
    return int(digits) if len(digits) <= _MOST_DIGITS else float(digits)


def _problem(line: bytes, error: ValueError) -> Problem:
    """What is wrong with a line that is not JSON."""
    if b"\x00" in line:
        return Problem("invalid UTF-8", "it holds NUL bytes, as UTF-16 does; convert the file to UTF-8")
    kind = "invalid UTF-8" if "utf-8" in str(error).lower() or not _is_utf8(line) else "invalid JSON"
    if kind == "invalid JSON" and several_values(line):
        return Problem(kind, "several values on one line; write each on its own, as `jq -c . OLD > NEW` does")
    return Problem(kind, str(error))


def _field(value: dict[str, Any], path: str) -> Any:
    """What a field holds, also one of an object within the object; `_MISSING` if there is none."""
    if path in value or "." not in path:
        return value.get(path, _MISSING)
    first, rest = path.split(".", 1)
    inner = value.get(first)
    return _field(inner, rest) if isinstance(inner, dict) else _MISSING


def lines(stream: Iterable[bytes], *, most: int, start: int = 0) -> Iterator[tuple[int, bytes, int]]:
    """(offset, line without its line feed, size) of every line. A line of more than `most` bytes is cut: only its first
    bytes are given.

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


class _TooDeep(Exception):
    """A value that is nested more deeply than is written."""


def _text(value: Any) -> str | None:
    """A name as text; what is not text, as JSON.

    Raises:
        _TooDeep: the value is nested too deeply to be written.
    """
    if value is None or value is _MISSING:
        return None
    if isinstance(value, str):
        return value
    if _nested(value):
        raise _TooDeep
    return json.dumps(value, ensure_ascii=False)


def _nested(value: Any) -> bool:
    """Whether a value is nested deeper than what is written as an id."""
    level = [value]
    for _ in range(_MOST_ID_DEPTH):
        level = [
            child
            for item in level
            if isinstance(item, dict | list)
            for child in (item.values() if isinstance(item, dict) else item)
        ]
        if not level:
            return False
    return True
