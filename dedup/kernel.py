"""How kernels are compiled, and when what was compiled before is used again.

In: a plain Python function over arrays and numbers. Out: the function compiled by numba, kept on disk beside its source.

numba keeps a compiled kernel for as long as the kernel's own file stays as it is. The machine code also holds the kernels that it calls and
the constants that it reads, from whatever file they come: after a change of one of those alone, numba would go on with the old code, and an
upgrade in place could give other bytes than a fresh install. Here a kernel is compiled again when its file or any file of Gristmill's that
it imports, directly or not, has changed.
"""

from __future__ import annotations

import hashlib
import inspect
import re
from collections.abc import Callable
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, TypeVar, cast

import numba as nb
from numba.core.caching import FunctionCache, IndexDataCacheFile

Kernel = TypeVar("Kernel", bound=Callable[..., Any])

_IMPORT = re.compile(r"^from ((?:manifests|shards|dedup|pipeline)(?:\.\w+)*) import (?:\(([^)]*)\)|([^\n#]*))", re.MULTILINE)


def kernel(function: Kernel) -> Kernel:
    """The function compiled, without Python's lock while it runs."""
    return _compiled(function, {})


def inlined_kernel(function: Kernel) -> Kernel:
    """The same for a kernel of a line or two that becomes part of those that call it."""
    return _compiled(function, {"inline": "always"})


def bare_kernel(function: Kernel) -> Kernel:
    """The same for a kernel that is called for single words.

    A kernel counts the references to the arrays that it is handed, by atomic instructions, each time it is called. For one that is called
    once per document this costs nothing; for one that is called per word it was half of all time. This one does not count: it makes no
    array and keeps none, nor do kernels that it calls, and what it is handed lives on in its caller.
    """
    return _compiled(function, {"_nrt": False})


def _compiled(function: Kernel, options: dict[str, Any]) -> Kernel:
    dispatcher = nb.njit(nogil=True, **options)(function)
    # Where numba compiles nothing (NUMBA_DISABLE_JIT), the function is its own dispatcher.
    if dispatcher is not function:
        dispatcher._cache = _SourcesCache(function)
    return cast(Kernel, dispatcher)


class _SourcesCache(FunctionCache):
    """numba's cache, whose entries hold as long as all sources stay the same."""

    def __init__(self, function: Callable[..., Any]) -> None:
        super().__init__(function)  # type: ignore[no-untyped-call]
        self._cache_file = IndexDataCacheFile(  # type: ignore[no-untyped-call]
            cache_path=self._cache_path,
            filename_base=self._impl.filename_base,
            source_stamp=sources_sha256(Path(inspect.getfile(function))),
        )


def sources_sha256(path: Path) -> str:
    """SHA-256, hex, of a Python file and of the files of Gristmill's that it imports, directly or not."""
    digest = hashlib.sha256()
    for source in sorted(_sources(path.resolve())):
        digest.update(hashlib.sha256(source.read_bytes()).digest())
    return digest.hexdigest()


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
    return frozenset(source for source in map(_source, sorted(modules)) if source is not None)


@cache
def _source(module: str) -> Path | None:
    try:
        specification = find_spec(module)
    except ModuleNotFoundError:
        return None
    origin = specification.origin if specification else None
    return Path(origin).resolve() if origin and origin.endswith(".py") else None
