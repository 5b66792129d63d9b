"""Dividing a whole: in proportion under limits, and into integers. Exact rational arithmetic, ties by name."""

from __future__ import annotations

import math
from collections.abc import Mapping
from fractions import Fraction


def fill_in_proportion(
    total: Fraction, weights: Mapping[str, Fraction], limits: Mapping[str, Fraction]
) -> dict[str, Fraction]:
    """Water-filling: divide `total` in proportion to `weights`; one that reaches its limit is clipped, and the rest
    goes to the others.

    Args:
        weights: above 0.
        limits: the most that each may get.

    Returns:
        What each gets; the sum is `total`, or the sum of the limits where that is less.
    """
    amounts: dict[str, Fraction] = {}
    open_names = set(weights)
    left = total
    while open_names:
        level = left / sum(weights[name] for name in open_names)
        full = {name for name in open_names if weights[name] * level >= limits[name]}
        if not full:
            break
        amounts.update((name, limits[name]) for name in full)
        left -= sum(limits[name] for name in full)
        open_names -= full
    amounts.update((name, weights[name] * level) for name in open_names)
    return {name: amounts[name] for name in sorted(amounts)}


def apportion(total: int, weights: Mapping[str, Fraction], limits: Mapping[str, int]) -> dict[str, int]:
    """Largest remainder (Hamilton): integers in proportion to `weights`, each at most its limit, that sum to `total`.

    Raises:
        ValueError: the limits sum to less than `total`.
    """
    if sum(limits[name] for name in weights) < total:
        raise ValueError(f"the limits allow less than {total}")
    quotas = fill_in_proportion(Fraction(total), weights, {name: Fraction(limits[name]) for name in weights})
    counts = {name: math.floor(quota) for name, quota in quotas.items()}
    by_remainder = sorted(counts, key=lambda name: (counts[name] - quotas[name], name))
    for name in by_remainder[: total - sum(counts.values())]:
        counts[name] += 1
    return counts
