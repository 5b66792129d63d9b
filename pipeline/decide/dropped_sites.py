"""The dropped sites of each run: what tells a task which of its own documents go with their sites.

In: the verdicts on all sites, by partition. Out, below `OUT/decide/sites`:

    dropped/<run>.arrow   the names of the dropped sites that the run has documents of, sorted

Stages: `gone` (partitions), the dropped sites to each run that has them; `dropped` (runs), these files. So a task reads
no list of all dropped sites, which is as long as the corpus is large.
"""

from __future__ import annotations

from functools import partial

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from manifests.step import Output, TaskManifest
from pipeline.decide.exchange import receive
from pipeline.decide.runs import first_numbers, runs_of
from pipeline.decide.settings import DecideJob
from pipeline.decide.site_pages import FOLDER
from pipeline.decide.site_rule import DROPPED_SCHEMA, sites_file
from pipeline.decide.site_stages import SiteJob, send_back, sent_stage
from pipeline.decide.stages import Stage, numbered, run_stages, tasks_in
from pipeline.engines.runners import Runner
from pipeline.engines.tasks import collect, pending_tasks
from pipeline.parts import Part
from pipeline.schemas import publish_ipc, read_ipc
from storage.files import join

GONE = f"{FOLDER}/gone"
_DROPPED = f"{FOLDER}/dropped"


def run_dropped(job: SiteJob, *, runner: Runner) -> list[TaskManifest]:
    """Publish the dropped sites of each run.

    Args:
        runner: with as many workers as the stages can use.
    """
    last = Stage("Sites: dropped", publish_dropped, partial(numbered, stage=_DROPPED), job.runs)
    tasks = tasks_in(last, job)
    if pending_tasks(tasks, folder=job.folder):
        gone = partial(numbered, stage=GONE)
        told = Stage("Sites: gone", send_gone, gone, job.partitions, ((GONE, job.to_runs),))
        run_stages([sent_stage(job), told, last], job, runner=runner)
    return collect(tasks, folder=job.folder)


def send_gone(partition: int, job: SiteJob) -> list[Output]:
    """Stage `gone` of one partition."""
    table = read_ipc(join(job.folder, sites_file(partition)), columns=["site", "dropped"])
    return [send_back(job, GONE, partition, table.filter(table["dropped"]).select(["site"]).combine_chunks())]


def publish_dropped(run: int, job: SiteJob) -> list[Output]:
    """Stage `dropped` of one run."""
    names = receive(job, GONE, run, shape=job.to_runs)["site"].combine_chunks()
    batch = pa.RecordBatch.from_arrays([names.take(pc.sort_indices(names))], schema=DROPPED_SCHEMA)
    return [publish_ipc(job.folder, _dropped_file(run), [batch], DROPPED_SCHEMA)]


def _dropped_file(run: int) -> str:
    return f"{numbered(run, stage=_DROPPED)}.arrow"


def dropped_sites(part: Part, job: DecideJob) -> pa.Array:
    """Names of the sites that the rule drops among those of the part's run; empty without a rule."""
    if job.settings.site_rule is None:
        return pa.array([], pa.string())
    [run] = runs_of(np.array([part.base], np.uint64), first_numbers(job))
    return read_ipc(join(job.folder, _dropped_file(int(run))))["site"].combine_chunks()
