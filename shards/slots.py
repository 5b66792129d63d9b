"""Which bucket each slot of a block takes from: samples per block in, slots out.

Versions 1 and 2 of the order are made of it: it never changes.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt

Int64s = npt.NDArray[np.int64]


@lru_cache(maxsize=16)
def block_table(counts: tuple[int, ...]) -> tuple[Int64s, Int64s]:
    """Slot to bucket within a block.

    Args:
        counts: samples per block of each bucket; their sum is a power of two.

    Returns:
        Bucket of each slot, and how many earlier slots of the block have the same bucket: int64[sum(counts)] each,
            read-only.
    """
    ends = np.cumsum(counts, dtype=np.int64)
    block = int(ends[-1])
    bucket = np.searchsorted(ends, _bit_reversed(block), side="right")
    by_bucket = np.argsort(bucket, kind="stable")
    rank = np.empty(block, np.int64)
    rank[by_bucket] = np.arange(block) - (ends - counts)[bucket[by_bucket]]
    bucket.setflags(write=False)
    rank.setflags(write=False)
    return bucket, rank


def _bit_reversed(block: int) -> Int64s:
    """The positions 0 to block - 1, each with its log2(block) bits in reverse."""
    positions = np.zeros(1, np.int64)
    while len(positions) < block:
        positions = np.concatenate([2 * positions, 2 * positions + 1])
    return positions
