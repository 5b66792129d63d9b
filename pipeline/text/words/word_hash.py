"""Hashes of words that never leave the process: a kernel that reads eight bytes at a time, and the same in plain
Python.

In: bytes. Out: uint64. Words of at most eight bytes that differ have different hashes if they are equally long.
"""

from __future__ import annotations

import numpy as np

from kernels.arrays import Bytes, Integer
from kernels.compiled import inlined_kernel
from kernels.hashing import MULTIPLIER, SECOND_MULTIPLIER, SEED, mix
from kernels.unaligned import eight_bytes

U64 = np.uint64


@inlined_kernel
def hash_word(data: Bytes, start: Integer, end: Integer) -> np.uint64:
    """The hash of `data[start:end]`."""
    h = SEED + U64(end - start) * SECOND_MULTIPLIER
    while start + 8 <= end:
        h = mix(h, eight_bytes(data, start))
        start += 8
    if start + 8 <= len(data):
        rest = eight_bytes(data, start) & ((U64(1) << U64(8 * (end - start))) - U64(1))
    else:
        rest = U64(0)
        for i in range(start, end):
            rest |= U64(data[i]) << U64(8 * (i - start))
    return mix(h, rest)


def hash_text(word: str) -> int:
    """The hash of a word's bytes, in plain Python."""
    data = word.encode()
    h = (int(SEED) + len(data) * int(SECOND_MULTIPLIER)) % 2**64
    for start in range(0, len(data) // 8 * 8 + 1, 8):
        h = ((h ^ int.from_bytes(data[start : start + 8], "little")) * int(MULTIPLIER)) % 2**64
        h ^= h >> 32
    return h
