"""Many bytes of an array at once, by one load wherever they lie: kernels that look at every byte do so 8 or 64 at a time.

In: a contiguous uint8 array and an index that 7 or 63 more bytes follow; nothing is checked. Out: a uint64, of which the first byte is the
lowest one, or the first of the 64 bytes the lowest bit. Also two instructions on such numbers that Python has no word for.
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

_BYTE, _WORD = ir.IntType(8), ir.IntType(64)
_BLOCK = ir.VectorType(_BYTE, 64)


def _load(context: Any, builder: Any, signature: Any, arguments: Any, kind: Any) -> Any:
    array = context.make_array(signature.args[0])(context, builder, arguments[0])
    loaded = builder.load(builder.bitcast(builder.gep(array.data, [arguments[1]]), kind.as_pointer()))
    loaded.align = 1
    return loaded


def _eight_bytes(_context: Any, data: Any, _at: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return _load(context, builder, signature, arguments, _WORD)

    return types.uint64(data, types.int64), generate


def _put_eight_bytes(_context: Any, data: Any, _at: Any, _value: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        array = context.make_array(signature.args[0])(context, builder, arguments[0])
        stored = builder.store(arguments[2], builder.bitcast(builder.gep(array.data, [arguments[1]]), _WORD.as_pointer()))
        stored.align = 1
        return context.get_dummy_value()

    return types.void(data, types.int64, types.uint64), generate


def _bytes_between(_context: Any, data: Any, _at: Any, _first: Any, _last: Any, _folded: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        block = _load(context, builder, signature, arguments, _BLOCK)

        def everywhere(value: Any) -> Any:
            one = builder.insert_element(ir.Constant(_BLOCK, ir.Undefined), value, ir.Constant(ir.IntType(32), 0))
            return builder.shuffle_vector(one, one, ir.Constant(ir.VectorType(ir.IntType(32), 64), [0] * 64))

        _, _, first, last, folded = arguments
        block = builder.or_(block, everywhere(folded))
        inside = builder.icmp_unsigned("<=", builder.sub(block, everywhere(first)), everywhere(builder.sub(last, first)))
        return builder.bitcast(inside, _WORD)

    return types.uint64(data, types.int64, types.uint8, types.uint8, types.uint8), generate


def _ones(_context: Any, _bits: Any) -> Any:
    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return builder.ctpop(arguments[0])

    return types.int64(types.uint64), generate


def _lowest(_context: Any, _bits: Any) -> Any:
    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return builder.cttz(arguments[0], ir.Constant(ir.IntType(1), 0))

    return types.int64(types.uint64), generate


eight_bytes: Callable[[Any, Any], Any] = cast(Callable[[Any, Any], Any], intrinsic(_eight_bytes))
"""`eight_bytes(data, at)`: `data[at : at + 8]` as a little-endian uint64. For kernels."""
put_eight_bytes: Callable[[Any, Any, Any], Any] = cast(Callable[[Any, Any, Any], Any], intrinsic(_put_eight_bytes))
"""`put_eight_bytes(data, at, value)`: the same the other way round. For kernels."""
bytes_between: Callable[[Any, Any, Any, Any, Any], Any] = cast(Callable[[Any, Any, Any, Any, Any], Any], intrinsic(_bytes_between))
"""`bytes_between(data, at, first, last, folded)`: bit i of a uint64 is set where `first <= data[at + i] | folded <= last`, for 64 bytes.
With `folded` = 32 letters are compared without case. For kernels."""
ones: Callable[[Any], Any] = cast(Callable[[Any], Any], intrinsic(_ones))
"""`ones(bits)`: how many bits of a uint64 are set. For kernels."""
lowest: Callable[[Any], Any] = cast(Callable[[Any], Any], intrinsic(_lowest))
"""`lowest(bits)`: the place of the lowest bit set, 64 if none is. For kernels."""
