"""Names of tags and of character references as numbers, for kernels.

In: names. Out: tables in which a kernel finds the number of a name that it has read, packed into eight bytes.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from kernels.arrays import Int64s
from kernels.compiled import bare_kernel

# The golden ratio as a fraction of 32 bits: its multiples spread well (Knuth, The Art of Computer Programming, volume
# 3, section 6.4).
_MULTIPLIER: Final = 0x9E3779B1
# Rows of a table for each name: most names are found in the first row looked at, or seen to be missing there.
_ROWS_PER_NAME: Final = 2


def packed(name: str) -> int:
    """The last eight letters of a name as one number."""
    return int.from_bytes(name[-8:].encode(), "big")


def numbered(numbers: dict[str, int]) -> Int64s:
    """int64[n, 2]: packed names and their numbers, a hash table with linear probing; n is a power of two.

    A row without a name is 0 and -1.
    """
    if not all(map(packed, numbers)):
        raise ValueError("an empty name")
    last = (1 << (_ROWS_PER_NAME * len(numbers)).bit_length()) - 1
    table = np.array([[0, -1]] * (last + 1), np.int64)
    for name, number in numbers.items():
        row = (packed(name) * _MULTIPLIER >> 32) & last
        while table[row, 0]:
            row = (row + 1) & last
        table[row] = packed(name), number
    return table


@bare_kernel
def number_of(table: Int64s, name: int) -> int:
    """The number of a name; -1 for one that is not in the table."""
    last = len(table) - 1
    row = (name * _MULTIPLIER >> 32) & last
    while table[row, 0] != 0 and table[row, 0] != name:
        row = (row + 1) & last
    return int(table[row, 1])
