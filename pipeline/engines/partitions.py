"""Resumable shuffles: packed elements are grouped by partition, and each becomes published files and a task manifest.

In: a function that makes elements (partition, packed bytes), and one that turns all elements of a partition into files.
Out: nothing; the functions publish. Finished partitions get no elements and their files are not written again. Elements
reach a partition in any order. Decide needs no shuffle: its stages hand files on (`pipeline.decide.exchange`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any, TypeVar

from manifests.base import Strict
from manifests.step import Ledger, Output, TaskManifest
from pipeline.engines.runners import Runner, run_pipeline
from pipeline.engines.tasks import Task, pending_tasks
from pipeline.parts import Part
from storage.steps import write_task

# Flink holds an element and all values of a key on the heap; 8 MB and 32 MB pass with a factor of 2 to 4 to spare.
BYTES_PER_PARTITION = 16 << 20
# The embedded runner needs 5 to 9 bytes of memory per byte of a shuffle: this limit keeps it near 1 GB.
SHUFFLE_BYTES = 160 << 20
# Deciding this many documents takes one process less time than starting another process (measured: 0.5 million a
# second).
DOCUMENTS_PER_WORKER = 1_000_000


class PartitionJob(Strict):
    """What all elements of a shuffle share. Each step extends it with its own settings.

    Attributes:
        folder: the step's folder, below which partitions are published.
        key: the key of every partition's task.
    """

    folder: str
    key: str


J = TypeVar("J", bound=PartitionJob)
Reduce = Callable[[int, list[bytes], J], str]


def partitions_for(total_bytes: int) -> int:
    """Number of partitions for a shuffle of this size: one per 16 MiB, at least one."""
    return max(1, -(-total_bytes // BYTES_PER_PARTITION))


def run_grouped(
    names: Mapping[int, str],
    packed: Callable[[Any, frozenset[int]], Any],
    reduce: Reduce[J],
    job: J,
    *,
    label: str,
    runner: Runner,
) -> None:
    """Publish the partitions that are not finished yet.

    Args:
        names: partition number to task name.
        packed: from a pipeline and the numbers of the partitions that are not finished to a PCollection of their
            elements (partition, packed bytes).
        reduce: publishes one partition and returns its task's name; a top-level function or a `functools.partial` of
            one. Also called for empty partitions.
        label: name of the transforms.

    Raises:
        GristmillError: an element failed; finished partitions stay finished.
    """
    runner.expect(len(names))
    tasks = [Task(name=name, key=job.key) for name in names.values()]
    waiting = {task.name for task in pending_tasks(tasks, folder=job.folder)}
    pending = {number: name for number, name in names.items() if name in waiting}
    if not pending:
        return

    def build(pipeline: Any) -> object:
        import apache_beam as beam

        from pipeline.engines.dofns import EmitNames

        grouped = packed(pipeline, frozenset(pending)) | beam.GroupByKey()
        return grouped | f"{label}: reduce" >> beam.ParDo(EmitNames(partial(reduce_grouped, reduce=reduce), job))

    run_pipeline(build, runner=runner, label=label)
    unvisited = {
        task.name for task in pending_tasks([task for task in tasks if task.name in waiting], folder=job.folder)
    }
    for number, name in pending.items():
        # The shuffle does not visit empty partitions.
        if name in unvisited:
            reduce(number, [], job)


def reduce_grouped(element: tuple[int, Iterable[bytes]], job: J, *, reduce: Reduce[J]) -> list[str]:
    """Publish all elements of one partition, which come in any order."""
    partition, values = element
    return [reduce(partition, list(values), job)]


def workers_for(parts: Sequence[Part]) -> int:
    """How many workers a pipeline over these parts can use if it does not read text."""
    return -(-sum(part.rows for part in parts) // DOCUMENTS_PER_WORKER)


def finish_partition(name: str, job: PartitionJob, outputs: list[Output]) -> str:
    """Publish the task manifest of a partition; returns its name."""
    write_task(job.folder, TaskManifest(task=name, key=job.key, inputs={}, outputs=outputs, ledger=Ledger()))
    return name
