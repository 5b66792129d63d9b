"""The site rule by the verdicts on several snapshots, instead of those on one corpus alone.

In: the folder that the manifest names, which `pipeline.decide.site_merge` wrote, and the parts of extract. Out, below
`OUT/decide/sites`, what the site rule writes: counts, pages and evidence of this corpus, so that it can be merged
again, and

    <p>.arrow         its sites: documents and words of this corpus, evidence and score of all snapshots
    dropped.arrow     the names of its dropped sites, sorted

The list of sites that are never dropped is the manifest's own. A site has a verdict, or the corpus was not merged.
"""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from manifests.corpus import CorpusManifest, SiteEvidence
from manifests.errors import GristmillError
from manifests.step import StepManifest, TaskManifest
from pipeline.decide.settings import VERSION, DecideJob
from pipeline.decide.site_merge import STEP, merged_manifest, open_merged, rule_of
from pipeline.decide.site_pages import COUNTS, SITE_EVIDENCE, kind_file, overlapping
from pipeline.decide.site_rule import (
    SiteTask,
    VerdictJob,
    list_dropped,
    publish_verdicts,
    sites_file,
    verdict_job,
    verdicts_task,
)
from pipeline.decide.site_stages import SiteJob, run_site_pages
from pipeline.decide.snapshots import differing, partitions_in
from pipeline.engines.runners import Runner
from pipeline.engines.tasks import run_tasks
from pipeline.schemas import read_ipc
from storage.files import join
from storage.steps import read_task

_NAME = "personal_information.sites.merged"


class MergedJob(VerdictJob):
    """What the verdicts on all sites share.

    Attributes:
        merged: the folder of the merged sites.
        partitions: of the sites of this corpus.
        merged_partitions: of the merged sites.
    """

    merged: str
    partitions: int
    merged_partitions: int


def merged_folder(manifest: CorpusManifest) -> str | None:
    """The folder of merged sites that a manifest names; None if sites are judged by this corpus alone."""
    information = manifest.personal_information
    return None if information is None or information.sites is None else information.sites.merged


def merged_settings(manifest: CorpusManifest) -> str | None:
    """The digest of the merged sites, whose verdicts the decisions depend on; None without any.

    Raises:
        GristmillError: the folder holds no merged sites, they were judged by another rule or by another version, or a
            file is missing or has other bytes.
    """
    folder = merged_folder(manifest)
    if folder is None:
        return None
    step = open_merged(folder)
    information = manifest.personal_information
    assert information is not None
    assert information.sites is not None
    ours = information.sites.model_dump(mode="json", exclude={"allow", "merged"})
    theirs = rule_of(step).model_dump(mode="json", exclude={"allow", "merged"})
    names = [f"personal_information.sites.{name}" for name in differing(ours, theirs)]
    if step.settings["decide_version"] != VERSION:
        names.append("version of decide")
    if names:
        raise GristmillError(
            f"its sites were judged with other settings: {', '.join(names)}",
            where=folder,
            remedy=(
                f"restore them, or leave out `{_NAME}`, run `gristmill decide` on each snapshot, and `gristmill {STEP}`"
            ),
        )
    return step.digest


def check_covered(job: DecideJob, extracted: StepManifest) -> None:
    """Check, before anything is replaced, that the documents are among those whose sites were merged.

    Raises:
        GristmillError: they are not.
    """
    if job.merged is not None and extracted.digest not in merged_manifest(job.merged).inputs.values():
        raise GristmillError(
            f"the documents of {job.extract} are not among those whose sites were merged",
            where=job.merged,
            remedy=f"leave out `{_NAME}` and run `gristmill decide`; then run `gristmill {STEP}` with this folder, too",
        )


def run_merged_rule(job: SiteJob, *, runner: Runner) -> list[TaskManifest]:
    """Publish the sites with the merged verdicts and the list of dropped sites."""
    assert job.merged is not None
    # Its files were checked when the digest was taken that is part of the key (`merged_settings`).
    step = merged_manifest(job.merged)
    pages = run_site_pages(job, runner=runner)
    own = MergedJob(
        **verdict_job(job).model_dump(),
        merged=job.merged,
        partitions=job.partitions,
        merged_partitions=partitions_in(step, "evidence"),
    )
    means = merged_means(step, job.merged)
    tasks = [
        SiteTask(name=verdicts_task(number), key=job.key, partition=number, means=means)
        for number in range(own.partitions)
    ]
    verdicts = run_tasks(tasks, judge_by_merged, own, folder=job.folder, label="Merged verdicts", runner=runner)
    return [*pages, *verdicts, *list_dropped(job, own.partitions)]


def merged_means(step: StepManifest, folder: str) -> dict[SiteEvidence, float]:
    """The means of all merged sites, towards which each was drawn."""
    task = read_task(folder, verdicts_task(0))
    if task is None:
        raise GristmillError(
            f"the manifest of the task {verdicts_task(0)} is not there",
            where=folder,
            remedy=f"run `gristmill {step.step}` again",
        )
    means: dict[SiteEvidence, float] = task.details["means"]
    return means


def judge_by_merged(task: SiteTask, job: MergedJob) -> TaskManifest:
    """Publish the sites of one partition with what the merged sites say of them."""
    counts = read_ipc(join(job.folder, kind_file("counts", task.partition)))
    found = [SITE_EVIDENCE.append(pa.field("score", pa.float64(), nullable=False)).empty_table()]
    for number in overlapping(task.partition, job.partitions, others=job.merged_partitions):
        table = read_ipc(join(job.merged, sites_file(number)), columns=[*SITE_EVIDENCE.names, "score"])
        found.append(table.filter(pc.is_in(table["site"], value_set=counts["site"].combine_chunks())))
    # Sorted by name in every file; the ranges of files are of hashes.
    merged = pa.concat_tables(found).sort_by("site").combine_chunks()
    if not merged["site"].equals(counts["site"]):
        raise GristmillError(
            f"has no verdict on some sites of {job.folder}",
            where=job.merged,
            remedy="this is a fault of Gristmill: please report it with both folders' manifests",
        )
    evidence = [merged[name] for name in SITE_EVIDENCE.names[len(COUNTS) :]]
    table = pa.table([*counts.columns, *evidence], schema=SITE_EVIDENCE)
    return publish_verdicts(task, table, merged["score"].combine_chunks().to_numpy(), job)
