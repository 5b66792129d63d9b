"""Exact copies: of the rows with one document id, one goes on.

Stages, each a task per run or per partition of ids:

- `ids` (runs): of each row that no rule drops its id, priority, origin and row, to the partition of its id.
- `copies` (partitions): each row that is not the one that stays for its id, with that one, to the run of the row; and
  `copied`, the same pair to the run of the row that stays.

Which row stays depends on the priority of its source, then on URL and name, and only then on where it lies.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from dedup.exact import keepers
from dedup.preference import Strings, origins
from kernels.arrays import Uint64s
from manifests.step import Output
from pipeline.decide.duplicates.index import generation_of, index_run, read_index_nodes
from pipeline.decide.exchange import exchange_file, receive, send, uint64s
from pipeline.decide.runs import RunJob, first_numbers, partitions_of, parts_of, runs_of
from pipeline.decide.verdicts import judge_part
from pipeline.folders import part_file
from pipeline.parts import Part
from pipeline.schemas import id_halves, read_ipc
from pipeline.text.normalise import text_buffers
from storage.files import join

FOLDER = "duplicates"
_PRIORITY_BITS = 8
IDS, COPIES, COPIED = (f"{FOLDER}/{name}" for name in ("ids", "copies", "copied"))
_IDS = pa.schema([pa.field(name, pa.uint64(), nullable=False) for name in ("high", "low", "priority", "origin", "row")])
_COPIES = pa.schema([pa.field(name, pa.uint64(), nullable=False) for name in ("row", "keeper")])


def send_ids(run: int, job: RunJob) -> list[Output]:
    """Stage `ids` of one run."""
    columns: list[np.ndarray] = []
    generation = generation_of(run, job) << _PRIORITY_BITS
    if index_run(run, job) is not None:
        nodes = read_index_nodes(run, job)
        priority = np.full(len(nodes.rows), generation, np.uint64)
        columns.append(np.stack([nodes.ids[:, 0], nodes.ids[:, 1], priority, np.zeros_like(priority), nodes.rows]))
    for part in parts_of(run, job):
        verdicts = judge_part(part, job)
        kept = np.flatnonzero(verdicts.reasons == 0)
        if not job.settings.dedup.exact:
            # Texts without words are near to none.
            path = join(job.extract, part_file("signatures", part.name))
            kept = kept[read_ipc(path, columns=["shingles"])["shingles"].to_numpy()[kept] > 0]
        ids = id_halves(verdicts.documents["id"])[kept]
        priority = np.full(len(kept), generation | part.priority, np.uint64)
        rows = np.uint64(part.base) + kept.astype(np.uint64)
        columns.append(np.stack([ids[:, 0], ids[:, 1], priority, _origins(part, job)[kept], rows]))
    joined = np.concatenate([np.empty((5, 0), np.uint64), *columns], axis=1)
    batch = pa.RecordBatch.from_arrays([pa.array(column) for column in joined], schema=_IDS)
    return [send(job, IDS, run, batch, partitions_of(joined[0], job.runs))]


def _origins(part: Part, job: RunJob) -> Uint64s:
    documents = read_ipc(join(job.extract, part_file("documents", part.name)), columns=["url", "name"])
    return origins(*(_strings(documents[name]) for name in ("url", "name")))


def _strings(column: pa.ChunkedArray) -> Strings:
    chunks = column.cast(pa.large_string()).fill_null("").chunks
    joined = pa.concat_arrays(chunks) if chunks else pa.array([], pa.large_string())
    return Strings(*text_buffers(joined))


def send_copies(partition: int, job: RunJob) -> list[Output]:
    """Stages `copies` and `copied` of one partition."""
    table = receive(job, IDS, partition)
    rows = table["row"].to_numpy()
    kept = keepers(uint64s(table, ["high", "low"]), table["priority"].to_numpy(), table["origin"].to_numpy(), rows)
    gone = kept != rows
    batch = pa.RecordBatch.from_arrays([pa.array(rows[gone]), pa.array(kept[gone])], schema=_COPIES)
    firsts = first_numbers(job)
    return [
        send(job, stage, partition, batch, runs_of(owners[gone], firsts))
        for stage, owners in ((COPIES, rows), (COPIED, kept))
    ]


def copies_of(run: int, job: RunJob, *, stage: str = COPIES) -> tuple[Uint64s, Uint64s]:
    """Rows that are exact copies, and the row that stays for each, both uint64[n]: the copies of one run, ascending, or
    with stage `copied` the copies of its rows that stay.
    """
    table = receive(job, stage, run)
    rows, kept = table["row"].to_numpy(), table["keeper"].to_numpy()
    order = np.argsort(rows)
    return rows[order], kept[order]


def remaining(run: int, job: RunJob) -> Uint64s:
    """The rows of a run that no rule drops and that are no exact copies, uint64[n], ascending."""
    rows = read_ipc(join(job.folder, exchange_file(IDS, run)), columns=["row"])["row"].to_numpy()
    copies, _ = copies_of(run, job)
    return np.setdiff1d(np.sort(rows), copies, assume_unique=True)
