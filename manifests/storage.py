"""Reading and publishing files, on local disk or in an object store, through `pyarrow.fs`.

A file is either absent or whole: local files are written to a temporary name in the same folder, synced and renamed;
objects are stored by one PUT of a finished buffer. (`with fs.open_output_stream()` commits a torn object when an exception
leaves the block, hence no `with` here.) Leftovers of killed writers begin with `.tmp-` and are never listed.
"""

from __future__ import annotations

import errno
import glob
import hashlib
import os
import shutil
import uuid
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pyarrow as pa
from pyarrow import fs as pafs

from manifests.errors import GristmillError

_TEMPORARY = ".tmp-"


def is_url(path: str) -> bool:
    """True for `s3://bucket/key` and the like, False for local paths."""
    return "://" in path


def join(folder: str, *names: str) -> str:
    """Folder and names with one slash between."""
    return "/".join([folder.rstrip("/"), *names])


def publish(path: str, data: bytes | bytearray | memoryview | pa.Buffer | Iterable[Any]) -> None:
    """Write a whole file under its final name, replacing what was there.

    Args:
        path: local path or URL.
        data: one buffer, or several to be written one after the other.

    Raises:
        GristmillError: the disk is full or the place cannot be written; nothing is left under `path`.
    """
    buffers = [data] if isinstance(data, (bytes, bytearray, memoryview, pa.Buffer)) else list(data)
    if is_url(path):
        filesystem, key = pafs.FileSystem.from_uri(path)
        stream = filesystem.open_output_stream(key)
        for buffer in buffers:
            stream.write(buffer)
        stream.close()
        return
    final = Path(path)
    temporary = final.parent / f"{_TEMPORARY}{uuid.uuid4().hex}"
    try:
        final.parent.mkdir(parents=True, exist_ok=True)
        with open(temporary, "wb") as file:
            for buffer in buffers:
                file.write(buffer)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, final)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise _write_error(path, error) from error


def read_bytes(path: str) -> bytes:
    """The whole file."""
    if is_url(path):
        filesystem, key = pafs.FileSystem.from_uri(path)
        with filesystem.open_input_stream(key) as stream:
            return bytes(stream.read())
    try:
        return Path(path).read_bytes()
    except FileNotFoundError:
        raise GristmillError("no such file", where=path) from None


def map_file(path: str) -> pa.NativeFile:
    """A random-access file: memory-mapped when local (zero-copy), opened for ranged reads when remote."""
    if is_url(path):
        filesystem, key = pafs.FileSystem.from_uri(path)
        return filesystem.open_input_file(key)
    try:
        return pa.memory_map(path, "r")
    except FileNotFoundError:
        raise GristmillError("no such file", where=path) from None


def exists(path: str) -> bool:
    if is_url(path):
        filesystem, key = pafs.FileSystem.from_uri(path)
        return bool(filesystem.get_file_info(key).type == pafs.FileType.File)
    return os.path.isfile(path)


def file_size(path: str) -> int:
    """Bytes."""
    if is_url(path):
        filesystem, key = pafs.FileSystem.from_uri(path)
        return int(filesystem.get_file_info(key).size)
    return os.path.getsize(path)


def list_files(folder: str, pattern: str = "**") -> list[str]:
    """Files below a local folder or URL prefix, relative to it, sorted; unfinished files are left out.

    Args:
        pattern: glob relative to the folder; `**` descends.
    """
    if is_url(folder):
        filesystem, prefix = pafs.FileSystem.from_uri(folder)
        selector = pafs.FileSelector(prefix, recursive=True, allow_not_found=True)
        found = [i.path[len(prefix.rstrip("/")) + 1 :] for i in filesystem.get_file_info(selector) if i.type == pafs.FileType.File]
        wanted = [name for name in found if _matches(name, pattern)]
    else:
        wanted = [
            name
            for name in glob.glob(pattern, root_dir=folder, recursive=True, include_hidden=False)
            if os.path.isfile(os.path.join(folder, name))
        ]
    return sorted({name for name in wanted if not name.rsplit("/", 1)[-1].startswith(_TEMPORARY)})


def remove_file(path: str) -> None:
    """Delete one file; absent is fine."""
    if is_url(path):
        if exists(path):
            filesystem, key = pafs.FileSystem.from_uri(path)
            filesystem.delete_file(key)
    else:
        Path(path).unlink(missing_ok=True)


def remove_tree(path: str) -> None:
    """Delete a folder and all below it; absent is fine."""
    if is_url(path):
        filesystem, key = pafs.FileSystem.from_uri(path)
        filesystem.delete_dir_contents(key, missing_dir_ok=True)
    else:
        shutil.rmtree(path, ignore_errors=True)


def sweep_temporaries(folder: str) -> None:
    """Delete what killed writers left below a local folder. Call it only when no other process writes there."""
    if not is_url(folder):
        for leftover in Path(folder).glob(f"**/{_TEMPORARY}*"):
            leftover.unlink(missing_ok=True)


def sha256_file(path: str) -> str:
    """Hex sha256 of a file's bytes, read in pieces."""
    digest = hashlib.sha256()
    with map_file(path) as file:
        while chunk := file.read(8 << 20):
            digest.update(chunk)
    return digest.hexdigest()


def _matches(name: str, pattern: str) -> bool:
    import re
    from fnmatch import translate

    # `**/` in a glob also matches no folder at all, and `*` stays inside one folder.
    expression = "".join(
        {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}.get(
            token, re.escape(token) if not token.startswith("[") else translate(token)[4:-3]
        )
        for token in re.findall(r"\*\*/|\*\*|\*|\?|\[[^\]]*\]|[^*?\[]+", pattern)
    )
    return re.fullmatch(expression, name) is not None


def _write_error(path: str, error: OSError) -> GristmillError:
    if error.errno == errno.ENOSPC:
        return GristmillError(
            "the disk is full",
            where=path,
            remedy="free some space or choose another --out; finished parts are kept, run the same command again",
        )
    return GristmillError(f"cannot be written: {error.strerror or error}", where=path, remedy="check the folder's permissions")
