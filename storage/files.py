"""Reading and publishing files, on local disk or in an object store (`storage.objects`).

A file is either absent or whole: local files are written to a temporary name in the same folder, synced and renamed;
objects are sent as one finished buffer. Leftovers of killed writers begin with `.tmp-` and are never listed.
"""

from __future__ import annotations

import errno
import glob
import hashlib
import io
import os
import re
import shutil
import uuid
from collections.abc import Iterable
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, BinaryIO

import pyarrow as pa

from manifests.errors import GristmillError
from storage import objects
from storage.faults import MissingError
from storage.mapped import note_mapped
from storage.objects import Stat

TEMPORARY = ".tmp-"
_GLOB = re.compile(r"[*?\[]")
# Bytes that a stream of a large object fetches at once.
_AHEAD = 8 << 20


def is_url(path: str) -> bool:
    """True for `s3://bucket/key` and the like, False for local paths."""
    return "://" in path


def join(folder: str, *names: str) -> str:
    """Folder and names with one slash between."""
    return "/".join([folder.rstrip("/"), *names])


def absolute(place: str) -> str:
    """A place that means the same wherever the working folder is."""
    return place if is_url(place) else os.path.abspath(place)


def is_glob(name: str) -> bool:
    """Whether a name has wildcards.

    A file of exactly this name may still exist: such a full name means that file.
    """
    return _GLOB.search(name) is not None


def split_glob(pattern: str) -> tuple[str, str]:
    """The folder that a pattern begins with, and the pattern below it.

    A local folder that exists is taken by its name, even with `[1]` in it.
    """
    parts = pattern.split("/")
    fixed = 0
    while fixed < len(parts) - 1:
        folder = "/".join(parts[: fixed + 1])
        if is_glob(parts[fixed]) and (is_url(pattern) or not Path(folder).is_dir()):
            break
        fixed += 1
    return "/".join(parts[:fixed]), "/".join(parts[fixed:])


def publish(path: str, data: bytes | bytearray | memoryview | pa.Buffer | Iterable[Any]) -> None:
    """Write a whole file under its final name, replacing what was there.

    Args:
        path: local path or URL.
        data: one buffer, or several to be written one after the other. On local disk those of an iterator are written
            as they come; for an object store all are held in memory.

    Raises:
        GristmillError: the disk is full, the place cannot be written, or the store refuses; nothing torn is left under
            `path`.
    """
    buffers: Iterable[Any] = [data] if isinstance(data, (bytes, bytearray, memoryview, pa.Buffer)) else data
    if is_url(path):
        held = list(buffers)
        objects.put(path, held[0] if len(held) == 1 else b"".join(held))
        return
    final = Path(path)
    temporary = final.parent / f"{TEMPORARY}{uuid.uuid4().hex}"
    try:
        final.parent.mkdir(parents=True, exist_ok=True)
        with open(temporary, "wb") as file:
            for buffer in buffers:
                file.write(buffer)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, final)
    except OSError as error:
        raise _write_error(path, error) from error
    finally:
        temporary.unlink(missing_ok=True)  # it is gone when it was renamed


def read_bytes(path: str) -> bytes:
    """The whole file."""
    if is_url(path):
        return bytes(objects.get(path).to_pybytes())
    try:
        return Path(path).read_bytes()
    except FileNotFoundError:
        raise MissingError("no such file", where=path) from None
    except OSError as error:
        raise _read_error(path, error) from error


def read_if_there(path: str) -> bytes | None:
    """The whole file; None when there is no such file. For a store this takes one request less than asking first."""
    try:
        return read_bytes(path)
    except MissingError:
        return None


def map_file(path: str) -> pa.NativeFile:
    """A random-access file: memory-mapped when local (zero-copy); from an object store, in memory when small, else read
    on demand.
    """
    if is_url(path):
        file = objects.StoredObject(path)
        if file.size() > objects.WHOLE:
            return pa.PythonFile(file, mode="r")
        with file:
            return pa.BufferReader(file.read_all())
    note_mapped(path)
    try:
        return pa.memory_map(path, "r")
    except FileNotFoundError:
        raise MissingError("no such file", where=path) from None
    except OSError as error:
        raise _read_error(path, error) from error


def open_input(path: str) -> pa.NativeFile:
    """A random-access file that others may write: read, never mapped. A process that touches a mapped file that was cut
    is killed by SIGBUS.

    Raises:
        MissingError: there is no such file.
    """
    if is_url(path):
        return map_file(path)
    try:
        return pa.OSFile(path, "r")
    except FileNotFoundError:
        raise MissingError("no such file", where=path) from None
    except OSError as error:
        raise _read_error(path, error) from error


def open_stream(path: str) -> BinaryIO:
    """A file to be read mostly from its beginning to its end, with seeking; a large object is fetched some MB ahead.

    Raises:
        FileNotFoundError: there is no such local file.
        GristmillError: there is no such object.
    """
    if is_url(path):
        return io.BufferedReader(objects.StoredObject(path), _AHEAD)
    try:
        return open(path, "rb")
    except FileNotFoundError:
        raise
    except OSError as error:
        raise _read_error(path, error) from error


def exists(path: str) -> bool:
    """Whether there is a file of this name; a folder does not count."""
    return find(path) is not None


def find(path: str) -> Stat | None:
    """Size and time of the last change of a file; None when there is no such file."""
    if is_url(path):
        return objects.stat(path)
    if not os.path.isfile(path):
        return None
    local = os.stat(path)
    return Stat(local.st_size, local.st_mtime_ns)


def file_stat(path: str) -> Stat:
    """The same for a file that must exist.

    Raises:
        GristmillError: there is no such file.
    """
    found = find(path)
    if found is None:
        raise MissingError("no such file", where=path)
    return found


def file_size(path: str) -> int:
    """Bytes."""
    return file_stat(path).size


def list_files(folder: str, pattern: str = "**") -> list[str]:
    """Files below a local folder or URL prefix, relative to it, sorted; unfinished files are left out.

    Args:
        pattern: glob relative to the folder; `**` descends.
    """
    return list(list_stats(folder, pattern))


def list_stats(folder: str, pattern: str = "**", *, dotted: bool = False) -> dict[str, Stat]:
    """The same with sizes and times: for a store they come with the listing.

    Args:
        dotted: names that begin with a dot need not be asked for.
    """
    found: dict[str, Stat] = {}
    if is_url(folder):
        # A bucket may hold far more than is asked for: only what is below the part of the pattern without wildcards is
        # listed.
        parts = pattern.split("/")
        fixed = parts[: next((index for index, part in enumerate(parts[:-1]) if is_glob(part)), len(parts) - 1)]
        listed = objects.list_objects(join(folder, *fixed) if fixed else folder)
        named = {"/".join([*fixed, name]): stat for name, stat in listed.items()}
        found = {name: stat for name, stat in named.items() if matches(name, pattern, dotted=dotted)}
    else:
        known = {""}
        for name in glob.iglob(pattern, root_dir=folder, recursive=True, include_hidden=dotted):
            _check_loop(folder, name.rpartition("/")[0], known)
            path = os.path.join(folder, name)
            if os.path.isfile(path):
                found[name] = file_stat(path)
            elif Path(path).is_symlink() and not Path(path).is_dir():
                raise GristmillError("is a link to nothing", where=path, remedy="mend or remove the link")
    return {name: found[name] for name in sorted(found) if not name.rsplit("/", 1)[-1].startswith(TEMPORARY)}


def _check_loop(root: str, folder: str, known: set[str]) -> None:
    """Refuse a link to a folder above it: it would list the same files forty times over, and two such links would never
    end.

    Args:
        folder: relative to `root`.
        known: folders that are not such links; those looked at are added.

    Raises:
        GristmillError: the folder, or one on the way to it, is such a link.
    """
    while folder not in known:
        known.add(folder)
        path = Path(root, folder)
        if path.is_symlink() and path.resolve() in (path.parent.resolve(), *path.parent.resolve().parents):
            raise GristmillError(
                "is a link to a folder above it", where=str(path), remedy="remove the link, or do without `**`"
            )
        folder = folder.rpartition("/")[0]


def remove_file(path: str) -> None:
    """Delete one file; absent is fine."""
    if is_url(path):
        objects.delete(path)
    else:
        Path(path).unlink(missing_ok=True)


def remove_tree(path: str) -> None:
    """Delete a folder and all below it; absent is fine.

    Raises:
        GristmillError: the path is a whole bucket.
    """
    if is_url(path):
        objects.delete_tree(path)
    else:
        shutil.rmtree(path, ignore_errors=True)


def remove_empty_folders(folder: str) -> None:
    """Delete the folders below a local one that hold no files; an object store has none."""
    if is_url(folder):
        return
    for path, _, _ in os.walk(folder, topdown=False):
        if path != folder and not any(os.scandir(path)):
            Path(path).rmdir()


def sweep_temporaries(folder: str) -> None:
    """Delete what killed writers left below a local folder. Call it only when no other process writes there."""
    if not is_url(folder):
        for leftover in Path(folder).glob(f"**/{TEMPORARY}*"):
            leftover.unlink(missing_ok=True)


def sha256_file(path: str) -> str:
    """Hex sha256 of a file's bytes, read in pieces."""
    if not is_url(path):
        try:
            with open(
                path, "rb"
            ) as local:  # not mapped: a failed read of the disk is then an error, not the end of the process
                return hashlib.file_digest(local, "sha256").hexdigest()
        except FileNotFoundError:
            raise MissingError("no such file", where=path) from None
        except OSError as error:
            raise _read_error(path, error) from error
    digest = hashlib.sha256()
    with map_file(path) as file:
        while chunk := file.read(8 << 20):
            digest.update(chunk)
    return digest.hexdigest()


def matches(name: str, pattern: str, *, dotted: bool = False) -> bool:
    """Whether a relative name fits a glob as Python's `glob` has it: `**` alone matches any folders, nothing else
    matches a slash, and a name that begins with a dot only matches a pattern that does, unless `dotted`. The same for
    folders and stores.
    """
    parts = [part for part in pattern.split("/") if part not in ("", ".")]
    reached = _open_to({0}, parts)
    for segment in name.split("/"):
        after: set[int] = set()
        for at in reached:
            if at == len(parts) or (not dotted and segment.startswith(".") and not parts[at].startswith(".")):
                continue
            if parts[at] == "**":
                after |= {at, at + 1} if at == len(parts) - 1 else {at}
            elif fnmatchcase(segment, parts[at]):
                after.add(at + 1)
        reached = _open_to(after, parts)
    return len(parts) in reached


def _open_to(reached: set[int], parts: list[str]) -> set[int]:
    """The parts that may come next: `**` may match no folder at all, but as the last part it must match a name."""
    found = set(reached)
    for at in sorted(reached):
        while at < len(parts) - 1 and parts[at] == "**":
            at += 1
            found.add(at)
    return found


def _read_error(path: str, error: OSError) -> GristmillError:
    if error.errno == errno.EISDIR:
        return GristmillError("is a folder, not a file", where=path, remedy="name the file")
    remedy = "check its permissions" if error.errno in (errno.EACCES, errno.EPERM) else None
    return GristmillError(
        f"cannot be read: {os.strerror(error.errno) if error.errno else error}", where=path, remedy=remedy
    )


def _write_error(path: str, error: OSError) -> GristmillError:
    if error.errno == errno.ENOSPC:
        return GristmillError(
            "the disk is full",
            where=path,
            remedy="free some space or choose another --out; finished parts are kept, run the same command again",
        )
    return GristmillError(
        f"cannot be written: {error.strerror or error}", where=path, remedy="check the folder's permissions"
    )
