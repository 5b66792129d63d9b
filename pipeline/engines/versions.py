"""What a process computes with: versions of all libraries of the data half, and a hash of Gristmill's own code.

Client and workers of a cluster compare these before a job starts (law 2). They are compared only: no manifest holds
them.
"""

from __future__ import annotations

import hashlib
import platform
import sys
from importlib import import_module, metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from manifests.errors import GristmillError

_ROOMS = ("manifests", "storage", "shards", "kernels", "dedup", "pipeline")


def process_facts() -> dict[str, str]:
    """Name to version: `python` (major.minor), each of `needed_libraries`, `gristmill` (12 digits of a sha256 over its
    sources).

    Raises:
        GristmillError: as `needed_libraries`.
    """
    facts = {"python": ".".join(platform.python_version_tuple()[:2]), "gristmill": _code_sha256()[:12]}
    for library in needed_libraries():
        try:
            facts[library] = metadata.version(library)
        except metadata.PackageNotFoundError:
            facts[library] = "not installed"
    return facts


def needed_libraries() -> list[str]:
    """Names of what Gristmill needs with its extra `data`, and of what that needs in turn on this machine, sorted.

    None is left out: a list of those that cannot change a byte would have to be kept by hand.

    Raises:
        GristmillError: Gristmill runs from sources that were never installed, so nothing says what it needs.
    """
    found: set[tuple[str, str]] = set()
    waiting = [("gristmill", ""), ("gristmill", "data")]
    while waiting:
        name, extra = waiting.pop()
        if (name, extra) in found:
            continue
        found.add((name, extra))
        for need in map(Requirement, _needs(name)):
            if need.marker is None or need.marker.evaluate({"extra": extra}):
                waiting.extend((canonicalize_name(need.name), wanted) for wanted in ("", *need.extras))
    return sorted({name for name, _ in found} - {"gristmill"})


def differences(client: dict[str, str], worker: dict[str, str]) -> list[str]:
    """What differs, one line each, in the order of `client`."""
    return [
        f"{name} {worker.get(name, 'unknown')}, here {value}"
        for name, value in client.items()
        if worker.get(name) != value
    ]


def _needs(library: str) -> list[str]:
    """The requirements that an installed package declares, with their markers (PEP 508); none of a library that is
    missing.
    """
    try:
        return metadata.requires(library) or []
    except metadata.PackageNotFoundError as error:
        if library != "gristmill":
            return []
        raise GristmillError(
            "gristmill is not installed in this environment: no metadata say which libraries it needs",
            where=sys.prefix,
            remedy="install it, also where it runs from its sources: `pip install --editable .[data]` in its folder",
        ) from error


def _code_sha256() -> str:
    digest = hashlib.sha256()
    for room in _ROOMS:
        root = Path(str(import_module(room).__file__)).parent
        for path in sorted(root.rglob("*.py")):
            digest.update(f"{room}/{path.relative_to(root).as_posix()}\0".encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()
