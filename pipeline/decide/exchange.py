"""How stages hand records on: files with one record batch for each destination.

In: records of one task, its *source*, each with the number of its destination. Out, below `OUT/decide`:
`<exchange>/<source>.arrow`, uncompressed, in which batch *d* holds the records for destination *d*. A task of the next
stage reads its own batch of each of these files. Within a batch records keep the order in which they were given; a
reader gets the batches of all sources in the order of sources.

This is the shuffle of a sort-merge, by published files instead of a GroupByKey: no destination's records have to fit
into an element, a stage that was killed goes on with its next task, and no runner holds anything in memory. Elements of
the pipelines are numbers.

With more than `RunJob.fan` sources or destinations the files go through a second level, so that no batch is a crumb: a
source writes one batch for each block of `fan` destinations; a task for each block and each group of `fan` sources
(`combine`) writes `<exchange>/<group>-<block>.arrow` with one batch for each destination of the block. Every task then
opens one file for each `fan` sources, and a batch holds what `fan` sources send.

There are as many sources and destinations as runs, unless a `Shape` says otherwise. All functions of one exchange are
given the same one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from kernels.arrays import Int64s
from kernels.compiled import kernel
from manifests.step import Output
from pipeline.decide.runs import RunJob
from pipeline.schemas import publish_ipc
from storage.files import join, map_file

_SOURCE, _DESTINATION = "exchange_source", "exchange_destination"


class Shape(NamedTuple):
    """How many tasks there are on both sides of an exchange."""

    sources: int
    destinations: int


def _shape(job: RunJob, shape: Shape | None) -> Shape:
    return Shape(job.runs, job.runs) if shape is None else shape


def exchange_file(exchange: str, source: int) -> str:
    """The file of one source, below the step's folder."""
    return f"{exchange}/{source:06d}.arrow"


def _combined_file(exchange: str, group: int, block: int) -> str:
    return f"{exchange}/{group:06d}-{block:06d}.arrow"


def two_levels(job: RunJob, shape: Shape | None = None) -> bool:
    """Whether an exchange goes through two levels."""
    return max(_shape(job, shape)) > job.fan


def combining(job: RunJob, shape: Shape | None = None) -> int:
    """How many tasks make the second level of an exchange: none if it has one level."""
    if not two_levels(job, shape):
        return 0
    groups, into = (-(-count // job.fan) for count in _shape(job, shape))
    return groups * into


def send(
    job: RunJob,
    exchange: str,
    source: int,
    batch: pa.RecordBatch,
    destinations: Int64s,
    *,
    shape: Shape | None = None,
) -> Output:
    """Publish the records of one source.

    Args:
        batch: n records.
        destinations: int64[n], from 0.
    """
    count = _shape(job, shape).destinations
    ordered, sent_to = batch, destinations
    if (destinations[1:] < destinations[:-1]).any():
        order = grouped(destinations, count)
        ordered, sent_to = batch.take(pa.array(order)), destinations[order]
    bounds = np.searchsorted(sent_to, np.arange(count + 1))
    return send_ranges(job, exchange, source, ordered, bounds, shape=shape)


def send_ranges(
    job: RunJob, exchange: str, source: int, batch: pa.RecordBatch, bounds: Int64s, *, shape: Shape | None = None
) -> Output:
    """Publish the records of one source that are in the order of their destinations.

    Args:
        bounds: int64[destinations + 1], where the records for each destination begin, and the end.
    """
    if two_levels(job, shape):
        sent_to = np.repeat(np.arange(len(bounds) - 1, dtype=np.int32), np.diff(bounds))
        batch = batch.append_column(_DESTINATION, pa.array(sent_to))
        bounds = np.append(bounds[:-1][:: job.fan], bounds[-1])
    cut = _cut(batch, bounds)
    return publish_ipc(job.folder, exchange_file(exchange, source), cut, batch.schema, compress=False)


def grouped(numbers: Int64s, count: int) -> Int64s:
    """The places of records by their numbers, int64[n]; those of one number keep their order.

    Args:
        numbers: int64[n], 0 to `count` - 1.
    """
    starts = np.zeros(count + 1, np.int64)
    order = np.empty(len(numbers), np.int64)
    _group(numbers, starts, order)
    return order


@kernel
def _group(numbers: Int64s, starts: Int64s, order: Int64s) -> None:
    """A counting sort: numbers are few, and a sort by comparison took ten times as long."""
    for index in range(len(numbers)):
        starts[numbers[index] + 1] += 1
    for index in range(1, len(starts)):
        starts[index] += starts[index - 1]
    for index in range(len(numbers)):
        order[starts[numbers[index]]] = index
        starts[numbers[index]] += 1


def _cut(batch: pa.RecordBatch, bounds: Int64s) -> list[pa.RecordBatch]:
    ends = zip(bounds[:-1].tolist(), bounds[1:].tolist(), strict=True)
    return [batch.slice(start, stop - start) for start, stop in ends]


def combine(job: RunJob, exchange: str, number: int, *, shape: Shape | None = None) -> Output:
    """Publish what one group of sources sends to one block of destinations; `number` is group x blocks + block."""
    sources, count = _shape(job, shape)
    group, block = divmod(number, -(-count // job.fan))
    tables = []
    for source in range(group * job.fan, min(sources, (group + 1) * job.fan)):
        batch = _batch(job, exchange_file(exchange, source), block)
        tables.append(batch.append_column(_SOURCE, pa.array(np.full(batch.num_rows, source, np.int32))))
    table = pa.Table.from_batches(tables)
    destinations = table[_DESTINATION].to_numpy().astype(np.int64)
    first = block * job.fan
    order = grouped(destinations - first, job.fan)
    bounds = np.searchsorted(destinations[order], np.arange(first, min(count, first + job.fan) + 1))
    ordered = one_batch(table.drop_columns([_DESTINATION]).take(pa.array(order)))
    path = _combined_file(exchange, group, block)
    return publish_ipc(job.folder, path, _cut(ordered, bounds), ordered.schema, compress=False)


def receive_each(
    job: RunJob, exchange: str, destination: int, *, shape: Shape | None = None
) -> Iterator[pa.RecordBatch]:
    """The records for one destination, a batch for each source in their order; columns are views of mapped files."""
    sources, _ = _shape(job, shape)
    if not two_levels(job, shape):
        for source in range(sources):
            yield _batch(job, exchange_file(exchange, source), destination)
        return
    block, place = divmod(destination, job.fan)
    for group in range(-(-sources // job.fan)):
        batch = _batch(job, _combined_file(exchange, group, block), place)
        first, last = group * job.fan, min(sources, (group + 1) * job.fan)
        bounds = np.searchsorted(batch[_SOURCE].to_numpy(), np.arange(first, last + 1))
        yield from _cut(batch.drop_columns([_SOURCE]), bounds)


def receive(job: RunJob, exchange: str, destination: int, *, shape: Shape | None = None) -> pa.Table:
    """The records for one destination, of all sources in their order."""
    return pa.Table.from_batches(list(receive_each(job, exchange, destination, shape=shape))).combine_chunks()


def _batch(job: RunJob, path: str, index: int) -> pa.RecordBatch:
    with map_file(join(job.folder, path)) as file:
        return pa.ipc.open_file(file).get_batch(index)


def uint64s(table: pa.Table | pa.RecordBatch, names: Sequence[str]) -> np.ndarray:
    """Columns of uint64 side by side, uint64[n, len(names)]."""
    return np.stack([table[name].to_numpy() for name in names], axis=1)


def one_batch(table: pa.Table) -> pa.RecordBatch:
    """A table as one record batch."""
    batches = table.combine_chunks().to_batches()
    return batches[0] if batches else pa.RecordBatch.from_pylist([], schema=table.schema)
