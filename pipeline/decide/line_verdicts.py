"""What becomes of the documents of one part when lines that other documents have are taken from them.

In: the part's verdicts, its reasons after duplicates, and the lines that `pipeline.decide.lines` takes. Out: reasons,
with those of documents of which no line or too few sentences are left, and all lines that go, those of filters
included. A document that keeps a line of others and then goes for its few sentences takes the line with it, as in C4
(TFDS c4_utils.py, `_remove_lines_from_text`).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from kernels.arrays import Bools, Int64s
from manifests.step import Inside, TaskManifest
from pipeline.decide.line_units import words_of_lines
from pipeline.decide.lines import line_rule
from pipeline.decide.settings import DecideJob
from pipeline.decide.source_losses import loaded
from pipeline.decide.verdicts import PartVerdicts
from pipeline.filters.line_rules import line_values
from pipeline.filters.reasons import Reasons, code_of
from pipeline.folders import FREQUENT_LINES, part_file
from pipeline.losses import Tally, merge_inside
from pipeline.parts import Part
from pipeline.schemas import read_ipc
from pipeline.text.words.line import SENTENCES_MASK, SENTENCES_SHIFT
from storage.files import join


class LineVerdicts(NamedTuple):
    """The verdicts on one part after repeated lines.

    Attributes:
        verdicts: those of before, with all lines that go.
        reasons: uint8[n].
        inside: what documents that stay lost: lines, words and characters.
    """

    verdicts: PartVerdicts
    reasons: Reasons
    inside: Inside


def without_repeated_lines(part: Part, verdicts: PartVerdicts, reasons: Reasons, job: DecideJob) -> LineVerdicts:
    """The part's verdicts once repeated lines are gone; the same if the manifest has no rule for lines."""
    if job.settings.dedup.lines is None:
        return LineVerdicts(verdicts, reasons, {})
    packed, offsets = line_values(verdicts.signals)
    table = read_ipc(join(job.folder, part_file("lines", part.name)))
    gone = _marked(table, offsets)
    removed = gone if verdicts.removed is None else gone | verdicts.removed
    lost = _by_document(gone.astype(np.int64), offsets)
    left = _by_document((~removed).astype(np.int64), offsets)
    sentences = np.where(removed, 0, (packed >> SENTENCES_SHIFT) & SENTENCES_MASK).astype(np.int64)
    few = _by_document(sentences, offsets) < line_rule(job).min_sentences
    touched = (reasons == 0) & (lost > 0)
    reasons = np.where(touched & few, np.uint8(code_of("duplicate_lines_sentences")), reasons)
    reasons = np.where(touched & (left == 0), np.uint8(code_of("duplicate_lines")), reasons)
    tally = Tally()
    stays = (reasons == 0).astype(np.int64)
    words = _by_document(np.where(gone, words_of_lines(packed), 0), offsets)
    tally.add_columns("duplicate_lines", {"": lost * stays})
    tally.add_columns("duplicate_line_words", {"": words * stays})
    tally.add_columns("duplicate_line_characters", {"": table["characters"].to_numpy() * stays})
    return LineVerdicts(verdicts._replace(removed=removed, line_offsets=offsets), reasons, tally.inside())


def _marked(table: pa.Table, offsets: Int64s) -> Bools:
    """bool[lines] from lists of line numbers."""
    lists = table["removed_lines"].combine_chunks()
    lengths = lists.value_lengths().fill_null(0).to_numpy()
    numbers = lists.flatten().to_numpy()
    marked = np.zeros(int(offsets[-1]), bool)
    marked[np.repeat(offsets[:-1], lengths) + numbers] = True
    return marked


def _by_document(values: Int64s, offsets: Int64s) -> Int64s:
    """The sum of each document's lines, int64[n]."""
    ends = np.concatenate([np.zeros(1, np.int64), np.cumsum(values)])
    totals: Int64s = ends[offsets[1:]] - ends[offsets[:-1]]
    return totals


def lost_lines(decisions: Iterable[TaskManifest]) -> dict[str, Inside]:
    """What documents that stay lost to other documents, by source; sources that lost nothing are left out."""
    found: dict[str, list[Inside]] = {}
    for task in decisions:
        for source, losses in task.details["sources"].items():
            if losses["inside"]:
                found.setdefault(source, []).append(loaded(losses["inside"]))
    return {source: merge_inside(inside) for source, inside in sorted(found.items())}


def line_notes(decisions: Iterable[TaskManifest], job: DecideJob) -> list[str]:
    """How much went because other documents have it, and where the most frequent of it can be read."""
    rule = job.settings.dedup.lines
    if rule is None:
        return []
    within = f" within each of {rule.groups:,} groups of documents" if rule.groups > 1 else ""
    lost = merge_inside(task.inside for task in decisions)
    if "duplicate_lines" not in lost:
        return [f"`dedup.lines`: no line was removed; lines were compared{within or ' in the whole corpus'}"]
    lines, words = lost["duplicate_lines"], lost["duplicate_line_words"]
    frequent = read_ipc(join(job.folder, FREQUENT_LINES)).slice(0, 1).to_pylist()
    most = "".join(
        f"; most copies, {row['removed']:,}, of line {row['line']} in row {row['row']} of {row['part']}"
        for row in frequent
    )
    return [
        f"`dedup.lines`: {lines.count:,} lines with {words.count:,} words, which other documents{within} have too, go"
        f" from {lines.documents:,} documents that stay{most}"
    ]
