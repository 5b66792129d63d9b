"""Eight bytes of an array as one number, by one load wherever they lie: kernels that compare bytes do so eight at a time.

In: a contiguous uint8 array and an index that seven more bytes follow; nothing is checked. Out: uint64, the first byte the lowest.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any, cast

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

# The hashes made of these numbers never leave the process, but a number per byte order would be one more thing to test.
if sys.byteorder != "little":
    raise ImportError("Gristmill's kernels are written for little-endian machines")


def _eight_bytes(_context: Any, data: Any, _at: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        array = context.make_array(signature.args[0])(context, builder, arguments[0])
        place = builder.gep(array.data, [arguments[1]])
        loaded = builder.load(builder.bitcast(place, ir.IntType(64).as_pointer()))
        loaded.align = 1
        return loaded

    return types.uint64(data, types.int64), generate


eight_bytes: Callable[[Any, Any], Any] = cast(Callable[[Any, Any], Any], intrinsic(_eight_bytes))
"""`eight_bytes(data, at)`: `data[at : at + 8]` as a little-endian uint64. For kernels."""
