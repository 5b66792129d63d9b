"""Dividing a whole: in proportion under limits, and into integers. Exact rational arithmetic, ties by name."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Mapping
from fractions import Fraction
from typing import TypeVar

Name = TypeVar("Name", str, int)


def fill_between(
    total: Fraction, weights: Mapping[Name, Fraction], floors: Mapping[Name, Fraction], limits: Mapping[Name, Fraction]
) -> dict[Name, Fraction]:
    """Water-filling: divide `total` in proportion to `weights`, but give each at least its floor and at most its limit.

    Args:
        weights: above 0.
        floors: the least that each may get, at most its limit.
        limits: the most that each may get.

    Returns:
        What each gets; the sum is `total`, or the sum of the limits where that is less. Where the floors are more than
            `total`, they are scaled down to it.
    """
    names = sorted(weights)
    least = sum((floors[name] for name in names), Fraction(0))
    if least > total:
        return {name: floors[name] * total / least for name in names}
    if sum((limits[name] for name in names), Fraction(0)) <= total:
        return {name: limits[name] for name in names}

    def at(level: Fraction) -> dict[Name, Fraction]:
        return {name: min(max(weights[name] * level, floors[name]), limits[name]) for name in names}

    # What all get rises with the level, in straight lines between these levels.
    bends = sorted({number / weights[name] for name in names for number in (floors[name], limits[name])})
    upper = bisect_left(bends, total, key=lambda level: sum(at(level).values(), Fraction(0)))
    below, above = (at(bends[upper - 1]), at(bends[upper])) if upper else (at(Fraction(0)), at(bends[0]))
    rest, rise = total - sum(below.values()), sum(above.values()) - sum(below.values())
    part = rest / rise if rise else Fraction(0)
    return {name: below[name] + (above[name] - below[name]) * part for name in names}


def fill_in_proportion(
    total: Fraction, weights: Mapping[Name, Fraction], limits: Mapping[Name, Fraction]
) -> dict[Name, Fraction]:
    """As `fill_between`, without floors: one that reaches its limit is clipped, and the rest goes to the others."""
    return fill_between(total, weights, dict.fromkeys(weights, Fraction(0)), limits)


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
