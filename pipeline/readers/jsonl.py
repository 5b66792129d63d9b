"""JSON Lines. A record is a line that is not blank; its offset is that of the line's first byte in the decompressed stream.

What damage to the compressed stream leaves of a last line belongs to the one broken entry for the damage.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterable, Iterator
from typing import Any

import orjson

from manifests.corpus import Source
from pipeline.readers.compressed import Damaged, chunks
from pipeline.readers.records import EXCERPT_BYTES, Batcher, Record, Records

# Longer lines are quarantined unread: they would have to be held in memory whole.
MOST_LINE_BYTES = 64 << 20


def read_jsonl(path: str, *, source: Source) -> Iterator[Records]:
    """Batches of one file, in its order.

    Raises:
        GristmillError: the file is missing.
    """
    batcher = Batcher()
    empty = True
    try:
        for offset, line, size in lines(chunks(path), most=MOST_LINE_BYTES):
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
    yield batcher.take()


def _record(batcher: Batcher, offset: int, line: bytes, source: Source) -> None:
    try:
        value = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        kind = "invalid UTF-8" if "utf-8" in str(error).lower() or not _is_utf8(line) else "invalid JSON"
        batcher.quarantine(offset, None, f"{kind}: {error}", line)
        return
    if not isinstance(value, dict):
        batcher.quarantine(offset, None, f"not an object: {type(value).__name__}", line)
        return
    text = value.get(source.text_field)
    if not isinstance(text, str):
        what = f"is {type(text).__name__}, not text" if source.text_field in value else "is missing"
        problem = f"no text: field `{source.text_field}` {what}; fields: {', '.join(sorted(value)[:12])}"
        batcher.quarantine(offset, _text(value.get(source.id_field)), problem, line)
        return
    batcher.add(Record(offset, _text(value.get(source.id_field)), _text(value.get(source.url_field)), text))


def lines(stream: Iterable[bytes], *, most: int) -> Iterator[tuple[int, bytes, int]]:
    """(offset, line without its line feed, size) of every line. Of a line of more than `most` bytes only the first come.

    Memory stays below about `most` bytes plus one chunk, whatever the line's length.
    """
    pieces: list[bytes] = []
    size = start = position = 0
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
    return None if value is None else value if isinstance(value, str) else str(value)
