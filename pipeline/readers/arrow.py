"""Arrow IPC: files (also named Feather) and streams. A record is a row; its offset is its number in the file.

Rows without text are skipped as `empty_text`. A record batch that cannot be read is one broken entry that names its rows; of a file the
next batch is then read, of a stream nothing is, since only reading a batch tells where the next one begins. In a file, a batch belongs to
the piece in which it begins; a stream belongs to its first piece.

Memory: one record batch when it is compressed; else the file is mapped. What is read is checked first, since Arrow trusts what it maps.

Source of the layout: "Arrow Columnar Format", sections "Encapsulated message format" and "IPC File Format", with File.fbs and Message.fbs;
tables, vectors and their offsets: "FlatBuffers Internals".
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from manifests.corpus import Source
from manifests.storage import map_file
from pipeline.readers.parquet import DAMAGE, message
from pipeline.readers.pieces import Piece, whole
from pipeline.readers.records import Batcher, Records
from pipeline.readers.tables import MOST_ROWS, add_rows, fields_of, is_text, portions, top_column, wanted_columns

_MAGIC = b"ARROW1"
_CONTINUATION = b"\xff\xff\xff\xff"
_MOST_FOOTER_BYTES = 256 << 20


@dataclass(frozen=True)
class _Batch:
    """A record batch: its number among the batches, the number of its first row, its rows, and where it begins."""

    index: int
    first: int
    rows: int
    place: int


def read_arrow(path: str, *, name: str, source: Source, piece: Piece | None = None) -> Iterator[Records]:
    """Batches of one file or of a piece of it, in its order.

    Args:
        name: the file's name in errors.

    Raises:
        GristmillError: the file is missing, there is no column of the source's `text_field`, or it does not hold text.
    """
    batcher = Batcher()
    with map_file(path) as file:
        size = file.size()
        piece = piece or whole(size)
        magic = bytes(file.read(len(_MAGIC)))
        file.seek(0)
        if size == 0:
            batcher.quarantine(0, None, "empty file: it holds no row", b"")
        elif magic == _MAGIC:
            yield from _read_file(file, batcher, name=name, source=source, piece=piece)
        elif not piece.index:
            yield from _read_stream(file, batcher, name=name, source=source)
    yield batcher.take()


def _read_file(file: Any, batcher: Batcher, *, name: str, source: Source, piece: Piece) -> Iterator[Records]:
    try:
        batches = _batches(file)
        file.seek(0)
        schema = pa.ipc.open_file(file).schema
        schema.names  # noqa: B018  # may be no UTF-8
    except DAMAGE as error:
        if not piece.index:
            batcher.quarantine(0, None, f"damaged Arrow: the file cannot be opened ({message(error)})", b"")
        return
    columns = wanted_columns(schema, name=name, source=source)
    options = _options(schema, columns)
    file.seek(0)
    opened = pa.ipc.open_file(file, options=options)
    for place in batches:
        if piece.start <= place.place < piece.stop:
            try:
                batch = opened.get_batch(place.index)
                problem = None if batch.num_rows == place.rows else "it has another number of rows"
                batch = _checked(batch, columns)
            except DAMAGE as error:
                problem = message(error)
            if problem is None:
                yield from _add(batcher, batch, place.first, source)
            elif place.rows:
                which = f"rows {place.first} to {place.first + place.rows - 1} cannot be read"
                batcher.quarantine(place.first, None, f"damaged Arrow: {which} ({problem})", b"")


def _read_stream(file: Any, batcher: Batcher, *, name: str, source: Source) -> Iterator[Records]:
    try:
        schema = pa.ipc.open_stream(file).schema
        schema.names  # noqa: B018  # may be no UTF-8
    except DAMAGE as error:
        batcher.quarantine(0, None, f"damaged Arrow: neither a file nor a stream can be opened ({message(error)})", b"")
        return
    columns = wanted_columns(schema, name=name, source=source)
    options = _options(schema, columns)
    file.seek(0)
    opened = pa.ipc.open_stream(file, options=options)
    first = 0
    while True:
        try:
            batch = _checked(opened.read_next_batch(), columns)
        except StopIteration:
            return
        except DAMAGE as error:
            batcher.quarantine(first, None, f"damaged Arrow: rows from {first} on cannot be read ({message(error)})", b"")
            return
        yield from _add(batcher, batch, first, source)
        first += batch.num_rows


def _options(schema: pa.Schema, columns: list[str]) -> Any:
    return pa.ipc.IpcReadOptions(included_fields=sorted({schema.get_field_index(top_column(schema, column)) for column in columns}))


def _add(batcher: Batcher, batch: pa.RecordBatch, first: int, source: Source) -> Iterator[Records]:
    """Add a batch of any size in portions of about one batch of text."""
    for begin, stop in portions(batch.column(source.text_field)):
        add_rows(batcher, batch.slice(begin, stop - begin), first=first + begin, source=source)
        yield from batcher.full()


def _checked(batch: pa.RecordBatch, wanted: list[str]) -> pa.RecordBatch:
    """The wanted fields with their text as bytes, after a look at every offset and index in them.

    Raises:
        ArrowInvalid: it cannot be read without reaching beyond its buffers.
    """
    for column in batch.columns:
        column.validate()  # lengths, before anything looks at the values
    columns = []
    for column in fields_of(batch, wanted).columns:
        if is_text(column.type):
            column = _as_bytes(column)
        column.validate(full=True)
        columns.append(column)
    return pa.RecordBatch.from_arrays(columns, names=wanted)


def _as_bytes(column: pa.Array) -> pa.Array:
    """Strings as bytes without a copy: one that is not UTF-8 must not cost the batch."""
    types = pa.types
    if types.is_dictionary(column.type):
        return pa.DictionaryArray.from_arrays(column.indices, _as_bytes(column.dictionary), safe=True)
    names = ((types.is_string, pa.binary()), (types.is_large_string, pa.large_binary()), (types.is_string_view, pa.binary_view()))
    kind = next((binary for is_kind, binary in names if is_kind(column.type)), column.type)
    return pa.Array.from_buffers(kind, len(column), column.buffers(), null_count=-1, offset=column.offset)


def _batches(file: Any) -> list[_Batch]:
    """All record batches of a file, from its footer and the head of each batch; no content is read.

    Raises:
        ValueError: the footer or a batch is not what it should be.
    """
    size = file.size()
    try:
        file.seek(max(0, size - 10))
        length, magic = struct.unpack("<i6s", file.read(10))
        if magic != _MAGIC or not 0 < length <= min(size - 10, _MOST_FOOTER_BYTES):
            raise ValueError("it does not end as Arrow files do")
        file.seek(size - 10 - length)
        footer = bytes(file.read(length))
        blocks = _blocks(footer)
        batches: list[_Batch] = []
        first = 0
        for index, (place, head) in enumerate(blocks):
            if not (0 <= place < size and 0 < head <= size - place):
                raise ValueError(f"record batch {index} lies outside the file")
            file.seek(place)
            rows = _rows(bytes(file.read(head)))
            if not 0 <= rows <= MOST_ROWS - first:
                raise ValueError(f"record batch {index} has {rows} rows")
            batches.append(_Batch(index, first, rows, place))
            first += rows
    except (struct.error, IndexError) as error:
        raise ValueError(f"its footer is damaged: {error}") from None
    return batches


def _blocks(footer: bytes) -> list[tuple[int, int]]:
    """(offset, bytes of metadata) of each record batch: field 3 of the footer, a vector of structs of 24 bytes."""
    at = _field(footer, _root(footer), 3)
    if at is None:
        return []
    vector = at + _unsigned(footer, at)
    count = _unsigned(footer, vector)
    if count > len(footer) // 24:
        raise ValueError("its footer is damaged: more record batches than it has room for")
    return [struct.unpack_from("<qi", footer, vector + 4 + 24 * index) for index in range(count)]


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
    """Where a field of a table stands; None when it has its default."""
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
