"""Fates: which rows go as duplicates, each with the copy that stays for it.

Stages:

- `relay` (runs): if the row that stays of an exact text goes for another one, its copies go for that one too, each to
  its own run.
- `fates` (runs): `fates/<run>.arrow`, a record batch for each part: the rows that go, ascending, with their reason, the
  document that stays, its row, and how similar the two are; and `counts/<run>.arrow`, what became of the candidates.

A row goes as an exact duplicate only if a document with the same id stays.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from dedup.choice import find
from kernels.arrays import Float32s, Int64s, Uint64s
from manifests.step import Output
from pipeline.decide.duplicates.choice import read_chosen
from pipeline.decide.duplicates.copies import COPIED, FOLDER, copies_of
from pipeline.decide.duplicates.index import index_run, read_index_nodes
from pipeline.decide.duplicates.verification import COUNTS, EDGES, verified_file
from pipeline.decide.exchange import receive, send, uint64s
from pipeline.decide.runs import RunJob, chosen_rows, first_numbers, parts_of, runs_of
from pipeline.decide.settings import DecideJob
from pipeline.filters.reasons import Reasons, code_of
from pipeline.folders import DUPLICATE_COUNTS, DUPLICATE_FATES, part_file
from pipeline.parts import Part, split_row_ids
from pipeline.schemas import DOCUMENT_ID, id_column, id_halves, publish_ipc, read_ipc
from storage.files import join, map_file

_OF_COPIES = ("duplicate_of", "duplicate_row", "similarity")
RELAYED = f"{FOLDER}/relayed"
FATES = pa.schema(
    [
        pa.field("row", pa.uint32(), nullable=False),  # of the part
        pa.field("reason", pa.uint8(), nullable=False),
        pa.field("duplicate_of", DOCUMENT_ID, nullable=False),
        pa.field("duplicate_row", pa.uint64()),  # null for a document of an earlier snapshot
        pa.field("similarity", pa.float32(), nullable=False),
    ]
)


class Gone(NamedTuple):
    """Rows that go, uint64[n], the row that stays for each, uint64[n], its id, uint64[n, 2], and their similarity,
    float32[n].
    """

    rows: Uint64s
    keepers: Uint64s
    ids: Uint64s
    similarity: Float32s


def fates_file(run: int) -> str:
    """The fates of one run's rows, below the step's folder."""
    return f"{DUPLICATE_FATES}/{run:06d}.arrow"


def _read_gone(table: pa.Table) -> Gone:
    return Gone(
        table["row"].to_numpy(),
        table["keeper"].to_numpy(),
        uint64s(table, ["high", "low"]),
        table["similarity"].to_numpy(),
    )


def counts_file(run: int) -> str:
    """What became of the candidates of one run's rows, by source, below the step's folder."""
    return f"{DUPLICATE_COUNTS}/{run:06d}.arrow"


def chosen_of(run: int, job: RunJob) -> Gone:
    """The rows of a run that go for a near duplicate that stays, ascending."""
    if job.settings.dedup.minhash is None:
        empty = np.empty(0, np.uint64)
        return Gone(empty, empty, np.empty((0, 2), np.uint64), np.empty(0, np.float32))
    return _read_gone(read_chosen(run, job))


def send_relayed(run: int, job: RunJob) -> list[Output]:
    """Stage `relay` of one run."""
    gone = _gone_before(run, job) if index_run(run, job) is not None else chosen_of(run, job)
    keepers, copies = _copied(run, job)
    place, found = find(gone.rows, keepers)
    rows, place = copies[found], place[found]
    columns = (rows, gone.keepers[place], gone.ids[place, 0], gone.ids[place, 1], gone.similarity[place])
    batch = pa.RecordBatch.from_arrays([pa.array(column) for column in columns], schema=EDGES)
    return [send(job, RELAYED, run, batch, runs_of(rows, first_numbers(job)))]


def _gone_before(run: int, job: RunJob) -> Gone:
    """The rows of a run of an index that went for near duplicates; they stand for the rows that stayed, too."""
    nodes = read_index_nodes(run, job)
    rows = nodes.rows[nodes.goes]
    return Gone(rows, rows, nodes.kept_ids[nodes.goes], nodes.similarity[nodes.goes])


def _copied(run: int, job: RunJob) -> tuple[Uint64s, Uint64s]:
    copies, keepers = copies_of(run, job, stage=COPIED)
    return keepers, copies


def publish_fates(run: int, job: RunJob) -> list[Output]:
    """Stage `fates` of one run."""
    firsts = first_numbers(job)
    batches = [_batch(fates, elsewhere=runs_of(fates.keepers, firsts) >= job.own_runs) for fates in _fates(run, job)]
    outputs = [publish_ipc(job.folder, fates_file(run), batches, FATES)]
    if job.settings.dedup.minhash is not None:
        counts = read_ipc(join(job.folder, verified_file(run))).to_batches()
        outputs.append(publish_ipc(job.folder, counts_file(run), counts, COUNTS))
    return outputs


class _Fates(NamedTuple):
    rows: Int64s
    reasons: npt.NDArray[np.uint8]
    ids: Uint64s
    keepers: Uint64s
    similarity: Float32s


def _fates(run: int, job: RunJob) -> Iterator[_Fates]:
    """The fates of the rows of each part; documents of an index have theirs."""
    if index_run(run, job) is not None:
        return
    near = chosen_of(run, job)
    copies, keepers = copies_of(run, job)
    own_ids = _ids_of(run, job, copies)
    gone, similarity = [near.rows, copies], [near.similarity, np.ones(len(copies), np.float32)]
    reasons = [
        np.full(len(near.rows), code_of("near_duplicate"), np.uint8),
        np.full(len(copies), code_of("exact_duplicate" if job.settings.dedup.exact else "near_duplicate"), np.uint8),
    ]
    ids, kept = [near.ids, own_ids], [near.keepers, keepers]
    if job.settings.dedup.minhash is not None:
        relayed = _read_gone(receive(job, RELAYED, run))
        place, _ = find(copies, relayed.rows)
        reasons[1][place] = code_of("near_duplicate")
        ids[1][place], kept[1][place], similarity[1][place] = relayed.ids, relayed.keepers, relayed.similarity
    rows = np.concatenate(gone)
    order = np.argsort(rows)
    numbers, within = split_row_ids(rows[order])
    columns = [np.concatenate(column)[order] for column in (reasons, ids, kept, similarity)]
    for part in parts_of(run, job):
        start, stop = np.searchsorted(numbers, [part.number, part.number + 1])
        yield _Fates(within[start:stop], *(column[start:stop] for column in columns))


def _ids_of(run: int, job: RunJob, rows: Uint64s) -> Uint64s:
    found = [np.empty((0, 2), np.uint64)]
    for part, chosen in chosen_rows(run, job, rows):
        ids = read_ipc(join(job.extract, part_file("documents", part.name)), columns=["id"])["id"]
        found.append(id_halves(ids)[chosen])
    return np.concatenate(found)


def _batch(fates: _Fates, *, elsewhere: npt.NDArray[np.bool_]) -> pa.RecordBatch:
    columns = [
        pa.array(fates.rows.astype(np.uint32)),
        pa.array(fates.reasons),
        id_column(fates.ids),
        pa.array(fates.keepers, mask=elsewhere),
    ]
    return pa.RecordBatch.from_arrays([*columns, pa.array(fates.similarity)], schema=FATES)


def fates_of(part: Part, job: DecideJob) -> pa.RecordBatch:
    """The rows of one part that go as duplicates: `FATES`."""
    firsts = first_numbers(job)
    [run] = runs_of(np.array([part.base], np.uint64), firsts)
    index = part.number - int(firsts[run])
    with map_file(join(job.folder, fates_file(int(run)))) as file:
        return pa.ipc.open_file(file).get_batch(index)


class Joined(NamedTuple):
    """A part's rows with what became of duplicates.

    Attributes:
        reasons: uint8[n], with those of duplicates.
        duplicate_of, duplicate_row, similarity: as in `pipeline.schemas.DECISIONS`; null but for duplicates.
    """

    reasons: Reasons
    duplicate_of: pa.Array
    duplicate_row: pa.Array
    similarity: pa.Array


def joined_reasons(part: Part, reasons: Reasons, job: DecideJob) -> Joined:
    """The reasons of a part's rows, uint8[n], with those of duplicates.

    Args:
        reasons: of the rules that come before the search for duplicates.
    """
    dedup = job.settings.dedup
    if not dedup.exact and dedup.minhash is None:
        return Joined(reasons, *(pa.nulls(part.rows, FATES.field(name).type) for name in _OF_COPIES))
    fates = fates_of(part, job)
    rows = fates["row"].to_numpy()
    joined = reasons.copy()
    joined[rows] = fates["reason"].to_numpy()
    places = np.full(part.rows, -1, np.int64)
    places[rows] = np.arange(len(rows))
    taken = pa.array(places, mask=places < 0)
    return Joined(joined, *(fates[name].take(taken) for name in _OF_COPIES))
