"""Arrow IPC: files (also named Feather) and streams, one or several after each other. A record is a row; its offset is
its number among all rows.

Rows without text are skipped as `empty_text`. A record batch that cannot be read is one broken entry that names its
rows; in a file, reading goes on with the next batch; in a stream it ends, since only reading a batch shows where the
next one begins. In a file, a batch belongs to the piece in which it begins; everything else belongs to the first piece.

What follows the end of a stream or file is read as well when it is another one, whatever its columns. Zeros are
padding; other bytes are a broken entry, and so is a stream that ends without its end mark: rows may be missing. A file
whose footer is not there, or does not know all that is in it, is read as the stream that it holds.

Memory: the wanted columns of one record batch; of a stream, the whole batch. Nothing is mapped. What is read is checked
first, since Arrow trusts it.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import pyarrow as pa

from manifests.corpus import Source
from manifests.errors import GristmillError
from manifests.step import Problem
from pipeline.readers.pieces import Piece, whole
from pipeline.readers.records import Batcher, Records
from pipeline.readers.tables.arrow_layout import FILE_HEAD, MAGIC, Batch, batches_of, footer_end, message_at, padding
from pipeline.readers.tables.columns import (
    DAMAGE,
    add_rows,
    fields_of,
    is_text,
    message,
    portions,
    top_column,
    wanted_columns,
)
from storage.files import open_input


def read_arrow(path: str, *, name: str, source: Source, piece: Piece | None = None) -> Iterator[Records]:
    """Batches of one file or of a piece of it, in its order.

    Args:
        name: the file's name in errors.

    Raises:
        GristmillError: the file is missing, there is no column of the source's `text_field`, or it does not hold text.
    """
    batcher = Batcher()
    with open_input(path) as file:
        size = file.size()
        piece = piece or whole(size)
        batches = _indexed(file, size)
        if size == 0:
            batcher.quarantine(0, None, Problem("empty file", "it holds no row"), b"")
        elif batches is not None:
            yield from _read_file(file, batches, batcher, name=name, source=source, piece=piece)
        elif not piece.index:
            yield from _Sequence(file, size, batcher, name, source).read()
    yield batcher.take()


def _indexed(file: Any, size: int) -> list[Batch] | None:
    """The batches of a file with a sound footer, else None."""
    file.seek(0)
    if bytes(file.read(len(MAGIC))) != MAGIC:
        return None
    try:
        batches = batches_of(file, size)
        file.seek(0)
        pa.ipc.open_file(file).schema.names  # noqa: B018  # may be no UTF-8
    except DAMAGE:
        return None
    return batches


def _read_file(
    file: Any, batches: list[Batch], batcher: Batcher, *, name: str, source: Source, piece: Piece
) -> Iterator[Records]:
    file.seek(0)
    schema = pa.ipc.open_file(file).schema
    columns = wanted_columns(schema, name=name, source=source)
    file.seek(0)
    opened = pa.ipc.open_file(file, options=_options(schema, columns))
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
                batcher.quarantine(place.first, None, Problem("damaged Arrow", f"{which} ({problem})"), b"")


class _Sequence:
    """Streams and files one after the other in one file.

    Attributes:
        first: number of the next row.
        place: where what was not read yet begins.
        sound: the last stream was read to its end mark.
    """

    def __init__(self, file: Any, size: int, batcher: Batcher, name: str, source: Source) -> None:
        self.file, self.size, self.batcher, self.name, self.source = file, size, batcher, name, source
        self.first = self.place = 0
        self.sound = True

    def read(self) -> Iterator[Records]:
        """All there is; whatever cannot be read is one broken entry and ends it."""
        while self.place < self.size:
            start = self.place
            file = self._starts_with_magic()
            try:
                schema = self._schema(FILE_HEAD if file else 0)
            except DAMAGE as error:
                self.broken(
                    f"neither a file nor a stream can be opened ({message(error)})"
                    if not start
                    else self.following(start)
                )
                return
            try:
                columns = wanted_columns(schema, name=self.name, source=self.source)
            except GristmillError as error:
                if not start:
                    raise
                self.broken(f"what follows from byte {start} on is another table: {error.message}")
                return
            yield from self.stream(schema, columns)
            if not self.sound:
                return
            if file:
                end = footer_end(self.file, self.place, self.size)
                if end is None:
                    self.broken(
                        f"the file that begins at byte {start} has no footer: it was cut, or bytes of it are missing"
                    )
                    return
                self.place = end
            self.place = padding(self.file, self.place, self.size)

    def stream(self, schema: pa.Schema, columns: list[str]) -> Iterator[Records]:
        """The batches of the stream that begins at `place`, which moves to after its end; `sound` says whether it was
        read to there.
        """
        self.sound = False
        self.file.seek(self.place)
        opened = pa.ipc.open_stream(self.file, options=_options(schema, columns))
        self.place = message_at(self.file, self.place, self.size).stop
        while True:
            found = message_at(self.file, self.place, self.size)
            stop = found.stop
            while found.kind in ("dictionary", "schema"):
                found = message_at(self.file, stop, self.size)
                stop = found.stop
            if found.kind == "batch":
                self.file.seek(self.place)
                try:
                    batch = _checked(opened.read_next_batch(), columns)
                except (StopIteration, *DAMAGE) as error:
                    self.broken(f"rows from {self.first} on cannot be read ({message(error)})")
                    return
                yield from _add(self.batcher, batch, self.first, self.source)
                self.first += batch.num_rows
                self.place = stop
            elif found.kind == "mark":
                self.place, self.sound = stop, True
                return
            else:
                reasons = {
                    "end": "the file ends without the end mark of its stream: rows may be missing",
                    "cut": f"rows from {self.first} on cannot be read (the file ends in the middle of a message)",
                    "none": f"rows from {self.first} on cannot be read (no message begins at byte {self.place})",
                }
                self.broken(reasons[found.kind])
                return

    def broken(self, what: str) -> None:
        """One entry, for what follows the rows that were read."""
        self.file.seek(min(self.place, self.size))
        self.batcher.quarantine(self.first, None, Problem("damaged Arrow", what), bytes(self.file.read(200)))

    def following(self, start: int) -> str:
        """The message about bytes after an end."""
        return f"{self.size - start} bytes follow from byte {start} on that are no Arrow"

    def _starts_with_magic(self) -> bool:
        self.file.seek(self.place)
        return bytes(self.file.read(len(MAGIC))) == MAGIC

    def _schema(self, skip: int) -> pa.Schema:
        """The schema of the stream at `place` plus `skip`; `place` moves there."""
        place = self.place + skip
        found = message_at(self.file, place, self.size)
        if found.kind != "schema":
            raise ValueError("no schema begins there")
        self.file.seek(place)
        schema = pa.ipc.open_stream(io.BytesIO(bytes(self.file.read(found.stop - place)))).schema
        schema.names  # noqa: B018  # may be no UTF-8
        self.place = place
        return schema


def _options(schema: pa.Schema, columns: list[str]) -> Any:
    return pa.ipc.IpcReadOptions(
        included_fields=sorted({schema.get_field_index(top_column(schema, column)) for column in columns})
    )


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
    names = (
        (types.is_string, pa.binary()),
        (types.is_large_string, pa.large_binary()),
        (types.is_string_view, pa.binary_view()),
    )
    kind = next((binary for is_kind, binary in names if is_kind(column.type)), column.type)
    return pa.Array.from_buffers(kind, len(column), column.buffers(), null_count=-1, offset=column.offset)
