"""Lines and paragraphs that several documents share (`dedup.lines`): which lines go from which documents.

In: the parts of extract with their `lines`, and which documents stay after duplicates: only their lines count, and of
these only the ones that filters leave. Out, below `OUT/decide`:

    lines/<part>.arrow       row-aligned with documents: the numbers of the lines that go
    lines/frequent.arrow     FREQUENT: the most frequent lines that go, with a place where each can be read

The rule is that of `dedup.lines`; which lines are the same, that of `pipeline.text.line_hashes`. Stages, each a task
per run or per partition of keys:

- `sent` (runs): one record for each distinct line and part, 24 bytes, or 40 where somebody keeps repeated lines.
- `told` (partitions): the repeated lines, 16 bytes for each part that has one, to the part's run; and the most frequent
  lines of the partition.
- `removed` (runs): `lines/<part>.arrow` of the parts of the run.
- `frequent` (one task): the most frequent lines of all partitions.

What a task holds grows with the number of parts, never of documents, and a run has fewer parts where these have many
lines (`sent_bytes`). No text is read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

import numpy as np
import pyarrow as pa

from dedup.lines import (
    RECORD,
    RECORD_WITHOUT_RANK,
    REPEATED,
    Frequent,
    Records,
    distinct,
    most_frequent,
    removed_lines,
    repeated,
)
from kernels.arrays import Int64s, Uint32s
from manifests.errors import GristmillError
from manifests.repeated_lines import LineRule
from manifests.step import Output, StepManifest, TaskManifest
from pipeline.decide.exchange import Shape, receive, send
from pipeline.decide.line_units import part_units
from pipeline.decide.runs import RunJob, first_numbers, partitions_of, parts_of
from pipeline.decide.settings import DecideJob
from pipeline.decide.stages import Stage, numbered, run_stages, tasks_in
from pipeline.engines.runners import Runner
from pipeline.engines.tasks import collect, pending_tasks
from pipeline.filters.line_rules import REMOVED_LINES, removed_lists
from pipeline.folders import FREQUENT_LINES, kind_and_name, part_file
from pipeline.parts import Part
from pipeline.schemas import publish_ipc, read_ipc
from storage.files import join

FOLDER = "repeated"
SENT, TOLD, MOST = (f"{FOLDER}/{name}" for name in ("sent", "told", "most"))
MOST_FREQUENT = 100

_MOST = pa.schema(
    [
        pa.field("key", pa.uint64(), nullable=False),
        *[pa.field(name, pa.int64(), nullable=False) for name in Frequent._fields[1:]],
    ]
)
_REMOVED = pa.schema(
    [
        pa.field("removed_lines", REMOVED_LINES),  # null if none goes
        pa.field("characters", pa.int64(), nullable=False),  # in these lines
    ]
)
FREQUENT = pa.schema(
    [
        # A hash of the line, and of its source or group if lines are compared only within these.
        pa.field("key", pa.uint64(), nullable=False),
        pa.field("removed", pa.int64(), nullable=False),  # copies that go
        pa.field("copies", pa.int64(), nullable=False),  # all copies in documents that stay
        pa.field("documents", pa.int64(), nullable=False),  # that have it
        # Where it can be read: a row of a documents part, and the number of a line among those with a word.
        pa.field("part", pa.string(), nullable=False),
        pa.field("row", pa.int64(), nullable=False),
        pa.field("line", pa.int64(), nullable=False),
    ]
)


def sent_bytes(extracted: StepManifest, job: DecideJob) -> dict[str, int]:
    """How many bytes the records of each part come to at most, by its name; empty if lines are not compared.

    Hashes cannot be compressed, so that a file of them has eight bytes at least for each distinct line.

    Args:
        extracted: the manifest of extract, which says how large the hashes are.
    """
    if job.settings.dedup.lines is None:
        return {}
    width = _kind(line_rule(job)).itemsize + 4  # the number of the part
    return {
        name: output.bytes // 8 * width
        for output in extracted.outputs
        for kind, name in [kind_and_name(output.path)]
        if kind == "lines"
    }


def run_lines(job: RunJob, *, extracted: StepManifest, runner: Runner) -> list[TaskManifest]:
    """Publish which lines of each part go; finished tasks are not repeated.

    Args:
        extracted: the manifest of extract, which says how lines were hashed.
        runner: with as many workers as the stages can use.

    Raises:
        GristmillError: extract did not hash lines, or changed them in another way before; or a task failed.
    """
    rule = line_rule(job)
    if extracted.settings.get("lines") != rule.normalisation:
        raise GristmillError(
            f"`dedup.lines` compares lines as `{rule.normalisation}` does, but extract did not hash them so",
            where=job.extract,
            remedy="run `gristmill extract` again",
        )
    shape = Shape(job.runs, job.runs)
    published = [
        Stage("Lines: removed", publish_removed, partial(numbered, stage="lines"), job.runs),
        Stage("Lines: frequent", publish_frequent, _frequent_task, 1),
    ]
    tasks = [task for stage in published for task in tasks_in(stage, job)]
    if pending_tasks(tasks, folder=job.folder):
        stages = [
            Stage("Lines", send_lines, partial(numbered, stage=SENT), job.runs, ((SENT, shape),)),
            Stage("Lines: repeated", send_told, partial(numbered, stage=TOLD), job.runs, ((TOLD, shape),)),
            *published,
        ]
        run_stages(stages, job, runner=runner)
    return collect(tasks, folder=job.folder)


def _frequent_task(_: int) -> str:
    return FREQUENT_LINES.removesuffix(".arrow")


def line_rule(job: DecideJob) -> LineRule:
    """The rule of the job.

    Raises:
        ValueError: the manifest has none.
    """
    if job.settings.dedup.lines is None:
        raise ValueError("no rule for lines")
    return job.settings.dedup.lines


def _kind(rule: LineRule) -> np.dtype[np.void]:
    """The kind of records: somebody keeps a repeated line, or nobody does."""
    return RECORD_WITHOUT_RANK if rule.keep == "none" else RECORD


def send_lines(run: int, job: RunJob) -> list[Output]:
    """Stage `sent` of one run."""
    rule = line_rule(job)
    records, numbers = [np.empty(0, _kind(rule))], [np.empty(0, np.uint32)]
    for part in parts_of(run, job):
        found = part_units(part, job, rule=rule)
        records.append(distinct(found.units, found.preferred))
        numbers.append(np.full(len(records[-1]), part.number, np.uint32))
    batch = _batch(np.concatenate(records), np.concatenate(numbers))
    return [send(job, SENT, run, batch, partitions_of(batch["key"].to_numpy(), job.runs))]


def _batch(records: Records, parts: Uint32s) -> pa.RecordBatch:
    """Records with the number of the part of each, as columns."""
    assert records.dtype.names is not None
    columns = {name: pa.array(np.ascontiguousarray(records[name])) for name in records.dtype.names}
    return pa.RecordBatch.from_pydict({**columns, "part": pa.array(parts)})


def _records(table: pa.Table, kind: np.dtype[np.void]) -> Records:
    """The records of a table."""
    assert kind.names is not None
    records = np.empty(table.num_rows, kind)
    for name in kind.names:
        records[name] = table[name].to_numpy()
    return records


def send_told(partition: int, job: RunJob) -> list[Output]:
    """Stage `told` of one partition, and its most frequent lines."""
    rule = line_rule(job)
    table = receive(job, SENT, partition)
    records, numbers = _records(table, _kind(rule)), table["part"].to_numpy().astype(np.int64)
    found, of_part, listed = repeated(records, numbers, most=rule.max_documents, frequent=MOST_FREQUENT)
    runs = np.searchsorted(first_numbers(job), of_part, side="right") - 1
    most = pa.RecordBatch.from_arrays([pa.array(column) for column in listed], schema=_MOST)
    return [
        send(job, TOLD, partition, _batch(found, of_part.astype(np.uint32)), runs),
        publish_ipc(job.folder, _most_file(partition), [most], _MOST),
    ]


def _most_file(partition: int) -> str:
    return f"{numbered(partition, stage=MOST)}.arrow"


def publish_removed(run: int, job: RunJob) -> list[Output]:
    """Publish the lines that go from each part of one run."""
    table = receive(job, TOLD, run)
    told, parts = _records(table, REPEATED), table["part"].to_numpy()
    order = np.argsort(parts, kind="stable")
    told, parts = told[order], parts[order]
    outputs = []
    for part in parts_of(run, job):
        start, stop = np.searchsorted(parts, [part.number, part.number + 1])
        outputs.append(_publish_part(part, told[start:stop], job))
    return outputs


def _publish_part(part: Part, told: Records, job: RunJob) -> Output:
    found = part_units(part, job, rule=line_rule(job))
    gone = removed_lines(found.units, told)
    ends = np.concatenate([np.zeros(1, np.int64), np.cumsum(np.where(gone, found.characters, 0))])
    characters = ends[found.offsets[1:]] - ends[found.offsets[:-1]]
    lists = removed_lists(gone, found.offsets, found.stays)
    batch = pa.RecordBatch.from_arrays([lists, pa.array(characters)], schema=_REMOVED)
    return publish_ipc(job.folder, part_file("lines", part.name), [batch], _REMOVED)


def publish_frequent(_: int, job: RunJob) -> list[Output]:
    """Publish the most frequent lines that go, of all partitions."""
    most = most_frequent([], most=0)
    for partition in range(job.runs):
        table = read_ipc(join(job.folder, _most_file(partition)))
        most = most_frequent([most, Frequent(*(column.to_numpy() for column in table.columns))], most=MOST_FREQUENT)
    chosen = _parts_numbered(most.numbers, job)
    batch = pa.RecordBatch.from_arrays(
        [
            *[pa.array(column) for column in most[:4]],
            pa.array([part.name for part in chosen], pa.string()),
            pa.array(most.rows),
            pa.array(_find_lines(chosen, most, job), pa.int64()),
        ],
        schema=FREQUENT,
    )
    return [publish_ipc(job.folder, FREQUENT_LINES, [batch], FREQUENT)]


def _parts_numbered(numbers: Int64s, job: RunJob) -> list[Part]:
    """The parts with these numbers."""
    runs = np.unique(np.searchsorted(first_numbers(job), numbers, side="right") - 1)
    found: Mapping[int, Part] = {part.number: part for run in runs.tolist() for part in parts_of(run, job)}
    return [found[number] for number in numbers.tolist()]


def _find_lines(parts: Sequence[Part], most: Frequent, job: RunJob) -> list[int]:
    """The number of each frequent line in its document, where the line or paragraph first stands."""
    numbers = [0] * len(parts)
    for name in sorted({part.name for part in parts}):
        places = [index for index, part in enumerate(parts) if part.name == name]
        part = parts[places[0]]
        units, offsets, *_ = part_units(part, job, rule=line_rule(job))
        for index in places:
            unit = np.flatnonzero((units.keys == most.keys[index]) & (units.rows == most.rows[index]))[0]
            numbers[index] = int(np.flatnonzero(units.of_line == unit)[0] - offsets[most.rows[index]])
    return numbers
