"""SHA-1 for kernels, as far as MinHash of `datasketch` needs it.

In: bytes, and room for the work. Out: the first four bytes of their digest as a little-endian number, which is what
`datasketch.hashfunc.sha1_hash32` takes of a shingle. Nothing secret depends on it.

The rounds, their functions and constants, and the padding are those of FIPS 180-4, sections 4.1.1, 4.2.1, 5.1.1 and
6.1.2.
"""

from __future__ import annotations

import numba as nb
import numpy as np

from kernels.arrays import Bytes, Integer, Uint32s
from kernels.compiled import bare_kernel, inlined_kernel

U32 = np.uint32
# Words that `sha1_head` writes to: 80 of a block's schedule, then the five of the state.
ROOM = 85
_STATE = 80


@bare_kernel
def sha1_head(data: Bytes, start: Integer, end: Integer, room: Uint32s) -> np.uint32:
    """The first four bytes of the SHA-1 of `data[start:end]`, little-endian.

    Args:
        room: scratch, uint32[ROOM].
    """
    room[_STATE], room[_STATE + 1], room[_STATE + 2] = U32(0x67452301), U32(0xEFCDAB89), U32(0x98BADCFE)
    room[_STATE + 3], room[_STATE + 4] = U32(0x10325476), U32(0xC3D2E1F0)
    length = end - start
    # After the bytes come one bit, zeros, and the length in 64 bits, up to a whole block.
    for block in range((length + 9 + 63) // 64):
        at = start + 64 * block
        if at + 64 <= end:
            for index in range(16):
                room[index] = _word(data, at + 4 * index)
        else:
            for index in range(16):
                room[index] = _padded_word(data, at + 4 * index, end)
            if at + 56 > end:
                room[14], room[15] = nb.uint32(length >> 29), nb.uint32(length << 3)
        _mix_block(room)
    return _byte_swapped(room[_STATE])


@inlined_kernel
def _rotated(value: np.uint32, by: int) -> np.uint32:
    return nb.uint32((value << nb.uint32(by)) | (value >> nb.uint32(32 - by)))


@inlined_kernel
def _byte_swapped(value: np.uint32) -> np.uint32:
    return nb.uint32((_rotated(value, 8) & nb.uint32(0x00FF00FF)) | (_rotated(value, 24) & nb.uint32(0xFF00FF00)))


@inlined_kernel
def _word(data: Bytes, at: Integer) -> np.uint32:
    word: np.uint32 = nb.uint32(
        (nb.uint32(data[at]) << nb.uint32(24))
        | (nb.uint32(data[at + 1]) << nb.uint32(16))
        | (nb.uint32(data[at + 2]) << nb.uint32(8))
        | nb.uint32(data[at + 3])
    )
    return word


@bare_kernel
def _padded_word(data: Bytes, at: Integer, end: Integer) -> np.uint32:
    """The four bytes at `at` of a message that ends at `end` and goes on with one bit and zeros."""
    if at + 4 <= end:
        return _word(data, at)
    word = nb.uint32(0)
    for offset in range(4):
        if at + offset < end:
            word |= nb.uint32(data[at + offset]) << nb.uint32(24 - 8 * offset)
        elif at + offset == end:
            word |= nb.uint32(0x80) << nb.uint32(24 - 8 * offset)
    return nb.uint32(word)


@bare_kernel
def _mix_block(room: Uint32s) -> None:
    """One block, the first 16 words of `room`, into the state."""
    for t in range(16, 80):
        room[t] = _rotated(room[t - 3] ^ room[t - 8] ^ room[t - 14] ^ room[t - 16], 1)
    a, b, c, d, e = room[_STATE], room[_STATE + 1], room[_STATE + 2], room[_STATE + 3], room[_STATE + 4]
    for t in range(20):
        a, b, c, d, e = _round(a, b, c, d, e, (b & c) | (~b & d), 0x5A827999, room[t])
    for t in range(20, 40):
        a, b, c, d, e = _round(a, b, c, d, e, b ^ c ^ d, 0x6ED9EBA1, room[t])
    for t in range(40, 60):
        a, b, c, d, e = _round(a, b, c, d, e, (b & c) | (b & d) | (c & d), 0x8F1BBCDC, room[t])
    for t in range(60, 80):
        a, b, c, d, e = _round(a, b, c, d, e, b ^ c ^ d, 0xCA62C1D6, room[t])
    room[_STATE] = nb.uint32(room[_STATE] + a)
    room[_STATE + 1] = nb.uint32(room[_STATE + 1] + b)
    room[_STATE + 2] = nb.uint32(room[_STATE + 2] + c)
    room[_STATE + 3] = nb.uint32(room[_STATE + 3] + d)
    room[_STATE + 4] = nb.uint32(room[_STATE + 4] + e)


@bare_kernel
def _round(
    a: np.uint32, b: np.uint32, c: np.uint32, d: np.uint32, e: np.uint32, f: np.uint32, k: int, word: np.uint32
) -> tuple[np.uint32, np.uint32, np.uint32, np.uint32, np.uint32]:
    mixed = nb.uint32(_rotated(a, 5) + nb.uint32(f) + e + nb.uint32(k) + word)
    return mixed, a, _rotated(b, 30), c, d
