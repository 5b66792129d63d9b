"""A bounded local copy of shards that lie in an object store: a shard's URL and hash in, the path of a local file out.

Files are named by their sha256, which is checked while they are downloaded, and again when they have been written to
since; they appear under that name whole or not at all, and are shared by all processes and runs of the machine. Below
the limit nothing is deleted; above it the least recently used files are deleted. A file that is deleted while some
process has it mapped stays readable there.

    GRISTMILL_CACHE       the folder; default: `gristmill/shards` in XDG_CACHE_HOME, else in ~/.cache
    GRISTMILL_CACHE_GB    the limit in 10^9 bytes; default: 100
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import math
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import IO

from manifests.errors import GristmillError
from shards.format import ShardEntry, ShardManifest
from storage.checked import Remembered
from storage.files import TEMPORARY
from storage.objects import StoredObject
from storage.user_folders import chosen_folder

DEFAULT_GB = 100.0
_PIECE = 16 << 20
_SUFFIX = ".arrow"
_CHECKED = "checked.jsonl"


@dataclass(frozen=True)
class ShardCache:
    """Where copies lie, and how many bytes they may take together (a single larger shard is kept all the same)."""

    folder: Path
    limit: int

    def path_of(self, entry: ShardEntry) -> Path:
        """The name of a shard's copy, whether it is there or not."""
        return self.folder / (entry.sha256 + _SUFFIX)

    def touch(self, entry: ShardEntry) -> bool:
        """Mark a copy as just used; False when it is not there (any more)."""
        path = self.path_of(entry)
        try:
            os.utime(path, ns=(time.time_ns(), path.stat().st_mtime_ns))  # when it was written has to stay
        except FileNotFoundError:
            return False
        return True

    def fetch(self, url: str, entry: ShardEntry) -> str:
        """The path of a whole copy of a shard; downloads it when there is none. One process downloads, others wait for
        it.

        Raises:
            GristmillError: the shard cannot be read, or twice had another sha256 than the manifest gives, or the disk
                is full.
        """
        path = self.path_of(entry)
        try:
            with self._locked(f"{TEMPORARY}lock-{entry.sha256[:2]}"):
                if (
                    path.exists()
                    and _record(self.folder).check(str(path), size=entry.bytes, sha256=entry.sha256) is None
                ):
                    self.touch(entry)
                    return str(path)
                for _ in range(2):
                    if self._download(url, entry):
                        return str(path)
        except OSError as error:
            text = (
                "the disk is full" if error.errno == errno.ENOSPC else f"cannot be written: {error.strerror or error}"
            )
            raise GristmillError(
                text,
                where=str(self.folder),
                remedy="set GRISTMILL_CACHE to a folder with room, or GRISTMILL_CACHE_GB to a smaller limit",
            ) from None
        raise GristmillError(
            "its sha256 is not the manifest's, twice in a row: the shard is damaged in the store, or on the way",
            where=url,
            remedy="run `gristmill verify` on the prepared corpus, and `gristmill prep` again if the shard is damaged",
        )

    def _download(self, url: str, entry: ShardEntry) -> bool:
        """Whether the copy is there now; False when what came was something else."""
        temporary = self.folder / f"{TEMPORARY}{entry.sha256}"
        with StoredObject(url) as source, self._reserved(temporary, entry.bytes) as file:
            digest = hashlib.sha256()
            if source.size() == entry.bytes:
                for piece in _pieces(source):
                    digest.update(piece)
                    file.write(piece)
            if digest.hexdigest() == entry.sha256:
                file.flush()
                os.fsync(file.fileno())
                temporary.replace(self.path_of(entry))
                _record(self.folder).add(str(self.path_of(entry)), entry.sha256)
                return True
        return False

    @contextlib.contextmanager
    def _reserved(self, temporary: Path, size: int) -> Iterator[IO[bytes]]:
        """A file that counts with its final size from the start, after room has been made for it; locked, and deleted
        unless renamed.
        """
        with self._locked(f"{TEMPORARY}lock"):
            self._make_room(size)
            file = open(temporary, "w+b")  # noqa: SIM115  (held by the block below)
            fcntl.flock(file, fcntl.LOCK_EX)
            file.truncate(size)
        with file:
            try:
                yield file
            finally:
                temporary.unlink(missing_ok=True)

    def _make_room(self, size: int) -> None:
        """Delete leftovers of killed downloads, then copies that were used longest ago, until `size` more bytes fit."""
        copies: list[tuple[int, int, Path]] = []
        used = 0
        for path in self.folder.iterdir():
            with contextlib.suppress(FileNotFoundError):
                if path.name.startswith(f"{TEMPORARY}lock") or path.name == _CHECKED:
                    continue
                if path.name.startswith(TEMPORARY) and _is_left(path):
                    path.unlink()
                    continue
                stat = path.stat()
                used += stat.st_size
                if path.suffix == _SUFFIX:
                    copies.append((stat.st_atime_ns, stat.st_size, path))
        for _, bytes_, path in sorted(copies):
            if used + size <= self.limit:
                break
            path.unlink(missing_ok=True)
            used -= bytes_

    @contextlib.contextmanager
    def _locked(self, name: str) -> Iterator[None]:
        self.folder.mkdir(parents=True, exist_ok=True)
        with open(self.folder / name, "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def shard_cache() -> ShardCache:
    """The cache that the environment names.

    Raises:
        GristmillError: GRISTMILL_CACHE_GB is not a positive number, or this user has no home and no folder is named.
    """
    given = os.environ.get("GRISTMILL_CACHE_GB") or str(DEFAULT_GB)
    try:
        limit = float(given)
    except ValueError:
        limit = math.nan
    if not 0 < limit < math.inf:
        raise GristmillError(
            f"`{given}` is not a number above 0", where="GRISTMILL_CACHE_GB", remedy="give gigabytes, such as 200"
        )
    return ShardCache(folder=chosen_folder("GRISTMILL_CACHE", default="shards", holds="shards"), limit=int(limit * 1e9))


@lru_cache(maxsize=16)
def _record(folder: Path) -> Remembered:
    return Remembered(folder / _CHECKED, stamp=_copy_stamp)


def _copy_stamp(path: str) -> str | None:
    """Without the time of the inode, which every use changes."""
    try:
        stat = os.stat(path)
    except OSError:
        return None
    return f"{stat.st_size} {stat.st_mtime_ns} {stat.st_ino}"


def cache_note(manifest: ShardManifest, cache: ShardCache) -> str | None:
    """A note when the shards do not fit into the cache: samples are drawn from all of them at random."""
    size = int(manifest.shards.bytes.sum())
    if size <= cache.limit:
        return None
    return (
        f"note: the shards are {size / 1e9:,.2f} GB, the cache {cache.folder} holds {cache.limit / 1e9:,.2f} GB: shards"
        " will be downloaded again and again; set GRISTMILL_CACHE_GB higher, or copy the shards to a disk"
    )


def _pieces(source: StoredObject) -> Iterator[memoryview]:
    for start in range(0, source.size(), _PIECE):
        yield source.read_at(start, min(_PIECE, source.size() - start))


def _is_left(path: Path) -> bool:
    """Whether the process that wrote a temporary file is gone: it would hold its lock."""
    with open(path, "rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
    return True
