"""Reading shards: a folder in, buckets of memory-mapped token arrays out; shards of an object store come through
`shards.cache`.

The tokens of a bucket's shards, in name order, form one stream; `Bucket.starts` says where each shard begins in it.
Read at opening are the manifest, the names of the files, and what `shards.guard` looks at: a few documents of a few
shards. A token array is mapped when it is first asked for, and only so many stay mapped. A file is checked against its
sha256 before it is mapped for the first time; this check is remembered (`storage.checked`).
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Container
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import groupby
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from manifests.errors import GristmillError
from shards.cache import shard_cache
from shards.format import ShardEntry, ShardManifest
from shards.guard import Seen, check_boundaries, guard
from shards.shard_files import Tokens, arrays_of, read_side_table
from shards.shard_list import ShardList
from shards.writer import load_manifest
from storage.checked import Remembered, record_of
from storage.files import is_url, join, list_stats

# Linux's vm.max_map_count where nobody has changed it.
_MAPS = 65_530
MEND = "run `gristmill prep` again: it makes files that are not whole anew, and no others"


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
    entries: ShardList
    folder: str
    _first: int = field(repr=False)  # number of the bucket's first shard among all
    _mapped: Callable[[int], Tokens] = field(repr=False)
    _checked: Callable[[str, int, str], None] = field(repr=False)

    def map_tokens(self, shard: int) -> Tokens:
        """All tokens of a shard: a read-only view of the mapped file, uint16 or uint32 [entries[shard].tokens].

        Raises:
            GristmillError: the file is gone, is not the one in the manifest, or cannot be fetched from its store; or
                its documents are not bounded as the manifest says.
        """
        return self._mapped(self._first + shard)

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
class Streams:
    """The buckets' streams one after the other, in the order of the shards.

    Attributes:
        starts: int64[shards + 1], where each shard begins.
        first: number of a bucket's first shard, by name.
    """

    starts: npt.NDArray[np.int64]
    first: dict[str, int]


@dataclass(frozen=True, eq=False)
class Shards:
    """A complete shard folder; `buckets` is sorted by name.

    Attributes:
        streams: for readers that go over all buckets at once.
        seen: what was looked at when the folder was opened.
    """

    folder: str
    manifest: ShardManifest
    buckets: dict[str, Bucket]
    streams: Streams
    seen: Seen
    _mapped: Callable[[int], Tokens] = field(repr=False)
    _checked: Callable[[str, int, str], None] = field(repr=False)
    _remembered: Remembered = field(repr=False)

    def map_tokens(self, shard: int) -> Tokens:
        """All tokens of a shard, counted over all buckets: see `Bucket.map_tokens`."""
        return self._mapped(shard)

    def unchecked(self) -> list[ShardEntry]:
        """The shards that were not yet checked against their hashes, or have changed since; for a store none, since its
        copies are checked.
        """
        if is_url(self.folder):
            return []
        shards = self.manifest.shards
        return [
            shards[at]
            for at, (file, sha256) in enumerate(zip(shards.files, shards.sha256s, strict=True))
            if not self._remembered.holds(join(self.folder, file), sha256)
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
        GristmillError: there is no shard manifest, a file that it lists is not there, or what `shards.guard` looks at
            is not what the manifest says.
    """
    manifest = load_manifest(folder)
    _check_files(folder, manifest.shards)
    remembered = Remembered(record_of(folder))

    def checked(file: str, size: int, sha256: str) -> None:
        path = join(folder, file)
        problem = None if is_url(folder) else remembered.check(path, size=size, sha256=sha256)
        if problem is not None:
            raise GristmillError(problem, where=path, remedy=MEND)

    rows = manifest.shards.in_order()
    mapped = (_cached_maps if is_url(folder) else _local_maps)(folder, manifest, rows, checked)
    starts = np.zeros(len(rows) + 1, np.int64)
    np.cumsum(rows.tokens, out=starts[1:])
    buckets: dict[str, Bucket] = {}
    first = 0
    for name, group in groupby(rows.buckets):
        stop = first + sum(1 for _ in group)
        buckets[name] = Bucket(
            name=name,
            tokens=int(starts[stop] - starts[first]),
            starts=starts[first : stop + 1] - starts[first],
            entries=rows[first:stop],
            folder=folder,
            _first=first,
            _mapped=mapped,
            _checked=checked,
        )
        first = stop
    return Shards(
        folder=folder,
        manifest=manifest,
        buckets=buckets,
        streams=Streams(starts, {name: bucket._first for name, bucket in buckets.items()}),
        seen=guard(folder, manifest, checked),
        _mapped=mapped,
        _checked=checked,
        _remembered=remembered,
    )


def _check_files(folder: str, shards: ShardList) -> None:
    files = [*shards.files, *shards.documents_files]
    if is_url(folder):
        stats = list_stats(folder, "**/*.arrow")
        _check_there(folder, files, stats)
        for name, size in zip(files, [*shards.bytes.tolist(), *shards.documents_bytes.tolist()], strict=True):
            if stats[name].size != size:
                raise GristmillError(
                    f"has {stats[name].size} bytes, the manifest says {size}", where=join(folder, name), remedy=MEND
                )
    else:  # sizes are looked at when a file is mapped
        _check_there(folder, files, _names_in(folder, files))


def _check_there(folder: str, files: list[str], there: Container[str]) -> None:
    missing = [name for name in files if name not in there]
    if missing:
        raise GristmillError(
            f"{len(missing)} of {len(files)} files are missing, the first is {min(missing)}",
            where=folder,
            remedy="restore them, or run `gristmill prep` again",
        )


def _names_in(folder: str, files: list[str]) -> set[str]:
    """The files in the folders of these files; one call of the system lists hundreds, and none is asked for alone."""
    names: set[str] = set()
    for below in {file.rpartition("/")[0] for file in files}:
        with contextlib.suppress(FileNotFoundError, NotADirectoryError), os.scandir(join(folder, below)) as listing:
            names.update(f"{below}/{found.name}" if below else found.name for found in listing if found.is_file())
    return names


def _local_maps(
    folder: str, manifest: ShardManifest, rows: ShardList, checked: Callable[[str, int, str], None]
) -> Callable[[int], Tokens]:
    @lru_cache(maxsize=most_maps())
    def mapped(shard: int) -> Tokens:
        entry = rows[shard]
        checked(entry.file, entry.bytes, entry.sha256)
        return _guarded(join(folder, entry.file), entry, manifest)

    return mapped


def _cached_maps(
    folder: str, manifest: ShardManifest, rows: ShardList, _: Callable[[str, int, str], None]
) -> Callable[[int], Tokens]:
    """Maps of the local copies.

    A copy that another process has deleted is released, so that its disk space is freed.
    """
    cache = shard_cache()
    held: dict[int, tuple[ShardEntry, Tokens]] = {}
    most = most_maps()

    def mapped(shard: int) -> Tokens:
        if shard in held and cache.touch(held[shard][0]):
            return held[shard][1]
        for other in [other for other, (entry, _) in held.items() if not cache.path_of(entry).exists()]:
            del held[other]
        entry = rows[shard]
        held[shard] = entry, _guarded(cache.fetch(join(folder, entry.file), entry), entry, manifest)
        while len(held) > most:
            del held[next(iter(held))]
        return held[shard][1]

    return mapped


@lru_cache(maxsize=1)
def most_maps() -> int:
    """How many shards a process keeps mapped: two thirds of the maps that Linux allows it (`vm.max_map_count`, 65,530
    unless it was changed), and so many where the system does not say. A map holds no file descriptor once it is made.
    """
    try:
        allowed = int(Path("/proc/sys/vm/max_map_count").read_text())
    except (OSError, ValueError):
        allowed = _MAPS
    return max(1, 2 * allowed // 3)


def _guarded(path: str, entry: ShardEntry, manifest: ShardManifest) -> Tokens:
    """The tokens of a local file, after a look at some of its documents."""
    tokens, offsets = arrays_of(path, entry, manifest.dtype)
    check_boundaries(tokens, offsets, manifest.tokenizer, where=path, entry=entry)
    return tokens
