"""Splitting: which parts of one large raw file are read by tasks of their own.

In: a source's format, a file's name and size, a budget. Out: `Piece`s in the order of the file, without looking into
it. A record belongs to the piece in which its place lies, by format:

    JSON Lines, plain                  the first byte of its line
    WARC, WET, ARC, plain              the first byte of the record
    WARC, WET, ARC, gzip, zstd, lz4    the member that begins with the record; two that share one are the first piece's
    Parquet                            the place of its row group, if the file were divided among them by their sizes
    Arrow                              its record batch

So reading all pieces one after the other gives what reading the file at once gives: the same records with the same
offsets in the same order. Broken stretches belong to the piece of the record before them. What cannot be read from its
middle is one piece: compressed JSON Lines and XML, and everything that is read as a whole. A file that is not what its
name says comes out right as well: its first piece then holds everything.
"""

from __future__ import annotations

from dataclasses import dataclass

from manifests.corpus import FORMATS, SourceFormat

# What one task reads at most, in bytes as found.
TASK_BYTES = 256 << 20
# Suffixes of compressions whose members can be found from the middle of a file.
_MEMBERS = (".gz", ".zst", ".zstd", ".lz4")
_COMPRESSED = (*_MEMBERS, ".bz2", ".xz", ".z", ".zip", ".7z")


@dataclass(frozen=True)
class Piece:
    """A range of a raw file.

    Attributes:
        index: 0, 1, ... in the order of the file. The first piece also holds what is wrong with the file as a whole.
        start: its first byte in the file, as found.
        stop: the byte after its last one.
    """

    index: int
    start: int
    stop: int


def split(name: str, *, format: SourceFormat, size: int, budget: int = TASK_BYTES) -> list[Piece]:
    """The pieces of a file: one when it is not larger than the budget or cannot be split, else of nearly equal size.

    Args:
        name: the file's name; its suffix shows the compression.
        format: a source's format.
        size: bytes.
        budget: the most bytes of a piece; at least 1.
    """
    count = -(-size // budget) if _splittable(name.lower(), format) else 1
    bounds = [index * size // max(count, 1) for index in range(max(count, 1) + 1)]
    return [Piece(index, start, stop) for index, (start, stop) in enumerate(zip(bounds, bounds[1:], strict=False))]


def whole(size: int) -> Piece:
    """The whole file as one piece."""
    return Piece(0, 0, size)


def _splittable(name: str, format: SourceFormat) -> bool:
    match FORMATS[format].pieces:
        case "rows":
            return True
        case "records":
            return name.endswith(_MEMBERS) or not name.endswith(_COMPRESSED)
        case "lines":
            return not name.endswith(_COMPRESSED)
        case None:
            return False
