"""Filters: named variants of published rules, one per file.

In: signals and the filter sections of a manifest. Out: a reason code per row.

A variant is the module of its name, with `_` for `-`. The module has one of two functions:

    rules(section) -> tuple[Rule, ...]           rules on signals (`pipeline.filters.rules`), in the order in which they
    apply judge(signals, removed, section) -> codes    any other verdict, uint8[n]; may mark lines in `removed`; needs
    `REASONS` too

Variants are applied in the order of the manifest, all to the text as extracted. Lines that one variant removes are
ignored by the next. The first rule that a document fails gives the reason.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from types import ModuleType
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from manifests.filters import FilterSpec, Reason
from pipeline.filters.line_rules import line_values
from pipeline.filters.reasons import code_of
from pipeline.filters.rules import Rule, fails

Removed = npt.NDArray[np.bool_]
Codes = npt.NDArray[np.uint8]


class Verdicts(NamedTuple):
    """The verdicts of filters on n documents.

    Attributes:
        codes: uint8[n], the code of the first rule that each row fails; 0 if it passes all rules.
        removed: bool[lines], which lines of the batch are removed, in the order of `lines_packed`; None if no variant
            looks at lines.
    """

    codes: Codes
    removed: Removed | None


def _module(section: FilterSpec) -> ModuleType:
    return import_module(f"{__name__}.{section.variant.replace('-', '_')}")


def rules_of(section: FilterSpec) -> tuple[Rule, ...] | None:
    """The rules of a variant, in the order in which they are applied; None if it has a `judge` function instead."""
    module = _module(section)
    rules: tuple[Rule, ...] | None = module.rules(section) if hasattr(module, "rules") else None
    return rules


def reasons_of(section: FilterSpec) -> tuple[Reason, ...]:
    """The reasons that a variant gives. Variants of the same published rules share reasons."""
    rules = rules_of(section)
    reasons: tuple[Reason, ...] = (
        tuple(rule.reason for rule in rules) if rules is not None else _module(section).REASONS
    )
    return tuple(dict.fromkeys(reasons))


def verdicts(signals: pa.Table | pa.RecordBatch, *, filters: Sequence[FilterSpec]) -> Verdicts:
    """The first rule that each row fails, and the lines that are removed.

    Args:
        signals: the columns of `pipeline.text.signals.SIGNALS`, `lines_packed` for line variants, and the columns that
            other variants need (`language`, `perplexity`, `bad_words`, `id`); other columns are ignored.
        filters: sections of a manifest, in the order in which they are applied.
    """
    codes = np.zeros(signals.num_rows, np.uint8)
    looks_at_lines = any(section.looks_at_lines for section in filters)
    removed = np.zeros(len(line_values(signals)[0]) if looks_at_lines else 0, np.bool_)
    for section in filters:
        rules = rules_of(section)
        failed = _module(section).judge(signals, removed, section) if rules is None else first_failing(rules, signals)
        codes = np.where(codes == 0, failed, codes)
    return Verdicts(codes, removed if looks_at_lines else None)


def first_failing(rules: Sequence[Rule], signals: pa.Table | pa.RecordBatch) -> Codes:
    """The code of the first rule that each row fails, uint8[n]; 0 if it passes all rules."""
    codes = np.zeros(signals.num_rows, np.uint8)
    for rule in rules:
        codes[(codes == 0) & fails(rule, signals)] = code_of(rule.reason)
    return codes
