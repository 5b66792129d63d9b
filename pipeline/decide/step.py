"""The decide step: keeps or drops each document, by its signals, id and signature alone; no text is read.

In: the parts of extract. Out, below `OUT/decide`:

    block_lists/<n>-<kind>.arrow   opt-outs and block lists as hashes
    sites/<p>.arrow            per site: documents, words, evidence of personal information, dropped or not
    sites/dropped/<r>.arrow    the dropped sites that a run has documents of
    duplicates/fates/<r>.arrow   the rows that go as duplicates, each with the document that stays for it
    lines/                     lines that documents share, if they are compared: `pipeline.decide.lines`
    bands/<r>.arrow            scores of kept documents, and the thresholds of factual bands, if a source is cut
    decisions/<part>.arrow     row-aligned with documents: reason, duplicate of what, bucket, removed lines; the
                               manifest says how many bytes of text they keep
    dropped/<part>.arrow       the dropped documents, with their reasons and origins

Stages, each resumable: `pipeline.decide.block_lists`, `pipeline.decide.site_stages`, `pipeline.decide.site_rule` or
`pipeline.decide.merged_verdicts`, `pipeline.decide.dropped_sites`, `pipeline.decide.duplicates.search`,
`pipeline.decide.bands`, and the decisions here. A document goes as a duplicate only if a document that stays is
verified to be similar (`dedup.choice`). Documents are compared as they were extracted, before line rules remove lines.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from manifests.base import sha256_of
from manifests.corpus import CorpusManifest
from manifests.step import Ledger, StepManifest, TaskManifest, merge_ledgers
from pipeline.decide.allowed_sites import allowed_settings, publish_allowed
from pipeline.decide.bands import band_notes, check_scores, run_bands
from pipeline.decide.block_lists import idle_lists, list_settings, publish_lists
from pipeline.decide.decisions import decide_run
from pipeline.decide.dropped_sites import run_dropped
from pipeline.decide.duplicates.index import index_settings
from pipeline.decide.duplicates.search import run_duplicates
from pipeline.decide.line_verdicts import line_notes, lost_lines
from pipeline.decide.lines import run_lines, sent_bytes
from pipeline.decide.merged_verdicts import check_covered, merged_folder, merged_settings, run_merged_rule
from pipeline.decide.runs import run_job, tasks_of
from pipeline.decide.settings import DecideJob, DecideSettings, decide_settings
from pipeline.decide.site_rule import run_site_rule
from pipeline.decide.site_stages import SiteJob, site_job
from pipeline.decide.source_losses import DECISIONS
from pipeline.engines.partitions import workers_for
from pipeline.engines.runners import Runner, with_helpers
from pipeline.engines.tasks import run_tasks
from pipeline.filters import reasons_of
from pipeline.folders import DECIDE, EXTRACT
from pipeline.parts import list_parts
from storage.files import join
from storage.steps import begin_step, done_step, finish_step, require_step


def decide(manifest: CorpusManifest, *, out: str, runner: Runner) -> StepManifest:
    """Run the step; finished tasks are not repeated.

    Raises:
        GristmillError: extract is not complete, or a task failed.
    """
    folder = join(out, DECIDE)
    extracted = require_step(join(out, EXTRACT), command="gristmill extract")
    parts = list_parts(extracted, manifest)
    settings = decide_settings(
        manifest,
        block_lists=list_settings(manifest),
        allowed_sites=allowed_settings(manifest),
        merged_sites=merged_settings(manifest),
        indexes=index_settings(manifest),
    )
    described = settings.model_dump(mode="json")
    job = DecideJob(
        settings=settings,
        extract=join(out, EXTRACT),
        folder=folder,
        key=sha256_of([described, extracted.digest]),
        merged=merged_folder(manifest),
        indexes=tuple(manifest.dedup.index),
    )
    check_covered(job, extracted)
    done = done_step(folder)
    if done is None or (done.settings, done.inputs) != (described, {EXTRACT: extracted.digest}):
        begin_step(folder)
    check_scores(parts, job)
    lists = [*publish_lists(manifest, job), *publish_allowed(manifest, job)]
    in_runs = run_job(parts, job, sent=sent_bytes(extracted, job))
    with with_helpers(runner.at_most(workers_for(parts))) as at_most:
        sites = [] if settings.site_rule is None else _run_sites(site_job(parts, in_runs), runner=at_most)
        duplicates = run_duplicates(in_runs, runner=at_most)
        lines: list[TaskManifest] = []
        if settings.dedup.lines is not None:
            lines = run_lines(in_runs, extracted=extracted, runner=at_most)
        bands = run_bands(in_runs, runner=at_most)
        decisions = run_tasks(
            tasks_of(DECISIONS, in_runs), decide_run, in_runs, folder=folder, label="decisions", runner=at_most
        )
    tasks = [*lists, *sites, *duplicates, *lines, *bands, *decisions]
    ledger = merge_ledgers(task.ledger for task in tasks)
    return finish_step(
        folder,
        step=DECIDE,
        settings=described,
        inputs={EXTRACT: extracted.digest},
        inputs_sha256=extracted.digest,
        tasks=tasks,
        inside=lost_lines(decisions),
        notes=[
            *(note for task in lists for note in task.notes),
            *_notes(manifest, settings, ledger, decisions),
            *band_notes(job),
            *line_notes(decisions, job),
        ],
    )


def _run_sites(job: SiteJob, *, runner: Runner) -> list[TaskManifest]:
    run_rule = run_site_rule if job.merged is None else run_merged_rule
    return [*run_rule(job, runner=runner), *run_dropped(job, runner=runner)]


def _notes(
    manifest: CorpusManifest, settings: DecideSettings, ledger: Ledger, decisions: Sequence[TaskManifest]
) -> list[str]:
    """Notes on rules that had no effect, and on what line rules removed."""
    rule = manifest.personal_information
    enabled = {
        "exact_duplicate": manifest.dedup.exact,
        "near_duplicate": manifest.dedup.minhash is not None,
        "personal_information_site": rule is not None and rule.sites is not None,
        "personal_information_document": rule is not None and rule.max_spans_per_document is not None,
        "language": manifest.languages.keep != "all",
    }
    notes = [
        f"{reason}: no document was dropped for this"
        for reason, on in enabled.items()
        if on and not ledger.dropped.get(reason)
    ]
    if ledger.records_in and not ledger.kept:
        most = max(sorted(ledger.dropped), key=lambda reason: ledger.dropped[reason])
        notes.insert(0, f"no document is kept; most went for {most}: {ledger.dropped[most]:,} of {ledger.records_in:,}")
    blocked = np.array([task.details["blocked"] for task in decisions if task.details["blocked"]], np.int64)
    if len(blocked):
        notes += idle_lists(settings.block_lists, blocked.sum(axis=0))
    removed, shortened = (
        sum(task.details[name] for task in decisions) for name in ("removed_lines", "shortened_documents")
    )
    groups = [manifest.filters, *(source.filters for source in manifest.sources if source.filters is not None)]
    used = groups[1:] if len(groups) > len(manifest.sources) else groups
    sections = {section.variant: section for group in used for section in group}
    for variant, section in sections.items():
        if not any(ledger.dropped.get(reason) for reason in reasons_of(section)):
            notes.append(f"filter `{variant}`: no document was dropped for it")
    repeated = sum(task.inside["duplicate_lines"].count for task in decisions if "duplicate_lines" in task.inside)
    if removed > repeated:
        rules = "line rules and `dedup.lines`" if repeated else "line rules"
        notes.append(f"{rules}: {removed:,} lines go from {shortened:,} documents that stay")
    return notes
