"""Where things are in Arrow IPC bytes: messages of streams and files, and the footer of files. No content is read.

In: a random-access file of NumPy's or Arrow's kind (`seek`, `read`). Out: places and numbers of rows.

Sources: "Arrow Columnar Format", sections "Encapsulated message format" and "IPC File Format", with File.fbs and
Message.fbs; tables, vectors and their offsets: "FlatBuffers Internals".
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Any

from pipeline.readers.tables.columns import MOST_ROWS

MAGIC = b"ARROW1"
# A file's first message comes after its magic, which is padded.
FILE_HEAD = 8
_CONTINUATION = b"\xff\xff\xff\xff"
_MOST_FOOTER_BYTES = 256 << 20
_MOST_HEAD_BYTES = 256 << 20
# Message.fbs, union MessageHeader.
_SCHEMA, _DICTIONARY, _BATCH = 1, 2, 3
# File.fbs, table Footer: vectors of Block.
_DICTIONARIES, _BATCHES = 2, 3
# Little at first: there may be thousands of small streams.
_FIRST_PORTION, _PORTION = 1 << 10, 1 << 20


@dataclass(frozen=True)
class Batch:
    """A record batch: its number among the batches, the number of its first row, its rows, and where it begins."""

    index: int
    first: int
    rows: int
    place: int


@dataclass(frozen=True)
class Message:
    """What begins at a place of a stream.

    Attributes:
        kind: "schema", "dictionary", "batch"; "mark": the stream's end mark; "end": the file ends here; "cut": the file
            ends within it; "none": no message.
        stop: where it ends.
    """

    kind: str
    stop: int


def message_at(file: Any, place: int, size: int) -> Message:
    """The message that begins at `place` of a file of `size` bytes."""
    if place == size:
        return Message("end", place)
    file.seek(place)
    head = bytes(file.read(8))
    # Before Arrow 0.15 there was no continuation mark: the length comes at once.
    before = 4 if head[:4] == _CONTINUATION else 0
    number = head[before : before + 4]
    if len(number) < 4:
        return Message("cut" if before or not head.strip(b"\xff") else "none", size)
    (length,) = struct.unpack("<i", number)
    begin = place + before + 4
    if length == 0:
        return Message("mark", begin)
    if not 0 < length <= _MOST_HEAD_BYTES:
        return Message("none", place)
    file.seek(begin)
    try:
        kind, body = _kind_and_body(bytes(file.read(length)))
    except (ValueError, struct.error, IndexError):
        return Message("cut" if begin + length > size and before else "none", size)
    stop = begin + length + body
    return Message(kind, stop) if stop <= size else Message("cut", size)


def padding(file: Any, place: int, size: int) -> int:
    """Where the zeros that begin at `place` end: in fours, since messages may begin with a zero but not with four."""
    portion = _FIRST_PORTION
    while place < size:
        file.seek(place)
        data = bytes(file.read(portion))
        portion = min(2 * portion, _PORTION)
        zeros = len(data) - len(data.lstrip(b"\0"))
        if zeros < len(data):
            return place + zeros // 4 * 4
        place += len(data)
    return size


def footer_end(file: Any, place: int, size: int) -> int | None:
    """Where the file footer that begins at `place` ends, its length and the magic included; None without a footer."""
    base, window, portion = place, b"", _FIRST_PORTION
    while base - place < _MOST_FOOTER_BYTES:
        file.seek(base + len(window))
        more = bytes(file.read(portion))
        window += more
        portion = min(2 * portion, _PORTION)
        at = window.find(MAGIC)
        while at >= 0:
            if at >= 4 and struct.unpack_from("<i", window, at - 4)[0] == base + at - 4 - place:
                return base + at + len(MAGIC)
            at = window.find(MAGIC, at + 1)
        if not more:
            return None
        kept = min(len(window), len(MAGIC) + 3)
        base, window = base + len(window) - kept, window[len(window) - kept :]
    return None


def batches_of(file: Any, size: int) -> list[Batch]:
    """All record batches of a file, from its footer and the head of each batch.

    Raises:
        ValueError: the footer or a batch is not what it should be, or something before the footer is not in it.
    """
    try:
        file.seek(max(0, size - 10))
        length, magic = struct.unpack("<i6s", bytes(file.read(10)))
        if magic != MAGIC or not 0 < length <= min(size - 10, _MOST_FOOTER_BYTES):
            raise ValueError("it does not end as Arrow files do")
        file.seek(size - 10 - length)
        footer = bytes(file.read(length))
        found: list[Batch] = []
        first, known = 0, FILE_HEAD
        blocks = _blocks(footer, _BATCHES)
        for index, (place, head, _) in enumerate(blocks):
            if not (0 <= place < size and 0 < head <= size - place):
                raise ValueError(f"record batch {index} lies outside the file")
            file.seek(place)
            rows = _rows(bytes(file.read(head)))
            if not 0 <= rows <= MOST_ROWS - first:
                raise ValueError(f"record batch {index} has {rows} rows")
            found.append(Batch(index, first, rows, place))
            first += rows
        for place, head, body in [*blocks, *_blocks(footer, _DICTIONARIES)]:
            known = max(known, place + head + body)
        if known == FILE_HEAD:
            known = message_at(file, FILE_HEAD, size).stop
        _check_gap(file, known, size - 10 - length)
    except (struct.error, IndexError) as error:
        raise ValueError(f"its footer is damaged: {error}") from None
    return found


def _check_gap(file: Any, begin: int, end: int) -> None:
    """Between what a footer lists and the footer there is an end mark, and zeros: anything else belongs to another
    file, put before this one.
    """
    if begin > end:
        raise ValueError("a record batch lies within the footer")
    file.seek(begin)
    if bytes(file.read(min(end - begin, 64))).lstrip(b"\xff").strip(b"\0") or padding(file, begin + 8, end) < end - 3:
        raise ValueError(f"bytes {begin} to {end - 1} are not in its footer")


def _kind_and_body(flat: bytes) -> tuple[str, int]:
    """Kind and bytes of the body of a message: fields 1 and 3 of its table."""
    table = _root(flat)
    kind, body = _field(flat, table, 1), _field(flat, table, 3)
    names = {_SCHEMA: "schema", _DICTIONARY: "dictionary", _BATCH: "batch"}
    size = 0 if body is None else int(struct.unpack_from("<q", flat, body)[0])
    if kind is None or flat[kind] not in names or size < 0:
        raise ValueError("no message")
    return names[flat[kind]], size


def _blocks(footer: bytes, number: int) -> list[tuple[int, int, int]]:
    """(offset, bytes of metadata, of the body) of each block in a field of the footer: a vector of
    structs of 24 bytes.
    """
    at = _field(footer, _root(footer), number)
    if at is None:
        return []
    vector = at + _unsigned(footer, at)
    count = _unsigned(footer, vector)
    if count > len(footer) // 24:
        raise ValueError("its footer is damaged: more record batches than it has room for")
    return [struct.unpack_from("<qi4xq", footer, vector + 4 + 24 * index) for index in range(count)]


def _rows(head: bytes) -> int:
    """Rows of a record batch: field 0 of the table that field 2 of the message refers to."""
    flat = head[8:] if head.startswith(_CONTINUATION) else head[4:]
    at = _field(flat, _root(flat), 2)
    if at is None:
        raise ValueError("a message without a record batch")
    rows = _field(flat, at + _unsigned(flat, at), 0)
    return 0 if rows is None else int(struct.unpack_from("<q", flat, rows)[0])


def _root(flat: bytes) -> int:
    return _unsigned(flat, 0)


def _field(flat: bytes, table: int, number: int) -> int | None:
    """Where a field of a table is; None when it has its default."""
    (back,) = struct.unpack_from("<i", flat, table)
    rules = table - back
    if rules < 0:
        raise ValueError("its footer is damaged: a table outside of it")
    (size,) = struct.unpack_from("<H", flat, rules)
    if 4 + 2 * number >= size:
        return None
    (offset,) = struct.unpack_from("<H", flat, rules + 4 + 2 * number)
    return table + int(offset) if offset else None


def _unsigned(flat: bytes, at: int) -> int:
    return int(struct.unpack_from("<I", flat, at)[0])
