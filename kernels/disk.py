"""Where compiled kernels are kept between processes, and which of those places are trusted.

In: the Python file that a kernel is from, and a name. Out: the bytes that were kept under that name, or the place where
bytes now lie.

Compiled code is machine code inside a pickle: whoever can write it runs what they like as whoever reads it. So a folder
is read only where nobody but its reader or root can write, or where the sources themselves lie, since Python runs the
bytecode there as well. In this order:

1. the folder that NUMBA_CACHE_DIR names;
2. `__pycache__` beside the source;
3. `gristmill/kernels` in the user's cache folder: XDG_CACHE_HOME, or `.cache` in the home folder;
4. a folder of the user's own in the folder for temporary files.

All are read, so that what was compiled before an installation became read-only serves everyone; the first that can be
written is written. Each entry is one file that appears whole, under a name that says all it depends on, and begins with
the SHA-256 of the rest: neither a full disk, nor a kill, nor two processes at once can leave an entry that is taken for
another.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import stat
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

from storage.user_folders import user_cache

_DIGEST_BYTES = hashlib.sha256().digest_size
_SUFFIX = ".kernel"
# Entries of other versions that share a cache folder stay for as long.
_OLD_S = 30 * 86_400.0
# What a killed process left half written.
_LEFT_S = 3_600.0
_OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH


@dataclass(frozen=True)
class Place:
    """A folder for the compiled kernels of one folder of sources.

    Attributes:
        kind: `source` is trusted as the sources are; `user` must be writable by its owner alone; `temporary` is that,
            and so is the folder above it, which nobody else may even read.
    """

    kind: Literal["source", "user", "temporary"]
    folder: Path


@dataclass(frozen=True)
class Entry:
    """The name of what is kept.

    Attributes:
        source: the Python file that it belongs to.
        stem: names the kernel and the version of Python.
        stamp: changes with the sources; entries of the same stem and other stamps are out of date.
        key: changes with all else that the bytes depend on.
    """

    source: Path
    stem: str
    stamp: str
    key: str

    @property
    def name(self) -> str:
        return f"{self.stem}.{self.stamp[:16]}.{self.key[:24]}{_SUFFIX}"


def load(entry: Entry) -> bytes | None:
    """What was kept, from the first place that has it whole; None when none has it."""
    for place in places(entry.source.parent):
        with contextlib.suppress(OSError), _opened(place) as folder:
            data = _read(folder, entry.name)
            if data is not None:
                return data
    return None


def keep(entry: Entry, data: bytes) -> Place | None:
    """Keep it in the first place that can be written; returns None when there is none."""
    for place in places(entry.source.parent):
        with contextlib.suppress(OSError):
            _make(place)
            with _opened(place) as folder:
                _write(folder, entry.name, data)
                _remove_old(folder, entry, place)
            return place
    return None


def writable_place(source: Path) -> Place | None:
    """The place that `keep` would take now."""
    for place in places(source.parent):
        with contextlib.suppress(OSError):
            _make(place)
            with _opened(place) as folder:
                os.unlink(_write_new(folder, f"{_SUFFIX}-probe", b"probe"), dir_fd=folder)
            return place
    return None


@cache
def places(folder: Path) -> tuple[Place, ...]:
    """Where the kernels of the sources in `folder` may be kept, in order."""
    leaf = f"{folder.name}_{hashlib.sha256(os.fsencode(folder)).hexdigest()[:32]}"
    found = []
    # Not numba's own setting, which a file in the working folder can change.
    if named := os.environ.get("NUMBA_CACHE_DIR"):
        found.append(Place("user", Path(named).absolute() / leaf))
    found.append(Place("source", folder / "__pycache__"))
    if (user := user_cache()) is not None:
        found.append(Place("user", user / "kernels" / leaf))
    found += [
        Place("temporary", Path(temporary) / f"gristmill-kernels-{os.geteuid()}" / leaf)
        for temporary in ([os.environ["TMPDIR"]] if os.environ.get("TMPDIR") else ["/tmp", "/var/tmp"])
        if Path(temporary).is_absolute()
    ]
    return tuple(found)


def _make(place: Place) -> None:
    if place.kind == "temporary":
        place.folder.parent.mkdir(mode=0o700, exist_ok=True)
        _check(os.lstat(place.folder.parent), forbidden=stat.S_IRWXG | stat.S_IRWXO)
    # Whatever the umask: a folder that others can write would not be read again.
    place.folder.parent.mkdir(parents=True, exist_ok=True)
    place.folder.mkdir(mode=0o777 if place.kind == "source" else 0o755, exist_ok=True)


@contextlib.contextmanager
def _opened(place: Place) -> Iterator[int]:
    """The folder, open, so that the folder that was checked is the one that is used, even if folders are renamed
    meanwhile.

    Raises:
        OSError: it is not there, or others may have written it.
    """
    follow = 0 if place.kind == "source" else os.O_NOFOLLOW
    if place.kind == "temporary":
        _check(os.lstat(place.folder.parent), forbidden=stat.S_IRWXG | stat.S_IRWXO)
    folder = os.open(place.folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC | follow)
    try:
        if place.kind != "source":
            _check(os.fstat(folder), forbidden=_OTHERS_WRITE)
        yield folder
    finally:
        os.close(folder)


def _check(status: os.stat_result, *, forbidden: int) -> None:
    if not stat.S_ISDIR(status.st_mode) or status.st_uid not in (os.geteuid(), 0) or status.st_mode & forbidden:
        raise PermissionError("others may have written here")


def _read(folder: int, name: str) -> bytes | None:
    with open(os.open(name, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW, dir_fd=folder), "rb") as file:
        data = file.read()
    digest, rest = data[:_DIGEST_BYTES], data[_DIGEST_BYTES:]
    return rest if hashlib.sha256(rest).digest() == digest else None


def _write(folder: int, name: str, data: bytes) -> None:
    temporary = _write_new(folder, name, hashlib.sha256(data).digest() + data)
    os.rename(temporary, name, src_dir_fd=folder, dst_dir_fd=folder)


def _write_new(folder: int, name: str, data: bytes) -> str:
    """Write a file under a temporary name, and return that; nothing is left if it cannot be written whole."""
    temporary = f"{name}.{uuid.uuid4().hex[:16]}.tmp"
    with open(
        os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644, dir_fd=folder), "wb"
    ) as file:
        try:
            file.write(data)
            file.flush()
        except BaseException:
            os.unlink(temporary, dir_fd=folder)
            raise
    return temporary


def _remove_old(folder: int, entry: Entry, place: Place) -> None:
    """Remove entries of this kernel from other sources.

    Beside the sources there are no others; elsewhere another version may share the folder.
    """
    now = time.time()
    for name in os.listdir(folder):
        mine = name.startswith(f"{entry.stem}.") and not name.startswith(f"{entry.stem}.{entry.stamp[:16]}.")
        age_s = _LEFT_S if name.endswith(".tmp") else 0.0 if place.kind == "source" else _OLD_S
        if mine and name.endswith((_SUFFIX, ".tmp")):
            with contextlib.suppress(OSError):
                if now - os.stat(name, dir_fd=folder).st_mtime >= age_s:
                    os.unlink(name, dir_fd=folder)
