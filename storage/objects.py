"""Object stores: whole objects in and out of `s3://`, `gs://` and `abfs://` URLs, through `obstore`.

Every error leaves this module as a `GristmillError` without credentials. An object is sent as one finished buffer: one
PUT, or above 10 MiB one multipart upload, which appears at its completion; the size stored is asked for afterwards. A
body that is shorter than announced, but ends properly, is data for the library: the bytes of every answer are counted.
"""

from __future__ import annotations

import io
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
from obstore.exceptions import AlreadyExistsError, PreconditionError

from manifests.credentials import redacted
from manifests.errors import GristmillError
from storage.faults import BrokenError, MissingError, attempt
from storage.stores import locate

if TYPE_CHECKING:
    from obstore import ObjectMeta, PutResult, UpdateVersion

# Up to this many bytes an object is read at once; beyond, in pieces as they are asked for.
WHOLE = 32 << 20
_PIECE = 16 << 20
# A larger object is sent in parts of `_PART` bytes, at most `_PARTS`, `_AT_ONCE` at a time.
_PART = 10 << 20
_PARTS = 10_000
_AT_ONCE = 4


@dataclass(frozen=True)
class Stat:
    """What a listing says about a file: its bytes, and when it was last changed, in nanoseconds."""

    size: int
    changed: int


def put(url: str, data: bytes | bytearray | memoryview | pa.Buffer) -> None:
    """Store a whole object, replacing what was there.

    Raises:
        GristmillError: it cannot be stored; an object of that name is then the old one, or the whole new one whose
            confirmation was lost.
    """
    view = memoryview(data).cast("B")
    store, key = locate(url)

    def send() -> None:
        store.put(key, view, chunk_size=max(_PART, len(view) // _PARTS + 1), max_concurrency=_AT_ONCE)
        stored = store.head(key)["size"]
        if stored != len(view):
            raise BrokenError(f"{stored} of {len(view)} bytes are stored")

    attempt(send, url)


def put_if(url: str, data: bytes, version: UpdateVersion | None) -> UpdateVersion | None:
    """Store a small object if there is none (`version` None), or if the one there has this version: of any number of
    writers, one succeeds.

    Returns:
        The version stored; None when another was there. When the confirmation of a request was lost, that other may be
        the object of this very call.

    Raises:
        GristmillError: the store refuses, or knows no conditions.
    """
    store, key = locate(url)
    # The last is how some stores say that there is no object of this version.
    with suppress(AlreadyExistsError, PreconditionError, MissingError):
        return attempt(lambda: _version(store.put(key, data, mode=version or "create", use_multipart=False)), url)
    return None


def get_version(url: str) -> tuple[bytes, UpdateVersion] | None:
    """A small object and its version; None when there is no such object."""
    store, key = locate(url)
    with suppress(MissingError):
        found = attempt(lambda: store.get(key), url)
        return attempt(lambda: found.bytes().to_bytes(), url), _version(found.meta)
    return None


def _version(stored: PutResult | ObjectMeta) -> UpdateVersion:
    """The version without its None values, which the library gives but does not take."""
    given: UpdateVersion = {"e_tag": stored["e_tag"], "version": stored["version"]}
    return {name: value for name, value in given.items() if value is not None}  # type: ignore[return-value]


def get(url: str) -> pa.Buffer:
    """A whole object, of exactly the bytes that the store announces.

    Raises:
        GristmillError: there is no such object, or it cannot be read.
    """
    return StoredObject(url).read_all()


class StoredObject(io.RawIOBase):
    """An object opened for reading at any place; every read is one request, repeated when its answer is short.

    Raises:
        GristmillError: there is no such object, or the store refuses.
    """

    def __init__(self, url: str) -> None:
        self._url, self._at = url, 0
        self._store, self._key = locate(url)
        self._size = attempt(lambda: self._store.head(self._key)["size"], url)

    def size(self) -> int:
        """Bytes, as announced when it was opened."""
        return self._size

    def read_at(self, offset: int, length: int) -> memoryview:
        """The `length` bytes from `offset` on, all of which are there."""
        return attempt(partial(self._read_at, offset, length), self._url) if length else memoryview(b"")

    def _read_at(self, offset: int, length: int) -> memoryview:
        found = memoryview(self._store.get_range(self._key, start=offset, length=length))
        if len(found) != length:
            raise BrokenError(f"fewer than the {length} bytes from {offset} on that it announced")
        return found

    def read_all(self) -> pa.Buffer:
        """All bytes, in memory that is aligned for numbers of any size: the library's buffers begin anywhere."""
        whole = np.empty(self._size, np.uint8)
        for start in range(0, self._size, _PIECE):
            whole[start : start + _PIECE] = self.read_at(start, min(_PIECE, self._size - start))
        return pa.py_buffer(whole)

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
        view[:count] = self.read_at(self._at, count)
        self._at += count
        return count


def stat(url: str) -> Stat | None:
    """Size and time of an object; None when there is no such object."""
    store, key = locate(url)
    with suppress(MissingError):
        return _stat(attempt(lambda: store.head(key), url))
    return None


def _stat(found: ObjectMeta) -> Stat:
    return Stat(found["size"], int(found["last_modified"].timestamp() * 1_000_000) * 1_000)


def list_objects(url: str) -> dict[str, Stat]:
    """All objects below a prefix, by their name relative to it; the store is asked page by page.

    Raises:
        GristmillError: the store refuses, or there is a key with `//`, `.` or `..` as a part, or a control character.
    """
    store, key = locate(url)
    start = len(key) + 1 if key else 0
    found = {
        one["path"][start:]: _stat(one) for one in attempt(lambda: store.list(key).collect(), url) if one["path"] != key
    }
    # A folder's marker is listed without the slash at its end, and is not an object of that name.
    return {name: one for name, one in found.items() if one.size or stat(f"{url.rstrip('/')}/{name}") is not None}


def delete(url: str) -> None:
    """Delete one object; absent is fine."""
    store, key = locate(url)
    with suppress(MissingError):
        attempt(lambda: store.delete(key), url)


def delete_tree(url: str) -> None:
    """Delete all objects below a prefix; absent is fine.

    Raises:
        GristmillError: the prefix is a whole bucket.
    """
    store, key = locate(url)
    if not key:
        raise GristmillError(
            "is a whole bucket or root: it is not deleted", where=redacted(url), remedy="name a folder in it"
        )
    attempt(lambda: store.delete([one["path"] for one in store.list(key).collect()]), url)
