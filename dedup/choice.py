"""Who stays: from verified pairs to the documents that go, each with the one that stays for it.

In: verified pairs, each directed from the preferred document to the other one. Out: which documents go. A document goes
if, and only if, a document that stays is its verified neighbour and is preferred to it.

The direction comes from one order of all documents (`dedup.preference`), so pairs make no circle, and there is exactly
one such choice: the kernel of an acyclic graph (von Neumann and Morgenstern 1944), which is also the first maximal
independent set in order of preference. It is found from the preferred end on, each document after all that are
preferred to it, or as soon as one that stays is known. As there is only one, it does not matter how much of the graph
is looked at at once: what is decided of a part of it, with what is known of the documents at its border, is right.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from kernels.arrays import Bools, Float32s, Int64s, Uint64s
from kernels.compiled import kernel

_UNKNOWN, _STAYS, _GOES = np.int8(0), np.int8(1), np.int8(2)


class Known(NamedTuple):
    """What is known of documents: rows uint64[n], ascending, and whether each goes, bool[n]."""

    rows: Uint64s
    goes: Bools


def nothing_known() -> Known:
    """Of no document."""
    return Known(np.empty(0, np.uint64), np.empty(0, bool))


def join_known(several: list[Known]) -> Known:
    """All that is known; each row comes once."""
    rows, goes = (np.concatenate([each[index] for each in [nothing_known(), *several]]) for index in range(2))
    order = np.argsort(rows)
    return Known(rows[order], goes[order])


def settle(preferred: Uint64s, others: Uint64s, *, first: Uint64s, known: Known) -> Known:
    """Decide as many documents as can be.

    Args:
        preferred, others: uint64[p], rows of the documents of each pair; a pair may come several times.
        first: ascending rows to which no document is preferred, here or elsewhere: they stay.
        known: of documents of pairs, from elsewhere.

    Returns:
        Of the documents of all pairs, and of `first`, those that are decided, those known before included.
    """
    nodes, inverse = np.unique(np.concatenate([preferred, others, first]), return_inverse=True)
    left, right = inverse[: len(preferred)].astype(np.int64), inverse[len(preferred) :][: len(others)].astype(np.int64)
    starts = np.zeros(len(nodes) + 1, np.int64)
    np.cumsum(np.bincount(left, minlength=len(nodes)), out=starts[1:])
    by_left = np.argsort(left, kind="stable")
    waiting = np.bincount(right, minlength=len(nodes)).astype(np.int64)
    fates = np.zeros(len(nodes), np.int8)
    fates[inverse[len(preferred) + len(others) :]] = _STAYS
    place, found = find(nodes, known.rows)
    fates[place[found]] = np.where(known.goes[found], _GOES, _STAYS)
    _settle(starts, right[by_left], waiting, fates)
    decided = fates != _UNKNOWN
    return Known(nodes[decided], fates[decided] == _GOES)


def find(rows: Uint64s, wanted: Uint64s) -> tuple[Int64s, Bools]:
    """The places of wanted values among ascending rows, int64[n], and whether they are there, bool[n]."""
    places = np.searchsorted(rows, wanted)
    if not len(rows):
        return places, np.zeros(len(wanted), bool)
    places = np.minimum(places, len(rows) - 1)
    return places, rows[places] == wanted


@kernel
def _settle(starts: Int64s, others: Int64s, waiting: Int64s, fates: np.ndarray) -> None:
    queue = np.empty(len(fates), np.int64)
    filled = 0
    for node in range(len(fates)):
        if fates[node] != _UNKNOWN:
            queue[filled] = node
            filled += 1
    done = 0
    while done < filled:
        node = queue[done]
        done += 1
        for place in range(starts[node], starts[node + 1]):
            other = others[place]
            waiting[other] -= 1
            if fates[other] != _UNKNOWN:
                continue
            if fates[node] == _STAYS:
                fates[other] = _GOES
            elif waiting[other] == 0:
                fates[other] = _STAYS
            else:
                continue
            queue[filled] = other
            filled += 1


def best_pairs(others: Uint64s, stays: Bools, similarity: Float32s, ids: Uint64s) -> Int64s:
    """For each document that has a neighbour that stays the pair with the best one, int64[n], by ascending rows.

    The best is the most similar one, then that with the smallest id.

    Args:
        others: uint64[p], rows of the documents that may go.
        stays: bool[p], whether the preferred document of the pair stays.
        similarity: float32[p].
        ids: uint64[p, 2], of the preferred documents.
    """
    pairs = np.flatnonzero(stays)
    order = pairs[np.lexsort((ids[pairs, 1], ids[pairs, 0], -similarity[pairs], others[pairs]))]
    first = np.ones(len(order), bool)
    first[1:] = others[order][1:] != others[order][:-1]
    return order[first]
