"""Candidates: pairs of rows that share a band key and whose signatures are similar, or may be.

Stages, each a task per run or per partition of keys:

- `keys` (runs): the distinct band keys of a run with their counts, to the partition of each key. `members/<run>.arrow`
  keeps the rows of each key.
- `buckets` (partitions): of the keys that several rows have, each run's own, to the run.
- `sketches` (runs): for each of its rows in a bucket, its preference, id and sketch, to the partition of the key. Of a
  bucket with more than `LARGEST` rows only the most preferred row of the run.
- `leaders` (partitions): pairs of a leader and a member (`dedup.leaders`), to the run of the member; and of a bucket
  with more than `LARGEST` rows its most preferred row, the only one that its members are compared with, to all runs
  that have it (`hubs`).

All records of a key fit in one task's memory: at most `LARGEST` of 160 bytes, or one a run.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pyarrow as pa

from dedup.bands import band_keys
from dedup.buckets import RunKeys, members, run_keys, shared_keys
from dedup.hash_order import bucket_order
from dedup.leaders import MOST_PLACES, Limits, lead, limits, sketches
from dedup.preference import GENERATION_BITS, preferences
from dedup.signature_settings import check_comparable, from_metadata, signature_settings
from kernels.arrays import Bools, Bytes, Int64s, Uint32s, Uint64s
from manifests.minhash import MinHash
from manifests.step import Output
from pipeline.decide.duplicates.copies import FOLDER, remaining
from pipeline.decide.duplicates.index import (
    generation_of,
    index_keys,
    index_run,
    index_sketches,
    read_index_nodes,
)
from pipeline.decide.exchange import exchange_file, receive, receive_each, send, send_ranges, uint64s
from pipeline.decide.runs import RunJob, chosen_rows, first_numbers, partition_bounds, runs_of
from pipeline.folders import part_file
from pipeline.parts import Part, first_rows, split_row_ids
from pipeline.schemas import id_halves, ipc_metadata, publish_ipc, read_ipc
from storage.files import join

KEYS, SHARED, SKETCHES, PAIRS, HUBS, COMPARED = (
    f"{FOLDER}/{name}" for name in ("keys", "shared", "sketches", "pairs", "hubs", "compared")
)
# Rows of a bucket that are compared with each other's leaders. A larger one, of a cookie notice or a frame that a
# hundred thousand pages have, is compared with its most preferred row alone.
LARGEST = 1 << 16
# In a measure that is not Jaccard's a pair is looked at if its sets may be as similar as this.
_LOWEST = 0.1


def _fields(*names: str) -> list[pa.Field]:
    return [pa.field(name, pa.uint64(), nullable=False) for name in names]


_KEYS = pa.schema([*_fields("key"), pa.field("count", pa.uint32(), nullable=False)])
_SHARED = pa.schema(_fields("key", "total"))
_MEMBERS = pa.schema(_fields("row"))
_NODE = [*_fields("preference", "high", "low", "row"), pa.field("goes", pa.bool_(), nullable=False)]
PAIRS_SCHEMA = pa.schema([*_fields("row", "keeper", "high", "low"), pa.field("equal", pa.int32(), nullable=False)])
_COMPARED = pa.schema(
    [*_fields("row"), *(pa.field(name, pa.int64(), nullable=False) for name in ("compared", "rejected"))]
)


def places_of(minhash: MinHash) -> int:
    """How many places of a signature are compared."""
    return min(MOST_PLACES, minhash.bands * minhash.rows)


def limits_of(minhash: MinHash) -> Limits:
    """From how many equal places on a pair is similar, or may be."""
    found = limits(minhash.similarity, places=places_of(minhash))
    if minhash.measure == "jaccard":
        return found
    # What contains a text may be much longer, and their Jaccard similarity small.
    return found._replace(unlike=limits(min(_LOWEST, minhash.similarity), places=places_of(minhash)).unlike)


class Nodes(NamedTuple):
    """Rows with what decides between them: preferences uint64[n], ids uint64[n, 2], rows uint64[n], sketches
    uint8[n, k]; and whether a document of an earlier snapshot went then, bool[n].
    """

    preferences: Uint64s
    ids: Uint64s
    rows: Uint64s
    sketches: Bytes
    goes: Bools


def send_keys(run: int, job: RunJob) -> list[Output]:
    """Stage `keys` of one run."""
    grouped = _grouped_keys(run, job)
    batch = pa.RecordBatch.from_arrays([pa.array(grouped.keys), pa.array(grouped.counts)], schema=_KEYS)
    sent = send_ranges(job, KEYS, run, batch, partition_bounds(grouped.keys, job.runs))
    own = pa.RecordBatch.from_arrays([pa.array(grouped.rows)], schema=_MEMBERS)
    return [sent, publish_ipc(job.folder, _members_file(run), [own], _MEMBERS, compress=False)]


def _grouped_keys(run: int, job: RunJob) -> RunKeys:
    if index_run(run, job) is not None:
        return index_keys(run, job, remaining(run, job))
    minhash = job.minhash
    keys, rows = [np.empty((0, minhash.bands), np.uint64)], [np.empty(0, np.uint64)]
    for part, chosen in chosen_rows(run, job, remaining(run, job)):
        values, shingles = signatures_of(part, job)
        found = chosen[shingles[chosen] > 0]
        keys.append(band_keys(values, bands=minhash.bands, rows=minhash.rows, chosen=found))
        rows.append(np.uint64(part.base) + found.astype(np.uint64))
    return run_keys(np.concatenate(keys), np.concatenate(rows))


def _members_file(run: int) -> str:
    return f"{FOLDER}/members/{run:06d}.arrow"


def send_shared(partition: int, job: RunJob) -> list[Output]:
    """Stage `buckets` of one partition."""
    runs = [(batch["key"].to_numpy(), batch["count"].to_numpy()) for batch in receive_each(job, KEYS, partition)]
    found = shared_keys(runs, own_runs=job.own_runs)
    owners = np.repeat(np.arange(job.runs), [len(keys) for keys, _ in found])
    columns = [pa.array(np.concatenate([pair[index] for pair in found])) for index in range(2)]
    batch = pa.RecordBatch.from_arrays(columns, schema=_SHARED)
    return [send(job, SHARED, partition, batch, owners)]


def shared_of(run: int, job: RunJob) -> tuple[RunKeys, Uint64s, Uint64s]:
    """The keys of a run, and those of them that other rows have too with the number of all rows that have them."""
    table = read_ipc(join(job.folder, exchange_file(KEYS, run)))
    keys, counts = table["key"].to_numpy(), table["count"].to_numpy()
    rows = read_ipc(join(job.folder, _members_file(run)))["row"].to_numpy()
    shared = receive(job, SHARED, run)
    return RunKeys(keys, counts, rows), shared["key"].to_numpy(), shared["total"].to_numpy()


def send_sketches(run: int, job: RunJob) -> list[Output]:
    """Stage `sketches` of one run."""
    own, keys, totals = shared_of(run, job)
    places = members(own, keys)
    rows, numbers = own.rows[places[:, 0]], places[:, 1]
    nodes = nodes_of(run, job, np.unique(rows))
    index = np.searchsorted(nodes.rows, rows)
    large = totals[numbers] > LARGEST
    chosen = np.sort(np.concatenate([np.flatnonzero(~large), _most_preferred(nodes, index, numbers, large)]))
    index, numbers = index[chosen], numbers[chosen]
    columns = [
        pa.array(keys[numbers]),
        pa.array(large[chosen]),
        *_node_arrays(nodes, index),
    ]
    batch = pa.RecordBatch.from_arrays(columns, schema=_sketch_schema(job))
    return [send_ranges(job, SKETCHES, run, batch, partition_bounds(keys[numbers], job.runs))]


def _sketch_schema(job: RunJob) -> pa.Schema:
    return pa.schema([*_fields("key"), pa.field("large", pa.bool_(), nullable=False), *_NODE, _sketch_field(job)])


def _sketch_field(job: RunJob) -> pa.Field:
    return pa.field("sketch", pa.binary(places_of(job.minhash)), nullable=False)


def _node_arrays(nodes: Nodes, index: Int64s) -> list[pa.Array]:
    ids = nodes.ids[index]
    sketched = np.ascontiguousarray(nodes.sketches[index])
    packed = pa.FixedSizeBinaryArray.from_buffers(
        pa.binary(nodes.sketches.shape[1]), len(index), [None, pa.py_buffer(sketched)]
    )
    columns = (nodes.preferences[index], ids[:, 0], ids[:, 1], nodes.rows[index])
    return [*(pa.array(column) for column in columns), pa.array(nodes.goes[index]), packed]


def read_nodes(table: pa.Table | pa.RecordBatch) -> Nodes:
    """Rows that `sketches` or `hubs` sent."""
    packed = table["sketch"]
    if isinstance(packed, pa.ChunkedArray):
        packed = packed.combine_chunks()
    width = packed.type.byte_width
    sketched = np.frombuffer(packed.buffers()[1], np.uint8)[: (packed.offset + len(packed)) * width]
    sketched = sketched.reshape(-1, width)[packed.offset :]
    ids, goes = uint64s(table, ["high", "low"]), table["goes"].to_numpy(zero_copy_only=False)
    return Nodes(table["preference"].to_numpy(), ids, table["row"].to_numpy(), sketched, goes)


def _most_preferred(nodes: Nodes, index: Int64s, numbers: Int64s, large: np.ndarray) -> Int64s:
    """Of each large bucket the place of its most preferred row."""
    places = np.flatnonzero(large)
    ids, found = nodes.ids[index[places]], nodes.preferences[index[places]]
    order = places[np.lexsort((ids[:, 1], ids[:, 0], found, numbers[places]))]
    first = np.ones(len(order), bool)
    first[1:] = numbers[order][1:] != numbers[order][:-1]
    return order[first]


def send_pairs(partition: int, job: RunJob) -> list[Output]:
    """Stages `pairs`, `hubs` and `compared` of one partition."""
    batches = list(receive_each(job, SKETCHES, partition))
    table = pa.Table.from_batches(batches).combine_chunks()
    keys, large = table["key"].to_numpy(), table["large"].to_numpy(zero_copy_only=False)
    nodes = read_nodes(table)
    order = bucket_order(keys, nodes.preferences, nodes.ids)
    small = order[~large[order]]
    first = np.ones(len(small), bool)
    first[1:] = keys[small][1:] != keys[small][:-1]
    starts = np.append(np.flatnonzero(first), len(small))
    found = lead(np.ascontiguousarray(nodes.sketches[small]), starts, within=limits_of(job.minhash))
    firsts = first_numbers(job)
    # Documents of earlier snapshots keep their fate: nothing is asked about them, and those that went keep nobody out.
    own = runs_of(nodes.rows[small], firsts) < job.own_runs
    wanted = own[found.members] & ~nodes.goes[small[found.leaders]]
    leaders, rows = small[found.leaders[wanted]], nodes.rows[small[found.members[wanted]]]
    sent = pair_batch(nodes, leaders, rows, found.equal[wanted])
    compared = _compared(nodes.rows[small[own]], found.compared[own], found.rejected[own])
    return [
        _send_to_rows(job, PAIRS, partition, sent, firsts),
        _send_to_rows(job, COMPARED, partition, compared, firsts),
        _send_hubs(partition, job, table, nodes, order[large[order]], [len(batch) for batch in batches]),
    ]


def pair_batch(nodes: Nodes, leaders: Int64s, rows: Uint64s, equal: np.ndarray) -> pa.RecordBatch:
    """Pairs of a leader, by its place among nodes, and a row."""
    ids = nodes.ids[leaders]
    columns = (rows, nodes.rows[leaders], ids[:, 0], ids[:, 1], equal.astype(np.int32))
    return pa.RecordBatch.from_arrays([pa.array(column) for column in columns], schema=PAIRS_SCHEMA)


def _compared(rows: Uint64s, compared: np.ndarray, rejected: np.ndarray) -> pa.RecordBatch:
    """Sums by part, as its first row: they are counted by source."""
    numbers, _ = split_row_ids(rows)
    first = int(numbers.min(initial=0))
    counts = np.bincount(numbers - first)
    parts = np.flatnonzero(counts)
    sums = [np.bincount(numbers - first, weights=column)[parts].astype(np.int64) for column in (compared, rejected)]
    columns = (first_rows(parts + first), *sums)
    return pa.RecordBatch.from_arrays([pa.array(column) for column in columns], schema=_COMPARED)


def _send_to_rows(job: RunJob, stage: str, source: int, batch: pa.RecordBatch, firsts: Int64s) -> Output:
    return send(job, stage, source, batch, runs_of(batch["row"].to_numpy(), firsts))


def _send_hubs(partition: int, job: RunJob, table: pa.Table, nodes: Nodes, order: Int64s, sizes: list[int]) -> Output:
    """The most preferred row of each large bucket, to each run that has it; `order` is by key and preference."""
    keys = table["key"].to_numpy()[order]
    first = np.ones(len(order), bool)
    first[1:] = keys[1:] != keys[:-1]
    hubs = order[np.maximum.accumulate(np.where(first, np.arange(len(order)), 0))]
    runs = np.repeat(np.arange(job.runs), sizes)[order]
    batch = pa.RecordBatch.from_arrays([pa.array(keys), *_node_arrays(nodes, hubs)], schema=_hub_schema(job))
    return send(job, HUBS, partition, batch, runs)


def _hub_schema(job: RunJob) -> pa.Schema:
    return pa.schema([*_fields("key"), *_NODE, _sketch_field(job)])


def signatures_of(part: Part, job: RunJob) -> tuple[Uint32s, np.ndarray]:
    """Signatures uint32[n, k] and numbers of shingles int32[n] of a part, views of its mapped file.

    Raises:
        GristmillError: they were made with other settings than the manifest's.
    """
    path = join(job.extract, part_file("signatures", part.name))
    wanted = signature_settings(job.minhash, seed=job.settings.seed)
    check_comparable(from_metadata(ipc_metadata(path), where=path), wanted, where=path, other_where="the manifest")
    table = read_ipc(path)
    column = table["signature"]
    # Chunks are joined by a copy, one alone too.
    packed = column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()
    values = packed.flatten().to_numpy().reshape(part.rows, -1)
    return values, table["shingles"].to_numpy()


def nodes_of(run: int, job: RunJob, rows: Uint64s) -> Nodes:
    """Rows of a run with what decides between them; `rows` is ascending."""
    if index_run(run, job) is not None:
        index = read_index_nodes(run, job)
        chosen = split_row_ids(rows)[1]
        sketched = index_sketches(run, job, rows)
        return Nodes(index.preferences[chosen], index.ids[chosen], rows, sketched, index.goes[chosen])
    places = places_of(job.minhash)
    generation = np.uint64(generation_of(run, job) << GENERATION_BITS)
    found: list[tuple[Uint64s, Uint64s, Bytes]] = [
        (np.empty(0, np.uint64), np.empty((0, 2), np.uint64), np.empty((0, places), np.uint8))
    ]
    for part, chosen in chosen_rows(run, job, rows):
        values, _ = signatures_of(part, job)
        ids = read_ipc(join(job.extract, part_file("documents", part.name)), columns=["id"])["id"]
        words = read_ipc(join(job.extract, part_file("signals", part.name)), columns=["words"])["words"]
        preferred = preferences(words.to_numpy()[chosen].astype(np.int64), priority=part.priority)
        found.append((preferred | generation, id_halves(ids)[chosen], sketches(values, chosen)))
    columns = [np.concatenate([each[index] for each in found]) for index in range(3)]
    return Nodes(columns[0], columns[1], rows, columns[2], np.zeros(len(rows), bool))
