"""The search for duplicates in plain Python, from signatures and texts: slow, and in one place."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from dedup.bands import band_keys
from dedup.leaders import MOST_DOUBTFUL, MOST_LEADERS, estimated, limits
from manifests.filters import REASONS
from manifests.minhash import MinHash
from tests.property.test_signatures import reference_words

Row = dict[str, Any]


class Fate(NamedTuple):
    """A reason, and for a duplicate the id of the document that stays, and their similarity."""

    reason: str
    of: bytes | None
    similarity: float | None


def search(rows: Sequence[Row], *, minhash: MinHash, priorities: dict[str, int], largest: int) -> list[Fate]:
    """The fate of each row."""
    first: dict[bytes, int] = {}
    for index in sorted(range(len(rows)), key=lambda index: (priorities[rows[index]["source"]], rows[index]["origin"])):
        first.setdefault(rows[index]["id"], index)
    unique = sorted(first.values(), key=lambda index: preference(rows[index], priorities))
    edges = verified(rows, unique, minhash=minhash, largest=largest)
    goes: dict[int, tuple[float, bytes]] = {}
    for index in unique:
        staying = [(-alike, rows[keeper]["id"]) for keeper, alike in edges[index].items() if keeper not in goes]
        if staying:
            goes[index] = min(staying)
    fates = []
    for index, row in enumerate(rows):
        keeper = first[row["id"]]
        if keeper in goes:
            fates.append(Fate("near_duplicate", goes[keeper][1], -goes[keeper][0]))
        elif keeper != index:
            fates.append(Fate("exact_duplicate", row["id"], 1.0))
        else:
            fates.append(Fate(REASONS[0], None, None))
    return fates


def preference(row: Row, priorities: dict[str, int]) -> tuple[int, int, bytes]:
    return priorities[row["source"]], -len(row["text"].split()), row["id"]


def verified(
    rows: Sequence[Row], unique: Sequence[int], *, minhash: MinHash, largest: int
) -> dict[int, dict[int, float]]:
    """Of each row the preferred rows that it is verified to be similar to. `unique` is in order of preference."""
    buckets: defaultdict[int, list[int]] = defaultdict(list)
    for index in unique:
        if rows[index]["shingles"]:
            signature = np.array([rows[index]["signature"]], np.uint32)
            for key in band_keys(signature, bands=minhash.bands, rows=minhash.rows)[0].tolist():
                buckets[key].append(index)
    within = limits(minhash.similarity, places=minhash.bands * minhash.rows)
    edges: dict[int, dict[int, float]] = {index: {} for index in unique}
    for bucket in buckets.values():
        leaders: list[int] = []
        for index in bucket:
            matched = False
            doubtful = 0
            for leader in leaders[: 1 if len(bucket) > largest else None]:
                equal = _equal(rows[leader], rows[index])
                if equal >= within.alike:
                    found = estimated(np.array([equal], np.int32), places=minhash.bands * minhash.rows)
                    edges[index][leader] = float(np.float32(found[0]))
                    matched = True
                    break
                if equal < within.unlike:
                    continue
                doubtful += 1
                alike = _jaccard(rows[leader], rows[index], minhash.ngram)
                if doubtful <= MOST_DOUBTFUL and alike >= minhash.similarity:
                    edges[index][leader] = float(np.float32(alike))
            if not matched and len(leaders) < MOST_LEADERS:
                leaders.append(index)
    return edges


def _equal(one: Row, other: Row) -> int:
    return sum(left & 255 == right & 255 for left, right in zip(one["signature"], other["signature"], strict=True))


def _jaccard(one: Row, other: Row, ngram: int) -> float:
    left, right = (_shingles(row["text"], ngram) for row in (one, other))
    return len(left & right) / len(left | right)


def _shingles(text: str, ngram: int) -> set[tuple[str, ...]]:
    words = reference_words(text)
    return {tuple(words[start : start + ngram]) for start in range(max(1, len(words) - ngram + 1))}
