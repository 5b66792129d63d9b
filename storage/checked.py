"""A memory of the files whose sha256 was checked: a file is checked against its hash once, and again when the file
system says that it changed.

In: paths of local files and the hashes that a manifest gives for them. Out: a record of one line per checked file with
its stamp: size, time of change, time of the last change to its inode, and the inode's number. Writing to a file changes
its stamp, also when the time of change is set back afterwards. What changes bytes below the file system (a failing
disk) does not: `gristmill verify` reads everything.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path

from manifests.errors import GristmillError
from storage.faults import MissingError
from storage.files import file_size, sha256_file
from storage.user_folders import user_cache

MISSING = "is missing"


def file_problem(path: str, *, size: int, sha256: str, found: int | None = None) -> str | None:
    """What is wrong with a file of a disk or a store; None when it has this size and hash. Every byte is read.

    Args:
        found: its size, if it is known from a listing.
    """
    try:
        found = file_size(path) if found is None else found
        if found != size:
            return f"has {found} bytes, the manifest says {size}"
        return None if sha256_file(path) == sha256 else "its sha256 is not the manifest's"
    except MissingError:
        return MISSING
    except GristmillError as error:  # a disk or a store that fails to return it
        return error.message


class Remembered:
    """A record of checked files, shared by processes: each adds lines and sees those of others. Without a place to
    write to, it lasts only as long as the process.

    Args:
        record: its file; need not be there. None: what is checked is remembered by this process alone.
        stamp: gives what shows that a file changed: its size, and whatever else is known of it.
    """

    def __init__(self, record: Path | None, *, stamp: Callable[[str], str | None] | None = None) -> None:
        self._record, self._read, self._stamp = record, 0, stamp or stamp_of
        self._known: dict[str, tuple[str, str]] = {}

    def holds(self, path: str, sha256: str, *, stamp: str | None = None) -> bool:
        """Whether the file had this hash when it was checked, and has not changed since.

        Args:
            stamp: as it is now, if it is known from a listing.
        """
        now = stamp or self._stamp(path)
        if now is None:
            return False
        if self._known.get(path) != (now, sha256):
            self._refresh()
        return self._known.get(path) == (now, sha256)

    def add(self, path: str, sha256: str, *, stamp: str | None = None) -> None:
        """Remember that the file has this hash; `stamp`: as it was before it was read, by default as it is now."""
        stamp = stamp or self._stamp(path)
        if stamp is None:
            return
        self._known[path] = (stamp, sha256)
        if self._record is None:
            return
        line = json.dumps({"path": path, "stamp": stamp, "sha256": sha256}) + "\n"
        with contextlib.suppress(OSError):
            self._record.parent.mkdir(parents=True, exist_ok=True)
            with open(self._record, "ab", buffering=0) as file:
                file.write(line.encode())

    def check(self, path: str, *, size: int, sha256: str, stamp: str | None = None) -> str | None:
        """What is wrong with a file; None when it has this size and hash. It is read unless its check is remembered.

        Args:
            stamp: as it is now, if it is known from a listing.
        """
        now = stamp or self._stamp(path)
        if now is None:
            return "no such file"
        found = int(now.split()[0])
        if found == size and self.holds(path, sha256, stamp=now):
            return None
        problem = file_problem(path, size=size, sha256=sha256, found=found)
        if problem is None:
            self.add(path, sha256, stamp=now)
        return problem

    def _refresh(self) -> None:
        if self._record is None:
            return
        with contextlib.suppress(OSError), open(self._record, "rb") as file:
            file.seek(self._read)
            for line in file.read().splitlines(keepends=True):
                if not line.endswith(b"\n"):
                    break  # another process is writing it
                self._read += len(line)
                with contextlib.suppress(ValueError, KeyError, TypeError):
                    said = json.loads(line)
                    self._known[said["path"]] = (said["stamp"], said["sha256"])


def stamp_of(path: str) -> str | None:
    """What the file system says about a local file; None when there is no such file."""
    try:
        stat = os.stat(path)
    except OSError:
        return None
    return f"{stat.st_size} {stat.st_mtime_ns} {stat.st_ctime_ns} {stat.st_ino}"


def record_of(folder: str) -> Path | None:
    """The record for the files of a local folder: in the user's cache, since the folder may belong to others; None for
    a user without a home.
    """
    cache = user_cache()
    if cache is None:
        return None
    name = hashlib.sha256(os.path.realpath(folder).encode(errors="surrogateescape")).hexdigest()[:32]
    return cache / "checked" / f"{name}.jsonl"
