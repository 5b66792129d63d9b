"""Exact copies: rows whose 128-bit ids are the same.

In: ids, and for each row how much it is preferred. Out: for each row the row that stays for its id. The result depends
on the set of rows only, not on their order.
"""

from __future__ import annotations

import numpy as np

from dedup.hash_order import sorted_by_key
from kernels.arrays import Boolean, Int64s, Integer, Uint64s
from kernels.compiled import bare_kernel, kernel


def keepers(ids: Uint64s, priorities: Uint64s, origins: Uint64s, rows: Uint64s) -> Uint64s:
    """The row that stays for each row's id, uint64[n]: a row that stays is its own.

    Both halves of ids are compared: no chance collision drops text. Of rows with one id, that with the smallest
    priority stays, then that with the smallest origin, then the smallest row; only records that are the same in all
    that a document has are told apart by where they lie.

    Args:
        ids: uint64[n, 2].
        priorities, origins, rows: uint64[n].
    """
    high, order = sorted_by_key(ids[:, 0].copy(), np.arange(len(ids), dtype=np.uint64))
    found = np.empty(len(order), np.uint64)
    _keepers(high, order.view(np.int64), ids, priorities, origins, rows, found)
    return found


@kernel
def _keepers(
    high: Uint64s, places: Int64s, ids: Uint64s, priorities: Uint64s, origins: Uint64s, rows: Uint64s, out: Uint64s
) -> None:
    """Fill `out`; `places` are those of ids by their first half, which is `high`."""
    start = 0
    while start < len(high):
        stop = start + 1
        while stop < len(high) and high[stop] == high[start]:
            stop += 1
        # Places that are done are moved to the front: two texts of which only one half is equal are one in 2^64.
        done = start
        while done < stop:
            best, low, first = places[done], ids[places[done], 1], done
            for index in range(first, stop):
                place = places[index]
                if ids[place, 1] == low:
                    places[index], places[done] = places[done], place
                    done += 1
                    if _precedes(place, best, priorities, origins, rows):
                        best = place
            for index in range(first, done):
                out[places[index]] = rows[best]
        start = stop


@bare_kernel
def _precedes(one: Integer, two: Integer, priorities: Uint64s, origins: Uint64s, rows: Uint64s) -> Boolean:
    if priorities[one] != priorities[two]:
        return bool(priorities[one] < priorities[two])
    if origins[one] != origins[two]:
        return bool(origins[one] < origins[two])
    return bool(rows[one] < rows[two])
