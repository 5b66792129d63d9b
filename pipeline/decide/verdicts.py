"""Judges the documents of one part by their signals, before duplicates are searched for.

In: a signals part, the thresholds of the manifest, the sites to drop. Out: one reason code per row (uint8, 0 for kept),
the first that applies in the order opt-outs, block lists, language, filter rules, site; and the lines that filters
remove from kept documents. The verdicts are recomputed wherever they are needed: that takes milliseconds and reads no
text.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from manifests.corpus import Languages
from manifests.errors import GristmillError
from manifests.filters import FilterSpec
from pipeline.decide.block_lists import blocked_codes
from pipeline.decide.dropped_sites import dropped_sites
from pipeline.decide.settings import DecideJob
from pipeline.decide.site_rule import document_reasons, site_reasons
from pipeline.filters import Verdicts, verdicts
from pipeline.filters.line_rules import line_values
from pipeline.filters.reasons import Reasons, code_of
from pipeline.folders import part_file
from pipeline.parts import Part
from pipeline.schemas import ipc_names, read_ipc
from pipeline.text.personal.values import VALUES
from pipeline.text.signal_columns import LINES_PACKED
from storage.files import join

# What rules on languages and sizes look at, and rules on lines that are no filter's; those on personal information
# look at `spans_...`.
_WITHOUT_FILTERS = ("words", "characters", "language", "language_score", LINES_PACKED.name)


class PartVerdicts(NamedTuple):
    """The verdicts on one part before duplicates are searched for.

    Attributes:
        reasons: uint8[n], reason codes.
        removed: bool[lines], which lines filters remove; None if no filter looks at lines.
        line_offsets: int64[n + 1], where each document's lines begin; None if no filter looks at lines.
        documents: the columns id, site and, with block lists, url.
        blocked: how many documents each list blocked: opt-outs, then block lists in the order of the manifest.
        signals: the columns words, characters and, if a filter or `dedup.lines` looks at lines, `lines_packed`.
    """

    reasons: Reasons
    removed: npt.NDArray[np.bool_] | None
    line_offsets: npt.NDArray[np.int64] | None
    documents: pa.Table
    blocked: list[int]
    signals: pa.Table


def judge_part(part: Part, job: DecideJob) -> PartVerdicts:
    """Reasons and removed lines of one part, before duplicates are searched for."""
    settings = job.settings
    filters, lists = settings.sources[part.source].filters, settings.block_lists
    documents = read_ipc(
        join(job.extract, part_file("documents", part.name)), columns=["id", "site", *(["url"] if lists else [])]
    )
    lines = settings.dedup.lines is not None
    signals = read_signals(join(job.extract, part_file("signals", part.name)), filters=filters, lines=lines)
    reasons, removed = filter_reasons(
        signals.append_column("id", documents["id"]), filters=filters, languages=settings.languages
    )
    blocked: list[int] = []
    if lists:
        codes, blocked = blocked_codes(documents["url"], job)
        reasons = np.where(codes, codes, reasons)
    reasons = document_reasons(reasons, signals, settings.personal_information)
    reasons = site_reasons(reasons, documents["site"], dropped_sites(part, job))
    offsets = None if removed is None else line_values(signals)[1]
    kept = signals.select(["words", "characters", *([LINES_PACKED.name] if lines or removed is not None else [])])
    return PartVerdicts(reasons, removed, offsets, documents, blocked, kept)


def filter_reasons(signals: pa.Table, *, filters: Sequence[FilterSpec], languages: Languages) -> Verdicts:
    """Reason codes by language and by the filters, uint8[n], and the lines that filters remove."""
    reasons, removed = verdicts(signals, filters=filters)
    if languages.keep != "all":
        kept = pc.and_(
            pc.is_in(signals["language"].cast(pa.string()), value_set=pa.array(sorted(languages.keep))),
            pc.greater_equal(signals["language_score"], np.float32(languages.min_score)),
        )
        reasons = np.where(kept.to_numpy(zero_copy_only=False), reasons, np.uint8(code_of("language"))).astype(np.uint8)
    return Verdicts(reasons, removed)


def read_signals(path: str, *, filters: Sequence[FilterSpec], lines: bool = False) -> pa.Table:
    """A signals part without hashed values, which only the site rule reads. The line columns, which are most of its
    bytes, are read only with `lines` or if a filter looks at lines; without filters, `_WITHOUT_FILTERS` alone besides.

    Raises:
        GristmillError: a filter looks at lines, and the part has no line columns.
    """
    with_lines = lines or any(section.looks_at_lines for section in filters)
    names = [name for name in ipc_names(path) if name != VALUES.name]
    if with_lines and LINES_PACKED.name not in names:
        raise GristmillError(
            "the filters look at lines, which extract did not store", where=path, remedy="run `gristmill extract` again"
        )
    if not filters:
        names = [name for name in names if name in _WITHOUT_FILTERS or name.startswith("spans_")]
    return read_ipc(path, columns=[name for name in names if with_lines or name != LINES_PACKED.name])
