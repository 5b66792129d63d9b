"""The decisions on the documents of each part, the last stage of decide.

In: the parts of extract, and what the stages before found. Out, below `OUT/decide`, row-aligned with documents:

    decisions/<part>.arrow   pipeline.schemas.DECISIONS
    dropped/<part>.arrow     pipeline.schemas.DROPPED: the dropped documents, with their reasons and origins

One task decides the parts of one run (`pipeline.decide.runs`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from manifests.filters import REASONS
from manifests.step import Inside, Ledger, Output, TaskManifest, merge_ledgers
from pipeline.decide.bands import buckets
from pipeline.decide.duplicates.fates import Joined, joined_reasons
from pipeline.decide.kept_size import kept_text_bytes
from pipeline.decide.line_verdicts import without_repeated_lines
from pipeline.decide.runs import RunJob, RunTask, parts_of
from pipeline.decide.settings import DecideJob
from pipeline.decide.source_losses import SourceLosses, add_losses, dumped
from pipeline.decide.verdicts import PartVerdicts, judge_part
from pipeline.filters.line_rules import REMOVED_LINES, removed_lists
from pipeline.filters.reasons import Reasons, code_of
from pipeline.folders import part_file
from pipeline.losses import merge_inside
from pipeline.parts import Part
from pipeline.schemas import DECISIONS, DROPPED, ipc_metadata, publish_ipc, read_ipc
from storage.files import join


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
        inside=merge_inside(each.inside for each in decided),
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
        inside: what documents that stay lost to others.
    """

    outputs: list[Output]
    ledger: Ledger
    blocked: list[int]
    removed_lines: int
    shortened: int
    words: dict[str, int]
    inside: Inside


def decide_part(part: Part, job: RunJob) -> Decided:
    """Publish decisions and dropped documents of one part."""
    verdicts = judge_part(part, job)
    joined = joined_reasons(part, verdicts.reasons, job)
    verdicts, reasons, inside = without_repeated_lines(part, verdicts, joined.reasons, job)
    joined = joined._replace(reasons=reasons)
    removed = _removed_lines(verdicts, reasons)
    copies = [joined.duplicate_of, joined.duplicate_row, joined.similarity]
    columns = [pa.array(reasons), *copies, buckets(part, job), removed]
    batch = pa.RecordBatch.from_arrays(columns, schema=DECISIONS)
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
    return Decided(outputs, ledger, verdicts.blocked, len(removed.flatten()), shortened, amounts, inside)


def by_source(parts: Sequence[Part], decided: Sequence[Decided]) -> dict[str, SourceLosses]:
    """What became of the documents and words of each source, as the details of a task have it."""
    found: dict[str, SourceLosses] = {}
    for part, each in zip(parts, decided, strict=True):
        losses = SourceLosses(
            kept=each.ledger.kept, dropped=each.ledger.dropped, words=each.words, inside=dumped(each.inside)
        )
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
