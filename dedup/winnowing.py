"""Winnowed anchors of tokenized documents: a key for every run of `min_tokens` tokens, equal for equal runs.

In: the tokens of documents, one after the other, and the bounds of each document's text. Out: segments, by document and
start. A *gram* is `min_tokens` consecutive tokens within one document; a *segment* is a stretch of consecutive grams
that share an anchor, and its key is the anchor's hash. Each gram is in exactly one segment.

The anchor of a gram is the smallest hash among those of the k-grams in it, k = min_tokens // 2: winnowing (Schleimer,
Wilkerson, Aiken 2003, section 4, t = min_tokens, window w = t - k + 1), so that no repeated run of t tokens is missed.
Where several k-grams have the smallest hash, the window keeps the place of the window before, else takes the rightmost
(their "robust winnowing", section 4.1): a run of one token has one segment every w tokens, not one every token. Which
of equal places is taken changes where segments are cut, never a key: the key is a value, not a place. An expected 2 of
w + 1 k-grams are anchors, one in 13.5 for 50 tokens.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from kernels.arrays import Int64s, Integer, Uint64s
from kernels.compiled import kernel
from kernels.hashing import MULTIPLIER, SECOND_MULTIPLIER, mix

U64 = np.uint64
Tokens = npt.NDArray[np.unsignedinteger[Any]]


class Segments(NamedTuple):
    """Stretches of grams with one anchor, by document and start.

    Attributes:
        keys: uint64[n], hash of the anchor.
        documents: int64[n], number of the document.
        starts: int64[n], the first gram's first token, counted from the beginning of the document's text.
        counts: int64[n], grams; at most `window(min_tokens)`, so that a segment spans few tokens.
    """

    keys: Uint64s
    documents: Int64s
    starts: Int64s
    counts: Int64s

    def taken(self, rows: npt.NDArray[np.int64] | npt.NDArray[np.bool_]) -> Segments:
        """The segments at these places."""
        return Segments._make(column[rows] for column in self)


def anchor_tokens(min_tokens: int) -> int:
    """Tokens of an anchor, k: half of a run, which makes anchors fewest for hashes of a fixed length that must lie in
    every run.
    """
    return max(1, min_tokens // 2)


def window(min_tokens: int) -> int:
    """How many k-grams a gram has, of which one is its anchor."""
    return min_tokens - anchor_tokens(min_tokens) + 1


def segments(tokens: Tokens, begins: Int64s, ends: Int64s, *, min_tokens: int, seed: int = 0) -> Segments:
    """The segments of all documents.

    Args:
        tokens: uint16 or uint32 [t].
        begins, ends: int64[documents], where each document's text lies in `tokens`.
        min_tokens: tokens of a gram, at least 2.
        seed: keys of different seeds differ; below 2^64.

    Raises:
        ValueError: `min_tokens` is less than 2.
    """
    if min_tokens < 2:
        raise ValueError(f"runs of {min_tokens} tokens cannot be told from words: at least 2")
    arguments = (tokens, begins, ends, min_tokens, anchor_tokens(min_tokens), U64(seed))
    nothing = Segments(np.empty(0, np.uint64), *(np.empty(0, np.int64) for _ in range(3)))
    count = _segments(*arguments, *nothing)
    found = Segments(np.empty(count, np.uint64), *(np.empty(count, np.int64) for _ in range(3)))
    _segments(*arguments, *found)
    return found


@kernel
def _segments(
    tokens: Tokens,
    begins: Int64s,
    ends: Int64s,
    min_tokens: int,
    k: int,
    seed: np.uint64,
    keys: Uint64s,
    documents: Int64s,
    starts: Int64s,
    counts: Int64s,
) -> Integer:
    """Fill the columns as far as they go; returns how many segments there are."""
    width = min_tokens - k + 1
    ring = np.empty(width, np.uint64)
    out = U64(1)
    for _ in range(k):
        out *= MULTIPLIER
    room, found = len(keys), 0
    for document in range(len(begins)):
        begin = begins[document]
        grams = ends[document] - begin - min_tokens + 1
        if grams <= 0:
            continue
        h = U64(0)
        at, first = -1, 0
        least = U64(0)
        for place in range(grams + width - 1):
            # `place` is that of a k-gram; the gram that it completes begins at place - width + 1.
            if place == 0:
                for i in range(k):
                    h = h * MULTIPLIER + U64(tokens[begin + i]) + U64(1)
            else:
                h = h * MULTIPLIER + U64(tokens[begin + place + k - 1]) + U64(1)
                h -= (U64(tokens[begin + place - 1]) + U64(1)) * out
            value = mix(mix(seed, h), SECOND_MULTIPLIER)
            ring[place % width] = value
            gram = place - width + 1
            if at >= 0 and at >= gram:
                if value >= least:
                    continue
                new = place
            elif gram < 0:
                continue
            else:
                new = gram
                for other in range(gram, place + 1):
                    if ring[other % width] <= ring[new % width]:
                        new = other
            # The grams before this one share the anchor before.
            if at >= 0:
                if found < room:
                    keys[found], documents[found], starts[found], counts[found] = least, document, first, gram - first
                found += 1
            at, first, least = new, gram, ring[new % width]
        if found < room:
            keys[found], documents[found], starts[found], counts[found] = least, document, first, grams - first
        found += 1
    return found
