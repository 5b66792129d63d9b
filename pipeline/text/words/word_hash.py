"""Hashes of words that never leave the process: a kernel that reads eight bytes at a time, and the same in plain Python.

In: bytes. Out: uint64. Words of at most eight bytes that differ have different hashes if they are equally long.
"""

from __future__ import annotations

from typing import Any

import numba as nb
import numpy as np

from kernels.compiled import bare_kernel, inlined_kernel
from kernels.unaligned import eight_bytes

U64 = nb.uint64
_SEED = 0xCBF29CE484222325
_LENGTH = 0xFF51AFD7ED558CCD
_MULTIPLIER = 0x9E3779B97F4A7C15
# Constants of the kernels.
_SEED_U64, _LENGTH_U64, _MULTIPLIER_U64 = np.uint64(_SEED), np.uint64(_LENGTH), np.uint64(_MULTIPLIER)


@inlined_kernel
def hash_word(data: Any, start: Any, end: Any) -> Any:
    """The hash of `data[start:end]`."""
    h = _SEED_U64 + U64(end - start) * _LENGTH_U64
    while start + 8 <= end:
        h = _mix(h, eight_bytes(data, start))
        start += 8
    if start + 8 <= len(data):
        rest = eight_bytes(data, start) & ((U64(1) << U64(8 * (end - start))) - U64(1))
    else:
        rest = U64(0)
        for i in range(start, end):
            rest |= U64(data[i]) << U64(8 * (i - start))
    return _mix(h, rest)


@bare_kernel
def _mix(h: Any, value: Any) -> Any:
    h = (h ^ value) * _MULTIPLIER_U64
    return h ^ (h >> U64(32))


def hash_text(word: str) -> int:
    """The hash of a word's bytes, in plain Python."""
    data = word.encode()
    h = (_SEED + len(data) * _LENGTH) % 2**64
    for start in range(0, len(data) // 8 * 8 + 1, 8):
        h = ((h ^ int.from_bytes(data[start : start + 8], "little")) * _MULTIPLIER) % 2**64
        h ^= h >> 32
    return h
