"""The permutations of `datasketch.MinHash`, so that signatures are equal to its `hashvalues`, value by value.

In: a seed and the first 32 bits of each shingle's SHA-1 (`kernels.sha1`). Out: parameters, and the smallest values
that they give. They follow datasketch 2.0.0, minhash.py, and its random stream, `numpy.random.RandomState`, which NumPy
promises never to change (NEP 19); the tests compare both with the installed datasketch.

- `affine32`, the default of datasketch 2: the hash goes through MurmurHash3's 32-bit finaliser (Appleby), then each
  permutation maps it by x -> a x + b mod 2^32, a odd.
- `legacy`, all of datasketch 1: each permutation maps it by x -> (a x + b mod 2^64) mod 2^61 - 1, of which the lower 32
  bits count. The product of 32 by 61 bits does not fit in 64, so the map is not the universal one of the textbook; it
  is what their signatures hold.

Fewer legacy permutations from one seed are the first of more; fewer affine ones are not, since all `a` are drawn first.
"""

from __future__ import annotations

from dataclasses import dataclass

import numba as nb
import numpy as np
import numpy.typing as npt

from dedup.signatures import Permutations
from kernels.arrays import Int64s, Uint32s, Uint64s
from kernels.compiled import kernel

U64 = np.uint64
_PRIME = (1 << 61) - 1


@dataclass(frozen=True)
class LegacyPermutations:
    """Parameters of legacy permutations: multipliers and addends below 2^61 - 1, uint64[k] each."""

    multipliers: npt.NDArray[np.uint64]
    addends: npt.NDArray[np.uint64]


def affine32_permutations(count: int, *, seed: int) -> Permutations:
    """`count` permutations of `datasketch.MinHash(num_perm=count, seed=seed)`; `seed` below 2^32."""
    random = np.random.RandomState(seed)
    multipliers = random.randint(0, 1 << 31, count, dtype=np.uint32) * np.uint32(2) + np.uint32(1)
    return Permutations(multipliers=multipliers, addends=random.randint(0, 1 << 32, count, dtype=np.uint32))


def legacy_permutations(count: int, *, seed: int) -> LegacyPermutations:
    """`count` permutations of `datasketch.MinHash(num_perm=count, seed=seed, scheme="legacy")`; `seed` below 2^32."""
    random = np.random.RandomState(seed)
    # One by one, as there: a is never 0, and both come from one stream.
    pairs = [
        (random.randint(1, _PRIME, dtype=np.uint64), random.randint(0, _PRIME, dtype=np.uint64)) for _ in range(count)
    ]
    drawn = np.array(pairs, np.uint64).reshape(count, 2)
    return LegacyPermutations(multipliers=drawn[:, 0].copy(), addends=drawn[:, 1].copy())


@kernel
def lower_affine32(
    hashes: Uint32s, offsets: Int64s, multipliers: Uint32s, addends: Uint32s, signatures: Uint32s
) -> None:
    """Lower `signatures`, [n, k], to the smallest values that the shingles of each document give.

    Args:
        hashes, offsets: uint32[m], int64[n + 1]: the shingles of document i are hashes[offsets[i]:offsets[i + 1]].
    """
    for document in range(len(offsets) - 1):
        row = signatures[document]
        for shingle in range(offsets[document], offsets[document + 1]):
            x = hashes[shingle]
            x ^= x >> nb.uint32(16)
            x = nb.uint32(x * nb.uint32(0x85EBCA6B))
            x ^= x >> nb.uint32(13)
            x = nb.uint32(x * nb.uint32(0xC2B2AE35))
            x ^= x >> nb.uint32(16)
            for j in range(len(multipliers)):
                value = nb.uint32(x * multipliers[j] + addends[j])
                if value < row[j]:
                    row[j] = value


@kernel
def lower_legacy(hashes: Uint32s, offsets: Int64s, multipliers: Uint64s, addends: Uint64s, signatures: Uint32s) -> None:
    """The same by legacy permutations."""
    prime = U64(_PRIME)
    for document in range(len(offsets) - 1):
        row = signatures[document]
        for shingle in range(offsets[document], offsets[document + 1]):
            x = U64(hashes[shingle])
            for j in range(len(multipliers)):
                product = x * multipliers[j] + addends[j]
                # 2^61 is 1 modulo 2^61 - 1.
                rest = (product & prime) + (product >> U64(61))
                if rest >= prime:
                    rest -= prime
                value = nb.uint32(rest)
                if value < row[j]:
                    row[j] = value
