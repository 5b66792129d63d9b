"""Mixtures: properties for any rules, bucket sizes and run lengths."""

from __future__ import annotations

import math
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from manifests.errors import GristmillError
from manifests.mixture import BucketRule, MixtureManifest
from mixing.apportion import apportion, fill_in_proportion
from mixing.plan import plan_mixture
from tests.property.texts import thorough

SEQUENCE = 4
NAMES = ("a", "b", "c", "d", "e")

positive = st.fractions(min_value=Fraction(1, 1000), max_value=1000, max_denominator=1000)


@st.composite
def divisions(draw: st.DrawFn) -> tuple[dict[str, Fraction], dict[str, int]]:
    names = draw(st.sets(st.sampled_from(NAMES), min_size=1))
    return {name: draw(positive) for name in names}, {name: draw(st.integers(0, 60)) for name in names}


@thorough
@given(divisions(), st.fractions(min_value=0, max_value=400, max_denominator=50))
def test_water_filling(division: tuple[dict[str, Fraction], dict[str, int]], total: Fraction) -> None:
    weights, bounds = division
    limits = {name: Fraction(bound) for name, bound in bounds.items()}
    amounts = fill_in_proportion(total, weights, limits)
    assert sum(amounts.values()) == min(total, sum(limits.values()))
    assert all(0 <= amounts[name] <= limits[name] for name in weights)
    # One level for all who are not full; the full ones would have been above it.
    levels = {amounts[name] / weights[name] for name in weights if amounts[name] < limits[name]}
    assert len(levels) <= 1
    assert all(
        limits[name] / weights[name] <= level for level in levels for name in weights if amounts[name] == limits[name]
    )


@thorough
@given(divisions(), st.integers(1, 64))
def test_apportionment(division: tuple[dict[str, Fraction], dict[str, int]], total: int) -> None:
    weights, limits = division
    if sum(limits.values()) < total:
        with pytest.raises(ValueError, match="less than"):
            apportion(total, weights, limits)
        return
    counts = apportion(total, weights, limits)
    quotas = fill_in_proportion(Fraction(total), weights, {name: Fraction(limit) for name, limit in limits.items()})
    assert sum(counts.values()) == total
    assert all(counts[name] <= limits[name] and abs(counts[name] - quotas[name]) < 1 for name in weights)


@st.composite
def rules(draw: st.DrawFn) -> list[BucketRule]:
    numbers = st.floats(0.01, 1)
    wants = st.one_of(
        st.just({}), st.fixed_dictionaries({"share": numbers}), st.fixed_dictionaries({"epochs": numbers})
    )
    caps = st.one_of(st.none(), st.floats(1, 5))
    return [
        BucketRule(match=name, max_epochs=draw(caps), **draw(wants))
        for name in draw(st.lists(st.sampled_from(NAMES), unique=True, max_size=5))
    ]


@thorough
@given(rules(), st.lists(st.integers(0, 4_000), min_size=5, max_size=5), st.integers(1, 8_000), st.integers(0, 10))
def test_any_plan_fills_the_run_and_keeps_every_cap(
    listed: list[BucketRule], sizes: list[int], samples: int, bits: int
) -> None:
    mixture = MixtureManifest(buckets=listed, block_samples=1 << bits)
    tokens = dict(zip(NAMES, sizes, strict=True))
    try:
        plan = plan_mixture(mixture, tokens, samples=samples, sequence=SEQUENCE, seed=0)
    except GristmillError as error:
        assert error.remedy is not None  # noqa: PT017 - many rules cannot be followed
        return
    assert sum(row.samples for row in plan.rows) == samples
    assert sum(row.wanted for row in plan.rows) == pytest.approx(1)
    by_name = {rule.match: rule for rule in listed}
    for row, bucket in zip(plan.rows, plan.order.buckets, strict=True):
        assert row.samples <= math.floor(Fraction(repr(row.max_epochs)) * bucket.windows)
        if listed and row.bucket not in by_name:
            assert (row.samples, row.rule) == (0, None)
            assert any(note.startswith(f"{row.bucket}: no rule matches") for note in plan.notes)
        elif not row.samples:
            assert any(note.startswith(f"{row.bucket}: ") for note in plan.notes)


@thorough
@given(st.lists(st.integers(50, 4_000), min_size=5, max_size=5), st.integers(1, 5_000))
def test_natural_shares_far_from_the_caps_are_met_to_a_few_samples(sizes: list[int], samples: int) -> None:
    tokens = dict(zip(NAMES, sizes, strict=True))
    plan = plan_mixture(MixtureManifest(max_epochs=1_000), tokens, samples=samples, sequence=SEQUENCE, seed=0)
    windows = {bucket.name: bucket.windows for bucket in plan.order.buckets}
    for row in plan.rows:
        assert row.wanted == pytest.approx(windows[row.bucket] / sum(windows.values()))
        # A run is at most one aligned piece for every power of two below it, each within one sample of the share.
        assert abs(row.samples - row.wanted * samples) < samples.bit_length() + 1
