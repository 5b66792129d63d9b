"""Clusters: documents that stay, each with all that went for it.

In: what went as duplicates (`pipeline.decide.duplicates.report.gone`), read part by part; of documents that stay ids
and URLs. Out: the largest clusters with examples, and a histogram of similarities. Clusters of one size come in the
order of the ids of the documents that stay.

Memory holds 24 bytes for each document that stays for others, for about `MOST_COUNTED` of them at a time: where more
documents went, the files are read several times.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from dedup.choice import find
from kernels.arrays import Int64s, Uint64s
from pipeline.decide.duplicates.report.gone import (
    BY_ID,
    COPIES,
    LEAST_SIMILAR_FIRST,
    MOST_SIMILAR_FIRST,
    Copy,
    as_copies,
    copies_in,
    first_of,
)
from pipeline.decide.duplicates.report.prepared import Document, PreparedFolder, documents_at
from pipeline.schemas import id_halves

MOST_COUNTED = 1 << 26
# Multiplier of Fibonacci hashing (Knuth, The Art of Computer Programming, volume 3, section 6.4).
_SPREAD = np.uint64(0x9E3779B97F4A7C15)
_FOLD = 1 << 20
_BINS = 10
_EXAMPLES = 3
# Medians are those of similarities rounded to so many parts of 1.
_STEPS = 1_000


@dataclass(frozen=True)
class Cluster:
    """A document that stays, and what went for it.

    Attributes:
        copies: how many documents went for it.
        lowest, median: of their similarities; the median is that of similarities rounded to three digits, of two in the
            middle the lower one.
        examples: the least similar one, the most similar one, and the one with the smallest id, which is a hash; by
            similarity. All, if there are three or fewer.
    """

    kept: Document
    copies: int
    lowest: float
    median: float
    examples: list[Copy]


@dataclass(frozen=True)
class Bin:
    """How many near duplicates have a similarity from `low` on and below `high`; in the last bin also of `high`."""

    low: float
    high: float
    documents: int


@dataclass(frozen=True)
class Clusters:
    """All clusters of a folder, or what one source lost to them.

    Attributes:
        clusters: how many there are.
        exact, near: documents that went.
        largest: largest first.
        histogram: of near duplicates, from the similarity that the manifest asks for to 1; empty without MinHash.
    """

    clusters: int
    exact: int
    near: int
    largest: list[Cluster]
    histogram: list[Bin]


def find_clusters(prepared: PreparedFolder, *, source: str | None = None, most: int = 20) -> Clusters:
    """The `most` largest clusters; with a source, by what went from that source alone.

    Raises:
        GristmillError: the folder has no such source.
    """
    dropped = prepared.decided.ledger.dropped
    divisions = 1 + sum(dropped.get(reason, 0) for reason in ("exact_duplicate", "near_duplicate")) // MOST_COUNTED
    total, best = 0, _nothing()
    for division in range(divisions):
        counted = _count(prepared, source, division, divisions)
        total += len(counted.rows)
        best = _largest(_joined(best, counted), most)
    exact, histogram = _histogram(prepared, source)
    near = sum(each.documents for each in histogram)
    return Clusters(total, exact, near, _described(prepared, source, best), histogram)


class _Counted(NamedTuple):
    """Documents that stay: row ids uint64[n], ascending; upper halves of their ids; how many went for each."""

    rows: Uint64s
    ids: Uint64s
    counts: Int64s


def _nothing() -> _Counted:
    return _Counted(np.empty(0, np.uint64), np.empty(0, np.uint64), np.empty(0, np.int64))


def _joined(*several: _Counted) -> _Counted:
    rows, ids, counts = (np.concatenate([each[index] for each in several]) for index in range(3))
    distinct, first, place = np.unique(rows, return_index=True, return_inverse=True)
    totals = np.bincount(place, weights=counts, minlength=len(distinct)).astype(np.int64)
    return _Counted(distinct, ids[first], totals)


def _largest(counted: _Counted, most: int) -> _Counted:
    order = np.sort(np.lexsort((counted.rows, counted.ids, -counted.counts))[:most])
    return _Counted(counted.rows[order], counted.ids[order], counted.counts[order])


def _count(prepared: PreparedFolder, source: str | None, division: int, divisions: int) -> _Counted:
    found, waiting, held = _nothing(), list[_Counted](), 0
    for table in copies_in(prepared, source):
        keepers = table["duplicate_row"].to_numpy()
        own = (keepers * _SPREAD >> np.uint64(32)) % np.uint64(divisions) == division
        ids = id_halves(table["duplicate_of"])[own, 0]
        waiting.append(_Counted(keepers[own], ids, np.ones(len(ids), np.int64)))
        held += len(ids)
        # Folding whenever as much waits as was found takes time in proportion to what is read.
        if held > max(_FOLD, len(found.rows)):
            found, waiting, held = _joined(found, *waiting), [], 0
    return _joined(found, *waiting)


def _histogram(prepared: PreparedFolder, source: str | None) -> tuple[int, list[Bin]]:
    """How many went as exact duplicates, and near duplicates by their similarity."""
    minhash = prepared.settings.dedup.minhash
    lowest = 1.0 if minhash is None else minhash.similarity
    exact, counts = 0, np.zeros(_BINS, np.int64)
    for table in copies_in(prepared, source):
        near = table.filter(pc.equal(table["reason"], "near_duplicate"))["similarity"].to_numpy()
        exact += table.num_rows - len(near)
        # Similarities were rounded to float32: a little is added, so that 0.73 is not below 0.73.
        share = (near.astype(np.float64) - lowest) / max(1 - lowest, 1e-9) + 1e-6
        counts += np.bincount(np.clip(share * _BINS, 0, _BINS - 1).astype(np.int64), minlength=_BINS)
    if minhash is None:
        return exact, []
    edges = [round(lowest + (1 - lowest) * number / _BINS, 6) for number in range(_BINS + 1)]
    return exact, [Bin(*each) for each in zip(edges[:-1], edges[1:], counts.tolist(), strict=True)]


def _described(prepared: PreparedFolder, source: str | None, best: _Counted) -> list[Cluster]:
    steps = np.zeros((len(best.rows), _STEPS + 1), np.int64)
    lowest = np.ones(len(best.rows), np.float32)
    seen = [COPIES.empty_table() for _ in best.rows]
    for table in copies_in(prepared, source) if len(best.rows) else ():
        cluster, found = find(best.rows, table["duplicate_row"].to_numpy())
        places = np.flatnonzero(found)
        cluster, similarity = cluster[places], table["similarity"].to_numpy()[places]
        np.add.at(steps, (cluster, np.rint(similarity * _STEPS).astype(np.int64)), 1)
        np.minimum.at(lowest, cluster, similarity)
        for index in np.unique(cluster).tolist():
            own = _candidates(table.take(pa.array(places[cluster == index])))
            seen[index] = _candidates(pa.concat_tables([seen[index], own]))
    kept = documents_at(prepared, best.rows.tolist())
    medians = [int(np.searchsorted(np.cumsum(row), (int(row.sum()) + 1) // 2)) / _STEPS for row in steps]
    clusters = [
        Cluster(kept[row], copies, low, median, _examples(found))
        for row, copies, low, median, found in zip(
            best.rows.tolist(), best.counts.tolist(), lowest.tolist(), medians, seen, strict=True
        )
    ]
    return sorted(clusters, key=lambda cluster: (-cluster.copies, cluster.kept.id, cluster.kept.place))


_ORDERS = (LEAST_SIMILAR_FIRST, MOST_SIMILAR_FIRST, BY_ID)


def _candidates(table: pa.Table) -> pa.Table:
    """Those of the documents of a cluster that may be its examples: the first few by each order."""
    if table.num_rows <= _EXAMPLES:
        return table
    numbered = table.append_column("number", pa.array(np.arange(table.num_rows)))
    first = [first_of(numbered, order=order, most=_EXAMPLES)["number"].to_numpy() for order in _ORDERS]
    return table.take(pa.array(np.unique(np.concatenate(first))))


def _examples(table: pa.Table) -> list[Copy]:
    """The first by each order that is not the first by one before."""
    chosen: list[Copy] = []
    for order in _ORDERS:
        found = as_copies(first_of(table, order=order, most=_EXAMPLES))
        chosen += [copy for copy in found if copy not in chosen][:1]
    return sorted(chosen, key=lambda copy: copy.similarity)
