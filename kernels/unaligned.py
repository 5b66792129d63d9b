"""Many bytes of an array at once, by one load wherever they lie: kernels that look at every byte do so 8 or 64 at a
time.

In: a contiguous uint8 array and an index that 7 or 63 more bytes follow; nothing is checked. Out: a uint64 whose lowest
byte is the first byte, or whose lowest bit is for the first of the 64 bytes. Also two instructions on such numbers that
Python has no operator for.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias, cast

import numpy as np
from llvmlite import ir
from numba import types
from numba.core.typing.context import Context
from numba.core.typing.templates import Signature
from numba.extending import intrinsic

from kernels.arrays import Bytes, Integer

# The hashes made of these numbers never leave the process, but a number per byte order would be one more thing to test.
if sys.byteorder != "little":
    raise ImportError("Gristmill's kernels are written for little-endian machines")

_BYTE, _WORD = ir.IntType(8), ir.IntType(64)
_BLOCK = ir.VectorType(_BYTE, 64)
# What writes the instructions; numba's context has no types.
_Generate: TypeAlias = Callable[[Any, ir.IRBuilder, Signature, Sequence[ir.Value]], ir.Value]


def _load(
    context: Any, builder: ir.IRBuilder, signature: Signature, arguments: Sequence[ir.Value], kind: ir.Type
) -> ir.Instruction:
    array = context.make_array(signature.args[0])(context, builder, arguments[0])
    loaded = builder.load(builder.bitcast(builder.gep(array.data, [arguments[1]]), kind.as_pointer()))
    loaded.align = 1
    return loaded


def _eight_bytes(_context: Context, data: types.Type, _at: types.Type) -> tuple[Signature, _Generate]:
    def generate(context: Any, builder: ir.IRBuilder, signature: Signature, arguments: Sequence[ir.Value]) -> ir.Value:
        return _load(context, builder, signature, arguments, _WORD)

    return types.uint64(data, types.int64), generate


def _put_eight_bytes(
    _context: Context, data: types.Type, _at: types.Type, _value: types.Type
) -> tuple[Signature, _Generate]:
    def generate(context: Any, builder: ir.IRBuilder, signature: Signature, arguments: Sequence[ir.Value]) -> ir.Value:
        array = context.make_array(signature.args[0])(context, builder, arguments[0])
        stored = builder.store(
            arguments[2], builder.bitcast(builder.gep(array.data, [arguments[1]]), _WORD.as_pointer())
        )
        stored.align = 1
        return context.get_dummy_value()

    return types.void(data, types.int64, types.uint64), generate


def _bytes_between(
    _context: Context, data: types.Type, _at: types.Type, _first: types.Type, _last: types.Type, _folded: types.Type
) -> tuple[Signature, _Generate]:
    def generate(context: Any, builder: ir.IRBuilder, signature: Signature, arguments: Sequence[ir.Value]) -> ir.Value:
        block = _load(context, builder, signature, arguments, _BLOCK)

        def everywhere(value: ir.Value) -> ir.Value:
            one = builder.insert_element(ir.Constant(_BLOCK, ir.Undefined), value, ir.Constant(ir.IntType(32), 0))
            return builder.shuffle_vector(one, one, ir.Constant(ir.VectorType(ir.IntType(32), 64), [0] * 64))

        _, _, first, last, folded = arguments
        block = builder.or_(block, everywhere(folded))
        inside = builder.icmp_unsigned(
            "<=", builder.sub(block, everywhere(first)), everywhere(builder.sub(last, first))
        )
        return builder.bitcast(inside, _WORD)

    return types.uint64(data, types.int64, types.uint8, types.uint8, types.uint8), generate


def _ones(_context: Context, _bits: types.Type) -> tuple[Signature, _Generate]:
    def generate(
        _context: Any, builder: ir.IRBuilder, _signature: Signature, arguments: Sequence[ir.Value]
    ) -> ir.Value:
        return builder.ctpop(arguments[0])

    return types.int64(types.uint64), generate


def _lowest(_context: Context, _bits: types.Type) -> tuple[Signature, _Generate]:
    def generate(
        _context: Any, builder: ir.IRBuilder, _signature: Signature, arguments: Sequence[ir.Value]
    ) -> ir.Value:
        return builder.cttz(arguments[0], ir.Constant(ir.IntType(1), 0))

    return types.int64(types.uint64), generate


eight_bytes = cast(Callable[[Bytes, Integer], np.uint64], intrinsic(_eight_bytes))
"""`eight_bytes(data, at)`: `data[at : at + 8]` as a little-endian uint64. For kernels."""
put_eight_bytes = cast(Callable[[Bytes, Integer, np.uint64], None], intrinsic(_put_eight_bytes))
"""`put_eight_bytes(data, at, value)`: the same the other way round. For kernels."""
bytes_between = cast(Callable[[Bytes, Integer, int, int, int], np.uint64], intrinsic(_bytes_between))
"""`bytes_between(data, at, first, last, folded)`: bit i of a uint64 is set where `data[at + i] | folded` lies in
`first` to `last`, for 64 bytes. With `folded` = 32 letters are compared without case. For kernels."""
ones = cast(Callable[[np.uint64], int], intrinsic(_ones))
"""`ones(bits)`: how many bits of a uint64 are set. For kernels."""
lowest = cast(Callable[[np.uint64], int], intrinsic(_lowest))
"""`lowest(bits)`: the place of the lowest bit set, 64 if none is. For kernels."""
