"""Merging snapshots: the sites of several prepared folders, judged as if all their documents had been in one run.

In: folders of `gristmill prep` or `decide`: the pages by which their sites are judged, and their documents and words.
Out, in a folder of its own:

    sites/counts-<p>.arrow, pages-<p>.arrow, evidence-<p>.arrow     as `pipeline.decide.site_pages` has them
    sites/<p>.arrow, dropped.arrow    the verdicts, as `pipeline.decide.site_rule` has them
    sites/allowed.arrow    the list of sites that are never dropped, if the folders have one
    dropped.txt            the names of the dropped sites, sorted, one a line
    .folders.json          where the folders are: masked examples are looked up there
    tasks/…, _MANIFEST.json

Documents and words add up; a page counts once however many snapshots have it. There are as many partitions as one run
would have, and the files of a partition are byte for byte those of one run, wherever each folder sent `MOST_PAGES`
pages of its large sites: the smallest ids of all are among the smallest of each. They depend neither on the order of
the folders nor on their partitions. No text is read and nothing goes through a shuffle: one task makes one partition
and reads, one after the other, those files of each folder whose ranges meet its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from manifests.base import canonical_json, load_json, sha256_of
from manifests.corpus import SiteRule
from manifests.errors import GristmillError
from manifests.step import Ledger, StepManifest, TaskManifest
from pipeline.decide.allowed_sites import ALLOWED_FILE, ALLOWED_TASK
from pipeline.decide.settings import VERSION as DECIDE_VERSION
from pipeline.decide.site_pages import (
    COUNTS,
    FOLDER,
    PAGES,
    kind_file,
    overlapping,
    partition_name,
    partitions_of_rows,
    partitions_of_sites,
    publish_evidence,
    publish_kind,
    sampled_pages,
    summed_counts,
)
from pipeline.decide.site_rule import DROPPED_FILE, VerdictJob, run_verdicts, sites_file
from pipeline.decide.snapshots import Snapshot, check_same, open_snapshot, partitions_in
from pipeline.engines.partitions import finish_partition
from pipeline.engines.runners import Runner, with_helpers
from pipeline.engines.tasks import Task, collect, pending_tasks, run_tasks
from pipeline.folders import DECIDE, EXTRACT
from pipeline.schemas import publish_buffer, read_ipc
from storage.destination import begin_destination, check_apart, check_destination
from storage.files import join, publish, read_bytes, read_if_there
from storage.lock import only_writer
from storage.steps import begin_step, check_outputs, finish_step, finished_task, require_manifest
from storage.verify import MERGE_SITES

STEP = MERGE_SITES
VERSION = 1
NAMES = "dropped.txt"
_PLACES = ".folders.json"
_NAMES_TASK = f"{FOLDER}/names"


class MergeJob(VerdictJob):
    """What all tasks share.

    Attributes:
        snapshots: sorted by digest.
        partitions: of the merged sites.
    """

    snapshots: tuple[Snapshot, ...]
    partitions: int


class MergeTask(Task):
    """One partition of the merged sites."""

    partition: int


def merge_sites(
    folders: Sequence[str], *, out: str, runner: Runner, on_step: Callable[[str], object] = lambda step: None
) -> StepManifest:
    """Judge the sites of several prepared folders together. Finished partitions are not made again.

    Args:
        folders: each the --out of `gristmill prep` or `decide`, with a site rule.
        out: an empty folder, or the one in which this merge was interrupted.
        on_step: called when the work begins.

    Raises:
        GristmillError: a folder is not complete or has no site rule, two hold the same documents or were made with
            other settings, `out` holds something else, or a task failed.
    """
    snapshots = sorted((open_snapshot(folder) for folder in folders), key=lambda snapshot: snapshot.extract)
    check_same(snapshots)
    first = snapshots[0]
    settings: dict[str, Any] = {
        "version": VERSION,
        "decide_version": DECIDE_VERSION,
        "texts": first.texts.model_dump(mode="json", exclude={"sources"}),
        "rule": first.rule.model_dump(mode="json"),
        "allowed_sites": first.allowed,
    }
    inputs = {f"{EXTRACT}/{snapshot.extract[:16]}": snapshot.extract for snapshot in snapshots}
    purpose = {"command": STEP, "settings": settings, "inputs": inputs}
    for snapshot in snapshots:
        check_apart(out, [join(snapshot.place, EXTRACT), join(snapshot.place, DECIDE)])
    check_destination(out, purpose=purpose)
    job = MergeJob(
        folder=out,
        key=sha256_of(purpose),
        rule=first.rule,
        allowed=None if first.allowed is None else join(out, ALLOWED_FILE),
        snapshots=tuple(snapshots),
        partitions=partitions_of_sites(sum(snapshot.documents for snapshot in snapshots)),
    )
    with only_writer(out, say=runner.say), with_helpers(runner) as helped:
        begin_destination(out, purpose=purpose)
        on_step(STEP)
        places = {snapshot.extract: snapshot.place for snapshot in snapshots}
        publish(join(out, _PLACES), canonical_json(places).encode())
        tasks = [
            MergeTask(name=partition_name("evidence", number), key=job.key, partition=number)
            for number in range(job.partitions)
        ]
        if pending_tasks(tasks, folder=out):
            begin_step(out)
        allowed = _publish_allowed(job)
        merged = run_tasks(tasks, merge_partition, job, folder=out, label="Merged sites", runner=helped)
        _check_rows(merged, job)
        verdicts = run_verdicts(job, job.partitions, runner=helped)
        names = _publish_names(job)
        return finish_step(
            out, step=STEP, settings=settings, inputs=inputs, tasks=[*allowed, *merged, *verdicts, *names]
        )


def merge_partition(task: MergeTask, job: MergeJob) -> TaskManifest:
    """Publish counts, pages and evidence of one partition.

    The task's manifest says how many rows of counts came from each snapshot, by digest.
    """
    counts, pages = [COUNTS.empty_table()], [PAGES.empty_table()]
    read: dict[str, int] = {}
    for snapshot in job.snapshots:
        found = list(_rows_of(snapshot, "counts", task.partition, job.partitions))
        read[snapshot.extract] = sum(table.num_rows for table in found)
        counts += found
        pages += _rows_of(snapshot, "pages", task.partition, job.partitions)
    summed = summed_counts(pa.concat_tables(counts))
    sampled = sampled_pages(pa.concat_tables(pages).combine_chunks())
    outputs = [
        publish_kind("counts", task.partition, summed, job.folder),
        *publish_evidence(task.partition, summed, sampled, job.folder, rule=job.rule),
    ]
    return TaskManifest(
        task=task.name, key=task.key, inputs={}, outputs=outputs, ledger=Ledger(), details={"read": read}
    )


def _rows_of(snapshot: Snapshot, kind: str, partition: int, partitions: int) -> Iterator[pa.Table]:
    """The rows of one snapshot that belong to a partition of the merged sites, file by file."""
    for number in overlapping(partition, partitions, others=snapshot.partitions):
        table = read_ipc(join(snapshot.place, DECIDE, kind_file(kind, number)))
        yield table.filter(pa.array(partitions_of_rows(table, partitions) == partition))


def _check_rows(tasks: Sequence[TaskManifest], job: MergeJob) -> None:
    """Law 3: the sites of each snapshot went into exactly one partition each."""
    for snapshot in job.snapshots:
        read = sum(task.details["read"][snapshot.extract] for task in tasks)
        if read != snapshot.rows:
            raise GristmillError(
                f"{snapshot.rows:,} rows of sites were to be merged, {read:,} were",
                where=snapshot.place,
                remedy="this is a fault of Gristmill: please report it with the folder's task manifests",
            )


def _publish_allowed(job: MergeJob) -> list[TaskManifest]:
    """Publish the list of sites that are never dropped, which is the same in all folders."""
    if job.allowed is None:
        return []
    if finished_task(job.folder, ALLOWED_TASK, job.key) is None:
        path = join(job.snapshots[0].place, DECIDE, ALLOWED_FILE)
        output = publish_buffer(job.folder, ALLOWED_FILE, pa.py_buffer(read_bytes(path)), rows=read_ipc(path).num_rows)
        finish_partition(ALLOWED_TASK, job, [output])
    return collect([Task(name=ALLOWED_TASK, key=job.key)], folder=job.folder)


def _publish_names(job: MergeJob) -> list[TaskManifest]:
    """Publish the names of the dropped sites as text."""
    if finished_task(job.folder, _NAMES_TASK, job.key) is None:
        names = read_ipc(join(job.folder, DROPPED_FILE))["site"].to_pylist()
        data = "".join(f"{name}\n" for name in names).encode()
        finish_partition(_NAMES_TASK, job, [publish_buffer(job.folder, NAMES, pa.py_buffer(data), rows=len(names))])
    return collect([Task(name=_NAMES_TASK, key=job.key)], folder=job.folder)


def open_merged(folder: str) -> StepManifest:
    """The manifest of merged sites whose files are all there and whole.

    Raises:
        GristmillError: as `merged_manifest`, or a file is missing or has other bytes.
    """
    step = merged_manifest(folder)
    check_outputs(folder, step)
    return step


def merged_manifest(folder: str) -> StepManifest:
    """The manifest of merged sites; their files are not looked at.

    Raises:
        GristmillError: the folder holds none, or something else.
    """
    step = require_manifest(folder, command=f"gristmill {STEP}")
    if step.step != STEP:
        raise GristmillError(
            f"holds no merged sites, but what `gristmill {step.step}` wrote",
            where=folder,
            remedy=f"name the --out of `gristmill {STEP}`",
        )
    return step


class Totals(NamedTuple):
    """How many sites and documents were judged, and how many of them go."""

    sites: int
    documents: int
    dropped: int
    dropped_documents: int


def verdict_totals(step: StepManifest, folder: str) -> Totals:
    """The totals of merged sites."""
    totals = np.zeros(4, np.int64)
    for number in range(partitions_in(step, "evidence")):
        table = read_ipc(join(folder, sites_file(number)), columns=["documents", "dropped"])
        documents, dropped = (table[name].to_numpy() for name in ("documents", "dropped"))
        totals += [len(documents), documents.sum(), dropped.sum(), documents[dropped].sum()]
    return Totals(*totals.tolist())


def rule_of(step: StepManifest) -> SiteRule:
    """The rule by which merged sites were judged."""
    return SiteRule.model_validate(step.settings["rule"])


def places_of(folder: str) -> dict[str, str]:
    """Where the merged folders were, by the digest of their extract step; empty if the record of that is gone."""
    path = join(folder, _PLACES)
    data = read_if_there(path)
    places: dict[str, str] = {} if data is None else load_json(data, where=path)
    return places
