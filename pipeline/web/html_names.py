"""Names of tags and of character references as numbers, for kernels.

In: names. Out: tables in which a kernel finds the number of a name that it has read, packed into eight bytes.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from dedup.kernel import bare_kernel

Integers = npt.NDArray[np.int64]


def packed(name: str) -> int:
    """The last eight letters of a name as one number."""
    return int.from_bytes(name[-8:].encode(), "big")


def numbered(numbers: dict[str, int]) -> Integers:
    """int64[n, 2]: names, packed and in order, and their numbers."""
    return np.array(sorted((packed(name), number) for name, number in numbers.items()), np.int64)


@bare_kernel
def number_of(table: Integers, name: int) -> int:
    """The number of a name; -1 for one that is not in the table."""
    low, high = 0, len(table)
    while low < high:
        middle = (low + high) >> 1
        if table[middle, 0] < name:
            low = middle + 1
        else:
            high = middle
    return table[low, 1] if low < len(table) and table[low, 0] == name else -1
