"""Verification: which candidates are similar, by signature where that is clear, else by their shingles.

Stages, each a task per run:

- `sure` (runs): the different pairs of each member, and of a large bucket those of its members with its most preferred
  row. Pairs whose signatures leave no doubt are kept; for the others the run of the leader is asked (`asked`).
- `texts` (runs): the sets of shingles of the documents that were asked for, as hashes, to the runs that asked (`sets`);
  and those of the run's own documents in doubt, `own-sets/<run>.arrow`: each text is read once for both.
- `edges` (runs): the pairs that were not clear are decided by their shingles. Out: `edges/<run>.arrow`, the verified
  pairs, and what became of all, by source.

Only texts of pairs in doubt are read, each part's by the task of its run; no text is handed on.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from dedup.buckets import members
from dedup.jaccard import commons, shingle_sets, similarity
from dedup.leaders import compare, estimated
from kernels.arrays import Bools, Int64s, Uint64s
from manifests.step import Output
from pipeline.decide.duplicates.candidates import (
    COMPARED,
    HUBS,
    PAIRS,
    PAIRS_SCHEMA,
    limits_of,
    nodes_of,
    pair_batch,
    places_of,
    read_nodes,
    shared_of,
)
from pipeline.decide.duplicates.copies import FOLDER
from pipeline.decide.duplicates.index import index_run, index_sets
from pipeline.decide.exchange import receive, receive_each, send
from pipeline.decide.runs import RunJob, chosen_rows, first_numbers, parts_of, runs_of
from pipeline.folders import part_file
from pipeline.parts import split_row_ids
from pipeline.schemas import publish_ipc, read_ipc
from pipeline.text.normalise import text_buffers
from storage.files import join

ASKED, SETS = f"{FOLDER}/asked", f"{FOLDER}/sets"
_ASKED = pa.schema([pa.field("row", pa.uint64(), nullable=False)])
_SETS = pa.schema(
    [
        pa.field("row", pa.uint64(), nullable=False),
        pa.field("hashes", pa.large_list(pa.field("item", pa.uint64(), nullable=False)), nullable=False),
    ]
)
EDGES = pa.schema(
    [
        *(pa.field(name, pa.uint64(), nullable=False) for name in ("row", "keeper", "high", "low")),
        pa.field("similarity", pa.float32(), nullable=False),
    ]
)
COUNTS = pa.schema(
    [
        pa.field("source", pa.string(), nullable=False),
        pa.field("compared", pa.int64(), nullable=False),  # with leaders of buckets, once for each band
        pa.field("unlike_by_signature", pa.int64(), nullable=False),  # of those
        pa.field("candidates", pa.int64(), nullable=False),  # different pairs that were not unlike; so are the others
        pa.field("checked_by_shingles", pa.int64(), nullable=False),
        pa.field("confirmed", pa.int64(), nullable=False),
        pa.field("rejected", pa.int64(), nullable=False),
    ]
)


def _candidates_file(run: int) -> str:
    return f"{FOLDER}/candidates/{run:06d}.arrow"


def _own_sets_file(run: int) -> str:
    return f"{FOLDER}/own-sets/{run:06d}.arrow"


def edges_file(run: int) -> str:
    """The verified pairs of a run's rows, below the step's folder."""
    return f"{FOLDER}/edges/{run:06d}.arrow"


def verified_file(run: int) -> str:
    """What became of the candidates of a run, by source, below the step's folder."""
    return f"{FOLDER}/verified/{run:06d}.arrow"


def send_asked(run: int, job: RunJob) -> list[Output]:
    """Stage `sure` of one run."""
    tables = [receive(job, PAIRS, run), _with_hubs(run, job)]
    pairs = _distinct(pa.concat_tables(tables).combine_chunks())
    unsure = pairs["equal"].to_numpy() < limits_of(job.minhash).alike
    keepers = pairs["keeper"].to_numpy()[unsure]
    batch = pa.RecordBatch.from_arrays([pa.array(np.unique(keepers))], schema=_ASKED)
    owners = runs_of(batch["row"].to_numpy(), first_numbers(job))
    kept = publish_ipc(job.folder, _candidates_file(run), pairs.to_batches(), PAIRS_SCHEMA, compress=False)
    return [kept, send(job, ASKED, run, batch, owners)]


def _with_hubs(run: int, job: RunJob) -> pa.Table:
    """Pairs of this run's rows with the most preferred rows of their large buckets."""
    hubs = receive(job, HUBS, run)
    if not hubs.num_rows or run >= job.own_runs:
        return PAIRS_SCHEMA.empty_table()
    own, _, _ = shared_of(run, job)
    keys = hubs["key"].to_numpy()
    order = np.argsort(keys)
    places = members(own, keys[order])
    rows, numbers = own.rows[places[:, 0]], order[places[:, 1]]
    nodes, hub_nodes = nodes_of(run, job, np.unique(rows)), read_nodes(hubs)
    sketched = np.concatenate([nodes.sketches, hub_nodes.sketches])
    equal = compare(sketched, np.searchsorted(nodes.rows, rows), len(nodes.rows) + numbers)
    found = (equal >= limits_of(job.minhash).unlike) & (rows != hub_nodes.rows[numbers]) & ~hub_nodes.goes[numbers]
    return pa.Table.from_batches([pair_batch(hub_nodes, numbers[found], rows[found], equal[found])])


def _distinct(pairs: pa.Table) -> pa.Table:
    """Each pair once, by row and keeper."""
    rows, keepers = pairs["row"].to_numpy(), pairs["keeper"].to_numpy()
    order = np.lexsort((keepers, rows))
    first = np.ones(len(order), bool)
    first[1:] = (rows[order][1:] != rows[order][:-1]) | (keepers[order][1:] != keepers[order][:-1])
    return pairs.take(pa.array(order[first])).combine_chunks()


def send_sets(run: int, job: RunJob) -> list[Output]:
    """Stage `texts` of one run."""
    asked = [batch["row"].to_numpy() for batch in receive_each(job, ASKED, run)]
    pairs = read_ipc(join(job.folder, _candidates_file(run)), columns=["row", "equal"])
    own = np.unique(pairs["row"].to_numpy()[pairs["equal"].to_numpy() < limits_of(job.minhash).alike])
    wanted = np.concatenate(asked)
    rows = np.unique(np.concatenate([wanted, own]))
    hashes, starts = sets_of(run, job, rows)
    sets = pa.LargeListArray.from_arrays(pa.array(starts), pa.array(hashes)).cast(_SETS.field("hashes").type)
    sent, kept = (
        pa.RecordBatch.from_arrays([pa.array(some), sets.take(pa.array(np.searchsorted(rows, some)))], schema=_SETS)
        for some in (wanted, own)
    )
    owners = np.repeat(np.arange(job.runs), [len(each) for each in asked])
    return [
        send(job, SETS, run, sent, owners),
        publish_ipc(job.folder, _own_sets_file(run), [kept], _SETS, compress=False),
    ]


def sets_of(run: int, job: RunJob, rows: Uint64s) -> tuple[Uint64s, Int64s]:
    """The sets of shingles of some rows of a run, after each other, uint64[m], and where each begins, int64[n + 1].

    Args:
        rows: uint64[n], ascending.
    """
    if index_run(run, job) is not None:
        return index_sets(run, job, rows)
    found, starts, count = [np.empty(0, np.uint64)], [np.zeros(1, np.int64)], 0
    for part, chosen in chosen_rows(run, job, rows):
        texts = read_ipc(join(job.extract, part_file("documents", part.name)), columns=["text"])["text"]
        first = 0
        for chunk in texts.chunks:
            begin, end = np.searchsorted(chosen, [first, first + len(chunk)])
            hashes, own = shingle_sets(
                *text_buffers(chunk),
                unit=job.minhash.unit,
                ngram=job.minhash.ngram,
                chosen=chosen[begin:end] - first,
            )
            # Of a batch without a chosen row there is nothing.
            starts.append(count + own[1:])
            found.append(hashes)
            count += len(hashes)
            first += len(chunk)
    return np.concatenate(found), np.concatenate(starts)


def publish_edges(run: int, job: RunJob) -> list[Output]:
    """Stage `edges` of one run."""
    pairs = read_ipc(join(job.folder, _candidates_file(run)))
    equal = pairs["equal"].to_numpy()
    alike = estimated(equal, places=places_of(job.minhash))
    confirmed = equal >= limits_of(job.minhash).alike
    doubtful = np.flatnonzero(~confirmed)
    if len(doubtful):
        alike[doubtful] = _exact(run, job, pairs.take(pa.array(doubtful)))
        confirmed[doubtful] = alike[doubtful] >= job.minhash.similarity
    columns = [*(pairs[name] for name in ("row", "keeper", "high", "low")), pa.array(alike.astype(np.float32))]
    edges = pa.table([*columns], schema=EDGES).filter(pa.array(confirmed)).combine_chunks()
    checked = np.zeros(len(equal), bool)
    checked[doubtful] = True
    counts = _counts(run, job, pairs["row"].to_numpy(), checked, confirmed)
    return [
        publish_ipc(job.folder, edges_file(run), edges.to_batches(), EDGES, compress=False),
        publish_ipc(job.folder, verified_file(run), [counts], COUNTS),
    ]


def _exact(run: int, job: RunJob, pairs: pa.Table) -> np.ndarray:
    """The exact similarity of pairs: float64[p]."""
    kept_rows, kept, kept_starts = _read_sets(receive(job, SETS, run))
    rows, own, own_starts = _read_sets(read_ipc(join(job.folder, _own_sets_file(run))))
    order = np.argsort(kept_rows)
    values, starts = np.concatenate([kept, own]), np.concatenate([kept_starts, len(kept) + own_starts[1:]])
    ones = order[np.searchsorted(kept_rows, pairs["keeper"].to_numpy(), sorter=order)]
    others = len(kept_rows) + np.searchsorted(rows, pairs["row"].to_numpy())
    shared = np.empty(len(ones), np.int64)
    commons(values, starts, ones, others, shared)
    sizes = np.diff(starts)
    return similarity(shared, sizes[ones], sizes[others], measure=job.minhash.measure)


def _read_sets(table: pa.Table) -> tuple[Uint64s, Uint64s, Int64s]:
    """Rows, their sets after each other, and where each set begins."""
    lists = table["hashes"].combine_chunks()
    return table["row"].to_numpy(), lists.flatten().to_numpy(), lists.offsets.to_numpy() - lists.offsets[0].as_py()


def _counts(run: int, job: RunJob, rows: Uint64s, checked: Bools, confirmed: Bools) -> pa.RecordBatch:
    """What became of the candidates of each source."""
    compared = receive(job, COMPARED, run)
    columns = {
        "compared": (compared["row"].to_numpy(), compared["compared"].to_numpy()),
        "unlike_by_signature": (compared["row"].to_numpy(), compared["rejected"].to_numpy()),
        "candidates": (rows, np.ones(len(rows), np.int64)),
        "checked_by_shingles": (rows, checked),
        "confirmed": (rows, confirmed),
        "rejected": (rows, ~confirmed),
    }
    parts = parts_of(run, job)
    sources = sorted({part.source for part in parts})
    of_part = {part.number: sources.index(part.source) for part in parts}
    first = min(of_part, default=0)
    place = np.array([of_part[number] for number in sorted(of_part)], np.int64)
    sums = [
        np.bincount(place[split_row_ids(of)[0] - first], weights=count, minlength=len(sources)).astype(np.int64)
        for of, count in columns.values()
    ]
    return pa.RecordBatch.from_arrays([pa.array(sources, pa.string()), *map(pa.array, sums)], schema=COUNTS)
