"""Whole files in memory: for formats where one file is one record.

In: a path; compressed or not. Out: all decompressed bytes. Memory is bounded by the limit given, whatever a compressed
file would grow to.
"""

from __future__ import annotations

from storage.compressed import chunks


class TooLarge(Exception):
    """The file has more decompressed bytes than are read.

    Attributes:
        head: its first bytes.
    """

    def __init__(self, most: int, head: bytes) -> None:
        super().__init__(f"more than {most} bytes")
        self.head = head


def read_whole(path: str, *, most: int) -> bytes:
    """The file's decompressed bytes.

    Raises:
        GristmillError: the file is missing.
        Damaged: the compressed stream ends early or is corrupt.
        TooLarge: there are more than `most` bytes.
    """
    parts: list[bytes] = []
    size = 0
    for chunk in chunks(path):
        parts.append(chunk)
        size += len(chunk)
        if size > most:
            raise TooLarge(most, parts[0])
    return b"".join(parts)
