"""Which documents of each part stay after duplicates, published so that later stages of decide can ask.

In: the parts of extract and the edges of duplicates. Out, below `OUT/decide`: `standing/<part>.arrow`, row-aligned with
documents: one reason code per row, that of the filters, sites and duplicates. It is written only if a stage asks.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pyarrow as pa

from kernels.arrays import Bools
from manifests.step import Ledger, TaskManifest
from pipeline.decide.duplicates import joined_reasons, parts_with_clusters
from pipeline.decide.settings import DecideJob
from pipeline.decide.verdicts import judge_part
from pipeline.engines.partitions import workers_for
from pipeline.engines.runners import Runner, run_pipeline
from pipeline.engines.tasks import Task, collect, pending_tasks
from pipeline.folders import part_file
from pipeline.parts import Part
from pipeline.schemas import publish_ipc, read_ipc
from storage.files import join
from storage.steps import write_task

STANDING = pa.schema([pa.field("reason", pa.uint8(), nullable=False)])


def run_standing(parts: Sequence[Part], job: DecideJob, *, edges: Sequence[str], runner: Runner) -> list[TaskManifest]:
    """Publish the reasons of the parts that have none yet; `edges` are the paths of all edge files."""
    tasks = {part.name: Task(name=_task(part), key=job.key) for part in parts}
    runner.expect(len(tasks))
    waiting = {task.name for task in pending_tasks(tasks.values(), folder=job.folder)}
    pending = [part for part in parts if _task(part) in waiting]
    if pending:

        def build(pipeline: Any) -> object:
            import apache_beam as beam

            from pipeline.engines.dofns import EmitNames

            joined = parts_with_clusters(pipeline, pending, job, edges=edges)
            return joined | "Standing" >> beam.ParDo(EmitNames(publish_standing, job))

        run_pipeline(build, runner=runner.at_most(workers_for(pending)), label="standing")
    return collect(tasks.values(), folder=job.folder)


def _task(part: Part) -> str:
    return f"standing/{part.name}"


def publish_standing(element: tuple[int, Mapping[str, Iterable[bytes]]], job: DecideJob) -> list[str]:
    """Publish the reasons of one part, given as for `pipeline.decide.step.decide_part`; returns its task's name."""
    _, grouped = element
    rows = list(grouped["rows"])
    return [_publish(Part.model_validate_json(part), rows, job) for part in grouped["part"]]


def _publish(part: Part, rows: Iterable[bytes], job: DecideJob) -> str:
    reasons = joined_reasons(judge_part(part, job).reasons, rows).reasons
    batch = pa.RecordBatch.from_arrays([pa.array(reasons)], schema=STANDING)
    outputs = [publish_ipc(job.folder, part_file("standing", part.name), [batch], STANDING)]
    task = _task(part)
    inputs = {part.name: part.sha256}
    write_task(job.folder, TaskManifest(task=task, key=job.key, inputs=inputs, outputs=outputs, ledger=Ledger()))
    return task


def standing_rows(part: Part, job: DecideJob) -> Bools:
    """Which documents of the part stay, bool[n]."""
    table = read_ipc(join(job.folder, part_file("standing", part.name)))
    stays: Bools = table["reason"].to_numpy() == 0
    return stays
