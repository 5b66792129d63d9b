"""Repeated grams: which occurrence of a run of tokens is the first, found token by token.

In: segments of grams (`dedup.winnowing`) over an array of tokens, and the rank of each document. Out: *repeats*, runs
of grams whose tokens also stand at an earlier place. Places are ordered by the rank of their document, then by their
start; the first occurrence of a gram is the one at the smallest place.

Grams with equal 64-bit hashes are compared token by token with those before them: no chance collision makes a repeat. A
gram is compared with the first of its equals alone, so that a text that occurs a million times takes a million
comparisons. Consecutive grams that repeat consecutive grams of one document are one run: this is the exact extension to
left and right of an anchor, found without going over a text twice.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from dedup.winnowing import Segments, Tokens
from kernels.arrays import Int64s, Uint64s
from kernels.compiled import kernel
from kernels.hashing import MULTIPLIER, SECOND_MULTIPLIER, SEED, mix

U64 = np.uint64
# Repeated grams of a shard are compared so many at a time, 60 bytes each. Those of one anchor stay together.
MOST_GRAMS = 4_000_000


class Repeats(NamedTuple):
    """Runs of grams, each with its first occurrence: gram `start + i` has the tokens of gram `first_start + i`.

    Attributes:
        documents: int64[n].
        starts: int64[n], the first gram's first token, counted from the beginning of the document's text.
        counts: int64[n], grams: the run spans `count + min_tokens - 1` tokens.
        first_documents: int64[n]; the document itself where a text repeats within it.
        first_starts: int64[n].
    """

    documents: Int64s
    starts: Int64s
    counts: Int64s
    first_documents: Int64s
    first_starts: Int64s

    def taken(self, rows: Int64s | np.ndarray) -> Repeats:
        """The runs at these places."""
        return Repeats._make(column[rows] for column in self)


def no_repeats() -> Repeats:
    """No runs."""
    return Repeats(*(np.empty(0, np.int64) for _ in range(5)))


def joined(repeats: Repeats) -> Repeats:
    """The same by document and start, with runs that go on each other as one; no gram may be in two of them."""
    repeats = repeats.taken(np.lexsort((repeats.starts, repeats.documents)))
    if not len(repeats.starts):
        return repeats
    ends, first_ends = repeats.starts + repeats.counts, repeats.first_starts + repeats.counts
    new = np.ones(len(ends), bool)
    new[1:] = (
        (repeats.documents[1:] != repeats.documents[:-1])
        | (repeats.starts[1:] != ends[:-1])
        | (repeats.first_documents[1:] != repeats.first_documents[:-1])
        | (repeats.first_starts[1:] != first_ends[:-1])
    )
    heads = np.flatnonzero(new)
    return repeats.taken(heads)._replace(counts=np.add.reduceat(repeats.counts, heads))


def repeats_within(tokens: Tokens, begins: Int64s, found: Segments, ranks: Int64s, *, min_tokens: int) -> Repeats:
    """The grams of a shard that are not the first of their equals in it.

    Overlapping occurrences in one document are among them: what counts as repeated is up to `dedup.substrings`.

    Args:
        begins: int64[documents], where each document's text begins in `tokens`.
        ranks: int64[documents], all different: the first of equals has the smallest.
    """
    parts = [
        repeats_among(tokens, begins, found.taken(rows), ranks, min_tokens=min_tokens)
        for rows in _rows_of_repeated_keys(found)
    ]
    columns = [np.concatenate(column) for column in zip(no_repeats(), *parts, strict=True)]
    return joined(Repeats(*columns))


def _rows_of_repeated_keys(found: Segments) -> Iterator[Int64s]:
    """Segments with keys that others have as well, some keys at a time."""
    order = np.argsort(found.keys, kind="stable")
    keys = found.keys[order]
    heads = np.flatnonzero(np.diff(keys, prepend=~keys[:1]) != 0)
    lengths = np.diff(heads, append=len(keys))
    several = np.repeat(lengths > 1, lengths)
    order = order[several]
    lengths = lengths[lengths > 1]
    if not len(lengths):
        return
    stops = np.cumsum(lengths)
    grams = np.cumsum(found.counts[order])[stops - 1]
    chunk = grams // MOST_GRAMS
    last = np.flatnonzero(np.diff(chunk, append=chunk[-1] + 1) != 0)
    begin = 0
    for stop in stops[last].tolist():
        yield order[begin:stop]
        begin = stop


def repeats_among(tokens: Tokens, begins: Int64s, found: Segments, ranks: Int64s, *, min_tokens: int) -> Repeats:
    """The same for some segments, compared with each other; in the order of documents and starts, joined.

    Grams count as equal only where their documents have the same scope, which the caller sees to: `found` are those of
    one.
    """
    total = int(found.counts.sum())
    owner = np.repeat(np.arange(len(found.counts)), found.counts)
    within = np.arange(total) - np.repeat(np.cumsum(found.counts) - found.counts, found.counts)
    documents, starts = found.documents[owner], found.starts[owner] + within
    hashes = hash_grams(tokens, begins[found.documents] + found.starts, found.counts, min_tokens=min_tokens)
    order = np.lexsort((starts, ranks[documents], hashes))
    first = np.empty(total, np.int64)
    _first_of_equals(tokens, begins[documents] + starts, hashes, order, min_tokens, first)
    others = np.flatnonzero(first != np.arange(total))
    first = first[others]
    ones = np.ones(len(others), np.int64)
    return joined(Repeats(documents[others], starts[others], ones, documents[first], starts[first]))


def hash_grams(tokens: Tokens, places: Int64s, counts: Int64s, *, min_tokens: int) -> Uint64s:
    """The hashes of grams, uint64[sum of counts]: `counts` consecutive ones from each of `places` in `tokens`."""
    hashes = np.empty(int(counts.sum()), np.uint64)
    _hash_grams(tokens, places, counts, min_tokens, hashes)
    return hashes


@kernel
def _hash_grams(tokens: Tokens, places: Int64s, counts: Int64s, min_tokens: int, hashes: Uint64s) -> None:
    """Hashes of the grams of segments that begin at `places` of `tokens`, uint64[sum of counts]."""
    out = U64(1)
    for _ in range(min_tokens):
        out *= MULTIPLIER
    at = 0
    for segment in range(len(places)):
        place = places[segment]
        h = U64(0)
        for i in range(min_tokens):
            h = h * MULTIPLIER + U64(tokens[place + i]) + U64(1)
        for i in range(counts[segment]):
            if i:
                h = h * MULTIPLIER + U64(tokens[place + i + min_tokens - 1]) + U64(1)
                h -= (U64(tokens[place + i - 1]) + U64(1)) * out
            hashes[at] = mix(mix(SEED, h), SECOND_MULTIPLIER)
            at += 1


@kernel
def _first_of_equals(
    tokens: Tokens, places: Int64s, hashes: Uint64s, order: Int64s, min_tokens: int, first: Int64s
) -> None:
    """For each gram the number of the first of its equals, int64[grams]; `order` is by hash, then by place."""
    leaders = np.empty(8, np.int64)
    count = 0
    for i in range(len(order)):
        gram = order[i]
        if i and hashes[gram] != hashes[order[i - 1]]:
            count = 0
        same = False
        for j in range(count):
            same = True
            for token in range(min_tokens):
                if tokens[places[gram] + token] != tokens[places[leaders[j]] + token]:
                    same = False
                    break
            if same:
                first[gram] = leaders[j]
                break
        if not same:
            # The first with these tokens; of one hash there is a second only by chance.
            if count == len(leaders):
                more = np.empty(2 * count, np.int64)
                more[:count] = leaders
                leaders = more
            leaders[count] = gram
            count += 1
            first[gram] = gram
