"""Reading shards: a folder in, buckets of memory-mapped token arrays out; shards of an object store come through
`shards.cache`.

The tokens of a bucket's shards, in name order, form one stream; `Bucket.starts` says where each shard begins in it.
Nothing is read at opening but the manifest and the list of files: a token array is mapped when it is first asked for,
and only so many stay mapped. A file is checked against its sha256 before it is mapped for the first time; this check is
remembered (`storage.checked`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import groupby

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from manifests.errors import GristmillError
from shards.cache import shard_cache
from shards.format import FORMAT, ShardEntry, ShardManifest
from shards.writer import load_manifest
from storage.checked import Remembered, record_of
from storage.files import is_url, join, list_stats, map_file
from storage.objects import get

# Far below Linux's vm.max_map_count (65,530 maps a process); a map holds no file descriptor once it is made.
OPEN_MAPS = 8192
MEND = "run `gristmill prep` again: it makes files that are not whole anew, and no others"

Tokens = npt.NDArray[np.unsignedinteger]


@dataclass(frozen=True, eq=False)
class Bucket:
    """The shards of one bucket, in name order.

    Attributes:
        tokens: in all shards.
        starts: int64[shards + 1], where each shard begins in the bucket's stream; the last is `tokens`.
        entries: one manifest row per shard.
    """

    name: str
    tokens: int
    starts: npt.NDArray[np.int64]
    entries: list[ShardEntry]
    folder: str
    _mapped: Callable[[str], Tokens] = field(repr=False)
    _checked: Callable[[str, int, str], None] = field(repr=False)

    def map_tokens(self, shard: int) -> Tokens:
        """All tokens of a shard: a read-only view of the mapped file, uint16 or uint32 [entries[shard].tokens].

        Raises:
            GristmillError: the file is gone, is not the one in the manifest, or cannot be fetched from its store.
        """
        return self._mapped(self.entries[shard].file)

    def read_documents(self, shard: int, columns: list[str] | None = None) -> pa.Table:
        """The side table of a shard, or some columns of it: one row per document, in the order of the tokens."""
        entry = self.entries[shard]
        self._checked(entry.documents_file, entry.documents_bytes, entry.documents_sha256)
        table = read_side_table(self.folder, entry, columns)
        if table.num_rows != entry.documents:
            raise GristmillError(
                f"has {table.num_rows} rows, the manifest says {entry.documents}",
                where=join(self.folder, entry.documents_file),
                remedy="run `gristmill verify`",
            )
        return table


@dataclass(frozen=True, eq=False)
class Shards:
    """A complete shard folder; `buckets` is sorted by name."""

    folder: str
    manifest: ShardManifest
    buckets: dict[str, Bucket]
    _checked: Callable[[str, int, str], None] = field(repr=False)
    _remembered: Remembered = field(repr=False)

    def unchecked(self) -> list[ShardEntry]:
        """The shards that were not yet checked against their hashes, or have changed since; for a store none, since its
        copies are checked.
        """
        if is_url(self.folder):
            return []
        return [
            entry
            for entry in self.manifest.shards
            if not self._remembered.holds(join(self.folder, entry.file), entry.sha256)
        ]

    def check(self, entry: ShardEntry) -> None:
        """Check a local shard against its hash, unless that was done before.

        Raises:
            GristmillError: it is not the one in the manifest.
        """
        self._checked(entry.file, entry.bytes, entry.sha256)


def open_shards(folder: str) -> Shards:
    """Open a shard folder.

    Raises:
        GristmillError: there is no shard manifest, or a file that it lists is not there.
    """
    manifest = load_manifest(folder)
    _check_files(folder, manifest)
    remembered = Remembered(record_of(folder))

    def checked(file: str, size: int, sha256: str) -> None:
        path = join(folder, file)
        problem = None if is_url(folder) else remembered.check(path, size=size, sha256=sha256)
        if problem is not None:
            raise GristmillError(problem, where=path, remedy=MEND)

    mapped = _cached_maps(folder, manifest) if is_url(folder) else _local_maps(folder, manifest, checked)
    rows = sorted(manifest.shards, key=lambda entry: (entry.bucket, entry.name))
    buckets = {
        name: _bucket(folder, name, list(group), mapped, checked)
        for name, group in groupby(rows, key=lambda entry: entry.bucket)
    }
    return Shards(folder=folder, manifest=manifest, buckets=buckets, _checked=checked, _remembered=remembered)


def _check_files(folder: str, manifest: ShardManifest) -> None:
    stats = list_stats(folder, "**/*.arrow")
    files = [
        pair
        for entry in manifest.shards
        for pair in ((entry.file, entry.bytes), (entry.documents_file, entry.documents_bytes))
    ]
    missing = [name for name, _ in files if name not in stats]
    if missing:
        raise GristmillError(
            f"{len(missing)} of {len(files)} files are missing, the first is {missing[0]}",
            where=folder,
            remedy="restore them, or run `gristmill prep` again",
        )
    for name, size in files if is_url(folder) else []:  # local files are checked when they are mapped
        if stats[name].size != size:
            raise GristmillError(
                f"has {stats[name].size} bytes, the manifest says {size}",
                where=join(folder, name),
                remedy=MEND,
            )


def _local_maps(
    folder: str, manifest: ShardManifest, checked: Callable[[str, int, str], None]
) -> Callable[[str], Tokens]:
    entries = {entry.file: entry for entry in manifest.shards}

    @lru_cache(maxsize=OPEN_MAPS)
    def mapped(file: str) -> Tokens:
        checked(file, entries[file].bytes, entries[file].sha256)
        return map_tokens(folder, entries[file], manifest.dtype)

    return mapped


def _cached_maps(folder: str, manifest: ShardManifest) -> Callable[[str], Tokens]:
    """Maps of the local copies.

    A copy that another process has deleted is released, so that its disk space is freed.
    """
    cache = shard_cache()
    entries = {entry.file: entry for entry in manifest.shards}
    held: dict[str, Tokens] = {}

    def mapped(file: str) -> Tokens:
        entry = entries[file]
        if file in held and cache.touch(entry):
            return held[file]
        for other in [other for other in held if not cache.path_of(entries[other]).exists()]:
            del held[other]
        held[file] = _tokens_of(cache.fetch(join(folder, file), entry), entry, manifest.dtype)
        while len(held) > OPEN_MAPS:
            del held[next(iter(held))]
        return held[file]

    return mapped


def map_tokens(folder: str, entry: ShardEntry, dtype: str) -> Tokens:
    """Map one shard (its local copy if it is in a store), and check that it is the one that the manifest describes, as
    far as that costs nothing.
    """
    path = join(folder, entry.file)
    return _tokens_of(shard_cache().fetch(path, entry) if is_url(folder) else path, entry, dtype)


def _tokens_of(path: str, entry: ShardEntry, dtype: str) -> Tokens:
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
    view: Tokens = tokens
    return view


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


def _bucket(
    folder: str,
    name: str,
    entries: list[ShardEntry],
    mapped: Callable[[str], Tokens],
    checked: Callable[[str, int, str], None],
) -> Bucket:
    starts = np.zeros(len(entries) + 1, np.int64)
    np.cumsum([entry.tokens for entry in entries], out=starts[1:])
    return Bucket(
        name=name,
        tokens=int(starts[-1]),
        starts=starts,
        entries=entries,
        folder=folder,
        _mapped=mapped,
        _checked=checked,
    )
