"""The search for duplicates, from the parts of extract to the fates of their rows: its stages in their order.

In: the runs of parts, and the reasons of rows that are already dropped; those are left out, so that they never displace
a good copy. Out, below `OUT/decide/duplicates`: `fates/<run>.arrow` and `counts/<run>.arrow`
(`pipeline.decide.duplicates.fates`). What stages hand on lies there too until decide is done.

Each stage is a Beam pipeline over the numbers of runs or partitions, and is resumed task by task. Where there is one
run, all stages are one element of one pipeline, which does them one after the other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import Literal, NamedTuple

from manifests.errors import GristmillError
from manifests.step import Ledger, Output, TaskManifest
from pipeline.decide.duplicates import choice, fates
from pipeline.decide.duplicates.candidates import (
    COMPARED,
    HUBS,
    KEYS,
    PAIRS,
    SHARED,
    SKETCHES,
    send_keys,
    send_pairs,
    send_shared,
    send_sketches,
)
from pipeline.decide.duplicates.copies import COPIED, COPIES, FOLDER, IDS, send_copies, send_ids
from pipeline.decide.duplicates.index import with_indexes
from pipeline.decide.duplicates.verification import ASKED, SETS, publish_edges, send_asked, send_sets
from pipeline.decide.exchange import blocks, combine, two_levels
from pipeline.decide.runs import RunJob, RunTask, tasks_of
from pipeline.engines.runners import Runner
from pipeline.engines.tasks import collect, pending_tasks, run_tasks
from storage.steps import finished_task, write_task

Perform = Callable[[RunTask, RunJob], TaskManifest]


class Stage(NamedTuple):
    """One stage.

    Attributes:
        name: of its tasks.
        work: publishes what the task with this number hands on.
        sends: the exchanges that it publishes.
        of: `near` stages are left out without MinHash.
    """

    name: str
    work: Callable[[int, RunJob], list[Output]]
    sends: tuple[str, ...] = ()
    of: Literal["all", "near"] = "near"


COPIES_STAGES = (
    Stage("ids", send_ids, (IDS,), of="all"),
    Stage("copies", send_copies, (COPIES, COPIED), of="all"),
)
PAIRS_STAGES = (
    Stage("keys", send_keys, (KEYS,)),
    Stage("buckets", send_shared, (SHARED,)),
    Stage("sketches", send_sketches, (SKETCHES,)),
    Stage("leaders", send_pairs, (PAIRS, COMPARED, HUBS)),
    Stage("sure", send_asked, (ASKED,)),
    Stage("texts", send_sets, (SETS,)),
    Stage("edges", publish_edges),
)
ASKS_STAGE = Stage("asks", choice.send_asks, (choice.ASKS,))
FATES_STAGES = (
    Stage("relay", fates.send_relayed, (fates.RELAYED,)),
    Stage("fates", fates.publish_fates, of="all"),
)
_STAGES = (*COPIES_STAGES, *PAIRS_STAGES, ASKS_STAGE, *FATES_STAGES)


def run_duplicates(job: RunJob, *, runner: Runner) -> list[TaskManifest]:
    """Publish the fates of the rows of all runs; returns the tasks of the last stage.

    Nothing is published if the manifest asks for no deduplication.

    Args:
        runner: with as many workers as the stages can use.

    Raises:
        GristmillError: the choice is not finished after `choice.MOST_ROUNDS` rounds.
    """
    dedup = job.settings.dedup
    if not dedup.exact and dedup.minhash is None:
        return []
    job = with_indexes(job)
    last = tasks_of(f"{FOLDER}/fates", job)
    if not pending_tasks(last, folder=job.folder):
        return collect(last, folder=job.folder)
    if job.runs == 1:
        whole = RunTask(name=f"{FOLDER}/all", key=job.key, number=0)
        run_tasks([whole], perform_all, job, folder=job.folder, label="Duplicates", runner=runner)
        return collect(last, folder=job.folder)
    edges: list[TaskManifest] = []
    for stage in _wanted((*COPIES_STAGES, *PAIRS_STAGES), job):
        edges = _run_stage(stage, job, runner=runner)
    if dedup.minhash is not None:
        _run_choice(sum(task.outputs[0].rows for task in edges), job, runner=runner)
    for stage in _wanted(FATES_STAGES, job):
        _run_stage(stage, job, runner=runner)
    return collect(last, folder=job.folder)


def _wanted(stages: Iterable[Stage], job: RunJob) -> list[Stage]:
    return [stage for stage in stages if stage.of == "all" or job.settings.dedup.minhash is not None]


def _run_stage(stage: Stage, job: RunJob, *, runner: Runner) -> list[TaskManifest]:
    done = _run(f"{FOLDER}/{stage.name}", partial(perform, stage=stage.name), job, runner=runner)
    for exchange in stage.sends:
        _combine(exchange, job, runner=runner)
    return done


def _run(name: str, function: Perform, job: RunJob, *, runner: Runner, count: int | None = None) -> list[TaskManifest]:
    tasks = tasks_of(name, job, count=count)
    return run_tasks(tasks, function, job, folder=job.folder, label=name.replace("/", ": "), runner=runner)


def _combine(exchange: str, job: RunJob, *, runner: Runner) -> None:
    if two_levels(job):
        function = partial(perform_combine, exchange=exchange)
        _run(f"{exchange}-combined", function, job, runner=runner, count=blocks(job) ** 2)


def _run_choice(pairs: int, job: RunJob, *, runner: Runner) -> None:
    """Decide which rows go, in as many rounds as it takes until the pairs that wait fit in one task."""
    rounds, waiting = 0, pairs
    if waiting > choice.EDGES_AT_ONCE:
        _run_stage(ASKS_STAGE, job, runner=runner)
    while waiting > choice.EDGES_AT_ONCE:
        if rounds == choice.MOST_ROUNDS:
            raise GristmillError(
                f"after {rounds} rounds {waiting:,} of {pairs:,} verified pairs still hang on each other",
                where=f"{job.folder}/{FOLDER}",
                remedy="raise `minhash.similarity`: chains of copies of copies are that long",
            )
        function = partial(perform_round, round_number=rounds)
        done = _run(f"{FOLDER}/round-{rounds:02d}", function, job, runner=runner)
        _combine(choice.states_exchange(rounds), job, runner=runner)
        waiting = sum(task.details["waiting"] for task in done)
        rounds += 1
    _run(f"{FOLDER}/rest", partial(perform_rest, rounds=rounds), job, runner=runner, count=1)
    if rounds:
        _run(f"{FOLDER}/last", partial(perform_last, rounds=rounds), job, runner=runner)
        _combine(choice.states_exchange(rounds), job, runner=runner)
    _run(f"{FOLDER}/chosen", partial(perform_chosen, rounds=rounds), job, runner=runner)


def _done(task: RunTask, outputs: list[Output], **details: int) -> TaskManifest:
    return TaskManifest(task=task.name, key=task.key, inputs={}, outputs=outputs, ledger=Ledger(), details=details)


def perform(task: RunTask, job: RunJob, *, stage: str) -> TaskManifest:
    """Do one task of a stage, given by name."""
    [work] = [each.work for each in _STAGES if each.name == stage]
    return _done(task, work(task.number, job))


def perform_combine(task: RunTask, job: RunJob, *, exchange: str) -> TaskManifest:
    """Do one task of the second level of an exchange."""
    return _done(task, [combine(job, exchange, task.number)])


def perform_round(task: RunTask, job: RunJob, *, round_number: int) -> TaskManifest:
    """Do one run's part of a round."""
    outputs, waiting = choice.decide_round(round_number, task.number, job)
    return _done(task, outputs, waiting=waiting)


def perform_rest(task: RunTask, job: RunJob, *, rounds: int) -> TaskManifest:
    """Decide what waits after the rounds."""
    return _done(task, choice.decide_rest(rounds, job))


def perform_last(task: RunTask, job: RunJob, *, rounds: int) -> TaskManifest:
    """Tell other runs what the rest decided of one run's rows."""
    return _done(task, choice.send_last(rounds, task.number, job))


def perform_chosen(task: RunTask, job: RunJob, *, rounds: int) -> TaskManifest:
    """Publish which of a run's rows go."""
    return _done(task, choice.publish_chosen(rounds, task.number, job))


def perform_all(task: RunTask, job: RunJob) -> TaskManifest:
    """Do all stages of a corpus of one run, but for the tasks that are finished."""
    work: list[tuple[str, Perform]] = [
        (stage.name, partial(perform, stage=stage.name)) for stage in _wanted((*COPIES_STAGES, *PAIRS_STAGES), job)
    ]
    if job.settings.dedup.minhash is not None:
        work += [("rest", partial(perform_rest, rounds=0)), ("chosen", partial(perform_chosen, rounds=0))]
    work += [(stage.name, partial(perform, stage=stage.name)) for stage in _wanted(FATES_STAGES, job)]
    for name, function in work:
        [inner] = tasks_of(f"{FOLDER}/{name}", job)
        if finished_task(job.folder, inner.name, inner.key) is None:
            write_task(job.folder, function(inner, job))
    return _done(task, [])
