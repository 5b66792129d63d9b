"""The decide step: keeps or drops each document, by its signals, id and signature alone; no text is read.

In: the parts of extract. Out, below `OUT/decide`:

    block_lists/<n>-<kind>.arrow   opt-outs and block lists as hashes
    sites/<p>.arrow            per site: documents, words, evidence of personal information, dropped or not
    duplicates/fates/<r>.arrow   the rows that go as duplicates, each with the document that stays for it
    bands/<k>.arrow            scores of kept documents, and the thresholds of factual bands, if a source is cut
    decisions/<part>.arrow     row-aligned with documents: reason, duplicate of what, bucket, removed lines; the
                               manifest says how many bytes of text they keep
    dropped/<part>.arrow       the dropped documents, with their reasons and origins

Stages, each resumable: `pipeline.decide.block_lists`, `pipeline.decide.site_rule` or `pipeline.decide.merged_verdicts`,
`pipeline.decide.duplicates.search`, `pipeline.decide.bands`, and the decisions here. A document goes as a duplicate
only if a document that stays is verified to be similar (`dedup.choice`). Documents are compared as they were extracted,
before line rules remove lines.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from manifests.base import sha256_of
from manifests.corpus import CorpusManifest
from manifests.filters import REASONS
from manifests.step import Ledger, Output, StepManifest, TaskManifest, merge_ledgers
from pipeline.decide.allowed_sites import allowed_settings, publish_allowed
from pipeline.decide.bands import band_notes, buckets, check_scores, run_bands
from pipeline.decide.block_lists import idle_lists, list_settings, publish_lists
from pipeline.decide.duplicates.fates import Joined, joined_reasons
from pipeline.decide.duplicates.search import run_duplicates
from pipeline.decide.kept_size import kept_text_bytes
from pipeline.decide.merged_verdicts import check_covered, merged_folder, merged_settings, run_merged_rule
from pipeline.decide.runs import RunJob, RunTask, parts_of, run_job, tasks_of
from pipeline.decide.settings import DecideJob, DecideSettings, decide_settings
from pipeline.decide.site_rule import run_site_rule
from pipeline.decide.source_losses import SourceLosses, add_losses
from pipeline.decide.verdicts import PartVerdicts, judge_part
from pipeline.engines.partitions import workers_for
from pipeline.engines.runners import Runner
from pipeline.engines.tasks import run_tasks
from pipeline.filters import reasons_of
from pipeline.filters.line_rules import REMOVED_LINES, removed_lists
from pipeline.filters.reasons import Reasons, code_of
from pipeline.folders import DECIDE, EXTRACT, part_file
from pipeline.parts import Part, list_parts
from pipeline.schemas import DECISIONS, DROPPED, ipc_metadata, publish_ipc, read_ipc
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
    )
    described = settings.model_dump(mode="json")
    job = DecideJob(
        settings=settings,
        extract=join(out, EXTRACT),
        folder=folder,
        key=sha256_of([described, extracted.digest]),
        merged=merged_folder(manifest),
    )
    check_covered(job, extracted)
    done = done_step(folder)
    if done is None or (done.settings, done.inputs) != (described, {EXTRACT: extracted.digest}):
        begin_step(folder)
    check_scores(parts, job)
    lists = [*publish_lists(manifest, job), *publish_allowed(manifest, job)]
    run_rule = run_site_rule if job.merged is None else run_merged_rule
    sites = run_rule(parts, job, runner=runner)
    in_runs, at_most = run_job(parts, job), runner.at_most(workers_for(parts))
    duplicates = run_duplicates(in_runs, runner=at_most)
    bands = run_bands(parts, job, runner=runner)
    decisions = run_tasks(
        tasks_of("decisions", in_runs), decide_run, in_runs, folder=folder, label="decisions", runner=at_most
    )
    tasks = [*lists, *sites, *duplicates, *bands, *decisions]
    ledger = merge_ledgers(task.ledger for task in tasks)
    return finish_step(
        folder,
        step=DECIDE,
        settings=described,
        inputs={EXTRACT: extracted.digest},
        inputs_sha256=extracted.digest,
        tasks=tasks,
        notes=[
            *(note for task in lists for note in task.notes),
            *_notes(manifest, settings, ledger, decisions),
            *band_notes(job),
        ],
    )


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
    if removed:
        notes.append(f"line rules: {removed:,} lines go from {shortened:,} documents that stay")
    return notes


def decide_run(task: RunTask, job: RunJob) -> TaskManifest:
    """Publish decisions and dropped documents of the parts of one run."""
    parts = parts_of(task.number, job)
    decided = [decide_part(part, job) for part in parts]
    blocked = np.array([each.blocked for each in decided], np.int64)
    return TaskManifest(
        task=task.name,
        key=task.key,
        inputs={part.name: part.sha256 for part in parts},
        outputs=[output for each in decided for output in each.outputs],
        ledger=merge_ledgers(each.ledger for each in decided),
        details={
            "blocked": blocked.sum(axis=0).tolist() if blocked.size else [],
            "removed_lines": sum(each.removed_lines for each in decided),
            "shortened_documents": sum(each.shortened for each in decided),
            "sources": by_source(parts, decided),
        },
    )


class Decided(NamedTuple):
    """What was decided of one part.

    Attributes:
        outputs: its decisions and its dropped documents.
        blocked: how many documents each list blocked.
        removed_lines, shortened: lines that go from documents that stay; documents with such lines.
        words: of `all` documents, of those `kept`, and of those that went with their sites (`of_dropped_sites`).
    """

    outputs: list[Output]
    ledger: Ledger
    blocked: list[int]
    removed_lines: int
    shortened: int
    words: dict[str, int]


def decide_part(part: Part, job: RunJob) -> Decided:
    """Publish decisions and dropped documents of one part."""
    verdicts = judge_part(part, job)
    joined = joined_reasons(part, verdicts.reasons, job)
    reasons = joined.reasons
    removed = _removed_lines(verdicts, reasons)
    copies = [joined.duplicate_of, joined.duplicate_row, joined.similarity]
    batch = pa.RecordBatch.from_arrays([pa.array(reasons), *copies, buckets(part, job), removed], schema=DECISIONS)
    kept = kept_text_bytes(verdicts.signals, reasons, verdicts.removed, text_bytes=part.text_bytes)
    outputs = [publish_ipc(job.folder, part_file("decisions", part.name), [batch], DECISIONS, text_bytes=kept)]
    outputs.append(_publish_dropped(part, joined, job))
    counts = np.bincount(reasons, minlength=len(REASONS))
    dropped = {REASONS[code]: int(counts[code]) for code in range(1, len(REASONS)) if counts[code]}
    ledger = Ledger(records_in=part.rows, kept=int(counts[0]), dropped=dropped)
    shortened = part.rows - removed.null_count
    words = verdicts.signals["words"].to_numpy().astype(np.int64)
    amounts = {
        "all": int(words.sum()),
        "kept": int(words[reasons == 0].sum()),
        "of_dropped_sites": int(words[reasons == code_of("personal_information_site")].sum()),
    }
    return Decided(outputs, ledger, verdicts.blocked, len(removed.flatten()), shortened, amounts)


def by_source(parts: Sequence[Part], decided: Sequence[Decided]) -> dict[str, SourceLosses]:
    """What became of the documents and words of each source, as the details of a task have it."""
    found: dict[str, SourceLosses] = {}
    for part, each in zip(parts, decided, strict=True):
        losses = SourceLosses(kept=each.ledger.kept, dropped=each.ledger.dropped, words=each.words)
        found[part.source] = add_losses(found[part.source], losses) if part.source in found else losses
    return found


def _removed_lines(verdicts: PartVerdicts, reasons: Reasons) -> pa.Array:
    if verdicts.removed is None or verdicts.line_offsets is None:
        return pa.nulls(len(reasons), REMOVED_LINES)
    return removed_lists(verdicts.removed, verdicts.line_offsets, reasons == 0)


def _publish_dropped(part: Part, joined: Joined, job: DecideJob) -> Output:
    path = join(job.extract, part_file("documents", part.name))
    table = read_ipc(path, columns=["id", "url", "site", "name", "record"])
    names = pa.DictionaryArray.from_arrays(pa.array(joined.reasons.astype(np.int32)), pa.array(REASONS))
    added = {"reason": names, "duplicate_of": joined.duplicate_of, "duplicate_row": joined.duplicate_row}
    for name, column in {**added, "similarity": joined.similarity}.items():
        table = table.append_column(name, column)
    table = table.select(DROPPED.names).filter(pa.array(joined.reasons != 0))
    schema = DROPPED.with_metadata(ipc_metadata(path))
    return publish_ipc(
        job.folder, part_file("dropped", part.name), table.cast(DROPPED).combine_chunks().to_batches(), schema
    )
