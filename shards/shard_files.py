"""The two files of one shard, as arrays and tables. Neither is compared with its hash here."""

from __future__ import annotations

import hashlib

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from manifests.errors import GristmillError
from shards.format import FORMAT, ShardEntry
from storage.files import is_url, join, map_file
from storage.objects import get

Tokens = npt.NDArray[np.unsignedinteger]


def arrays_of(path: str, entry: ShardEntry, dtype: str) -> tuple[Tokens, npt.NDArray[np.int64]]:
    """Tokens of a local file, of the dtype, and offsets int64[documents + 1]: views of the mapped file.

    Raises:
        GristmillError: it is not a token shard, or not one of this size.
    """
    batch = read_batch(path, size=entry.bytes)
    column = batch.column(0)
    metadata = batch.schema.metadata or {}
    if metadata.get(b"format") != FORMAT.encode() or not pa.types.is_large_list(column.type):
        raise GristmillError(f"is not a token shard of format {FORMAT}", where=path, remedy="run `gristmill verify`")
    tokens = column.values.to_numpy(zero_copy_only=True)
    if len(tokens) != entry.tokens or str(tokens.dtype) != dtype:
        raise GristmillError(
            f"holds {len(tokens)} tokens as {tokens.dtype}, the manifest says {entry.tokens} as {dtype}",
            where=path,
            remedy="run `gristmill verify`",
        )
    return tokens, column.offsets.to_numpy()


def read_batch(path: str, *, size: int) -> pa.RecordBatch:
    """The only record batch of a mapped Arrow IPC file of `size` bytes.

    Raises:
        GristmillError: another size (touching a map beyond the end of its file kills the process), or not such a file.
    """
    try:
        with map_file(path) as file:
            if file.size() != size:
                raise GristmillError(
                    f"has {file.size()} bytes, the manifest says {size}", where=path, remedy="run `gristmill verify`"
                )
            reader = pa.ipc.open_file(file)
            if reader.num_record_batches != 1:
                raise GristmillError(
                    f"has {reader.num_record_batches} record batches instead of one",
                    where=path,
                    remedy="run `gristmill verify`",
                )
            return reader.get_batch(0)
    except pa.ArrowInvalid as error:
        raise GristmillError(
            f"is not an Arrow IPC file: {error}", where=path, remedy="run `gristmill verify`"
        ) from None


def read_side_table(folder: str, entry: ShardEntry, columns: list[str] | None = None) -> pa.Table:
    """The side table of a shard, or some columns of it in the given order."""
    path = join(folder, entry.documents_file)
    try:
        with _side_file(path, entry) as file:
            schema = pa.ipc.open_file(file).schema
            wanted = None if columns is None else [schema.get_field_index(column) for column in columns]
            if wanted is not None and -1 in wanted:
                raise GristmillError("lacks columns of a side table", where=path, remedy="run `gristmill verify`")
            file.seek(0)
            table = pa.ipc.open_file(file, options=pa.ipc.IpcReadOptions(included_fields=wanted)).read_all()
    except pa.ArrowInvalid as error:
        raise GristmillError(
            f"is not an Arrow IPC file: {error}", where=path, remedy="run `gristmill verify`"
        ) from None
    return table if columns is None else table.select(columns)


def _side_file(path: str, entry: ShardEntry) -> pa.NativeFile:
    """The file of a side table; one that is downloaded as a whole is checked as a whole."""
    if not is_url(path):
        return map_file(path)
    data = get(path)
    if hashlib.sha256(memoryview(data)).hexdigest() != entry.documents_sha256:
        raise GristmillError("its sha256 is not the manifest's", where=path, remedy="run `gristmill verify`")
    return pa.BufferReader(data)
