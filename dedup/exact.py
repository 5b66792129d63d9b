"""Exact copies: rows whose 128-bit ids are the same.

In: ids, and for each row how much it is preferred. Out: for each row the row that stays for its id. The result depends
on the set of rows only, not on their order.
"""

from __future__ import annotations

import numpy as np

from kernels.arrays import Uint64s


def keepers(ids: Uint64s, priorities: Uint64s, origins: Uint64s, rows: Uint64s) -> Uint64s:
    """The row that stays for each row's id, uint64[n]: a row that stays is its own.

    Both halves of ids are compared: no chance collision drops text. Of rows with one id, that with the smallest
    priority stays, then that with the smallest origin, then the smallest row; only records that are the same in all
    that a document has are told apart by where they lie.

    Args:
        ids: uint64[n, 2].
        priorities, origins, rows: uint64[n].
    """
    order = np.lexsort((rows, origins, priorities, ids[:, 1], ids[:, 0]))
    ordered = ids[order]
    first = np.ones(len(order), bool)
    first[1:] = (ordered[1:] != ordered[:-1]).any(axis=1)
    found = np.empty(len(order), np.uint64)
    found[order] = rows[order][np.maximum.accumulate(np.where(first, np.arange(len(order)), 0))]
    return found
