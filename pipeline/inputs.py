"""From the sources of a corpus manifest to the list of raw files.

Out: one `RawFile` per file, sorted by (source, name). Names are relative to the source's root, so that outputs do not depend
on where the corpus lies.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass

import xxhash

from manifests.corpus import Source
from manifests.errors import GristmillError
from manifests.storage import exists, file_size, is_url, join, list_files

_GLOB = re.compile(r"[*?\[]")
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")


@dataclass(frozen=True)
class RawFile:
    """One raw file.

    Attributes:
        source: the source's name.
        name: path relative to the source's root.
        path: what to open.
        size: bytes, compressed as found.
        stamp: changes when the file changes; used to resume, never published.
    """

    source: str
    name: str
    path: str
    size: int
    stamp: str


def list_raw_files(sources: Sequence[Source]) -> list[RawFile]:
    """All raw files of all sources.

    Raises:
        GristmillError: a path that is not there, or a glob that matches nothing.
    """
    found = [file for source in sources for file in _files_of(source)]
    return sorted(found, key=lambda file: (file.source, file.name))


def task_name(file: RawFile) -> str:
    """`source/base-hash`: readable, unique within the source, safe as a file name, from the file's relative name alone."""
    base = _UNSAFE.sub("_", file.name.rsplit("/", 1)[-1])[-80:]
    return f"{file.source}/{base}-{xxhash.xxh3_64_hexdigest(file.name.encode())}"


def _files_of(source: Source) -> list[RawFile]:
    root = source.root or "."
    names: set[str] = set()
    for pattern in source.files:
        if _GLOB.search(pattern):
            matched = list_files(root, pattern)
            if not matched:
                raise GristmillError(
                    f"no file matches `{pattern}` of source `{source.name}`", where=root, remedy="check `root` and `files`"
                )
            names.update(matched)
        elif exists(join(root, pattern)):
            names.add(pattern)
        else:
            raise GristmillError(
                f"no such file; source `{source.name}` lists it", where=join(root, pattern), remedy="check `root` and `files`"
            )
    return [_raw_file(source.name, root, name) for name in sorted(names)]


def _raw_file(source: str, root: str, name: str) -> RawFile:
    path = join(root, name)
    size = file_size(path)
    stamp = str(size) if is_url(path) else f"{size}:{os.stat(path).st_mtime_ns}"
    return RawFile(source=source, name=name, path=path, size=size, stamp=stamp)
