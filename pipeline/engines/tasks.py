"""Runs a step's tasks: skips what is finished, runs the rest as one Beam pipeline, collects the task manifests.

In: tasks (small models that a worker gets as JSON) and the job that they share. Out: task manifests, sorted by task
name. A task's outputs depend only on the task and the job. Its function publishes them, then its manifest is published.
Running a task twice writes the same bytes.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, TypeVar

from manifests.base import Strict
from manifests.errors import GristmillError
from manifests.step import TaskManifest
from pipeline.engines.runners import Runner, run_pipeline
from storage.files import is_url
from storage.steps import finished_task, read_task, write_task

# Concurrent requests to an object store; a request takes about 10 ms, nearly all of it waiting.
_REQUESTS = 32


class Task(Strict):
    """One unit of work. Each step extends it with what its tasks need.

    Attributes:
        name: names the task manifest; derived from the input alone.
        key: sha256 over everything that the outputs depend on.
        weight: relative cost; heavy tasks start first.
    """

    name: str
    key: str
    weight: int = 1


R = TypeVar("R")
T = TypeVar("T", bound=Task)
J = TypeVar("J", bound=Strict)
TaskFunction = Callable[[T, J], TaskManifest]


def run_tasks(
    tasks: Sequence[T], function: TaskFunction[T, J], job: J, *, folder: str, label: str, runner: Runner
) -> list[TaskManifest]:
    """Run the tasks that are not finished yet.

    Args:
        tasks: all of one class.
        function: a top-level function; publishes its outputs below `folder` and returns its manifest.
        job: the same for all tasks.
        folder: the step's folder.
        label: name of the transform.

    Raises:
        GristmillError: a task failed; finished tasks stay finished.
    """
    runner.expect(len(tasks))
    pending = pending_tasks(tasks, folder=folder)
    if pending:
        # The embedded runner deals out elements round-robin; heaviest first gives each worker about the same amount of
        # work.
        ordered = sorted(pending, key=lambda task: (-task.weight, task.name))
        elements = [task.model_dump_json() for task in ordered]

        def build(pipeline: Any) -> object:
            import apache_beam as beam

            from pipeline.engines.dofns import EmitNames

            run = EmitNames(partial(perform, kind=type(ordered[0]), function=function, folder=folder), job)
            return pipeline | "Tasks" >> beam.Create(elements) | label >> beam.ParDo(run)

        run_pipeline(build, runner=runner.at_most(len(pending)), label=label)
    return collect(tasks, folder=folder)


def pending_tasks(tasks: Iterable[T], *, folder: str) -> list[T]:
    """The tasks that have no usable manifest yet."""
    listed = list(tasks)
    finished = for_each(lambda task: finished_task(folder, task.name, task.key) is not None, listed, folder=folder)
    return [task for task, done in zip(listed, finished, strict=True) if not done]


def collect(tasks: Iterable[Task], *, folder: str) -> list[TaskManifest]:
    """The manifests of finished tasks, sorted by name."""
    manifests = []
    ordered = sorted(tasks, key=lambda task: task.name)
    for task, manifest in zip(
        ordered, for_each(lambda task: read_task(folder, task.name), ordered, folder=folder), strict=True
    ):
        if manifest is None or manifest.key != task.key:
            raise GristmillError(f"task {task.name} did not finish", where=folder, remedy="run the same command again")
        manifests.append(manifest)
    return manifests


def for_each(function: Callable[[T], R], tasks: Sequence[T], *, folder: str) -> list[R]:
    """`function` of each task, in order.

    Uses `_REQUESTS` threads if each call waits for an object store, else one per core, since a call may hash a file.
    """
    with ThreadPoolExecutor(max_workers=_REQUESTS if is_url(folder) else os.cpu_count()) as pool:
        return list(pool.map(function, tasks))


def perform(element: str, job: J, *, kind: type[T], function: TaskFunction[T, J], folder: str) -> list[str]:
    """Run one task, given as JSON, and publish its manifest; returns its name.

    A lack of memory is reported with the task's name.
    """
    task = kind.model_validate_json(element)
    try:
        manifest = function(task, job)
    except GristmillError:
        raise
    except MemoryError as error:
        raise GristmillError("out of memory", where=task.name, remedy="use fewer --workers") from error
    write_task(folder, manifest)
    return [manifest.task]
