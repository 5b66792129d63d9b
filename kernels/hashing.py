"""How hashes of words, lines and bands grow: one 64-bit value, or one byte, is mixed into another.

In: uint64. Out: uint64. Band keys and the words of signatures are built with it and stored: another constant or shift
is another layout of signatures.
"""

from __future__ import annotations

import numba as nb
import numpy as np

from kernels.compiled import bare_kernel

# 2^64 divided by the golden ratio, odd: multiplying by it spreads low bits over the high ones (Knuth, The Art of
# Computer Programming, volume 3, section 6.4).
MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)
# The first multiplier of MurmurHash3's 64-bit finaliser (Appleby), for values that should have nothing in common with
# the above.
SECOND_MULTIPLIER = np.uint64(0xFF51AFD7ED558CCD)
# The offset basis of 64-bit FNV-1a (Fowler, Noll, Vo), where hashes begin that should not be 0.
SEED = np.uint64(0xCBF29CE484222325)


@bare_kernel
def mix(h: np.uint64, value: np.uint64) -> np.uint64:
    """The hash of what `h` is the hash of, followed by `value`."""
    h = (h ^ value) * MULTIPLIER
    return h ^ (h >> nb.uint64(32))


@bare_kernel
def hash_byte(h: np.uint64, byte: int) -> np.uint64:
    """The hash of the bytes that `h` is the hash of, followed by one more; words of signatures begin with `SEED`."""
    h = (h ^ np.uint64(byte)) * MULTIPLIER
    return h ^ (h >> nb.uint64(29))
