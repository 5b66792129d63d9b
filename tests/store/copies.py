"""Local folders copied into the store, and back."""

from __future__ import annotations

from pathlib import Path

from storage.files import join, list_files, publish, read_bytes


def copy_in(folder: Path, url: str) -> str:
    """Store every file below a local folder under a URL, byte for byte; returns the URL."""
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.name != ".lock":
            publish(join(url, str(path.relative_to(folder))), path.read_bytes())
    return url


def copy_out(url: str, folder: Path) -> Path:
    """Write every object below a URL into a local folder; returns the folder."""
    for name in list_files(url):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(read_bytes(join(url, name)))
    return folder
