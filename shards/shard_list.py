"""The rows of a shard manifest, one a shard: arrays for what is summed and searched, entries made when asked for.

In: entries, or the Arrow file that lists them. Out: `ShardList`, a sequence of `ShardEntry` in the order of the file.
31,250 shards are a few megabytes of columns; as many pydantic objects would take ten times the memory and half a second
of each start. Names of inputs, most of the file's text, are read only when an entry is asked for.

Schema of the file: `SHARD_LIST`; one record batch, zstd.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from typing import Annotated, Any, Self, overload

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pydantic import PlainSerializer, PlainValidator, TypeAdapter

from manifests.base import RelativePath, Strict
from manifests.errors import GristmillError

Int64s = npt.NDArray[np.int64]

_HASH = pa.binary(32)
SHARD_LIST = pa.schema(
    [
        pa.field("bucket", pa.dictionary(pa.int32(), pa.string()), nullable=False),
        pa.field("name", pa.string(), nullable=False),
        pa.field("file", pa.string(), nullable=False),
        pa.field("documents_file", pa.string(), nullable=False),
        pa.field("sha256", _HASH, nullable=False),
        pa.field("documents_sha256", _HASH, nullable=False),
        pa.field("content_sha256", _HASH, nullable=False),
        pa.field("bytes", pa.int64(), nullable=False),
        pa.field("documents_bytes", pa.int64(), nullable=False),
        pa.field("documents", pa.int64(), nullable=False),
        pa.field("tokens", pa.int64(), nullable=False),
        pa.field("inputs", pa.list_(pa.field("item", pa.string(), nullable=False)), nullable=False),
    ]
)
_INPUTS = SHARD_LIST.get_field_index("inputs")
_ROWS = pa.schema([field for field in SHARD_LIST if field.name != "inputs"])
_HASHES = [field.name for field in SHARD_LIST if field.type == _HASH]


class ShardEntry(Strict):
    """One shard.

    Attributes:
        file: relative to the shard folder; so is `documents_file`.
        content_sha256: over tokens, offsets and document ids: does not depend on the Arrow version that wrote the file.
        inputs: names of the parts that it was made from.
    """

    bucket: str
    name: str
    file: RelativePath
    documents_file: RelativePath
    sha256: str
    documents_sha256: str
    content_sha256: str
    bytes: int
    documents_bytes: int
    documents: int
    tokens: int
    inputs: list[str]


class _Inputs:
    """The names of all shards' inputs: a column, or the file that holds it until somebody asks."""

    def __init__(self, held: pa.Array | pa.Buffer) -> None:
        self._held = held

    @cached_property
    def column(self) -> pa.Array:
        if isinstance(self._held, pa.Buffer):
            return _read(self._held, [_INPUTS]).column(0)
        return self._held


class ShardList(Sequence[ShardEntry]):
    """Shards in order. A slice is a `ShardList` over the same columns."""

    def __init__(self, rows: pa.RecordBatch, inputs: _Inputs, places: Int64s) -> None:
        self._rows, self._inputs, self._places = rows, inputs, places

    @classmethod
    def of(cls, entries: Iterable[ShardEntry]) -> Self:
        """The list of these entries, in their order.

        Raises:
            GristmillError: a hash is not one.
        """
        if isinstance(entries, cls):
            return entries
        rows = list(entries)
        try:
            arrays = [
                pa.array([bytes.fromhex(getattr(entry, field.name)) for entry in rows], _HASH)
                if field.type == _HASH
                else pa.array([getattr(entry, field.name) for entry in rows], pa.string()).dictionary_encode()
                if pa.types.is_dictionary(field.type)
                else pa.array([getattr(entry, field.name) for entry in rows], field.type)
                for field in SHARD_LIST
            ]
        except (ValueError, pa.ArrowInvalid) as error:
            raise GristmillError(f"holds what is not a sha256: {error}", where="shards") from None
        batch = pa.RecordBatch.from_arrays(arrays[:_INPUTS], schema=_ROWS)
        return cls(batch, _Inputs(arrays[_INPUTS]), np.arange(len(rows), dtype=np.int64))

    @classmethod
    def from_file(cls, data: pa.Buffer, *, where: str) -> Self:
        """The list that a file holds.

        Raises:
            GristmillError: it is not such a file, or a path in it leads out of the folder.
        """
        try:
            rows = _read(data, list(range(_INPUTS)))
        except (pa.ArrowException, ValueError) as error:
            raise GristmillError(f"is not a list of shards: {error}", where=where) from None
        for name in ("file", "documents_file"):
            for path in rows[name].to_pylist():
                if path.startswith("/") or "://" in path or "\x00" in path or ".." in path.split("/"):
                    raise GristmillError(f"`{path}` leads out of the folder", where=where)
        return cls(rows, _Inputs(data), np.arange(rows.num_rows, dtype=np.int64))

    def to_file(self) -> pa.Buffer:
        """The file that lists these shards; the bytes depend on the rows only."""
        # Dictionary words are numbered anew: those of a slice hold the words of its parent.
        columns = [
            column.cast(pa.string()).dictionary_encode() if pa.types.is_dictionary(column.type) else column
            for column in self._rows.take(pa.array(np.arange(len(self)))).columns
        ]
        inputs = self._inputs.column.take(pa.array(self._places)).cast(SHARD_LIST.field("inputs").type)
        sink = pa.BufferOutputStream()
        with pa.ipc.new_file(sink, SHARD_LIST, options=pa.ipc.IpcWriteOptions(compression="zstd")) as writer:
            writer.write_batch(pa.RecordBatch.from_arrays([*columns, inputs], schema=SHARD_LIST))
        return sink.getvalue()

    def in_order(self) -> Self:
        """The same shards by bucket and name."""
        keys = self.bucket_and_name()
        if all(one <= two for one, two in zip(keys, keys[1:], strict=False)):
            return self
        return self._taken(np.array(sorted(range(len(keys)), key=keys.__getitem__), np.int64))

    def bucket_and_name(self) -> list[tuple[str, str]]:
        """Bucket and name of each shard."""
        return list(zip(self.buckets, self._rows["name"].to_pylist(), strict=True))

    @property
    def buckets(self) -> list[str]:
        """Bucket of each shard."""
        words = self._rows["bucket"].dictionary.to_pylist()
        return [words[code] for code in self._rows["bucket"].indices.to_pylist()]

    @property
    def files(self) -> list[str]:
        """Path of each shard's tokens, relative to the shard folder."""
        return list(self._rows["file"].to_pylist())

    @property
    def documents_files(self) -> list[str]:
        """Path of each shard's side table, relative to the shard folder."""
        return list(self._rows["documents_file"].to_pylist())

    @property
    def content_sha256s(self) -> list[str]:
        """Content hash of each shard, hex."""
        return [value.hex() for value in self._rows["content_sha256"].to_pylist()]

    @property
    def sha256s(self) -> list[str]:
        """Hash of each shard's file, hex."""
        return [value.hex() for value in self._rows["sha256"].to_pylist()]

    @property
    def documents_sha256s(self) -> list[str]:
        """Hash of each side table's file, hex."""
        return [value.hex() for value in self._rows["documents_sha256"].to_pylist()]

    @property
    def tokens(self) -> Int64s:
        """int64[shards]."""
        return self._numbers("tokens")

    @property
    def documents(self) -> Int64s:
        """int64[shards]."""
        return self._numbers("documents")

    @property
    def bytes(self) -> Int64s:
        """Size of each shard's file, int64[shards]."""
        return self._numbers("bytes")

    @property
    def documents_bytes(self) -> Int64s:
        """Size of each side table's file, int64[shards]."""
        return self._numbers("documents_bytes")

    def __len__(self) -> int:
        return int(self._rows.num_rows)

    @overload
    def __getitem__(self, index: int) -> ShardEntry: ...
    @overload
    def __getitem__(self, index: slice) -> Self: ...
    def __getitem__(self, index: int | slice) -> ShardEntry | Self:
        if isinstance(index, slice):
            start, stop, step = index.indices(len(self))
            if step != 1:
                return self._taken(np.arange(len(self))[index])
            rows = self._rows.slice(start, max(0, stop - start))
            return type(self)(rows, self._inputs, self._places[index])
        row = range(len(self))[index]  # raises IndexError, and counts from the end
        values = {field.name: self._rows.column(at)[row].as_py() for at, field in enumerate(_ROWS)}
        return self._entry(values, row)

    def __iter__(self) -> Iterator[ShardEntry]:
        for row, values in enumerate(self._rows.to_pylist()):
            yield self._entry(values, row)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ShardList) and len(self) == len(other) and list(self) == list(other)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"<{len(self)} shards>"

    def _taken(self, order: Int64s) -> Self:
        return type(self)(self._rows.take(pa.array(order)), self._inputs, self._places[order])

    def _numbers(self, name: str) -> Int64s:
        values: Int64s = self._rows[name].to_numpy()
        return values

    def _entry(self, values: dict[str, Any], row: int) -> ShardEntry:
        hashes = {name: values[name].hex() for name in _HASHES}
        inputs = self._inputs.column[int(self._places[row])].as_py()
        # Not validated: the columns have their types, and the paths were looked at when the list was read.
        return ShardEntry.model_construct(**{**values, **hashes, "inputs": inputs})


def _read(data: pa.Buffer, columns: list[int]) -> pa.RecordBatch:
    reader = pa.ipc.open_file(pa.BufferReader(data), options=pa.ipc.IpcReadOptions(included_fields=columns))
    if reader.num_record_batches != 1:
        raise ValueError(f"it has {reader.num_record_batches} record batches")
    batch = reader.get_batch(0)
    wanted = pa.schema([SHARD_LIST.field(column) for column in columns])
    if not batch.schema.equals(wanted):
        raise ValueError("its columns are not those of a list of shards")
    batch.validate(full=True)
    return batch


def _validated(value: object) -> ShardList:
    """A field of a manifest: a list of shards as it is, or the rows of one."""
    return value if isinstance(value, ShardList) else ShardList.of(_ENTRIES.validate_python(value))


def _entries(shards: ShardList) -> list[dict[str, Any]]:
    return [entry.model_dump(mode="json") for entry in shards]


_ENTRIES = TypeAdapter(list[ShardEntry])
# As a field of a model.
ShardListField = Annotated[ShardList, PlainValidator(_validated), PlainSerializer(_entries)]
