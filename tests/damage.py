"""Damages files as disks and people do, for tests that the damage is found."""

from __future__ import annotations

import os
from pathlib import Path


def flip(path: Path) -> None:
    """One bit, in the middle."""
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def flip_quietly(path: Path) -> None:
    """With the time of change set back."""
    stat = path.stat()
    flip(path)
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
