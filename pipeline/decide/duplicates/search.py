"""The search for duplicates, from the parts of extract to the fates of their rows: its stages in their order.

In: the runs of parts, and the reasons of rows that are already dropped; those are left out, so that they never displace
a good copy. Out, below `OUT/decide/duplicates`: `fates/<run>.arrow` and `counts/<run>.arrow`
(`pipeline.decide.duplicates.fates`). What stages hand on lies there too until decide is done.

How stages are run and resumed: `pipeline.decide.stages`.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from manifests.errors import GristmillError
from manifests.step import Output, TaskManifest
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
from pipeline.decide.exchange import Shape
from pipeline.decide.runs import RunJob
from pipeline.decide.stages import Stage, numbered, run_stages, tasks_in
from pipeline.engines.runners import Runner
from pipeline.engines.tasks import collect, pending_tasks


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
    stages = copies_stages(job.runs)
    last = fates_stages(job.runs)
    if dedup.minhash is None:
        last = last[-1:]
    tasks = tasks_in(last[-1], job)
    if not pending_tasks(tasks, folder=job.folder):
        return collect(tasks, folder=job.folder)
    if dedup.minhash is not None:
        stages += pairs_stages(job.runs)
        rounds = 0
        if job.runs > 1:
            run_stages(stages, job, runner=runner)
            rounds = run_rounds(stages[-1], job, runner=runner)
            stages = []
        stages += choice_stages(job.runs, rounds=rounds)
    run_stages([*stages, *last], job, runner=runner)
    return collect(tasks, folder=job.folder)


def copies_stages(runs: int) -> list[Stage]:
    """Exact copies, with this many runs."""
    return [
        _stage("ids", send_ids, runs, sends=(IDS,)),
        _stage("copies", send_copies, runs, sends=(COPIES, COPIED)),
    ]


def pairs_stages(runs: int) -> list[Stage]:
    """Near duplicates, up to verified pairs."""
    return [
        _stage("keys", send_keys, runs, sends=(KEYS,)),
        _stage("buckets", send_shared, runs, sends=(SHARED,)),
        _stage("sketches", send_sketches, runs, sends=(SKETCHES,)),
        _stage("leaders", send_pairs, runs, sends=(PAIRS, COMPARED, HUBS)),
        _stage("sure", send_asked, runs, sends=(ASKED,)),
        _stage("texts", send_sets, runs, sends=(SETS,)),
        _stage("edges", publish_edges, runs),
    ]


def fates_stages(runs: int) -> list[Stage]:
    """From the choice to fates; without MinHash only the last of these."""
    return [
        _stage("relay", fates.send_relayed, runs, sends=(fates.RELAYED,)),
        _stage("fates", fates.publish_fates, runs),
    ]


def choice_stages(runs: int, *, rounds: int) -> list[Stage]:
    """What is left of the choice after so many rounds."""
    stages = [_stage("rest", partial(choice.decide_rest, rounds=rounds), runs, size=1)]
    if rounds:
        sends = (choice.states_exchange(rounds),)
        stages.append(_stage("last", partial(choice.send_last, rounds=rounds), runs, sends=sends))
    return [*stages, _stage("chosen", partial(choice.publish_chosen, rounds=rounds), runs)]


def _stage(
    name: str,
    work: Callable[[int, RunJob], list[Output]],
    runs: int,
    *,
    sends: tuple[str, ...] = (),
    size: int | None = None,
) -> Stage:
    """A stage of this search, of a task for each run or of `size` tasks; what it sends goes from runs to runs."""
    shape = Shape(runs, runs)
    return Stage(
        label=f"Duplicates: {name}",
        work=work,
        name_of=partial(numbered, stage=f"{FOLDER}/{name}"),
        size=runs if size is None else size,
        sends=tuple((exchange, shape) for exchange in sends),
    )


def run_rounds(edges: Stage, job: RunJob, *, runner: Runner) -> int:
    """Decide which rows go until the pairs that wait fit in one task; returns how many rounds that took.

    Args:
        edges: the stage that published the pairs.
    """
    pairs = waiting = _pairs(edges, job)
    if waiting > choice.EDGES_AT_ONCE:
        run_stages([_stage("asks", choice.send_asks, job.runs, sends=(choice.ASKS,))], job, runner=runner)
    rounds = 0
    while waiting > choice.EDGES_AT_ONCE:
        if rounds == choice.MOST_ROUNDS:
            raise GristmillError(
                f"after {rounds} rounds {waiting:,} of {pairs:,} verified pairs still hang on each other",
                where=f"{job.folder}/{FOLDER}",
                remedy="raise `minhash.similarity`: chains of copies of copies are that long",
            )
        work = partial(choice.decide_round, number=rounds)
        stage = _stage(f"round-{rounds:02d}", work, job.runs, sends=(choice.states_exchange(rounds),))
        run_stages([stage], job, runner=runner)
        waiting = _pairs(stage, job)
        rounds += 1
    return rounds


def _pairs(stage: Stage, job: RunJob) -> int:
    """How many pairs a stage published, in the first file of each of its tasks."""
    return sum(task.outputs[0].rows for task in collect(tasks_in(stage, job), folder=job.folder))
