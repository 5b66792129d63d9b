"""The decide step: keeps or drops each document, by its signals, id and signature alone; no text is read.

In: the parts of extract. Out, below `OUT/decide`:

    block_lists/<n>-<kind>.arrow   opt-outs and block lists as hashes
    sites/<p>.arrow            per site: documents, words, evidence of personal information, dropped or not
    edges/<pass>-<p>.arrow     duplicate pairs found in one partition
    standing/, repeated/, lines/   lines that documents share, if they are compared: `pipeline.decide.lines`
    bands/<k>.arrow            scores of kept documents, and the thresholds of factual bands, if a source is cut
    decisions/<part>.arrow     row-aligned with documents: reason, cluster, bucket, removed lines; the manifest says
                               how many bytes of text they keep
    dropped/<part>.arrow       the dropped documents, with their reasons and origins

Stages, each resumable: `pipeline.decide.block_lists`, `pipeline.decide.site_rule` or `pipeline.decide.merged_verdicts`,
`pipeline.decide.duplicates`, `pipeline.decide.bands`, and the decisions here. Among duplicates, the row with the
smallest row id (priority, part, row) is kept. Documents are compared as they were extracted, before line rules remove
lines.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from manifests.base import sha256_of
from manifests.corpus import CorpusManifest
from manifests.filters import REASONS
from manifests.step import Ledger, Output, StepManifest, TaskManifest, merge_ledgers
from pipeline.decide.allowed_sites import allowed_settings, publish_allowed
from pipeline.decide.bands import band_notes, buckets, check_scores, run_bands
from pipeline.decide.block_lists import idle_lists, list_settings, publish_lists
from pipeline.decide.duplicates import joined_reasons, parts_with_clusters, run_duplicates
from pipeline.decide.kept_size import kept_text_bytes
from pipeline.decide.line_verdicts import line_notes, lost_lines, without_repeated_lines
from pipeline.decide.lines import run_lines
from pipeline.decide.merged_verdicts import check_covered, merged_folder, merged_settings, run_merged_rule
from pipeline.decide.settings import DecideJob, DecideSettings, decide_settings
from pipeline.decide.site_rule import run_site_rule
from pipeline.decide.standing import run_standing, standing_rows
from pipeline.decide.verdicts import PartVerdicts, judge_part
from pipeline.engines.partitions import workers_for
from pipeline.engines.runners import Runner, run_pipeline
from pipeline.engines.tasks import Task, collect, pending_tasks
from pipeline.filters import reasons_of
from pipeline.filters.line_rules import REMOVED_LINES, removed_lists
from pipeline.filters.reasons import Reasons, code_of
from pipeline.folders import DECIDE, EXTRACT, part_file
from pipeline.parts import Part, list_parts
from pipeline.schemas import DECISIONS, DROPPED, ipc_metadata, publish_ipc, read_ipc
from storage.files import join
from storage.steps import begin_step, done_step, finish_step, require_step, write_task


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
    edges = run_duplicates(parts, job, runner=runner)
    edge_files = [output.path for task in edges for output in task.outputs]
    lines: list[TaskManifest] = []
    if settings.dedup.lines is not None:
        lines = run_standing(parts, job, edges=edge_files, runner=runner)
        lines += run_lines(parts, job, extracted=extracted, standing=standing_rows, runner=runner)
    bands = run_bands(parts, job, edges=edge_files, runner=runner)
    decisions = _run_decisions(parts, job, edges=edge_files, runner=runner)
    tasks = [*lists, *sites, *edges, *lines, *bands, *decisions]
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


def _run_decisions(
    parts: Sequence[Part], job: DecideJob, *, edges: Sequence[str], runner: Runner
) -> list[TaskManifest]:
    """Publish the decisions of the parts that have none yet."""
    tasks = [Task(name=_task(part), key=job.key) for part in parts]
    runner.expect(len(tasks))
    waiting = {task.name for task in pending_tasks(tasks, folder=job.folder)}
    pending = [part for part, task in zip(parts, tasks, strict=True) if task.name in waiting]
    if pending:

        def build(pipeline: Any) -> object:
            import apache_beam as beam

            from pipeline.engines.dofns import EmitNames

            joined = parts_with_clusters(pipeline, pending, job, edges=edges)
            return joined | "Decisions" >> beam.ParDo(EmitNames(decide_part, job))

        run_pipeline(build, runner=runner.at_most(workers_for(pending)), label="decisions")
    return collect(tasks, folder=job.folder)


def _task(part: Part) -> str:
    return f"decisions/{part.name}"


def decide_part(element: tuple[int, Mapping[str, Iterable[bytes]]], job: DecideJob) -> list[str]:
    """Publish decisions and dropped documents of one part.

    Args:
        element: the part's number, with the part itself as JSON and its rows from `emit_clusters`. A part that was
            already finished has only rows; then nothing is published.
    """
    _, grouped = element
    rows = list(grouped["rows"])
    return [_decide_part(Part.model_validate_json(part), rows, job) for part in grouped["part"]]


def _decide_part(part: Part, rows: Iterable[bytes], job: DecideJob) -> str:
    verdicts = judge_part(part, job)
    reasons, cluster = joined_reasons(verdicts.reasons, rows)
    verdicts, reasons, inside = without_repeated_lines(part, verdicts, reasons, job)
    bucket = buckets(part, job)
    removed = _removed_lines(verdicts, reasons)
    batch = pa.RecordBatch.from_arrays([pa.array(reasons), cluster, bucket, removed], schema=DECISIONS)
    kept = kept_text_bytes(verdicts.signals, reasons, verdicts.removed, text_bytes=part.text_bytes)
    outputs = [publish_ipc(job.folder, part_file("decisions", part.name), [batch], DECISIONS, text_bytes=kept)]
    outputs.append(_publish_dropped(part, reasons, cluster, job))
    counts = np.bincount(reasons, minlength=len(REASONS))
    dropped = {REASONS[code]: int(counts[code]) for code in range(1, len(REASONS)) if counts[code]}
    ledger = Ledger(records_in=part.rows, kept=int(counts[0]), dropped=dropped)
    words = verdicts.signals["words"].to_numpy().astype(np.int64)
    task = _task(part)
    inputs = {part.name: part.sha256}
    details = {
        "blocked": verdicts.blocked,
        "removed_lines": len(removed.flatten()),
        "shortened_documents": part.rows - removed.null_count,
        "words": {
            "all": int(words.sum()),
            "kept": int(words[reasons == 0].sum()),
            "of_dropped_sites": int(words[reasons == code_of("personal_information_site")].sum()),
        },
    }
    write_task(
        job.folder,
        TaskManifest(
            task=task, key=job.key, inputs=inputs, outputs=outputs, ledger=ledger, inside=inside, details=details
        ),
    )
    return task


def _removed_lines(verdicts: PartVerdicts, reasons: Reasons) -> pa.Array:
    if verdicts.removed is None or verdicts.line_offsets is None:
        return pa.nulls(len(reasons), REMOVED_LINES)
    return removed_lists(verdicts.removed, verdicts.line_offsets, reasons == 0)


def _publish_dropped(part: Part, reasons: np.ndarray, cluster: pa.Array, job: DecideJob) -> Output:
    path = join(job.extract, part_file("documents", part.name))
    table = read_ipc(path, columns=["id", "url", "site", "name", "record"])
    names = pa.DictionaryArray.from_arrays(pa.array(reasons.astype(np.int32)), pa.array(REASONS))
    table = table.add_column(1, "reason", names).add_column(2, "cluster", cluster).filter(pa.array(reasons != 0))
    schema = DROPPED.with_metadata(ipc_metadata(path))
    return publish_ipc(
        job.folder, part_file("dropped", part.name), table.cast(DROPPED).combine_chunks().to_batches(), schema
    )
