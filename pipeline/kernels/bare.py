"""How kernels that are called for single words are compiled.

A kernel counts the references to the arrays that it is handed, by atomic instructions, each time it is called. For one that is called once
per document this costs nothing; for one that is called per word it was half of all time. `bare_kernel` compiles without counting: such a
kernel makes no array and keeps none, and what it is handed lives on in its caller.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba as nb

Kernel = TypeVar("Kernel", bound=Callable[..., Any])


def bare_kernel(function: Kernel) -> Kernel:
    """The function compiled as other kernels are (`cache`, `nogil`), without counted references."""
    options: dict[str, Any] = {"_nrt": False, "cache": True, "nogil": True}
    return cast(Kernel, nb.njit(**options)(function))
