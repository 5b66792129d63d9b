"""Lists the raw files of the sources in a corpus manifest.

In: sources. Out: one `RawFile` per file, sorted by (source, name), and the `RawPiece`s in which large files are read.
Names are relative to the source's root, so that outputs do not depend on where the corpus is stored.
"""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from glob import escape
from pathlib import Path
from typing import get_args

import xxhash

from manifests.corpus import Source
from manifests.errors import GristmillError
from pipeline.folders import (
    DECIDE,
    DUPLICATE_FATES,
    EXTRACT,
    FREQUENT_LINES,
    SAMPLE,
    SHARDS,
    TOKENIZER,
    DecideKind,
    ExtractKind,
    part_file,
)
from pipeline.readers.pieces import Piece, split
from storage.files import file_stat, find, is_glob, is_url, join, list_stats, matches

_WILDCARD = re.compile(r"\[!?\]?[^\]]*\]|[*?]+")
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")


@dataclass(frozen=True)
class RawFile:
    """One raw file.

    Attributes:
        source: the source's name.
        name: path relative to the source's root.
        path: what to open.
        size: bytes on disk, compressed or not.
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
        count: the number of pieces of the file.
    """

    file: RawFile
    piece: Piece
    count: int

    @property
    def size(self) -> int:
        """Bytes on disk."""
        return self.piece.stop - self.piece.start

    @property
    def task(self) -> str:
        """The name of its task.

        Sorting by it puts the pieces of a file in order, as a file has fewer than a million.
        """
        name = task_name(self.file)
        return name if self.count == 1 else f"{name}.{self.piece.index:06d}"

    @property
    def label(self) -> str:
        """`source/file`, with the range of bytes if it is not the whole file."""
        name = f"{self.file.source}/{self.file.name}"
        return name if self.count == 1 else f"{name}@{self.piece.start}-{self.piece.stop}"


def list_raw_pieces(sources: Sequence[Source]) -> list[RawPiece]:
    """The pieces of all raw files, in the order of the files.

    Raises:
        GristmillError: as for `list_raw_files`.
    """
    formats = {source.name: source.format for source in sources}
    pieces: list[RawPiece] = []
    for file in list_raw_files(sources):
        file_pieces = split(file.name, format=formats[file.source], size=file.size)
        pieces += [RawPiece(file, piece, len(file_pieces)) for piece in file_pieces]
    return pieces


def list_raw_files(sources: Sequence[Source]) -> list[RawFile]:
    """All raw files of all sources.

    Raises:
        GristmillError: a path does not exist, or a glob matches nothing.
    """
    files = [file for source in sources for file in _files_of(source)]
    return sorted(files, key=lambda file: (file.source, file.name))


def task_name(file: RawFile) -> str:
    """`source/base-hash`: readable, unique in the source, safe as a file name; from the file's relative name alone."""
    base = _UNSAFE.sub("_", file.name.rsplit("/", 1)[-1])[-80:]
    return f"{file.source}/{base}-{xxhash.xxh3_64_hexdigest(file.name.encode())}"


def _files_of(source: Source) -> list[RawFile]:
    files: dict[str, RawFile] = {}
    for entry in source.files:
        root, folder, pattern = _located(source.root or ".", entry)
        # If a file is named exactly like the pattern, only that file is meant.
        stat = find(join(root, pattern))
        if stat is not None:
            stats = {pattern: stat}
        elif Path(entry).is_absolute():
            raise _missing(join(root, pattern), entry, source.name)
        elif is_glob(pattern):
            stats = list_stats(root, pattern)
            if not stats:
                remedy = (
                    "check `root` and `files`; `[`, `?` and `*` in names of folders are written `[[]`, `[?]`, `[*]` in"
                    " a pattern"
                )
                raise GristmillError(f"no file matches `{entry}` of source `{source.name}`", where=root, remedy=remedy)
        elif (same := _same_name(root, pattern)) is not None:
            stats = {same: file_stat(join(root, same))}
        else:
            raise _missing(join(root, pattern), entry, source.name)
        for name, stat in stats.items():
            _check_name(name, root)
            stamp = f"{stat.size}:{stat.changed}"
            files[folder + name] = RawFile(
                source=source.name, name=folder + name, path=join(root, name), size=stat.size, stamp=stamp
            )
    return [files[name] for name in sorted(files)]


def _same_name(root: str, path: str) -> str | None:
    """The one local file whose name differs only in Unicode form, or None. Some systems write `ü` as two characters."""
    folder, _, name = path.rpartition("/")
    place = Path(root, folder)
    if is_url(root) or name.isascii() or not place.is_dir():
        return None
    form = unicodedata.normalize("NFC", name)
    names = [other.name for other in place.iterdir() if unicodedata.normalize("NFC", other.name) == form]
    same = f"{folder}/{names[0]}" if folder and names else names[0] if names else ""
    return same if len(names) == 1 and find(join(root, same)) is not None else None


def check_out(sources: Sequence[Source], *, out: str) -> None:
    """Check that no pattern matches what a run writes below `out`. Makes no request to an object store.

    Raises:
        GristmillError: a pattern matches: the next run would read what this one wrote.
    """
    for source in sources:
        for entry in source.files:
            root, _, pattern = _located(source.root or ".", entry)
            if not is_glob(pattern) or (not is_url(root) and find(join(root, pattern)) is not None):
                continue
            for base in _forms(root):
                whole_pattern = (
                    join(escape(base), pattern)
                    if is_url(base)
                    else os.path.normpath(os.path.join(escape(base), pattern))
                )
                for place in _forms(out):
                    reached = [
                        name
                        for name in _written(source.name, pattern)
                        if matches(_below(join(place, name)), _below(whole_pattern))
                    ]
                    if reached:
                        raise _inside(source.name, entry, join(out, reached[0]), out)


def check_files(files: Sequence[RawFile], *, out: str) -> None:
    """Check that no raw file is inside a folder that a run writes, also by way of links.

    Raises:
        GristmillError: one is. An output would be read as an input, or an input deleted as the leftover of an earlier
            run.
    """
    places = [join(form, step) + "/" for form in _forms(out) for step in (EXTRACT, DECIDE, TOKENIZER, SHARDS, SAMPLE)]
    known: dict[str, list[str]] = {}
    for file in files:
        folder, _, name = file.path.rpartition("/")
        if folder not in known:
            known[folder] = _forms(folder or "/")
        for form in known[folder]:
            if join(form, name).startswith(tuple(places)):
                raise _inside(file.source, file.name, file.path, out)


def _inside(source: str, entry: str, path: str, out: str) -> GristmillError:
    return GristmillError(
        f"`{entry}` of source `{source}` reaches what is written here: {path}",
        where=f"--out {out}",
        remedy="choose an --out that `files` do not reach, or narrow `files`",
    )


def _forms(path: str) -> list[str]:
    """The forms of a folder's path: as given, and with links resolved."""
    return [path.rstrip("/")] if is_url(path) else list(dict.fromkeys((os.path.abspath(path), os.path.realpath(path))))


def _below(path: str) -> str:
    """A path or pattern without its leading `/` or scheme, to be matched part by part; parts may begin with a dot."""
    return "/".join(part for part in path.replace("://", "/").split("/") if part)


def _written(source: str, pattern: str) -> list[str]:
    """One name of each kind of file that a run writes for an input whose name matches the pattern."""
    name = _UNSAFE.sub("_", _WILDCARD.sub("x", pattern.rsplit("/", 1)[-1])) + "-0123456789abcdef"
    parts = [f"{EXTRACT}/{part_file(kind, f'{source}/{name}.0000')}" for kind in get_args(ExtractKind)]
    parts += [f"{DECIDE}/{part_file(kind, f'{source}/{name}.0000')}" for kind in get_args(DecideKind)]
    parts += [
        f"{EXTRACT}/{part_file('quarantine', f'{source}/{name}')}",
        f"{DECIDE}/sites/dropped.arrow",
        f"{DECIDE}/sites/dropped/000000.arrow",
        f"{DECIDE}/{DUPLICATE_FATES}/000000.arrow",
        f"{DECIDE}/{FREQUENT_LINES}",
        f"{DECIDE}/bands/thresholds.arrow",
    ]
    parts += [f"{SHARDS}/{source}/{band}/00000.arrow" for band in ("general", "q01")]
    parts += [f"{SHARDS}/_MANIFEST.json", f"{TOKENIZER}/tokenizer.model"]
    parts += [f"{step}/_MANIFEST.json" for step in (EXTRACT, DECIDE, TOKENIZER)]
    parts += [f"{step}/tasks/{source}/{name}.json" for step in (EXTRACT, DECIDE)]
    return [*parts, *(f"{SAMPLE}/{part}" for part in parts if part.startswith(EXTRACT))]


def _missing(path: str, entry: str, source: str) -> GristmillError:
    if not is_url(path) and Path(path).is_dir():
        remedy = f"write `{entry.rstrip('/')}/**` for all files below it"
        return GristmillError(f"is a folder; source `{source}` lists it as a file", where=path, remedy=remedy)
    if Path(entry).is_absolute():
        return GristmillError(
            f"no such file; source `{source}` lists it", where=path, remedy="paths in `files` begin at `root`: set that"
        )
    return GristmillError(f"no such file; source `{source}` lists it", where=path, remedy="check `root` and `files`")


def _check_name(name: str, root: str) -> None:
    """Check a file's name: names are written into documents and manifests, which hold only Unicode.

    Raises:
        GristmillError: the name has bytes that are not UTF-8.
    """
    try:
        name.encode()
    except UnicodeEncodeError:
        shown = os.fsencode(name).decode(errors="backslashreplace")
        raise GristmillError(
            f"the name of the file `{shown}` is not UTF-8", where=root, remedy="rename it, or leave it out of `files`"
        ) from None


def _located(root: str, entry: str) -> tuple[str, str, str]:
    """The folder to search, the prefix of names, and the path or pattern there.

    A URL in `files` is absolute: `root` is ignored.
    """
    if not is_url(entry):
        return root, "", entry
    scheme, _, rest = entry.partition("://")
    bucket, _, pattern = rest.partition("/")
    return f"{scheme}://{bucket}", f"{bucket}/", pattern
