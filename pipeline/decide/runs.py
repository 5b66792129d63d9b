"""Runs: groups of consecutive parts that one task handles, and the list of them that tasks read.

In: the parts of extract. Out, below `OUT/decide/runs`: `parts.arrow`, one record batch of parts as JSON for each run,
and `firsts.arrow`, the number of each run's first part. Tasks are given the number of a run and read its parts from
this file, so that a submitted pipeline does not grow with the number of parts.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pyarrow as pa

from kernels.arrays import Int64s, Uint64s
from manifests.minhash import MinHash
from pipeline.decide.settings import DecideJob
from pipeline.engines.tasks import Task
from pipeline.parts import Part, split_row_ids
from pipeline.schemas import publish_ipc, read_ipc
from storage.files import join, map_file

FOLDER = "runs"
# What is sent of a run comes to about as much in the stage that sends most: of band keys with their rows, 16 bytes for
# each band of a document, or of lines.
RUN_BYTES = 64 << 20
# With runs of that size: what is sent from one to one is 256 KiB at least, and one level reaches to some 77 million
# documents of 14 bands.
FAN = 256
# Without bands: hashes and counts of a page.
_BYTES_PER_DOCUMENT = 128
_PARTS_FILE, _FIRSTS_FILE = f"{FOLDER}/parts.arrow", f"{FOLDER}/firsts.arrow"
_PARTS = pa.schema([pa.field("part", pa.string(), nullable=False)])
_FIRSTS = pa.schema([pa.field("number", pa.int64(), nullable=False)])


class RunJob(DecideJob):
    """What tasks over runs share.

    Attributes:
        runs: how many there are; what is divided by hash is divided among as many partitions.
        fan: with more runs than this, what stages hand on goes through two levels (`pipeline.decide.exchange`).
        parts: how many there are.
        index_runs: how many runs each index of an earlier snapshot has, in the search for duplicates; they come after
            the corpus's own.
    """

    runs: int
    fan: int
    parts: int
    index_runs: tuple[int, ...] = ()

    @property
    def own_runs(self) -> int:
        """How many runs of parts there are."""
        return self.runs - sum(self.index_runs)

    @property
    def minhash(self) -> MinHash:
        """The settings of stages that are left out without them."""
        assert self.settings.dedup.minhash is not None
        return self.settings.dedup.minhash


class RunTask(Task):
    """One stage's work on one run, or on one partition of hashes.

    Attributes:
        number: of the run, or of the partition.
    """

    number: int


def run_job(parts: Sequence[Part], job: DecideJob, *, sent: Mapping[str, int] | None = None) -> RunJob:
    """Group the parts into runs, publish the list of them, and say how many there are.

    Args:
        sent: how many bytes a stage sends of a part, by its name, where that may be more than for each document.
    """
    minhash = job.settings.dedup.minhash
    document_bytes = max(_BYTES_PER_DOCUMENT, 0 if minhash is None else 16 * minhash.bands)
    runs = group_runs(parts, document_bytes=document_bytes, sent=sent or {})
    batches = [
        pa.RecordBatch.from_arrays([pa.array([part.model_dump_json() for part in run], pa.string())], schema=_PARTS)
        for run in runs
    ]
    publish_ipc(job.folder, _PARTS_FILE, batches, _PARTS)
    firsts = pa.array([run[0].number if run else 0 for run in runs], pa.int64())
    publish_ipc(job.folder, _FIRSTS_FILE, [pa.RecordBatch.from_arrays([firsts], schema=_FIRSTS)], _FIRSTS)
    return RunJob(
        **{name: getattr(job, name) for name in DecideJob.model_fields}, runs=len(runs), fan=FAN, parts=len(parts)
    )


def group_runs(parts: Sequence[Part], *, document_bytes: int, sent: Mapping[str, int]) -> list[list[Part]]:
    """The parts of each run, in the order of parts; no parts are one run of none."""
    runs: list[list[Part]] = [[]]
    size = 0
    for part in parts:
        if size >= RUN_BYTES:
            runs.append([])
            size = 0
        runs[-1].append(part)
        size += max(part.rows * document_bytes, sent.get(part.name, 0))
    return runs


def parts_of(run: int, job: RunJob) -> list[Part]:
    """The parts of one run; a run of an index has none."""
    if run >= job.own_runs:
        return []
    with map_file(join(job.folder, _PARTS_FILE)) as file:
        batch = pa.ipc.open_file(file).get_batch(run)
        return [Part.model_validate_json(text) for text in batch["part"].to_pylist()]


def first_numbers(job: DecideJob) -> Int64s:
    """The number of each run's first part, int64[runs], ascending; a run of an index counts as one part."""
    numbers: Int64s = read_ipc(join(job.folder, _FIRSTS_FILE))["number"].to_numpy()
    if isinstance(job, RunJob) and job.index_runs:
        numbers = np.concatenate([numbers, job.parts + np.arange(sum(job.index_runs))])
    return numbers


def runs_of(rows: Uint64s, firsts: Int64s) -> Int64s:
    """The number of the run that holds each row, int64[n]; `firsts` is what `first_numbers` gives."""
    numbers, _ = split_row_ids(rows)
    found: Int64s = np.searchsorted(firsts, numbers, side="right") - 1
    return found


def partitions_of(hashes: Uint64s, partitions: int) -> Int64s:
    """The partition of each hash, int64[n]: ranges of hashes of about equal size, ascending."""
    found: Int64s = ((hashes >> np.uint64(32)) * np.uint64(partitions) >> np.uint64(32)).astype(np.int64)
    return found


def partition_bounds(hashes: Uint64s, partitions: int) -> Int64s:
    """Where each partition begins among ascending hashes, and the end: int64[partitions + 1]."""
    # The smallest upper half of which `partitions_of` makes the partition.
    firsts = [-(-(number << 32) // partitions) << 32 for number in range(1, partitions)]
    inner = np.searchsorted(hashes, np.array(firsts, np.uint64))
    return np.concatenate([np.zeros(1, np.int64), inner, np.array([len(hashes)], np.int64)])


def chosen_rows(run: int, job: RunJob, rows: Uint64s) -> Iterator[tuple[Part, Int64s]]:
    """The parts of a run with the numbers of their rows among these, int64[m] each, ascending.

    Args:
        rows: uint64[n], ascending, all of this run.
    """
    numbers, within = split_row_ids(rows)
    for part in parts_of(run, job):
        start, stop = np.searchsorted(numbers, [part.number, part.number + 1])
        if stop > start:
            yield part, within[start:stop]


def tasks_of(stage: str, job: RunJob) -> list[RunTask]:
    """The tasks of one stage, one for each run."""
    return [RunTask(name=f"{stage}/{number:06d}", key=job.key, number=number) for number in range(job.runs)]
