"""The rules of which a filter variant consists, each with its reason and the bounds of what it measures.

In: signals of n documents. Out: for each rule, which documents fail it, bool[n].
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from manifests.filters import Reason


@dataclass(frozen=True)
class Bound:
    """The range, ends included, of a signal, or of its ratio to the signal `of`.

    The ratio to 0 is 0. `without` names a signal that is subtracted from `of`.
    """

    signal: str
    of: str | None = None
    least: float = -np.inf
    most: float = np.inf
    without: str | None = None


@dataclass(frozen=True)
class Rule:
    """A document fails a rule if it is outside one of the rule's bounds.

    Attributes:
        says: the rule in words.
        bounds: the bounds, all of which must hold.
    """

    reason: Reason
    says: str
    bounds: tuple[Bound, ...]


def rule(reason: Reason, says: str, *bounds: Bound) -> Rule:
    """A rule with its bounds, as the variants write it."""
    return Rule(reason, says, bounds)


def fails(rule: Rule, signals: pa.Table | pa.RecordBatch) -> npt.NDArray[np.bool_]:
    """Which rows fail the rule, bool[n]."""
    failed = np.zeros(signals.num_rows, np.bool_)
    for bound in rule.bounds:
        value = _column(signals, bound.signal)
        if bound.of is not None:
            whole = _column(signals, bound.of)
            if bound.without is not None:
                whole = whole - _column(signals, bound.without)
            value = np.divide(value, whole, out=np.zeros_like(value), where=whole > 0)
        failed |= (value < bound.least) | (value > bound.most)
    return failed


def _column(signals: pa.Table | pa.RecordBatch, name: str) -> npt.NDArray[np.float64]:
    column: npt.NDArray[np.float64] = signals[name].to_numpy().astype(np.float64)
    return column
