"""Lines and paragraphs that several documents share (`dedup.lines`): which lines go from which documents.

In: the parts of extract with their `lines`, and which documents stay after duplicates: only their lines count, and of
these only the ones that filters leave. Out, below `OUT/decide`:

    repeated/<p>.arrow       the repeated lines whose keys are in one partition, for each part that has them
    repeated/most-<p>.arrow  the partition's most frequent lines
    lines/<part>.arrow       row-aligned with documents: the numbers of the lines that go
    lines/frequent.arrow     FREQUENT: the most frequent lines that go, with a place where each can be read

The rule is that of `dedup.lines`; which lines are the same, that of `pipeline.text.line_hashes`. Two shuffles: one
record for each distinct line and part goes to the partition of its key, 20 bytes, or 36 where somebody keeps repeated
lines; then 12 bytes for each repeated line and part that has it go back to the part. A key of the first grows with the
number of parts, never of documents; one of the second holds the repeated lines of one part, 32 MB for 2.8 million
different ones. The embedded runner holds a shuffle in memory, so there both are split into passes. No text is read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import pyarrow as pa

from dedup.lines import (
    NOBODY,
    RECORD,
    RECORD_WITHOUT_RANK,
    REPEATED,
    Frequent,
    distinct,
    most_frequent,
    pack,
    pack_records,
    removed_lines,
    repeated,
    unpack,
)
from kernels.arrays import Bools
from manifests.errors import GristmillError
from manifests.repeated_lines import LineRule
from manifests.step import Ledger, StepManifest, TaskManifest
from pipeline.decide.line_units import part_units
from pipeline.decide.settings import DecideJob
from pipeline.engines.partitions import SHUFFLE_BYTES, finish_partition, partitions_for, run_partitions, workers_for
from pipeline.engines.runners import Runner, run_pipeline
from pipeline.engines.tasks import Task, collect, pending_tasks
from pipeline.filters.line_rules import REMOVED_LINES, removed_lists
from pipeline.folders import FREQUENT_LINES, kind_and_name, part_file
from pipeline.parts import Part
from pipeline.schemas import publish_ipc, read_ipc
from storage.files import join
from storage.steps import finished_task, write_task

FOLDER = "repeated"
MOST_FREQUENT = 100
_FREQUENT_TASK = FREQUENT_LINES.removesuffix(".arrow")

# Which documents of a part stay, bool[n]: importable by name in a worker, or a `functools.partial` of such a function.
Standing = Callable[[Part, DecideJob], Bools]

_REPEATED = pa.schema(
    [
        pa.field("part", pa.uint32(), nullable=False),
        pa.field("key", pa.uint64(), nullable=False),
        pa.field("row", pa.uint32()),  # the document of the part that keeps the line; null if it goes from all of them
    ]
)
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


def run_lines(
    parts: Sequence[Part], job: DecideJob, *, extracted: StepManifest, standing: Standing, runner: Runner
) -> list[TaskManifest]:
    """Publish which lines of each part go; finished partitions and parts are not repeated.

    Args:
        extracted: the manifest of extract, which says how large the hashes are.
        standing: which documents stay after duplicates.

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
    sizes = {
        name: output.bytes
        for output in extracted.outputs
        for kind, name in [kind_and_name(output.path)]
        if kind == "lines"
    }
    keys = _run_keys(parts, job, total=sum(sizes.values()), standing=standing, runner=runner)
    removed = _run_removed(parts, job, keys=keys, sizes=sizes, standing=standing, runner=runner)
    tasks = collect([Task(name=name, key=job.key) for name in keys], folder=job.folder)
    return [*tasks, *removed, _publish_frequent(parts, job, keys=keys, standing=standing)]


def line_rule(job: DecideJob) -> LineRule:
    """The rule of the job.

    Raises:
        ValueError: the manifest has none.
    """
    if job.settings.dedup.lines is None:
        raise ValueError("no rule for lines")
    return job.settings.dedup.lines


def _run_keys(parts: Sequence[Part], job: DecideJob, *, total: int, standing: Standing, runner: Runner) -> list[str]:
    """Publish the repeated lines by partitions of keys; returns the partitions' names.

    Args:
        total: bytes of all files of hashes. Hashes cannot be compressed, so these are at least eight for each distinct
            line of a part.
    """
    width = (RECORD_WITHOUT_RANK if line_rule(job).keep == "none" else RECORD).itemsize
    shuffled = total // 8 * width
    partitions = partitions_for(shuffled)
    passes = min(partitions, max(1, -(-shuffled // SHUFFLE_BYTES))) if runner.kind == "embedded" else 1
    names = {partition: f"{FOLDER}/{partition:06d}" for partition in range(partitions)}
    for number in range(passes):
        run_partitions(
            {partition: name for partition, name in names.items() if partition % passes == number},
            parts,
            partial(emit_lines, partitions=partitions, standing=standing),
            reduce_lines,
            job,
            label="Lines",
            runner=runner,
        )
    return list(names.values())


def emit_lines(part: Part, job: DecideJob, *, partitions: int, standing: Standing) -> Iterator[tuple[int, bytes]]:
    """Packed records of one part's distinct lines."""
    rule = line_rule(job)
    found = part_units(part, job, rule=rule, stays=standing(part, job))
    yield from pack_records(distinct(found.units, found.preferred), part.number, partitions=partitions)


def reduce_lines(partition: int, elements: list[bytes], job: DecideJob) -> str:
    """Publish the repeated lines of one partition."""
    rule = line_rule(job)
    records, numbers = unpack(elements, RECORD_WITHOUT_RANK if rule.keep == "none" else RECORD)
    found, of_part, listed = repeated(records, numbers, most=rule.max_documents, frequent=MOST_FREQUENT)
    row = pa.array(found["row"], mask=found["row"] == NOBODY)
    batch = pa.RecordBatch.from_arrays(
        [pa.array(of_part.astype(np.uint32)), pa.array(found["key"]), row], schema=_REPEATED
    )
    most = pa.RecordBatch.from_arrays([pa.array(column) for column in listed], schema=_MOST)
    name = f"{FOLDER}/{partition:06d}"
    outputs = [
        publish_ipc(job.folder, f"{name}.arrow", [batch], _REPEATED),
        publish_ipc(job.folder, _most_file(name), [most], _MOST),
    ]
    return finish_partition(name, job, outputs)


def _most_file(name: str) -> str:
    return name.replace("/", "/most-") + ".arrow"


def _run_removed(
    parts: Sequence[Part],
    job: DecideJob,
    *,
    keys: Sequence[str],
    sizes: Mapping[str, int],
    standing: Standing,
    runner: Runner,
) -> list[TaskManifest]:
    """Publish the lines that go from each part; `keys` are the names of the partitions."""
    tasks = {part.name: Task(name=_task(part), key=job.key) for part in parts}
    runner.expect(len(tasks))
    waiting = {task.name for task in pending_tasks(tasks.values(), folder=job.folder)}
    pending = [part for part in parts if _task(part) in waiting]
    for group in _passes(pending, sizes, embedded=runner.kind == "embedded"):

        def build(pipeline: Any, group: Sequence[Part] = group) -> object:
            import apache_beam as beam

            from pipeline.engines.dofns import EmitNames, EmitPacked

            asked = frozenset(part.number for part in group)
            emit = EmitPacked(partial(emit_repeated, asked=asked), job)
            told = pipeline | "Partitions" >> beam.Create(list(keys)) | "Lines: tell" >> beam.ParDo(emit)
            numbered = [(part.number, part.model_dump_json().encode()) for part in group]
            # Both sides of the join are bytes, so that the shuffle has one deterministic coder.
            joined = {"part": pipeline | "Parts" >> beam.Create(numbered), "told": told} | beam.CoGroupByKey()
            return joined | "Lines: remove" >> beam.ParDo(EmitNames(partial(publish_removed, standing=standing), job))

        run_pipeline(build, runner=runner.at_most(workers_for(group)), label="removed lines")
    return collect(tasks.values(), folder=job.folder)


def _passes(parts: Sequence[Part], sizes: Mapping[str, int], *, embedded: bool) -> Iterator[list[Part]]:
    """Parts in groups whose repeated lines the embedded runner can hold; other runners get all of them at once."""
    group: list[Part] = []
    held = 0
    for part in parts:
        size = sizes[part.name] // 8 * REPEATED.itemsize
        if embedded and group and held + size > SHUFFLE_BYTES:
            yield group
            group, held = [], 0
        group.append(part)
        held += size
    if group:
        yield group


def _task(part: Part) -> str:
    return f"lines/{part.name}"


def emit_repeated(name: str, job: DecideJob, *, asked: frozenset[int]) -> Iterator[tuple[int, bytes]]:
    """What one partition tells each part that is asked for."""
    table = read_ipc(join(job.folder, f"{name}.arrow"))
    told = np.empty(len(table), REPEATED)
    told["key"], told["row"] = table["key"].to_numpy(), table["row"].fill_null(int(NOBODY)).to_numpy()
    numbers = table["part"].to_numpy()
    bounds = np.flatnonzero(np.diff(numbers.astype(np.int64), prepend=-1, append=-1))
    for start, stop in zip(bounds[:-1], bounds[1:], strict=True):
        number = int(numbers[start])
        if number in asked:
            for packed in pack(told[start:stop], number):
                yield number, packed


def publish_removed(
    element: tuple[int, Mapping[str, Iterable[bytes]]], job: DecideJob, *, standing: Standing
) -> list[str]:
    """Publish the lines that go from one part: its number, with the part itself as JSON and what it is told."""
    _, grouped = element
    told, _ = unpack(grouped["told"], REPEATED)
    return [_publish_removed(Part.model_validate_json(part), told, job, standing) for part in grouped["part"]]


def _publish_removed(part: Part, told: np.ndarray, job: DecideJob, standing: Standing) -> str:
    stays = standing(part, job)
    found = part_units(part, job, rule=line_rule(job), stays=stays)
    gone = removed_lines(found.units, told)
    ends = np.concatenate([np.zeros(1, np.int64), np.cumsum(np.where(gone, found.characters, 0))])
    characters = ends[found.offsets[1:]] - ends[found.offsets[:-1]]
    lists = removed_lists(gone, found.offsets, stays)
    batch = pa.RecordBatch.from_arrays([lists, pa.array(characters)], schema=_REMOVED)
    outputs = [publish_ipc(job.folder, part_file("lines", part.name), [batch], _REMOVED)]
    task = _task(part)
    inputs = {part.name: part.sha256}
    write_task(job.folder, TaskManifest(task=task, key=job.key, inputs=inputs, outputs=outputs, ledger=Ledger()))
    return task


def _publish_frequent(
    parts: Sequence[Part], job: DecideJob, *, keys: Sequence[str], standing: Standing
) -> TaskManifest:
    """Publish the most frequent lines that go, of all partitions."""
    done = finished_task(job.folder, _FREQUENT_TASK, job.key)
    if done is not None:
        return done
    tables = [read_ipc(join(job.folder, _most_file(name))) for name in keys]
    most = most_frequent(
        [Frequent(*(column.to_numpy() for column in table.columns)) for table in tables], most=MOST_FREQUENT
    )
    by_number = {part.number: part for part in parts}
    chosen = [by_number[number] for number in most.numbers.tolist()]
    lines = _find_lines(chosen, most, job, standing)
    batch = pa.RecordBatch.from_arrays(
        [
            *[pa.array(column) for column in most[:4]],
            pa.array([part.name for part in chosen], pa.string()),
            pa.array(most.rows),
            pa.array(lines, pa.int64()),
        ],
        schema=FREQUENT,
    )
    task = TaskManifest(
        task=_FREQUENT_TASK,
        key=job.key,
        inputs={},
        outputs=[publish_ipc(job.folder, FREQUENT_LINES, [batch], FREQUENT)],
        ledger=Ledger(),
    )
    write_task(job.folder, task)
    return task


def _find_lines(parts: Sequence[Part], most: Frequent, job: DecideJob, standing: Standing) -> list[int]:
    """The number of each frequent line in its document, where the line or paragraph first stands."""
    numbers = [0] * len(parts)
    for name in sorted({part.name for part in parts}):
        places = [index for index, part in enumerate(parts) if part.name == name]
        part = parts[places[0]]
        units, offsets, *_ = part_units(part, job, rule=line_rule(job), stays=standing(part, job))
        for index in places:
            unit = np.flatnonzero((units.keys == most.keys[index]) & (units.rows == most.rows[index]))[0]
            numbers[index] = int(np.flatnonzero(units.of_line == unit)[0] - offsets[most.rows[index]])
    return numbers
