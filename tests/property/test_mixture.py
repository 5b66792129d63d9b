"""Mixtures: properties for any rules, bucket sizes and run lengths."""

from __future__ import annotations

import math
from collections import Counter
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from manifests.errors import GristmillError
from manifests.mixture import BucketRule, MixtureManifest
from mixing.apportion import apportion, fill_between, fill_in_proportion
from mixing.plan import change_mixture, plan_mixture
from mixing.stage_rows import recounted
from shards.order import given_before, locate
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


BUCKETS = ("a/q01", "a/q02", "a/q03", "b/factual", "b/general", "c/general")
PATTERNS = ("a/q01", "a/q2..q3", "*/factual", "b/*", "c/*")


@st.composite
def staged(draw: st.DrawFn) -> MixtureManifest:
    """Mixtures of up to three stages, each with a preset, rules, minimum shares and caps of its own."""
    stages: list[dict[str, Any]] = []
    begins = sorted(draw(st.sets(st.integers(1, 150), max_size=2)))
    for step in (0, *begins):
        listed: list[dict[str, Any]] = []
        for pattern in draw(st.lists(st.sampled_from(PATTERNS[1:]), unique=True, max_size=3)):
            wants = draw(
                st.one_of(
                    st.just({}),
                    st.fixed_dictionaries({"share": st.floats(0.01, 0.4)}),
                    st.fixed_dictionaries({"epochs": st.floats(0.01, 0.5)}),
                    st.fixed_dictionaries({"min_share": st.floats(0.01, 0.33)}),
                )
            )
            listed.append({"match": pattern, "max_epochs": draw(st.one_of(st.none(), st.floats(1, 6))), **wants})
        preset = draw(st.sampled_from([None, "natural", "uniform", "temperature", "unimax"]))
        stages.append(
            {
                "from_step": step,
                "buckets": listed if preset else [*listed, {"match": "*"}],
                "preset": preset,
                "temperature": 3.33 if preset == "temperature" else None,
                "max_epochs": draw(st.sampled_from([None, 2, 8])),
            }
        )
    return MixtureManifest.model_validate({"stages": stages, "block_samples": 1 << draw(st.integers(0, 8))})


@st.composite
def changes(draw: st.DrawFn) -> tuple[list[tuple[int, MixtureManifest]], dict[str, int], int]:
    """Mixtures, each from a step on in mid-run; tokens of the buckets; steps of the run."""
    first = [(0, draw(staged()))]
    later = [(step, draw(staged())) for step in sorted(draw(st.sets(st.integers(1, 200), max_size=1)))]
    sizes = draw(st.lists(st.integers(0, 6_000), min_size=len(BUCKETS), max_size=len(BUCKETS)))
    return first + later, dict(zip(BUCKETS, sizes, strict=True)), draw(st.integers(201, 400))


@thorough
@given(changes(), st.integers(1, 8))
def test_over_staged_changes_every_share_is_met_and_no_cap_passed(
    case: tuple[list[tuple[int, MixtureManifest]], dict[str, int], int], step_samples: int
) -> None:
    """Shares to one row a block, but for the buckets of which the plan says otherwise, to keep a cap. Nothing repeated,
    nothing lost.
    """
    mixtures, tokens, steps = case
    samples = steps * step_samples
    try:
        plan = plan_mixture(
            mixtures[0][1], tokens, samples=samples, sequence=SEQUENCE, seed=0, step_samples=step_samples
        )
        stages = plan.stages
        for step, mixture in mixtures[1:]:
            plan = change_mixture(plan.order, mixture, tokens, step=step, samples=samples, step_samples=step_samples)
            stages = (*recounted(stages, plan.order, end=step * step_samples), *plan.stages)
    except GristmillError as error:
        assert error.remedy is not None  # noqa: PT017 - many rules cannot be followed
        return
    assert [stage.start for stage in stages] == [0, *(stage.end for stage in stages[:-1])]
    assert stages[-1].end == samples
    assert [stage.start for stage in plan.order.stages] == [stage.start for stage in stages]
    given_so_far = dict.fromkeys(BUCKETS, 0)
    for stage, ordered in zip(stages, plan.order.stages, strict=True):
        assert sum(row.samples for row in stage.rows) == stage.end - stage.start
        for row, count, bucket in zip(stage.rows, ordered.counts, plan.order.buckets, strict=True):
            moved = any(f"{row.bucket}: {count} samples in a block of" in note for note in stage.notes)
            assert (abs(count - row.granted * ordered.block) > 1 + 1e-9) == moved
            before, given_so_far[row.bucket] = given_so_far[row.bucket], given_so_far[row.bucket] + row.samples
            cap = math.floor(Fraction(repr(row.max_epochs)) * bucket.windows)
            assert given_so_far[row.bucket] <= max(cap, before)
            if row.granted < row.wanted - 1e-9:
                assert any("held at its cap" in note for note in stage.notes)
    assert given_before(plan.order, samples) == [given_so_far[name] for name in BUCKETS]
    places = list(zip(*(column.tolist() for column in locate(plan.order, 0, samples)), strict=True))
    assert len(set(places)) == samples
    for index, bucket in enumerate(plan.order.buckets):
        epochs = Counter(epoch for which, _, epoch in places if which == index)
        assert all(epochs[epoch] == bucket.windows for epoch in sorted(epochs)[:-1])


@thorough
@given(
    st.lists(st.tuples(positive, st.integers(0, 30), st.integers(0, 30)), min_size=1, max_size=6),
    st.fractions(min_value=0, max_value=200, max_denominator=50),
)
def test_water_filling_between_floors_and_limits(parts: list[tuple[Fraction, int, int]], total: Fraction) -> None:
    weights = {number: weight for number, (weight, _, _) in enumerate(parts)}
    floors = {number: Fraction(min(low, high)) for number, (_, low, high) in enumerate(parts)}
    limits = {number: Fraction(max(low, high)) for number, (_, low, high) in enumerate(parts)}
    amounts = fill_between(total, weights, floors, limits)
    assert sum(amounts.values()) == min(total, sum(limits.values()))
    if sum(floors.values()) > total:
        assert len({amounts[name] / floors[name] for name in weights if floors[name]}) == 1
        return
    assert all(floors[name] <= amounts[name] <= limits[name] for name in weights)
    # One level for all who are at neither end; the others would be beyond it.
    levels = {amounts[name] / weights[name] for name in weights if floors[name] < amounts[name] < limits[name]}
    assert len(levels) <= 1
    for level in levels:
        for name in weights:
            if amounts[name] == floors[name] < limits[name]:
                assert floors[name] / weights[name] >= level
            if amounts[name] == limits[name] > floors[name]:
                assert limits[name] / weights[name] <= level
