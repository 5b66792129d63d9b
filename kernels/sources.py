"""What compiled kernels depend on: their own file and all files of Gristmill's that it imports, directly or not.

In: the Python file of a kernel, or nothing for all of them. Out: SHA-256, hex. No module that compiles is imported.
"""

from __future__ import annotations

import hashlib
import re
from functools import cache
from importlib.util import find_spec
from pathlib import Path

_IMPORT = re.compile(
    r"^from ((?:manifests|storage|shards|kernels|dedup|pipeline)(?:\.\w+)*) import (?:\(([^)]*)\)|([^\n#]*))",
    re.MULTILINE,
)
_HAS_KERNELS = b"from kernels.compiled import"
# Where kernels are kept changes no kernel.
_WITHOUT_CODE = {"kernels.disk", "kernels.sources"}
# Rooms with kernels.
_ROOMS = ("kernels", "dedup", "pipeline")


def sources_sha256(path: Path) -> str:
    """SHA-256, hex, of a Python file and of the files of Gristmill's that it imports, directly or not."""
    return _together(_sources(path.resolve()))


def all_kernels_sha256() -> str:
    """The same over all files that hold kernels."""
    found: set[Path] = set()
    for room in _ROOMS:
        package = _source(room)
        assert package is not None, "this file lies in one of them"
        for path in package.parent.rglob("*.py"):
            if _HAS_KERNELS in path.read_bytes():
                found |= _sources(path)
    return _together(frozenset(found))


def _together(sources: frozenset[Path]) -> str:
    digest = hashlib.sha256()
    for source in sorted(sources):
        digest.update(_file_sha256(source))
    return digest.hexdigest()


@cache
def _file_sha256(path: Path) -> bytes:
    return hashlib.sha256(path.read_bytes()).digest()


@cache
def _sources(path: Path) -> frozenset[Path]:
    found, waiting = {path}, [path]
    while waiting:
        new = _imported(waiting.pop()) - found
        found |= new
        waiting.extend(new)
    return frozenset(found)


@cache
def _imported(path: Path) -> frozenset[Path]:
    modules = set()
    for module, many, few in _IMPORT.findall(path.read_text(encoding="utf-8")):
        modules.add(module)
        # `from pipeline import signals` names a module too.
        modules.update(f"{module}.{name.split(' as ')[0].strip()}" for name in (many or few).split(",") if name.strip())
    return frozenset(source for source in map(_source, sorted(modules - _WITHOUT_CODE)) if source is not None)


@cache
def _source(module: str) -> Path | None:
    """Found by its place below its room: a lookup as Python does it would import the packages above it."""
    room, *names = module.split(".")
    specification = find_spec(room)
    if specification is None or specification.origin is None:
        return None
    folder = Path(specification.origin).resolve().parent
    if not names:
        return folder / "__init__.py"
    for path in (folder.joinpath(*names[:-1], f"{names[-1]}.py"), folder.joinpath(*names, "__init__.py")):
        if path.is_file():
            return path
    return None
