"""Filters: named variants of published rules, one a file. In: signals and the sections of a manifest. Out: a reason code per row.

A variant is either rules on signals (`rules(thresholds)`, see `pipeline.filters.rules`) or a function `judge(signals, removed, thresholds)`
that may also remove lines. Variants are applied in the order of the manifest, all to the text as extracted; the lines that one removed the
next ones do not see. The first rule that a document fails gives the reason.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, assert_never

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from manifests import filters as sections
from pipeline.filters import bad_words, c4, ccnet, fineweb, gopher_datatrove, gopher_dolma, gopher_paper, refinedweb_lines
from pipeline.filters.line_rules import line_values
from pipeline.filters.reasons import code_of
from pipeline.filters.rules import Rule, fails

Removed = npt.NDArray[np.bool_]
Codes = npt.NDArray[np.uint8]


class Verdicts(NamedTuple):
    """What filters say of n documents.

    Attributes:
        codes: uint8[n], the code of the first rule that each row fails; 0 where it fails none.
        removed: bool[lines], which lines of the batch go, in the order of `lines_packed`; None when no variant looks at lines.
    """

    codes: Codes
    removed: Removed | None


def rules_of(section: sections.FilterSpec) -> tuple[Rule, ...] | None:
    """The rules of a variant, in the order in which they are applied; None for one that is no list of rules."""
    match section:
        # Before `GopherPaper`, of which it is one.
        case sections.GopherDatatrove():
            return gopher_datatrove.rules(section)
        case sections.GopherPaper():
            return gopher_paper.rules(section)
        case sections.GopherDolma():
            return gopher_dolma.rules(section)
        case sections.FineWeb():
            return fineweb.rules(section)
        case sections.C4Tfds() | sections.C4ArxivV1() | sections.RefinedWebLines() | sections.CCNet() | sections.BadWordsFilter():
            return None
    assert_never(section)


def reasons_of(section: sections.FilterSpec) -> tuple[str, ...]:
    """The reasons that a variant gives; of variants of one rule they are the same."""
    rules = rules_of(section)
    if rules is not None:
        return tuple(dict.fromkeys(rule.reason for rule in rules))
    match section:
        case sections.C4Tfds() | sections.C4ArxivV1():
            return c4.REASONS
        case sections.RefinedWebLines():
            return refinedweb_lines.REASONS
        case sections.CCNet():
            return ccnet.REASONS
        case sections.BadWordsFilter():
            return (bad_words.COLUMN,)
    raise AssertionError(f"no reasons for {section.variant}")


def verdicts(signals: pa.Table | pa.RecordBatch, *, filters: Sequence[sections.FilterSpec]) -> Verdicts:
    """The first rule that each row fails, and the lines that go.

    Args:
        signals: the columns of `pipeline.text.signals.SIGNALS`, for line variants `lines_packed`, and what text variants need
            (`language`, `perplexity`, `bad_words`, `id`); others are not looked at.
        filters: sections of a manifest, in the order in which they are applied.
    """
    codes = np.zeros(signals.num_rows, np.uint8)
    looks_at_lines = any(section.looks_at_lines for section in filters)
    removed = np.zeros(len(line_values(signals)[0]), np.bool_) if looks_at_lines else None
    for section in filters:
        rules = rules_of(section)
        found = _judge(section, signals, removed) if rules is None else first_failing(rules, signals)
        codes = np.where(codes == 0, found, codes)
    return Verdicts(codes, removed)


def first_failing(rules: Sequence[Rule], signals: pa.Table | pa.RecordBatch) -> Codes:
    """The code of the first of the rules that each row fails, uint8[n]; 0 where it fails none."""
    codes = np.zeros(signals.num_rows, np.uint8)
    for rule in rules:
        codes[(codes == 0) & fails(rule, signals)] = code_of(rule.reason)
    return codes


def _judge(section: sections.FilterSpec, signals: pa.Table | pa.RecordBatch, removed: Removed | None) -> Codes:
    match section:
        case sections.C4Tfds() | sections.C4ArxivV1():
            assert removed is not None
            return c4.judge(signals, removed, section)
        case sections.RefinedWebLines():
            assert removed is not None
            return refinedweb_lines.judge(signals, removed, section)
        case sections.CCNet():
            return ccnet.judge(signals, section)
        case sections.BadWordsFilter():
            return bad_words.judge(signals, section)
    raise AssertionError(f"no rules for {section.variant}")
