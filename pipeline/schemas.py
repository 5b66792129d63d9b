"""The Arrow schemas of the files between steps of the data half, and functions to write and read these files.

`documents`, `signals` and `signatures` parts are row-aligned: the same name, the same rows in the same order.
`decisions` parts are aligned with them. A part is one Arrow IPC file of many record batches; its schema metadata names
the source and the raw file.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from manifests.step import Output
from storage.files import join, map_file, publish

DOCUMENT_ID = pa.binary(16)

DOCUMENTS = pa.schema(
    [
        pa.field("id", DOCUMENT_ID, nullable=False),  # 128-bit xxh3 of the normalised text
        pa.field("text", pa.large_string(), nullable=False),  # normalised
        pa.field("url", pa.string()),
        pa.field("site", pa.string()),  # registered domain of the URL
        pa.field("name", pa.string()),  # the record's own id
        pa.field("record", pa.int64(), nullable=False),  # where in the raw file: see pipeline.readers
    ]
)

QUARANTINE = pa.schema(
    [
        pa.field("record", pa.int64(), nullable=False),
        pa.field("name", pa.string()),
        pa.field("error", pa.string(), nullable=False),
        pa.field("excerpt", pa.binary(), nullable=False),  # the first bytes of the broken record
    ]
)

DECISIONS = pa.schema(
    [
        pa.field("reason", pa.uint8(), nullable=False),  # index into manifests.filters.REASONS; 0 is kept
        # For a duplicate the document that stays for it, that document's row id (`pipeline.parts`), and how similar the
        # two are; else null.
        pa.field("duplicate_of", DOCUMENT_ID),
        pa.field("duplicate_row", pa.uint64()),
        pa.field("similarity", pa.float32()),
        pa.field("bucket", pa.dictionary(pa.int32(), pa.string()), nullable=False),
        # Numbers of removed lines, counted among the document's lines with a word; null if none is removed or the
        # document is dropped.
        pa.field("removed_lines", pa.list_(pa.field("item", pa.uint32(), nullable=False))),
    ]
)

DROPPED = pa.schema(
    [
        pa.field("id", DOCUMENT_ID, nullable=False),
        pa.field("reason", pa.dictionary(pa.int32(), pa.string()), nullable=False),
        pa.field("duplicate_of", DOCUMENT_ID),  # as in decisions, like the next two
        pa.field("duplicate_row", pa.uint64()),
        pa.field("similarity", pa.float32()),
        pa.field("url", pa.string()),
        pa.field("site", pa.string()),
        pa.field("name", pa.string()),
        pa.field("record", pa.int64(), nullable=False),
    ]
)

SCORES = pa.schema(
    [
        pa.field("source", pa.string(), nullable=False),
        pa.field("step", pa.int32(), nullable=False),  # of the factual score: its floor in 1/1024
        pa.field("documents", pa.int64(), nullable=False),  # kept ones; so are the characters
        pa.field("characters", pa.int64(), nullable=False),
    ]
)

BANDS = pa.schema(
    [
        pa.field("source", pa.string(), nullable=False),
        pa.field("band", pa.string(), nullable=False),
        pa.field("threshold", pa.float32()),  # the band's lowest factual score; null for the first band
        pa.field("documents", pa.int64(), nullable=False),
        pa.field("characters", pa.int64(), nullable=False),
    ]
)


def id_halves(ids: pa.Array | pa.ChunkedArray) -> npt.NDArray[np.uint64]:
    """The halves of ids, uint64[n, 2]: ids are ordered as their halves are."""
    array = ids.combine_chunks() if isinstance(ids, pa.ChunkedArray) else ids
    if not len(array):
        return np.zeros((0, 2), np.uint64)
    halves = np.frombuffer(array.buffers()[1], ">u8").reshape(-1, 2)
    return halves[array.offset : array.offset + len(array)].astype(np.uint64)


def id_column(ids: npt.NDArray[np.uint64]) -> pa.Array:
    """Ids as a column, from their halves uint64[n, 2]: the inverse of `id_halves`."""
    data = np.ascontiguousarray(ids.astype(">u8"))
    return pa.Array.from_buffers(DOCUMENT_ID, len(ids), [None, pa.py_buffer(data)])


class GrowingFile:
    """One IPC file that grows in memory batch by batch; zstd level 1 unless it will be memory-mapped.

    Each batch is compressed when it is added: memory holds the file, not the batches.
    """

    def __init__(self, schema: pa.Schema, *, compress: bool = True) -> None:
        self.rows = 0
        self._metadata = schema.metadata
        self._sink = pa.BufferOutputStream()
        options = pa.ipc.IpcWriteOptions(compression=pa.Codec("zstd", 1) if compress else None)
        self._writer = pa.ipc.new_file(self._sink, schema, options=options)

    def add(self, batch: pa.RecordBatch) -> None:
        """Add the next rows."""
        self._writer.write_batch(batch.replace_schema_metadata(self._metadata))
        self.rows += batch.num_rows

    @property
    def size(self) -> int:
        """Bytes so far."""
        return int(self._sink.tell())

    def finish(self) -> pa.Buffer:
        """The whole file. After this nothing can be added."""
        self._writer.close()
        return self._sink.getvalue()


def ipc_bytes(batches: Iterable[pa.RecordBatch], schema: pa.Schema, *, compress: bool = True) -> pa.Buffer:
    """One IPC file in memory."""
    file = GrowingFile(schema, compress=compress)
    for batch in batches:
        file.add(batch)
    return file.finish()


def publish_ipc(
    folder: str,
    path: str,
    batches: Sequence[pa.RecordBatch],
    schema: pa.Schema,
    *,
    compress: bool = True,
    text_bytes: int = 0,
) -> Output:
    """Write an IPC file below `folder`; returns its description."""
    rows = sum(batch.num_rows for batch in batches)
    if compress:
        return publish_buffer(folder, path, ipc_bytes(batches, schema), rows=rows, text_bytes=text_bytes)
    pieces = ipc_pieces(batches, schema)
    publish(join(folder, path), pieces)
    digest = hashlib.sha256()
    for piece in pieces:
        digest.update(piece)
    size = sum(len(piece) for piece in pieces)
    return Output(path=path, sha256=digest.hexdigest(), bytes=size, rows=rows, text_bytes=text_bytes)


class _Pieces:
    """A file that keeps what is written to it piece by piece, as it was handed over."""

    closed = False

    def __init__(self) -> None:
        self.written: list[bytes | pa.Buffer] = []
        self._size = 0

    def write(self, piece: bytes | pa.Buffer) -> int:
        self.written.append(piece)
        self._size += len(piece)
        return len(piece)

    def tell(self) -> int:
        return self._size

    def flush(self) -> None:
        """Nothing waits."""

    def close(self) -> None:
        self.closed = True


def ipc_pieces(batches: Iterable[pa.RecordBatch], schema: pa.Schema) -> list[bytes | pa.Buffer]:
    """One uncompressed IPC file as pieces to be written one after the other: the columns of batches are not copied.

    A buffer that grows would copy each byte some three times, into new pages each time, which took more than the
    writing.
    """
    file = _Pieces()
    with pa.PythonFile(file, mode="w") as sink, pa.ipc.new_file(sink, schema) as writer:
        for batch in batches:
            writer.write_batch(batch.replace_schema_metadata(schema.metadata))
    return file.written


def publish_buffer(folder: str, path: str, buffer: pa.Buffer, *, rows: int, text_bytes: int = 0) -> Output:
    """Publish a finished buffer below `folder`; returns its description."""
    publish(join(folder, path), buffer)
    digest = hashlib.sha256(memoryview(buffer)).hexdigest()
    return Output(path=path, sha256=digest, bytes=buffer.size, rows=rows, text_bytes=text_bytes)


def read_ipc(path: str, *, columns: Sequence[str] | None = None) -> pa.Table:
    """A whole IPC file, or some of its columns; buffers of other columns are neither read nor decompressed."""
    with map_file(path) as file:
        options = pa.ipc.IpcReadOptions()
        if columns is not None:
            schema = pa.ipc.open_file(file).schema
            options = pa.ipc.IpcReadOptions(included_fields=[schema.get_field_index(name) for name in columns])
            file.seek(0)
        table = pa.ipc.open_file(file, options=options).read_all()
    return table if columns is None else table.select(list(columns))


def iterate_ipc(path: str) -> Iterator[pa.RecordBatch]:
    """The record batches of an IPC file, one at a time."""
    with map_file(path) as file:
        reader = pa.ipc.open_file(file)
        for index in range(reader.num_record_batches):
            yield reader.get_batch(index)


def ipc_names(path: str) -> list[str]:
    """The names of an IPC file's columns."""
    with map_file(path) as file:
        return list(pa.ipc.open_file(file).schema.names)


def ipc_metadata(path: str) -> dict[str, str]:
    """The schema metadata of an IPC file."""
    with map_file(path) as file:
        metadata = pa.ipc.open_file(file).schema.metadata or {}
    return {key.decode(): value.decode() for key, value in metadata.items()}
