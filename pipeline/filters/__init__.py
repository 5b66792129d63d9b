"""Filters: named variants of published rules, one a file. In: signals. Out: a reason code per row, 0 where the document passes."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from manifests.errors import GristmillError
from pipeline.filters import gopher_paper
from pipeline.filters.reasons import code_of
from pipeline.filters.rules import Rule, fails


def rules_of(variant: str) -> tuple[Rule, ...]:
    """The rules of a variant, in the order in which they are applied; `none` has none.

    Raises:
        GristmillError: there is no such variant.
    """
    match variant:
        case "none":
            return ()
        case "gopher-paper":
            return gopher_paper.RULES
        case _:
            raise GristmillError(f"unknown filter variant `{variant}`", remedy="use gopher-paper or none")


def verdicts(signals: pa.Table | pa.RecordBatch, *, variant: str) -> npt.NDArray[np.uint8]:
    """The code of the first rule that each row fails, uint8[n]; 0 where it fails none.

    Args:
        signals: the columns of `pipeline.signals.SIGNALS`; others are not looked at.
        variant: a `manifests.corpus.FilterVariant`.
    """
    codes = np.zeros(signals.num_rows, np.uint8)
    for rule in rules_of(variant):
        codes[(codes == 0) & fails(rule, signals)] = code_of(rule.reason)
    return codes
