"""UTF-8 for kernels. In: valid UTF-8 bytes. Out: code points, and texts without the space around them."""

from __future__ import annotations

import numba as nb

from kernels.arrays import Bytes, Integer, Uint16s
from kernels.characters import SPACE
from kernels.compiled import kernel


@kernel
def code_point(data: Bytes, i: Integer) -> tuple[Integer, int]:
    """The code point at `i` and its number of bytes."""
    point = nb.int64(data[i])
    if point < 0x80:
        return point, 1
    if point < 0xE0:
        return ((point & 31) << 6) | (nb.int64(data[i + 1]) & 63), 2
    if point < 0xF0:
        return ((point & 15) << 12) | ((nb.int64(data[i + 1]) & 63) << 6) | (nb.int64(data[i + 2]) & 63), 3
    return (
        ((point & 7) << 18)
        | ((nb.int64(data[i + 1]) & 63) << 12)
        | ((nb.int64(data[i + 2]) & 63) << 6)
        | (nb.int64(data[i + 3]) & 63),
        4,
    )


@kernel
def without_space_behind(data: Bytes, start: Integer, end: Integer, table: Bytes | Uint16s) -> Integer:
    """Where a text ends without the space at its end; `start` if it holds nothing else.

    `table`: `kernels.characters.classes()`.
    """
    while end > start:
        last = end - 1
        while data[last] & 0xC0 == 0x80:
            last -= 1
        point, _ = code_point(data, last)
        if not table[point] & SPACE:
            break
        end = last
    return end
