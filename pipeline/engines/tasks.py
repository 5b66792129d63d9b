"""Running a step's tasks: skip what is finished, run the rest as one Beam pipeline, collect the task manifests.

In: task names with their payloads (small JSON objects). Out: task manifests, sorted by task name. A task is a pure function of its
payload and settings that publishes its outputs and then its task manifest; running it twice writes the same bytes.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeVar

from manifests.errors import GristmillError
from manifests.step import TaskManifest
from pipeline.engines.runners import Runner, run_pipeline
from storage.files import is_url
from storage.steps import finished_task, read_task, write_task

R = TypeVar("R")

# Requests to an object store at once; a request takes some 10 ms, nearly all of it waiting.
_REQUESTS = 32

# (payload, settings) -> what the task did; must be importable by name in a worker.
TaskFunction = Callable[[dict[str, Any], dict[str, Any]], TaskManifest]


@dataclass(frozen=True)
class Task:
    """One unit of work.

    Attributes:
        name: names the task manifest; from the input alone.
        key: sha256 over everything that the outputs depend on.
        payload: JSON-serialisable; handed to the task function.
        weight: relative cost; heavy tasks start first.
    """

    name: str
    key: str
    payload: Mapping[str, Any]
    weight: int = 1


def run_tasks(
    tasks: Sequence[Task], function: TaskFunction, settings: Mapping[str, Any], *, folder: str, label: str, runner: Runner
) -> list[TaskManifest]:
    """Run the tasks that are not finished yet.

    Args:
        function: a top-level function; publishes its outputs below `folder` and returns its manifest.
        settings: JSON-serialisable, the same for all tasks.
        folder: the step's folder.
        label: name of the transform.

    Raises:
        GristmillError: a task failed; finished tasks stay finished.
    """
    runner.expect(len(tasks))
    pending = pending_tasks(tasks, folder=folder)
    if pending:
        # The embedded runner deals elements out round-robin: heavy ones first keeps the workers level.
        ordered = sorted(pending, key=lambda task: (-task.weight, task.name))
        elements = [json.dumps({"name": task.name, "key": task.key, **task.payload}) for task in ordered]

        def build(pipeline: Any) -> object:
            import apache_beam as beam

            from pipeline.engines.dofns import RunTask

            run = RunTask(perform, function, dict(settings), folder)
            return pipeline | "Tasks" >> beam.Create(elements) | label >> beam.ParDo(run)

        run_pipeline(build, runner=runner.at_most(len(pending)), label=label)
    return collect(tasks, folder=folder)


def pending_tasks(tasks: Iterable[Task], *, folder: str) -> list[Task]:
    """The tasks that have no usable manifest yet."""
    wanted = list(tasks)
    finished = for_each(lambda task: finished_task(folder, task.name, task.key) is not None, wanted, folder=folder)
    return [task for task, done in zip(wanted, finished, strict=True) if not done]


def collect(tasks: Iterable[Task], *, folder: str) -> list[TaskManifest]:
    """The manifests of finished tasks, sorted by name."""
    manifests = []
    wanted = sorted(tasks, key=lambda task: task.name)
    for task, manifest in zip(wanted, for_each(lambda task: read_task(folder, task.name), wanted, folder=folder), strict=True):
        if manifest is None or manifest.key != task.key:
            raise GristmillError(f"task {task.name} did not finish", where=folder, remedy="run the same command again")
        manifests.append(manifest)
    return manifests


def for_each(function: Callable[[Task], R], tasks: Sequence[Task], *, folder: str) -> list[R]:
    """`function` of each task, in order; by many threads where each call waits for an object store, by some where it may hash a file."""
    with ThreadPoolExecutor(max_workers=_REQUESTS if is_url(folder) else os.cpu_count()) as pool:
        return list(pool.map(function, tasks))


def perform(element: str, function: TaskFunction, settings: dict[str, Any], folder: str) -> TaskManifest:
    """Run one task and publish its manifest. Errors name the task."""
    payload = json.loads(element)
    try:
        manifest = function(payload, settings)
    except GristmillError:
        raise
    except MemoryError as error:
        raise GristmillError("out of memory", where=payload["name"], remedy="use fewer --workers") from error
    write_task(folder, manifest)
    return manifest
