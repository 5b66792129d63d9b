"""What shards tell each other of the texts that they share, as packed bytes.

In: segments of a shard, its grams that are not first in it, and the keys that other shards have as well. Between:
*stretches*, grams that are first of their equals in their shard, with their tokens; so a text in a million documents is
sent once by each shard. Out of a partition come *answers*: which of these grams have an earlier occurrence in another
shard. The order of elements does not matter. An element has at most `MAX_ELEMENT_BYTES`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from dedup.repeats import Repeats, hash_grams, repeats_among
from dedup.winnowing import Segments, Tokens
from kernels.arrays import Bools, Int64s, Integer, Uint64s
from kernels.compiled import kernel

# Flink holds an element on the heap; 8 MB passes with a factor of 2 to 4 to spare.
MAX_ELEMENT_BYTES = 8 << 20
# Words before the tokens of a stretch: the four of its document's place, start and scope, grams.
_WORDS = 6
_LENGTH_BITS = 56


class Answers(NamedTuple):
    """Grams of a shard whose first occurrence is in another one, by document and start.

    Attributes:
        documents: uint64[n], shard << 32 | row; so are `first_documents`.
        starts: int64[n], counted from the beginning of the document's text.
        counts: int64[n], consecutive grams.
        first_ids: uint64[n, 2], id of the document with the first occurrence.
    """

    documents: Uint64s
    starts: Int64s
    counts: Int64s
    first_documents: Uint64s
    first_starts: Int64s
    first_ids: Uint64s

    def taken(self, rows: npt.NDArray[np.int64] | npt.NDArray[np.bool_]) -> Answers:
        """The answers at these places."""
        return Answers._make(column[rows] for column in self)


def place_words(ids: Uint64s, lengths: Int64s, *, priority: int, shard: int) -> Uint64s:
    """What orders the documents of a shard among all: uint64[documents, 4], compared from the left.

    Args:
        ids: uint64[documents, 2], halves of their ids.
        lengths: int64[documents], tokens of their texts, below 2^56; longer ones come first.
        priority: 0 to 255; the lowest comes first.
        shard: number of the shard, below 2^32.
    """
    first = np.uint64(priority << _LENGTH_BITS) | (np.uint64((1 << _LENGTH_BITS) - 1) - lengths.astype(np.uint64))
    rows = np.uint64(shard << 32) | np.arange(len(lengths), dtype=np.uint64)
    return np.stack([first, ids[:, 0], ids[:, 1], rows], axis=1)


def ranks_of(places: Uint64s) -> Int64s:
    """The rank of each row of words among all, int64[n]."""
    ranks = np.empty(len(places), np.int64)
    ranks[np.lexsort(places.T[::-1])] = np.arange(len(places))
    return ranks


def wanted_stretches(found: Segments, within: Repeats, keys: Uint64s) -> Segments:
    """The stretches of a shard that it sends: first occurrences in it, with an anchor among `keys`.

    Args:
        found: all segments of the shard.
        within: its grams that are not first in it, by document and start.
        keys: uint64[k], sorted.
    """
    wanted = found.taken(_is_in(found.keys, keys))
    arguments = (*wanted, within.documents, within.starts, within.counts)
    nothing = Segments(np.empty(0, np.uint64), *(np.empty(0, np.int64) for _ in range(3)))
    count = _uncovered(*arguments, *nothing)
    stretches = Segments(np.empty(count, np.uint64), *(np.empty(count, np.int64) for _ in range(3)))
    _uncovered(*arguments, *stretches)
    return stretches


def single_grams(stretches: Segments) -> Segments:
    """The same grams, each a stretch of its own."""
    owner = np.repeat(np.arange(len(stretches.counts)), stretches.counts)
    within = np.arange(len(owner)) - np.repeat(np.cumsum(stretches.counts) - stretches.counts, stretches.counts)
    single = stretches.taken(owner)
    return single._replace(starts=single.starts + within, counts=np.ones(len(owner), np.int64))


def pack_stretches(
    tokens: Tokens,
    begins: Int64s,
    stretches: Segments,
    places: Uint64s,
    *,
    hot: Uint64s,
    scope: int,
    min_tokens: int,
    partitions: int,
) -> Iterator[tuple[int, bytes]]:
    """The elements of one shard, by partition.

    Args:
        begins: int64[documents], where each document's text begins in `tokens`.
        places: uint64[documents, 4], as `place_words` gives them.
        hot: uint64[h], sorted: keys with so many different texts around them that one partition could not hold them.
            Their grams go one by one, to partitions of their own hashes.
        scope: number of what texts are compared within, below 2^32.
    """
    is_hot = _is_in(stretches.keys, hot)
    cold, heated = stretches.taken(~is_hot), single_grams(stretches.taken(is_hot))
    hashes = hash_grams(tokens, begins[heated.documents] + heated.starts, heated.counts, min_tokens=min_tokens)
    routing = np.concatenate([cold.keys, hashes])
    sent = Segments(*(np.concatenate(columns) for columns in zip(cold, heated, strict=True)))
    partition = ((routing >> np.uint64(32)) % np.uint64(partitions)).astype(np.int64)
    order = np.argsort(partition, kind="stable")
    lengths = sent.counts + min_tokens - 1
    sizes = np.cumsum((8 * _WORDS + tokens.dtype.itemsize * lengths)[order])
    for group in _groups(partition[order], sizes):
        rows = order[group]
        documents, starts = sent.documents[rows], sent.starts[rows]
        words = np.empty((len(rows), _WORDS), np.uint64)
        words[:, :4] = places[documents]
        words[:, 4] = starts.astype(np.uint64) | np.uint64(scope << 32)
        words[:, 5] = sent.counts[rows]
        text = np.empty(int(lengths[rows].sum()), tokens.dtype)
        _gather(tokens, begins[documents] + starts, lengths[rows], text)
        packed = np.array([len(rows)], np.uint64).tobytes() + words.tobytes() + text.tobytes()
        yield int(partition[rows[0]]), packed


def _groups(partition: Int64s, sizes: Int64s) -> Iterator[slice]:
    """Slices of rows of one partition each, of not much more than half of `MAX_ELEMENT_BYTES`."""
    if not len(partition):
        return
    new = np.diff(partition, prepend=-1) != 0
    new[1:] |= np.diff(sizes // (MAX_ELEMENT_BYTES // 2)) != 0
    heads = np.flatnonzero(new).tolist()
    for head, stop in zip(heads, [*heads[1:], len(partition)], strict=True):
        yield slice(head, stop)


def answers_of(elements: Sequence[bytes], *, dtype: str, min_tokens: int) -> Answers:
    """The answers of a partition, to all its elements in whatever order they come.

    Args:
        dtype: of the tokens.
    """
    words, texts = [], []
    for element in elements:
        count = int(np.frombuffer(element, np.uint64, 1)[0])
        words.append(np.frombuffer(element, np.uint64, count * _WORDS, offset=8).reshape(count, _WORDS))
        texts.append(np.frombuffer(element, np.dtype(dtype), offset=8 * (1 + count * _WORDS)))
    if not words:
        return no_answers()
    every, tokens = np.concatenate(words), np.concatenate(texts)
    starts = (every[:, 4] & np.uint64(0xFFFFFFFF)).astype(np.int64)
    counts = every[:, 5].astype(np.int64)
    lengths = counts + min_tokens - 1
    begins = np.cumsum(lengths) - lengths
    ranks = ranks_of(np.column_stack([every[:, :4], starts.astype(np.uint64)]))
    scopes = every[:, 4] >> np.uint64(32)
    parts = []
    for scope in np.unique(scopes).tolist():
        mine = np.flatnonzero(scopes == scope)
        stretches = Segments(every[mine, 0], mine, np.zeros(len(mine), np.int64), counts[mine])
        parts.append(repeats_among(tokens, begins, stretches, ranks, min_tokens=min_tokens))
    found = Repeats(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))
    # A shard sends equal grams twice only where they overlap around one anchor.
    found = found.taken(every[found.documents, 3] != every[found.first_documents, 3])
    return _in_order(
        Answers(
            documents=every[found.documents, 3],
            starts=starts[found.documents] + found.starts,
            counts=found.counts,
            first_documents=every[found.first_documents, 3],
            first_starts=starts[found.first_documents] + found.first_starts,
            first_ids=every[found.first_documents, 1:3],
        )
    )


def no_answers() -> Answers:
    """No answers."""
    return Answers(
        np.empty(0, np.uint64),
        np.empty(0, np.int64),
        np.empty(0, np.int64),
        np.empty(0, np.uint64),
        np.empty(0, np.int64),
        np.empty((0, 2), np.uint64),
    )


def all_answers(parts: Sequence[Answers]) -> Answers:
    """Answers of several partitions, by document and start."""
    return _in_order(Answers(*(np.concatenate(columns) for columns in zip(no_answers(), *parts, strict=True))))


def _in_order(answers: Answers) -> Answers:
    return answers.taken(np.lexsort((answers.starts, answers.documents)))


def _is_in(values: Uint64s, keys: Uint64s) -> Bools:
    """Which values are among sorted keys."""
    if not len(keys):
        return np.zeros(len(values), bool)
    found: Bools = keys[np.minimum(np.searchsorted(keys, values), len(keys) - 1)] == values
    return found


@kernel
def _uncovered(
    keys: Uint64s,
    documents: Int64s,
    starts: Int64s,
    counts: Int64s,
    covered_documents: Int64s,
    covered_starts: Int64s,
    covered_counts: Int64s,
    out_keys: Uint64s,
    out_documents: Int64s,
    out_starts: Int64s,
    out_counts: Int64s,
) -> Integer:
    """Fill what of the segments no covered run holds, as far as it goes; returns how many stretches there are."""
    room, found, run = len(out_keys), 0, 0
    for i in range(len(keys)):
        document, stop = documents[i], starts[i] + counts[i]
        at = starts[i]
        while run < len(covered_starts) and (
            covered_documents[run] < document
            or (covered_documents[run] == document and covered_starts[run] + covered_counts[run] <= at)
        ):
            run += 1
        other = run
        while at < stop:
            end = stop
            if other < len(covered_starts) and covered_documents[other] == document and covered_starts[other] < stop:
                end = max(at, covered_starts[other])
            if end > at:
                if found < room:
                    out_keys[found], out_documents[found] = keys[i], document
                    out_starts[found], out_counts[found] = at, end - at
                found += 1
            if end == stop:
                break
            at = covered_starts[other] + covered_counts[other]
            other += 1
    return found


@kernel
def _gather(tokens: Tokens, places: Int64s, lengths: Int64s, out: Tokens) -> None:
    """Copy stretches of `tokens` one after the other."""
    at = 0
    for i in range(len(places)):
        for token in range(lengths[i]):
            out[at] = tokens[places[i] + token]
            at += 1
