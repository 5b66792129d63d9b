"""From the sources of a corpus manifest to the list of raw files.

Out: one `RawFile` per file, sorted by (source, name). Names are relative to the source's root, so that outputs do not depend
on where the corpus lies.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import xxhash

from manifests.corpus import Source
from manifests.errors import GristmillError
from manifests.storage import find, is_url, join, list_stats

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
    found: dict[str, RawFile] = {}
    for given in source.files:
        root, folder, pattern = _placed(source.root or ".", given)
        if _GLOB.search(pattern):
            stats = list_stats(root, pattern)
            if not stats:
                raise GristmillError(f"no file matches `{given}` of source `{source.name}`", where=root, remedy="check `root` and `files`")
        elif (stat := find(join(root, pattern))) is not None:
            stats = {pattern: stat}
        else:
            raise GristmillError(
                f"no such file; source `{source.name}` lists it", where=join(root, pattern), remedy="check `root` and `files`"
            )
        for name, stat in stats.items():
            stamp = f"{stat.size}:{stat.changed}"
            found[folder + name] = RawFile(source=source.name, name=folder + name, path=join(root, name), size=stat.size, stamp=stamp)
    return [found[name] for name in sorted(found)]


def _placed(root: str, given: str) -> tuple[str, str, str]:
    """Where to look, what names begin with, and the path or pattern there. A URL in `files` stands for itself, whatever `root` is."""
    if not is_url(given):
        return root, "", given
    scheme, _, rest = given.partition("://")
    bucket, _, pattern = rest.partition("/")
    return f"{scheme}://{bucket}", f"{bucket}/", pattern
