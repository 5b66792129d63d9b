"""Lineage: the documents whose tokens a run's samples hold, and the samples that hold a document's tokens.

In: sample numbers, a training step, or a document's id. Out: rows, from the manifests, the order and the side tables
alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from manifests.errors import GristmillError
from manifests.run import Run
from shards.inverse import samples_with
from shards.order import Order, locate, order_from_json, positions_of
from shards.reader import Bucket, Shards, open_shards
from shards.run_record import load_metrics, load_order, load_record
from shards.samples import check_order
from storage.files import join

LINEAGE = pa.schema(
    [
        pa.field("sample", pa.int64(), nullable=False),
        pa.field("document_id", pa.string(), nullable=False),  # hexadecimal
        pa.field("source", pa.string(), nullable=False),
        pa.field("site", pa.string()),
        pa.field("url", pa.string()),
        pa.field("file", pa.string(), nullable=False),
        pa.field("record", pa.int64(), nullable=False),
        pa.field("record_name", pa.string()),
        pa.field("bucket", pa.string(), nullable=False),
        pa.field("epoch", pa.int64(), nullable=False),  # of the bucket; 0 is the first
        pa.field("tokens", pa.int64(), nullable=False),  # how many of the document's are in the sample
    ]
)

_FROM_SIDE_TABLE = ["source", "site", "url", "file", "record", "record_name"]

Int64s = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Sighting:
    """A sample that holds tokens of a document.

    Attributes:
        bucket: where the document is.
        epoch: of the bucket; 0 is the first.
        tokens: how many of the document's are in the sample.
        trained: whether the run has logged this step, or a later one.
    """

    step: int
    sample: int
    bucket: str
    epoch: int
    tokens: int
    trained: bool


def documents_of_step(folder: str, step: int) -> list[dict[str, Any]]:
    """The documents that a training step saw, from the run's folder and the shards alone: rows of `LINEAGE`, as
    `documents_of` gives them.

    Raises:
        GristmillError: not a run folder, a step outside the run, or other shards than the run was trained on.
    """
    run, shards, order = _opened(folder)
    if step >= run.manifest.steps:
        raise GristmillError(f"the run has steps 0 to {run.manifest.steps - 1}", where="--step")
    return list(documents_of(shards, order, step * run.manifest.global_batch, run.manifest.global_batch).to_pylist())


def steps_of_document(folder: str, document: str) -> list[Sighting]:
    """The samples of a run, those to come included, that hold tokens of a document, by sample.

    Reads the ids of all side tables.

    Args:
        document: its id, in hexadecimal, as `documents_of` gives it.

    Raises:
        GristmillError: not a run folder, no id, a document that is not in the shards, or other shards than the run was
            trained on.
    """
    run, shards, order = _opened(folder)
    try:
        identity = pa.scalar(bytes.fromhex(document), pa.binary(16))
    except (ValueError, pa.ArrowInvalid):
        raise GristmillError(
            f"`{document}` is not the id of a document", where="--document", remedy="32 hexadecimal digits, as in trace"
        ) from None
    logged = load_metrics(folder)
    trained = logged[-1]["step"] if logged else -1
    end, batch = run.manifest.steps * run.manifest.global_batch, run.manifest.global_batch
    found, places = [], 0
    for index, bucket in enumerate(order.buckets):
        for low, high in _places(shards.buckets[bucket.name], identity):
            places += 1
            for sample, epoch, tokens in zip(*samples_with(order, index, low, high, end=end), strict=True):
                step = int(sample) // batch
                found.append(Sighting(step, int(sample), bucket.name, int(epoch), int(tokens), step <= trained))
    if not places:
        raise GristmillError(f"no document has the id {document}", where=shards.folder)
    return sorted(found, key=lambda sighting: (sighting.sample, sighting.bucket))


def _opened(folder: str) -> tuple[Run, Shards, Order]:
    """A run, its shards and its order.

    Raises:
        GristmillError: not a run folder, or other shards than the run was trained on.
    """
    record = load_record(folder)
    shards = open_shards(join(record.run.data, "shards"))
    if shards.manifest.digest != record.data_digest:
        raise GristmillError(
            "the shards are not those that the run was trained on",
            where=record.run.data,
            remedy="restore the prepared corpus",
        )
    return record.run, shards, order_from_json(load_order(folder, record, named=False))


def _places(bucket: Bucket, identity: pa.Scalar) -> list[tuple[int, int]]:
    """First token and end of every document with an id in a bucket's stream."""
    places = []
    for shard in range(len(bucket.entries)):
        rows = bucket.read_documents(shard, ["document_id", "offset", "length"])
        rows = rows.filter(pc.equal(rows["document_id"], identity))
        start = int(bucket.starts[shard])
        places += [
            (start + offset, start + offset + length)
            for offset, length in zip(rows["offset"].to_pylist(), rows["length"].to_pylist(), strict=True)
        ]
    return places


def documents_of(shards: Shards, order: Order, start: int, count: int) -> pa.Table:
    """The documents in samples `start` to `start + count`.

    Returns:
        Rows of `LINEAGE`, by sample and then by position in it: one for every sample and document that share tokens;
            two where a sample goes over the seam of its bucket's stream (`shards.order`) and has the document at both
            ends. A sample's `tokens` add up to sequence + 1: its last token, which is only a target, counts too.

    Raises:
        GristmillError: the order is not one over these shards, or a side table cannot be read.
    """
    check_order(shards, order)
    bucket, window, epoch = locate(order, start, count)
    begins = positions_of(order, bucket, window, epoch)
    tables = []
    for index in np.unique(bucket).tolist():
        name = order.buckets[index].name
        rows = np.flatnonzero(bucket == index)
        for piece, row, position in _pieces(shards.buckets[name], begins[rows], order.sequence + 1):
            row = rows[row]
            tables.append(
                piece.append_column("sample", pa.array(start + row))
                .append_column("epoch", pa.array(epoch[row]))
                .append_column("bucket", pa.array([name] * len(row), pa.string()))
                .append_column("position", pa.array(position))
            )
    if not tables:
        return LINEAGE.empty_table()
    return (
        pa.concat_tables(tables)
        .sort_by([("sample", "ascending"), ("position", "ascending")])
        .select(LINEAGE.names)
        .cast(LINEAGE)
    )


def _pieces(bucket: Bucket, positions: Int64s, width: int) -> Sequence[tuple[pa.Table, Int64s, Int64s]]:
    """Windows of `width` tokens at `positions` of a bucket's stream, cut by shard and document.

    Returns:
        Per shard that is touched: one row per window and document, the window of each row, and where in the window the
            row begins.
    """
    over = np.flatnonzero(positions + width > bucket.tokens)  # these go on at the beginning of the stream
    window = np.concatenate([np.arange(len(positions)), over])
    begins = np.concatenate([positions, np.zeros(len(over), np.int64)])
    ends = np.concatenate([np.minimum(positions + width, bucket.tokens), positions[over] + width - bucket.tokens])
    origin = np.concatenate([positions, positions[over] - bucket.tokens])
    first = np.searchsorted(bucket.starts, begins, side="right") - 1
    last = np.searchsorted(bucket.starts, ends, side="left") - 1
    found = []
    for shard in sorted(
        {shard for low, high in zip(first.tolist(), last.tolist(), strict=True) for shard in range(low, high + 1)}
    ):
        start, end = bucket.starts[shard], bucket.starts[shard + 1]
        stretches = np.flatnonzero((first <= shard) & (shard <= last))
        low = np.maximum(begins[stretches], start) - start
        high = np.minimum(ends[stretches], end) - start
        documents = bucket.read_documents(shard, ["document_id", "offset", "length", *_FROM_SIDE_TABLE])
        table, touched, position = _overlaps(documents, low, high)
        stretch = stretches[touched]
        found.append((table, window[stretch], position + start - origin[stretch]))
    return found


def _overlaps(documents: pa.Table, low: Int64s, high: Int64s) -> tuple[pa.Table, Int64s, Int64s]:
    """Every pair of a stretch [low, high) of a shard and a document that share tokens: row, index of the stretch, first
    shared token.
    """
    offset = documents["offset"].to_numpy()
    end = offset + documents["length"].to_numpy()
    begins = np.searchsorted(end, low, side="right")  # the first document that ends after `low`
    stops = np.searchsorted(offset, high, side="left")  # the first that does not begin before `high`
    each = np.maximum(stops - begins, 0)
    window = np.repeat(np.arange(len(low)), each)
    document = np.arange(int(each.sum())) - np.repeat(np.cumsum(each) - each, each) + np.repeat(begins, each)
    position = np.maximum(offset[document], low[window])
    tokens = np.minimum(end[document], high[window]) - position
    some = tokens > 0  # a document without tokens is in no window
    window, document, position, tokens = window[some], document[some], position[some], tokens[some]
    rows = documents.take(pa.array(document))
    columns = {name: rows[name].cast(LINEAGE.field(name).type) for name in _FROM_SIDE_TABLE}
    identities = pa.array([identity.hex() for identity in rows["document_id"].to_pylist()], pa.string())
    return pa.table({"document_id": identities, **columns, "tokens": pa.array(tokens)}), window, position
