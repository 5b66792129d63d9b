"""How kernels are compiled, and when what was compiled before is used again.

In: a plain Python function over arrays and numbers. Out: the function compiled by numba, kept where `kernels.disk`
finds a place.

numba's own cache keeps a compiled kernel for as long as the kernel's own file stays as it is. The machine code also
holds the kernels that it calls and the constants that it reads, whatever file they come from: after a change of one of
those alone, numba would keep using the old code, and an upgrade in place could give other bytes than a fresh install.
Here a kernel is compiled again when its file or any file of Gristmill's that it imports, directly or not, has changed.
numba's cache also fails where no folder can be written, and can take one signature's code for another's when two
processes write at once; here each entry has a name of its own, and what cannot be kept is compiled in each process.
"""

from __future__ import annotations

import hashlib
import inspect
import pickle
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, cast

import llvmlite
import numba as nb
from numba.core import config
from numba.core.caching import NullCache
from numba.core.compiler import CompileResult
from numba.core.runtime.nrt import rtsys
from numba.core.serialize import dumps

from kernels.disk import Entry, keep, load
from kernels.sources import sources_sha256

Kernel = TypeVar("Kernel", bound=Callable[..., Any])

# Read from the environment when numba is imported.
_SETTINGS: Any = config

# Names of kernels that no place could keep.
not_kept: set[str] = set()


def kernel(function: Kernel) -> Kernel:
    """The function compiled, without Python's lock while it runs."""
    return _compiled(function, {})


def inlined_kernel(function: Kernel) -> Kernel:
    """The same for a kernel of a line or two that becomes part of those that call it."""
    return _compiled(function, {"inline": "always"})


def bare_kernel(function: Kernel) -> Kernel:
    """The same for a kernel that is called for single words.

    A kernel counts the references to the arrays that it is handed, by atomic instructions, each time it is called. For
    one that is called once per document this costs nothing; for one that is called per word it was half of all time.
    This one does not count: it makes no array and keeps none, nor do kernels that it calls, and what it is handed lives
    on in its caller.
    """
    return _compiled(function, {"_nrt": False})


def part_kernel(function: Kernel) -> Kernel:
    """A bare kernel that becomes part of the one that calls it: a long kernel is cut into pieces at no cost.

    A call hands over at least seven words for each array. Pieces that are called once per tag, with the eleven arrays
    of a page, made the pass over its markup 1.44 times as long; as parts they cost nothing.
    """
    return _compiled(function, {"_nrt": False, "forceinline": True})


def _compiled(function: Kernel, options: dict[str, Any]) -> Kernel:
    dispatcher = nb.njit(nogil=True, **options)(function)
    # Where numba compiles nothing (NUMBA_DISABLE_JIT), the function is its own dispatcher.
    if dispatcher is not function:
        dispatcher._cache = _KeptKernels(function)
        dispatcher._compilation_chain_init_hook = _no_extensions
    return cast(Kernel, dispatcher)


def _no_extensions() -> None:
    """Kernels work on arrays and numbers alone. numba would ask every package for types of its own before the first
    call, which imports that package whole: awkward, which the tokenizer needs, took half a second of each process.
    """


class _KeptKernels(NullCache):
    """The cache that numba asks before it compiles a kernel, and fills afterwards."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self._function = function
        self._source = Path(inspect.getfile(function)).resolve()
        # Now, not when it is first called: by then an upgrade in place may have changed the files under code that is
        # older.
        self._stamp = sources_sha256(self._source)

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        # All that machine code needs. numba's own cache loads the rules of the whole compiler here, which takes another
        # half second; where something is compiled, numba loads them itself.
        rtsys.initialize(target_context)
        data = load(self._entry(sig, target_context.codegen()))
        if data is None:
            return None
        found = CompileResult._rebuild(target_context, *pickle.loads(data))  # type: ignore[no-untyped-call]
        return found if found.signature.args == tuple(sig) else None

    def save_overload(self, sig: Any, cres: Any) -> None:
        # The same two that numba's cache leaves out: loops lifted out of a function, and addresses of this process.
        if any(not lifted.can_cache for lifted in cres.lifted) or cres.library.has_dynamic_globals:
            return
        entry = self._entry(sig, cres.codegen)
        if keep(entry, dumps(cres._reduce())) is None:  # type: ignore[no-untyped-call]
            not_kept.add(entry.stem)

    def _entry(self, sig: Any, codegen: Any) -> Entry:
        code = self._function.__code__
        depends = (
            nb.__version__,
            llvmlite.__version__,
            [str(kind) for kind in sig],
            codegen.magic_tuple(),  # the processor
            (_SETTINGS.OPT, _SETTINGS.BOUNDSCHECK, _SETTINGS.LOOP_VECTORIZE, _SETTINGS.SLP_VECTORIZE),
            hashlib.sha256(code.co_code).hexdigest(),
            [hashlib.sha256(dumps(cell.cell_contents)).hexdigest() for cell in self._function.__closure__ or ()],  # type: ignore[no-untyped-call]
            code.co_firstlineno,
        )
        name = self._function.__qualname__.replace("<", "").replace(">", "")
        return Entry(
            source=self._source,
            stem=f"{self._source.stem}.{name}.py{sys.version_info[0]}{sys.version_info[1]}{sys.abiflags}",
            stamp=self._stamp,
            key=hashlib.sha256(repr(depends).encode()).hexdigest(),
        )
