"""Object stores: whole objects in and out of `s3://`, `gs://`, `abfs://` and `hdfs://` URLs, through `pyarrow.fs`.

Every error leaves this module as a `GristmillError` without credentials.

What Arrow 25 does not do, and what is done about it:

- A stream that is destroyed commits what it was given: an interrupt between opening and writing would store an empty object. Objects are
  therefore sent from a thread of their own, where Python raises no interrupts, as one finished buffer: one PUT, or above 10 MiB one
  multipart upload, which appears at its completion. The size stored is asked for afterwards.
- A body that is shorter than announced, but ends properly, comes back padded with whatever lay in memory (Arrow writes into a buffer of the
  announced size and does not count). Reads go into buffers whose last byte is known, see `_read_into`.
- Conditional PUTs (`If-None-Match`, `If-Match`) cannot be asked for: metadata of these names are dropped without a word. Parts do not need
  them, since the same name always holds the same bytes; writers are kept apart by `storage.lock`.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pyarrow as pa
from pyarrow import fs as pafs

from manifests.credentials import redacted
from manifests.errors import GristmillError
from storage.faults import BrokenError, attempt
from storage.stores import locate

# Up to this many bytes an object is read by one request; beyond, in pieces as they are asked for.
WHOLE = 32 << 20
_PIECE = 16 << 20


@dataclass(frozen=True)
class Stat:
    """What a listing says of a file: its bytes, and when it was last changed, in nanoseconds."""

    size: int
    changed: int


def put(url: str, data: pa.Buffer) -> None:
    """Store a whole object, replacing what was there.

    Raises:
        GristmillError: it cannot be stored; an object of that name is then the old one, or the whole new one whose confirmation was lost.
    """

    def send() -> None:
        filesystem, key = locate(url)
        stream = filesystem.open_output_stream(key, compression=None)  # the default compresses what is called *.gz or *.zst
        stream.write(data)
        stream.close()
        stored = filesystem.get_file_info(key).size
        if stored != data.size:
            raise BrokenError(f"{stored} of {data.size} bytes are stored")

    with ThreadPoolExecutor(1) as thread:
        thread.submit(attempt, send, url).result()


def get(url: str) -> pa.Buffer:
    """A whole object, of exactly the bytes that the store announces.

    Raises:
        GristmillError: there is none, or it cannot be read.
    """
    with open_object(url) as file:
        return get_all(file)


def get_all(file: StoredObject) -> pa.Buffer:
    """All bytes of an opened object."""
    buffer = np.empty(file.size(), np.uint8)
    file.fill(buffer.data, 0)
    return pa.py_buffer(buffer)


class StoredObject(io.RawIOBase):
    """An object opened for reading at any place; every read is one request, retried when it breaks."""

    def __init__(self, url: str) -> None:
        self._url, self._at = url, 0
        self._file = self._open()
        self._size: int = attempt(lambda: int(self._file.size()), url)

    def _open(self) -> pa.NativeFile:
        def opened() -> pa.NativeFile:
            filesystem, key = locate(self._url)
            return filesystem.open_input_file(key)

        return attempt(opened, self._url)

    def size(self) -> int:
        """Bytes, as announced when it was opened."""
        return self._size

    def fill(self, target: memoryview, offset: int) -> None:
        """Read `len(target)` bytes from `offset` on into `target`, in pieces of at most 16 MiB."""
        for start in range(0, len(target), _PIECE):
            piece = target[start : start + _PIECE]
            attempt(partial(_read_into, self._file, piece, offset + start), self._url)

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self._at = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        return self._at

    def readinto(self, target: Any) -> int:
        view = memoryview(target).cast("B")
        count = max(0, min(len(view), self._size - self._at))
        self.fill(view[:count], self._at)
        self._at += count
        return count

    def close(self) -> None:
        if not self.closed:
            self._file.close()
        super().close()


def open_object(url: str) -> StoredObject:
    """Open an object for reading.

    Raises:
        GristmillError: there is none, or the store refuses.
    """
    return StoredObject(url)


def stat(url: str) -> Stat | None:
    """Size and time of an object; None when there is none."""

    def ask() -> pafs.FileInfo:
        filesystem, key = locate(url)
        return filesystem.get_file_info(key)

    info = attempt(ask, url)
    return Stat(int(info.size), info.mtime_ns or 0) if info.type == pafs.FileType.File else None


def list_objects(url: str) -> dict[str, Stat]:
    """All objects below a prefix, by their name relative to it; the store is asked page by page."""

    def ask() -> dict[str, Stat]:
        filesystem, key = locate(url)
        prefix = key.rstrip("/")
        found = filesystem.get_file_info(pafs.FileSelector(prefix, recursive=True, allow_not_found=True))
        return {info.path[len(prefix) + 1 :]: Stat(int(info.size), info.mtime_ns or 0) for info in found if info.type == pafs.FileType.File}

    return attempt(ask, url)


def delete(url: str) -> None:
    """Delete one object; absent is fine."""

    def remove() -> None:
        filesystem, key = locate(url)
        if filesystem.get_file_info(key).type == pafs.FileType.File:
            filesystem.delete_file(key)

    attempt(remove, url)


def delete_tree(url: str) -> None:
    """Delete all objects below a prefix; absent is fine.

    Raises:
        GristmillError: the prefix is a whole bucket.
    """

    def remove() -> None:
        filesystem, key = locate(url)
        if "/" not in key.strip("/"):
            raise GristmillError("is a whole bucket or root: it is not deleted", where=redacted(url), remedy="name a folder in it")
        filesystem.delete_dir_contents(key, missing_dir_ok=True)

    attempt(remove, url)


def joined(buffers: Sequence[Any]) -> pa.Buffer:
    """Several buffers as one; a single one is not copied."""
    if len(buffers) == 1:
        return buffers[0] if isinstance(buffers[0], pa.Buffer) else pa.py_buffer(buffers[0])
    return pa.py_buffer(b"".join(memoryview(buffer).cast("B") for buffer in buffers))


def _read_into(file: pa.NativeFile, target: memoryview, offset: int) -> None:
    """Fill `target` from `offset` on, or raise.

    The last byte of `target` is set before the read. Where it is the same afterwards, either the body really ends in that byte, or it was
    too short: a second read over another last byte tells which.
    """
    if not len(target):
        return
    for mark in (0xA5, 0x5A):
        target[-1] = mark
        file.seek(offset)
        count = file.readinto(target)
        if count != len(target):
            break
        if target[-1] != mark:
            return
    raise BrokenError(f"fewer than the {len(target)} bytes from {offset} on that it announced")
