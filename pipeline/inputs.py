"""From the sources of a corpus manifest to the list of raw files.

Out: one `RawFile` per file, sorted by (source, name), and the `RawPiece`s that large ones are read in. Names are relative to the source's
root, so that outputs do not depend on where the corpus lies.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import xxhash

from manifests.corpus import Source
from manifests.errors import GristmillError
from manifests.storage import find, is_url, join, list_stats
from pipeline.readers.pieces import Piece, split

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


@dataclass(frozen=True)
class RawPiece:
    """What one task reads: a whole raw file, or one of its pieces.

    Attributes:
        of: how many pieces the file has.
    """

    file: RawFile
    piece: Piece
    of: int

    @property
    def size(self) -> int:
        """Bytes as found."""
        return self.piece.stop - self.piece.start

    @property
    def task(self) -> str:
        """The name of its task; sorted by it the pieces of a file are in order, as there are fewer than a million."""
        name = task_name(self.file)
        return name if self.of == 1 else f"{name}.{self.piece.index:06d}"

    @property
    def label(self) -> str:
        """`source/file`, with the range of bytes where it is not the whole file."""
        name = f"{self.file.source}/{self.file.name}"
        return name if self.of == 1 else f"{name}@{self.piece.start}-{self.piece.stop}"


def list_raw_pieces(sources: Sequence[Source]) -> list[RawPiece]:
    """The pieces of all raw files, in the order of the files.

    Raises:
        GristmillError: as `list_raw_files`.
    """
    formats = {source.name: source.format for source in sources}
    pieces: list[RawPiece] = []
    for file in list_raw_files(sources):
        own = split(file.name, format=formats[file.source], size=file.size)
        pieces += [RawPiece(file, piece, len(own)) for piece in own]
    return pieces


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
        # A file whose own name looks like a pattern is meant when it is named.
        glob = _GLOB.search(pattern) is not None
        stat = None if glob and is_url(root) else find(join(root, pattern))
        if stat is not None:
            stats = {pattern: stat}
        elif glob:
            stats = list_stats(root, pattern)
            if not stats:
                raise GristmillError(f"no file matches `{given}` of source `{source.name}`", where=root, remedy="check `root` and `files`")
        else:
            raise _not_there(join(root, pattern), given, source.name)
        for name, stat in stats.items():
            _check_name(name, root)
            stamp = f"{stat.size}:{stat.changed}"
            found[folder + name] = RawFile(source=source.name, name=folder + name, path=join(root, name), size=stat.size, stamp=stamp)
    return [found[name] for name in sorted(found)]


def _not_there(path: str, given: str, source: str) -> GristmillError:
    if not is_url(path) and Path(path).is_dir():
        remedy = f"write `{given.rstrip('/')}/**` for all files below it"
        return GristmillError(f"is a folder; source `{source}` lists it as a file", where=path, remedy=remedy)
    if Path(given).is_absolute():
        return GristmillError(f"no such file; source `{source}` lists it", where=path, remedy="paths in `files` begin at `root`: set that")
    return GristmillError(f"no such file; source `{source}` lists it", where=path, remedy="check `root` and `files`")


def _check_name(name: str, root: str) -> None:
    """Names stand in documents and manifests, which hold Unicode only.

    Raises:
        GristmillError: the name has bytes that are no UTF-8.
    """
    try:
        name.encode()
    except UnicodeEncodeError:
        shown = os.fsencode(name).decode(errors="backslashreplace")
        raise GristmillError(
            f"the name of the file `{shown}` is not UTF-8", where=root, remedy="rename it, or leave it out of `files`"
        ) from None


def _placed(root: str, given: str) -> tuple[str, str, str]:
    """Where to look, what names begin with, and the path or pattern there. A URL in `files` stands for itself, whatever `root` is."""
    if not is_url(given):
        return root, "", given
    scheme, _, rest = given.partition("://")
    bucket, _, pattern = rest.partition("/")
    return f"{scheme}://{bucket}", f"{bucket}/", pattern
