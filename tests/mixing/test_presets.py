"""Presets, minimum shares and ranges of bands, against results computed by hand."""

from __future__ import annotations

from typing import Any

import pytest

from manifests.errors import GristmillError
from manifests.mixture import MixtureManifest
from mixing.plan import MixturePlan, plan_mixture

# 1,000, 3,000, 2,000 and 10,000 windows of ten tokens: three sources.
TOKENS = {"books/general": 10_001, "crawl/q01": 30_001, "crawl/q02": 20_001, "wiki/factual": 100_001}


def plan(samples: int = 2_000, tokens: dict[str, int] | None = None, **mixture: Any) -> MixturePlan:
    made = MixtureManifest.model_validate({"name": "test", **mixture})
    return plan_mixture(made, TOKENS if tokens is None else tokens, samples=samples, sequence=10, seed=1)


def wanted(made: MixturePlan) -> dict[str, float]:
    assert sum(row.wanted for row in made.rows) == pytest.approx(1)
    return {row.bucket: row.wanted for row in made.rows if row.wanted}


def granted(made: MixturePlan) -> dict[str, float]:
    assert sum(row.granted for row in made.rows) == pytest.approx(1)
    for row in made.rows:
        assert row.obtained == pytest.approx(row.granted, abs=12 / made.samples)
    return {row.bucket: row.granted for row in made.rows if row.granted}


def test_natural_is_what_no_preset_is() -> None:
    assert wanted(plan(preset="natural")) == wanted(plan())
    assert wanted(plan())["crawl/q01"] == pytest.approx(3 / 16)
    assert [row.rule for row in plan(preset="natural").rows] == ["books/*", "crawl/*", "crawl/*", "wiki/*"]


def test_uniform_is_alike_for_sources_and_by_size_within_them() -> None:
    made = plan(preset="uniform")
    assert wanted(made) == pytest.approx(
        {"books/general": 1 / 3, "crawl/q01": 1 / 3 * 3 / 5, "crawl/q02": 1 / 3 * 2 / 5, "wiki/factual": 1 / 3}
    )
    assert made.notes == ()


def test_temperature_by_powers_of_the_sizes() -> None:
    made = plan(preset="temperature", temperature=2)
    weights = [1_000**0.5, 5_000**0.5, 10_000**0.5]
    assert wanted(made) == pytest.approx(
        {
            "books/general": weights[0] / sum(weights),
            "crawl/q01": weights[1] / sum(weights) * 3 / 5,
            "crawl/q02": weights[1] / sum(weights) * 2 / 5,
            "wiki/factual": weights[2] / sum(weights),
        }
    )
    assert wanted(plan(preset="temperature", temperature=1)) == pytest.approx(wanted(plan()))


def unimax(sizes: list[int], budget: float, cap: float) -> list[float]:
    """Algorithm 1 of arXiv 2304.09151: from the smallest source on, an equal part of what is left, within the cap."""
    left, shares = budget, [0.0] * len(sizes)
    for done, index in enumerate(sorted(range(len(sizes)), key=lambda index: sizes[index])):
        shares[index] = min(left / (len(sizes) - done), cap * sizes[index])
        left -= shares[index]
    return [share / sum(shares) for share in shares]


@pytest.mark.parametrize(("samples", "cap"), [(2_000, 4.0), (9_000, 1.0), (20_000, 4.0), (15_000, 1.0)])
def test_unimax_is_its_paper_s_algorithm(samples: int, cap: float) -> None:
    made = plan(samples, preset="unimax", max_epochs=cap)
    books, crawl, wiki = unimax([1_000, 5_000, 10_000], samples, cap)
    assert granted(made) == pytest.approx(
        {"books/general": books, "crawl/q01": crawl * 3 / 5, "crawl/q02": crawl * 2 / 5, "wiki/factual": wiki}
    )
    assert not any("held at its cap" in note for note in made.notes)
    # Uniform shares under caps are the same, and say what they lack.
    uniform = plan(samples, preset="uniform", max_epochs=cap)
    assert granted(uniform) == pytest.approx(granted(made))
    assert any("books/general: held at its cap" in note for note in uniform.notes) == (samples > 3_000)


def test_llama_1_has_the_table_of_its_paper() -> None:
    names = ("commoncrawl-2019", "c4", "github", "wikipedia", "books", "arxiv", "stackexchange")
    tokens = {f"{name}/general": 1_000_001 for name in names}
    made = plan(tokens=tokens, preset="llama1")
    assert list(wanted(made).values()) == pytest.approx([0.025, 0.045, 0.15, 0.67, 0.045, 0.02, 0.045])
    assert made.notes == ()


def test_llama_1_over_other_sources() -> None:
    made = plan(preset="llama1", sources={"commoncrawl": "crawl/*", "wikipedia": "wiki/*"})
    # Of the table's 67, 4.5 and 4.5 percent.
    assert wanted(made) == pytest.approx(
        {
            "books/general": 4.5 / 76,
            "crawl/q01": 67 / 76 * 3 / 5,
            "crawl/q02": 67 / 76 * 2 / 5,
            "wiki/factual": 4.5 / 76,
        }
    )
    assert made.notes == tuple(
        f"llama1: no bucket for {row} % (`{pattern}`); the other rows get it in proportion"
        for row, pattern in (
            ("c4, 15", "c4*/*"),
            ("github, 4.5", "github*/*"),
            ("arxiv, 2.5", "arxiv*/*"),
            ("stackexchange, 2", "stackexchange*/*"),
        )
    )
    with pytest.raises(GristmillError, match="no bucket stands for any row") as caught:
        plan(preset="llama1", sources={"books": "novels/*"})
    assert "sources: {commoncrawl:" in str(caught.value.remedy)


def test_rules_come_before_a_preset_which_divides_what_they_leave() -> None:
    made = plan(preset="uniform", buckets=[{"match": "wiki/*", "share": 0.4}])
    assert wanted(made) == pytest.approx(
        {"books/general": 0.3, "crawl/q01": 0.3 * 3 / 5, "crawl/q02": 0.3 * 2 / 5, "wiki/factual": 0.4}
    )
    made = plan(preset="uniform", buckets=[{"match": "crawl/q02"}])  # a group of its own
    assert wanted(made) == pytest.approx(
        {"books/general": 0.25, "crawl/q01": 0.25, "crawl/q02": 0.25, "wiki/factual": 0.25}
    )


def test_bands_by_range() -> None:
    tokens = {f"crawl/q{band:02d}": 10_001 for band in range(1, 21)}
    made = plan(tokens=tokens, buckets=[{"match": "crawl/q17..q20", "share": 0.8}, {"match": "crawl/*"}])
    assert [row.wanted for row in made.rows] == pytest.approx([0.2 / 16] * 16 + [0.2] * 4)


def test_a_minimum_share_takes_from_the_rules_that_share_the_rest() -> None:
    rules = [{"match": "wiki/*", "share": 0.5}, {"match": "books/*", "min_share": 0.2}, {"match": "*"}]
    assert wanted(plan(buckets=rules)) == pytest.approx(
        {"books/general": 0.2, "crawl/q01": 0.3 * 3 / 5, "crawl/q02": 0.3 * 2 / 5, "wiki/factual": 0.5}
    )
    rules[1]["min_share"] = 0.01  # less than it gets anyhow: 0.5 x 1 / 6
    assert wanted(plan(buckets=rules))["books/general"] == pytest.approx(0.5 / 6)


def test_a_minimum_share_takes_from_shares_when_nothing_else_is_left() -> None:
    rules = [{"match": "wiki/*", "share": 0.9}, {"match": "crawl/*", "min_share": 0.3}, {"match": "books/*"}]
    made = plan(buckets=rules)
    assert wanted(made) == pytest.approx({"crawl/q01": 0.3 * 3 / 5, "crawl/q02": 0.3 * 2 / 5, "wiki/factual": 0.7})
    assert made.notes == (
        "`min_share` takes 20 % of the run from the rules with `share`",
        "`books/*`: the minimum shares of the others leave nothing for it",
    )


def test_a_minimum_share_among_shares_that_are_scaled() -> None:
    rules = [{"match": "wiki/*", "share": 0.9}, {"match": "books/*", "share": 0.3, "min_share": 0.3}]
    assert wanted(plan(buckets=rules)) == pytest.approx({"wiki/factual": 0.7, "books/general": 0.3})


def test_a_minimum_share_that_a_cap_forbids_is_said() -> None:
    rules = [{"match": "books/*", "min_share": 0.5, "max_epochs": 0.5}, {"match": "*"}]
    made = plan(buckets=rules)
    assert granted(made)["books/general"] == pytest.approx(0.25)
    assert made.notes == (
        "books/general: held at its cap on epochs, 25 % of the run instead of 50 %",
        "`books/*`: its `min_share` of 50 % is more than it can get; it gets 25 %",
    )


def test_a_group_whose_buckets_are_all_full_is_named_once() -> None:
    made = plan(samples=10_000, buckets=[{"match": "crawl/*", "share": 0.9, "max_epochs": 1}, {"match": "*"}])
    assert made.notes == ("`crawl/*`: held at its cap on epochs, 50 % of the run instead of 90 %",)
