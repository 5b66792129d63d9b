"""Repeated runs of tokens found by the arrays of `dedup`, as the step puts them together, and by brute force."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

import numpy as np

from dedup.repeats import repeats_within
from dedup.stretches import all_answers, answers_of, pack_stretches, place_words, ranks_of, wanted_stretches
from dedup.substrings import documents_that_go, removed_runs, removed_tokens
from dedup.winnowing import segments


@dataclass(frozen=True)
class Text:
    """A document's tokens, its id, and the number of what it is compared within."""

    tokens: tuple[int, ...]
    identity: int
    priority: int = 0
    scope: int = 0


Corpus = list[list[Text]]  # shards; the texts of a shard have one priority and one scope
# (shard, row) and token.
Places = dict[tuple[int, int], set[int]]


@dataclass
class Found:
    """What goes, and every run of it: document, start, tokens, id and start of the first occurrence."""

    tokens: Places
    documents: set[tuple[int, int]]
    runs: list[tuple[tuple[int, int], int, int, int, int]]


def order_of(corpus: Corpus) -> dict[tuple[int, int], tuple[int, ...]]:
    return {
        (shard, row): (text.priority, -len(text.tokens), text.identity, shard, row)
        for shard, texts in enumerate(corpus)
        for row, text in enumerate(texts)
    }


def brute_force(corpus: Corpus, *, n: int, share: float) -> Found:
    """Straight from the definition: every gram, every place."""
    order = order_of(corpus)
    places: dict[tuple[int, tuple[int, ...]], list[tuple[tuple[int, int], int]]] = defaultdict(list)
    for document in order:
        text = corpus[document[0]][document[1]]
        for start in range(len(text.tokens) - n + 1):
            places[text.scope, text.tokens[start : start + n]].append((document, start))
    gone: Places = {document: set() for document in order}
    kept: Places = {document: set() for document in order}
    origins: list[tuple[tuple[int, int], int]] = []
    for occurrences in places.values():
        first, at = min(occurrences, key=lambda place: (order[place[0]], place[1]))
        for document, start in occurrences:
            if document != first or start >= at + n:
                gone[document].update(range(start, start + n))
                origins.append((first, at))
    for document, start in origins:
        kept[document].update(set(range(start, start + n)) - gone[document])
    dropped = set()
    for document, tokens in gone.items():
        length = len(corpus[document[0]][document[1]].tokens)
        left = length - len(tokens)
        if tokens and (left == 0 or left < share * length) and not kept[document]:
            dropped.add(document)
    return Found(gone, dropped, [])


def find(corpus: Corpus, *, n: int, share: float, partitions: int, hot: bool = False, draw: object = None) -> Found:
    """The same by segments, stretches and answers."""
    shards = []
    holders: dict[int, set[int]] = defaultdict(set)
    for number, texts in enumerate(corpus):
        tokens = np.array([token for text in texts for token in (1, *text.tokens, 2)], np.uint16)
        lengths = np.array([len(text.tokens) for text in texts], np.int64)
        begins = np.cumsum(lengths + 2) - lengths - 1
        ids = np.array([[text.identity >> 64, text.identity & (2**64 - 1)] for text in texts], np.uint64).reshape(-1, 2)
        places = place_words(ids, lengths, priority=texts[0].priority if texts else 0, shard=number)
        found = segments(tokens, begins, begins + lengths, min_tokens=n, seed=texts[0].scope if texts else 0)
        within = repeats_within(tokens, begins, found, ranks_of(places), min_tokens=n)
        shards.append((tokens, begins, lengths, ids, places, found, within))
        for key in found.keys.tolist():
            holders[key].add(number)
    shared = np.array(sorted(key for key, held in holders.items() if len(held) > 1), np.uint64)
    elements: dict[int, list[bytes]] = defaultdict(list)
    for texts, (tokens, begins, _, _, places, found, within) in zip(corpus, shards, strict=True):
        stretches = wanted_stretches(found, within, shared)
        for partition, packed in pack_stretches(
            tokens,
            begins,
            stretches,
            places,
            hot=shared[::2] if hot else shared[:0],
            scope=texts[0].scope if texts else 0,
            min_tokens=n,
            partitions=partitions,
        ):
            elements[partition].append(packed)
    for packed in elements.values():
        if draw is not None:
            draw.shuffle(packed)  # type: ignore[attr-defined]
    answers = all_answers([answers_of(packed, dtype="uint16", min_tokens=n) for packed in elements.values()])
    result = Found({}, set(), [])
    for number, (tokens, begins, lengths, ids, _, _, within) in enumerate(shards):
        mine = answers.taken(answers.documents >> np.uint64(32) == number)
        removed = removed_runs(within, mine, ids, min_tokens=n)
        mask = removed_tokens(begins, len(tokens), removed, min_tokens=n)
        here = removed.kept_documents >= 0
        theirs = answers.taken(answers.first_documents >> np.uint64(32) == number)
        kept = (
            np.concatenate(
                [removed.kept_documents[here], (theirs.first_documents & np.uint64(0xFFFFFFFF)).astype(np.int64)]
            ),
            np.concatenate([removed.kept_starts[here], theirs.first_starts]),
            np.concatenate([removed.counts[here], theirs.counts]),
        )
        goes = documents_that_go(begins, begins + lengths, mask, kept, min_tokens=n, min_left_share=share)
        for row, (begin, length) in enumerate(zip(begins.tolist(), lengths.tolist(), strict=True)):
            result.tokens[number, row] = set(np.flatnonzero(mask[begin : begin + length]).tolist())
            if goes[row]:
                result.documents.add((number, row))
        for row, start, count, identity, kept_start in zip(
            removed.documents.tolist(),
            removed.starts.tolist(),
            removed.counts.tolist(),
            removed.kept_ids.tolist(),
            removed.kept_starts.tolist(),
            strict=True,
        ):
            result.runs.append(((number, row), start, count + n - 1, identity[0] << 64 | identity[1], kept_start))
        assert not mask.any() or mask.sum() == sum(len(gone) for (s, _), gone in result.tokens.items() if s == number)
    return result
