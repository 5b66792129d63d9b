"""Checks that the cost of a function grows no faster than the size of its input.

In: a function that makes an input of size n, and one that takes it. Out: nothing, or an assertion that names sizes and
CPU seconds.

The input is doubled until its cost can be measured. Then it grows by factors of 2, 4 and 8, and the CPU seconds may
grow by 2.5, 5 and 10; a quadratic cost would grow by 4, 16 and 64. Each pair of sizes is measured in several rounds,
one after the other, and the smallest ratio counts, since other work on the machine slows both. A linear cost rises by a
step where the input leaves the processor's caches, and that step can be three doublings wide. Therefore a growth that
is too high must be confirmed from several larger sizes, the last of them well beyond the caches.

All this runs in a child process with a limit on CPU seconds, so that exponential growth fails within seconds instead of
hanging. The garbage collector is off: its cost depends on all objects of the process, most of which belong to the
tests. A function that is too fast to be measured at its largest size passes.
"""

from __future__ import annotations

import ctypes
import gc
import pickle
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from tests.children import in_child

# Times the input, and times the CPU seconds at most.
ALLOWED = ((2, 2.5), (4, 5.0), (8, 10.0))
_ROUNDS = 5
# malloc.h of the GNU C library.
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3
# From so many sizes, each twice the one before, is a growth too high that counts.
_BASES = 6
# No input is larger, in what `make` counts: hundreds of bytes of Python objects for each of an input's bytes still fit
# into memory.
_LARGEST = 1 << 25


@dataclass(frozen=True)
class Limits:
    """How the base size is found, and when a case is given up.

    Attributes:
        least_s: CPU seconds that the base size costs at least.
        most: the base size is no larger.
        cpu_s: of the child, from its fork to its end.
        more: times the CPU seconds that are allowed, for another library's heap: n log n, of memory that leaves the
            caches.
    """

    least_s: float = 0.01
    most: int = 1 << 20
    cpu_s: int = 20
    more: float = 1.0


def check_growth(
    make: Callable[[int], Any], take: Callable[[Any], object], *, start: int = 64, limits: Limits | None = None
) -> None:
    """Measure, and fail where the cost grows faster than the input.

    Args:
        make: gives an input whose size is proportional to its argument.
        take: what is measured; errors of its own that it raises are for the caller to catch.
        start: the first size that is tried.
    """
    grown = measure(make, take, start=start, limits=limits or Limits())
    assert grown is None, grown


def measure(make: Callable[[int], Any], take: Callable[[Any], object], *, start: int, limits: Limits) -> str | None:
    """What was wrong, in a line; None when nothing was."""
    told, status = in_child(partial(_grow_and_tell, make, take, start, limits), cpu_s=limits.cpu_s)
    steps, wrong = _understood(told)
    if status == -signal.SIGXCPU or status == -signal.SIGKILL:
        return f"more than {limits.cpu_s} CPU seconds; {_table(steps)}"
    if status != 0:
        return f"the child ended with status {status}; {_table(steps)}; {wrong}"
    return f"{wrong}; {_table(steps)}" if wrong else None


def _grow_and_tell(
    make: Callable[[int], Any],
    take: Callable[[Any], object],
    start: int,
    limits: Limits,
    tell: Callable[[bytes], object],
) -> None:
    gc.disable()
    _keep_memory()
    try:
        wrong = _grow(make, take, start, limits, lambda size, seconds: tell(pickle.dumps((size, seconds))))
    except BaseException as error:
        tell(pickle.dumps(f"{type(error).__name__}: {error}"[:500]))
        raise
    tell(pickle.dumps(wrong))


def _keep_memory() -> None:
    """Memory that is freed is kept: asking the kernel for it again costs a fault for each page, but only from some size
    on.
    """
    library = ctypes.CDLL(None)
    if hasattr(library, "mallopt"):
        library.mallopt(_M_MMAP_THRESHOLD, 1 << 30)
        library.mallopt(_M_TRIM_THRESHOLD, -1)


def _grow(
    make: Callable[[int], Any],
    take: Callable[[Any], object],
    start: int,
    limits: Limits,
    tell: Callable[[int, float | None], object],
) -> str | None:
    base = start
    take(make(base))  # what the first call alone does
    while True:
        tell(base, None)
        made = make(base)
        seconds = _seconds(take, made)
        if seconds >= limits.least_s or base >= limits.most:
            break
        base *= 2
    if seconds < limits.least_s:
        return None
    wrong = None
    for attempt in range(_BASES):
        if attempt and base * ALLOWED[-1][0] > _LARGEST:
            break
        wrong = _grow_from(base, make, take, limits, tell)
        if wrong is None:
            return None
        base *= 2
    return wrong


def _grow_from(
    base: int,
    make: Callable[[int], Any],
    take: Callable[[Any], object],
    limits: Limits,
    tell: Callable[[int, float | None], object],
) -> str | None:
    made = make(base)
    for times, most in ALLOWED:
        tell(base * times, None)
        larger = make(base * times)
        least = float("inf")
        for _ in range(_ROUNDS):
            first, more = _seconds(take, made), _seconds(take, larger)
            tell(base, first)
            tell(base * times, more)
            least = min(least, more / max(first, 1e-6))
            if least <= most * limits.more:
                break
        else:
            return f"{times} times the input costs {least:.1f} times the CPU seconds"
    return None


def _seconds(take: Callable[[Any], object], made: Any) -> float:
    began = time.process_time()
    take(made)
    return time.process_time() - began


def _understood(told: bytes) -> tuple[list[tuple[int, float | None]], str | None]:
    """Steps that were told, and the last word."""
    import io

    stream, steps, wrong = io.BytesIO(told), [], None
    while stream.tell() < len(told):
        item = pickle.load(stream)
        if isinstance(item, tuple):
            steps.append(item)
        else:
            wrong = item
    return steps, wrong


def _table(steps: list[tuple[int, float | None]]) -> str:
    known = dict(steps)
    return ", ".join(f"{size}: {'?' if seconds is None else f'{seconds:.3f} s'}" for size, seconds in known.items())
