"""Stages that hand records on to each other by exchanges: run one after the other, task by task.

In: stages, each with so many tasks and what these send (`pipeline.decide.exchange`). Out: what their tasks publish.
Tasks are numbers of runs or of partitions; finished ones are not done again. Each stage is a pipeline of its own, so
that all its tasks are done before those of the next one read what they sent. Where one worker is enough, all stages are
one element of one pipeline: to start another pipeline costs as much as to decide ten thousands of documents.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import Any, NamedTuple

from manifests.errors import GristmillError
from manifests.step import Ledger, Output, TaskManifest
from pipeline.decide.exchange import Shape, combine, combining
from pipeline.decide.runs import RunJob, RunTask
from pipeline.engines.runners import Runner, run_pipeline
from pipeline.engines.tasks import pending_tasks, run_tasks
from storage.steps import finished_task, write_task


class Stage(NamedTuple):
    """One stage.

    Attributes:
        label: of its pipeline.
        work: `(number, job) -> outputs`, publishes what the task with this number gives; importable by name in a
            worker, or a `functools.partial` of such a function.
        name_of: names the task with a number; a function of the same kind.
        size: how many tasks there are.
        sends: the exchanges that it publishes, with their shapes.
    """

    label: str
    work: Callable[[int, Any], list[Output]]
    name_of: Callable[[int], str]
    size: int
    sends: tuple[tuple[str, Shape], ...] = ()


def numbered(number: int, *, stage: str) -> str:
    """The name of a task."""
    return f"{stage}/{number:06d}"


def tasks_in(stage: Stage, job: RunJob) -> list[RunTask]:
    """The tasks of one stage."""
    return [RunTask(name=stage.name_of(number), key=job.key, number=number) for number in range(stage.size)]


def run_stages(stages: Sequence[Stage], job: RunJob, *, runner: Runner) -> None:
    """Do what is not finished of these stages, in their order.

    Args:
        runner: with as many workers as the stages can use.

    Raises:
        GristmillError: a task failed; finished tasks stay finished.
    """
    steps = steps_of(stages, job)
    runner = runner.at_most(max(step.size for step in steps))
    if runner.workers > 1:
        for step in steps:
            function = partial(perform, work=step.work)
            run_tasks(tasks_in(step, job), function, job, folder=job.folder, label=step.label, runner=runner)
        return
    tasks = [task for step in steps for task in tasks_in(step, job)]
    runner.expect(len(tasks))
    if not pending_tasks(tasks, folder=job.folder):
        return

    def build(pipeline: Any) -> object:
        import apache_beam as beam

        from pipeline.engines.dofns import EmitNames

        function = EmitNames(partial(_perform_all, steps=tuple(steps)), job)
        return pipeline | "All" >> beam.Create([steps[0].label]) | "Stages" >> beam.ParDo(function)

    run_pipeline(build, runner=runner, label=steps[0].label)


def steps_of(stages: Iterable[Stage], job: RunJob) -> list[Stage]:
    """The stages, each with the second levels of what it sends after it."""
    steps = []
    for stage in stages:
        steps.append(stage)
        for exchange, shape in stage.sends:
            if count := combining(job, shape):
                work = partial(_combined, exchange=exchange, shape=shape)
                name_of = partial(numbered, stage=f"{exchange}-combined")
                steps.append(Stage(f"{stage.label}, combined", work, name_of, count))
    return steps


def _combined(number: int, job: RunJob, *, exchange: str, shape: Shape) -> list[Output]:
    return [combine(job, exchange, number, shape=shape)]


def perform(task: RunTask, job: RunJob, *, work: Callable[[int, Any], list[Output]]) -> TaskManifest:
    """Do one task of a stage."""
    return TaskManifest(task=task.name, key=task.key, inputs={}, outputs=work(task.number, job), ledger=Ledger())


def _perform_all(_: str, job: RunJob, *, steps: Sequence[Stage]) -> Iterator[str]:
    """Do all tasks of all stages but those that are finished; gives their names."""
    for step in steps:
        for task in tasks_in(step, job):
            if finished_task(job.folder, task.name, task.key) is not None:
                continue
            try:
                manifest = perform(task, job, work=step.work)
            except MemoryError as error:
                raise GristmillError("out of memory", where=task.name, remedy="use a machine with more") from error
            write_task(job.folder, manifest)
            yield task.name
