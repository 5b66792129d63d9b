"""Whether the cost of an input grows no faster than its size: CPU seconds, the least of several, at 1, 2, 4 and 8 times the size."""

from __future__ import annotations

import time
from collections.abc import Callable

# As `tests.growth`: a square costs 4, 16 and 64 times as much; less is left to caches and the machine's other work.
MOST = {2: 3.5, 4: 8.0, 8: 20.0}
_RUNS = 5
# Below this clocks say little.
_LEAST_SECONDS = 0.05


def assert_linear(work: Callable[[int], Callable[[], object]]) -> None:
    """Measure `work(size)()`; making the input, `work(size)`, is not measured."""
    first = max(_LEAST_SECONDS, _seconds(work(1)))
    for factor, most in MOST.items():
        took = _seconds(work(factor), below=first * most)
        assert took <= first * most, f"{factor} times the input cost {took / first:.1f} times as much ({first:.3f} s to {took:.3f} s)"


def _seconds(action: Callable[[], object], *, below: float = 0.0) -> float:
    """The least of some runs; no more of them are made once one is short enough."""
    least = float("inf")
    for _ in range(_RUNS):
        began = time.process_time()
        action()
        least = min(least, time.process_time() - began)
        if least <= below:
            break
    return least
