"""Resumable shuffles: parts emit packed elements, each partition becomes one published file and one task manifest.

In: parts, a function that turns one part into (partition, packed bytes), a function that turns all elements of a partition into files.
Out: nothing; the functions publish. Of partitions that are finished neither elements are sent nor files written again. Elements
reach a partition in any order.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from manifests.step import Ledger, Output, TaskManifest
from pipeline.engines.runners import Runner, run_pipeline
from pipeline.engines.tasks import Task, pending_tasks
from pipeline.parts import Part
from storage.steps import write_task

# Decisions about this many documents cost one process less than starting another one (measured: 0.5 million a second).
DOCUMENTS_PER_WORKER = 1_000_000

Emit = Callable[[str, dict[str, Any]], Iterable[tuple[int, bytes]]]
Reduce = Callable[[int, list[bytes], dict[str, Any]], str]


def run_partitions(
    names: Mapping[int, str],
    parts: Sequence[Part],
    emit: Emit,
    reduce: Reduce,
    settings: Mapping[str, Any],
    *,
    folder: str,
    label: str,
    runner: Runner,
) -> None:
    """Publish the partitions that are not finished yet.

    Args:
        names: partition number to task name.
        emit: top-level function; gets a part as JSON; must leave out partitions that are not in `settings["wanted"]`.
        reduce: top-level function; publishes one partition and returns its task's name; also called for partitions that got nothing.
        settings: JSON-serialisable; `settings["key"]` is the tasks' key.
        label: name of the transforms.

    Raises:
        GristmillError: an element failed; finished partitions stay finished.
    """
    runner.expect(len(names))
    tasks = [Task(name=name, key=settings["key"], payload={}) for name in names.values()]
    waiting = {task.name for task in pending_tasks(tasks, folder=folder)}
    pending = {number: name for number, name in names.items() if name in waiting}
    if not pending:
        return
    own = {**settings, "wanted": sorted(pending)}
    # The embedded runner deals elements out round-robin: heavy ones first keeps the workers level.
    elements = [json.dumps(part.payload()) for part in sorted(parts, key=lambda part: (-part.rows, part.name))]

    def build(pipeline: Any) -> object:
        import apache_beam as beam

        from pipeline.engines.dofns import EmitPacked, ReducePacked

        packed = pipeline | "Parts" >> beam.Create(elements) | f"{label}: emit" >> beam.ParDo(EmitPacked(emit, own))
        return packed | beam.GroupByKey() | f"{label}: reduce" >> beam.ParDo(ReducePacked(reduce, own))

    run_pipeline(build, runner=runner.at_most(workers_for(parts)), label=label)
    unvisited = {task.name for task in pending_tasks([task for task in tasks if task.name in waiting], folder=folder)}
    for number, name in pending.items():
        # Partitions that nothing fell into were not visited by the shuffle.
        if name in unvisited:
            reduce(number, [], own)


def workers_for(parts: Sequence[Part]) -> int:
    """How many workers a pipeline over these parts can use, when it looks at no text."""
    return -(-sum(part.rows for part in parts) // DOCUMENTS_PER_WORKER)


def finish_partition(name: str, settings: Mapping[str, Any], outputs: list[Output]) -> str:
    """Publish the task manifest of a partition; returns its name."""
    write_task(settings["folder"], TaskManifest(task=name, key=settings["key"], inputs={}, outputs=outputs, ledger=Ledger()))
    return name
