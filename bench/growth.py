"""Which hostile texts cost more than their size? `python -m bench.growth [LAYER…] [--pairs]` tries all patterns of
`tests.hostile`.

In: names of `tests.layers`, all by default. Out: a line for each pattern whose cost grows faster than its size between
8 and 32 KiB, and which `tests.growth` confirms; the most expensive pattern of each layer. Patterns that matter belong
in tests/property/test_growth.py.
"""

from __future__ import annotations

import argparse
import struct
import sys
import time
from collections.abc import Callable
from functools import partial

from tests.children import in_child
from tests.growth import Limits, measure
from tests.hostile import Make, patterns
from tests.layers import LAYERS, Take, ready

_SIZES = (1 << 13, 1 << 15)
_CPU_S = 4


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("layers", nargs="*", default=list(LAYERS))
    parser.add_argument("--pairs", action="store_true", help="also two pieces together: a hundred times as many")
    chosen = parser.parse_args()
    for name in chosen.layers:
        take, pieces = ready(name), LAYERS[name][1]
        dearest, which = 0.0, ""
        for pattern, make in patterns(pieces, pairs=chosen.pairs):
            small, large = _quick(make, take)
            if large > dearest:
                dearest, which = large, pattern
            if large > 0.02 and large > 5.5 * small:
                wrong = measure(make, take, start=1 << 8, limits=Limits(cpu_s=_CPU_S))
                if wrong:
                    _say(f"{name:<20} {pattern:<40} {wrong}")
        _say(f"{name:<20} dearest at {_SIZES[1] >> 10} KiB: {which}, {dearest:.2f} CPU s")


def _quick(make: Make, take: Take) -> tuple[float, float]:
    """CPU seconds of both sizes, in a child; those it was not given are infinite."""
    told, _ = in_child(partial(_tell_seconds, make, take), cpu_s=_CPU_S)
    seconds = [*struct.unpack(f"{len(told) // 8}d", told), float("inf"), float("inf")]
    return (0.0, float("inf")) if len(told) < 16 else (seconds[0], seconds[1])


def _tell_seconds(make: Make, take: Take, tell: Callable[[bytes], object]) -> None:
    for size in _SIZES:
        text = make(size)
        began = time.process_time()
        take(text)
        tell(struct.pack("d", time.process_time() - began))


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
