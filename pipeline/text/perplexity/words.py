"""What the kernels of KenLM's binary files share: tokens, hashes of words, and what is remembered from one word to the
next.

In: bytes of sentences, and of a file, in which numbers are little-endian and at any address. Out: numbers.

Scores are by backoff (Katz 1987), summed in float32 in KenLM's order, so they are KenLM's, bit for bit. Signs, which
carry nothing else, say when to stop looking: a backoff is -0.0 if no n-gram has this one as its context (Heafield 2011,
section 3.1; lm/weights.hh, lm/value.hh).
"""

from __future__ import annotations

import math

import numpy as np

from kernels.arrays import Bytes, Float32s, Int64s, Integer
from kernels.compiled import bare_kernel

U64 = np.uint64
_MULTIPLIER = np.uint64(0xC6A4A7935BD1E995)
_SHIFT = np.uint64(47)
_TAB, _RETURN, _SPACE = 9, 13, 32


@bare_kernel
def eight_bytes(data: Bytes, at: Integer | np.uint64) -> np.uint64:
    """The uint64 that begins at byte `at`; LLVM makes one load of it."""
    i = U64(at)
    low = (
        U64(data[i])
        | U64(data[i + U64(1)]) << U64(8)
        | U64(data[i + U64(2)]) << U64(16)
        | U64(data[i + U64(3)]) << U64(24)
    )
    high = (
        U64(data[i + U64(4)])
        | U64(data[i + U64(5)]) << U64(8)
        | U64(data[i + U64(6)]) << U64(16)
        | U64(data[i + U64(7)]) << U64(24)
    )
    return low | high << U64(32)


@bare_kernel
def word_hash(data: Bytes, start: Integer, end: Integer) -> np.uint64:
    """MurmurHash64A of bytes with the seed 0 (Austin Appleby, public domain; KenLM's lm/vocab.cc, `HashForVocab`)."""
    value = U64(end - start) * _MULTIPLIER
    at = start
    while end - at >= 8:
        part = eight_bytes(data, at) * _MULTIPLIER
        value = (value ^ ((part ^ (part >> _SHIFT)) * _MULTIPLIER)) * _MULTIPLIER
        at += 8
    if at < end:
        part = U64(0)
        for i in range(at, end):
            part |= U64(data[i]) << U64(8 * (i - at))
        value = (value ^ part) * _MULTIPLIER
    value = (value ^ (value >> _SHIFT)) * _MULTIPLIER
    return value ^ (value >> _SHIFT)


@bare_kernel
def next_token(data: Bytes, at: Integer, stop: Integer) -> tuple[Integer, Integer]:
    """Where the next token begins and ends, ASCII white space before it left out; both are `stop` if there is none."""
    while at < stop and (data[at] == _SPACE or _TAB <= data[at] <= _RETURN):
        at += 1
    start = at
    while at < stop and not (data[at] == _SPACE or _TAB <= data[at] <= _RETURN):
        at += 1
    return start, at


@bare_kernel
def goes_on(backoff: np.float32) -> bool:
    """Whether an n-gram with this backoff is the context of another, or changes what follows (lm/blank.hh,
    `HasExtension`).
    """
    return backoff != 0.0 or math.copysign(1.0, backoff) > 0.0


@bare_kernel
def backed_off(probability: np.float32, used: Integer, backoffs: Float32s, known: Integer) -> np.float32:
    """The logarithm of a word's probability after a context.

    Args:
        probability: that of the longest n-gram which ends in the word and which the model has.
        used: how many words of the context this n-gram holds.
        backoffs: of the newest word of the context, its newest two, ...; `known` of them.
    """
    score = probability
    for i in range(used, known):
        score += backoffs[i]
    return score


@bare_kernel
def remember(history: Int64s, backoffs: Float32s, fresh: Float32s, word: Integer, useful: Integer) -> None:
    """`word` becomes the newest of `useful` words in `history`, `fresh` the backoffs of the n-grams that end in it."""
    for i in range(useful - 1, 0, -1):
        history[i] = history[i - 1]
    history[0] = word
    for i in range(useful):
        backoffs[i] = fresh[i]
