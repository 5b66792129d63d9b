"""Plans made from rules, against results computed by hand, with every note and every error."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from manifests.errors import GristmillError
from manifests.mixture import BucketRule, MixtureManifest
from manifests.model import PRESETS
from manifests.run import Run, RunManifest
from mixing.plan import MixturePlan, plan_mixture, plan_run
from shards.order import locate
from shards.reader import open_shards
from tests.shards.corpora import write_corpus

SEQUENCE = 10
# 1,000, 3,000, 2,000 and 94,000 windows.
TOKENS = {"books/general": 10_001, "crawl/factual": 30_001, "wiki/factual": 20_001, "crawl/general": 940_001}


def plan(
    *rules: BucketRule, samples: int = 10_000, tokens: dict[str, int] | None = None, **settings: float
) -> MixturePlan:
    mixture = MixtureManifest(name="test", buckets=list(rules), **settings)
    return plan_mixture(mixture, TOKENS if tokens is None else tokens, samples=samples, sequence=SEQUENCE, seed=1)


def obtained(made: MixturePlan) -> dict[str, float]:
    return {row.bucket: row.obtained for row in made.rows if row.obtained}


def close(made: MixturePlan, **wanted: float) -> bool:
    """Every share obtained is the wanted one, to what a run of this length can resolve."""
    found = obtained(made)
    return found == pytest.approx(
        {name.replace("_", "/"): share for name, share in wanted.items()}, abs=20 / made.samples
    )


def test_a_run_is_planned_over_its_shards(tmp_path: Path) -> None:
    write_corpus(str(tmp_path / "shards"), {"wiki/factual": [[30, 20, 44], [17]], "crawl/general": [[60, 60]]})
    manifest = RunManifest(
        name="test", seed=3, data=str(tmp_path), out="run", sequence=8, global_batch=4, tokens=8 * 4 * 2 + 1
    )
    mixture = MixtureManifest(name="test", buckets=[BucketRule(match="wiki/*", share=0.5), BucketRule(match="*")])
    run = Run(manifest=manifest, mixture=mixture, model=PRESETS["tiny"], data=str(tmp_path), out="run")
    made = plan_run(run, open_shards(str(tmp_path / "shards")))
    # 65 tokens are three steps of four samples of eight tokens.
    assert made == plan_mixture(mixture, {"crawl/general": 120, "wiki/factual": 111}, samples=12, sequence=8, seed=3)
    assert made != plan_mixture(mixture, {"crawl/general": 120, "wiki/factual": 111}, samples=12, sequence=8, seed=4)


def test_natural_shares_without_rules() -> None:
    made = plan()
    assert close(made, books_general=0.01, crawl_factual=0.03, wiki_factual=0.02, crawl_general=0.94)
    assert made.notes == ()
    row = made.rows[0]
    assert (row.bucket, row.rule, row.corpus_tokens, row.wanted, row.max_epochs) == (
        "books/general",
        "*",
        10_001,
        0.01,
        4.0,
    )
    assert (row.tokens, row.epochs) == (row.samples * SEQUENCE, row.samples / 1000)


def test_obtained_is_what_the_order_gives() -> None:
    for samples in (1, 100, 3_333):
        made = plan(samples=samples)
        bucket, _, _ = locate(made.order, 0, samples)
        assert [row.samples for row in made.rows] == np.bincount(bucket, minlength=4).tolist()
        assert sum(row.samples for row in made.rows) == samples
        assert (made.order.seed, made.order.sequence, made.order.stages[0].block) == (1, SEQUENCE, 65_536)


def test_shares_divide_a_group_by_tokens_and_the_first_match_wins() -> None:
    made = plan(
        BucketRule(match="wiki/*", share=0.2),
        BucketRule(match="*/factual", share=0.1),
        BucketRule(match="*", share=0.7),
    )
    assert close(made, wiki_factual=0.2, crawl_factual=0.1, books_general=0.7 / 95, crawl_general=0.7 * 94 / 95)
    assert [row.rule for row in made.rows] == ["*", "*/factual", "*", "wiki/*"]
    assert made.notes == ()


def test_rules_without_share_take_the_rest_in_proportion() -> None:
    made = plan(
        BucketRule(match="wiki/*", share=0.2),
        BucketRule(match="books/*", epochs=2),
        BucketRule(match="crawl/factual"),
        BucketRule(match="crawl/*"),
    )
    assert close(made, wiki_factual=0.2, books_general=0.2, crawl_factual=0.6 * 3 / 97, crawl_general=0.6 * 94 / 97)
    assert made.rows[0].epochs == pytest.approx(2, abs=0.01)
    assert made.notes == ()


def test_shares_are_scaled_to_fill_what_epochs_leave() -> None:
    made = plan(
        BucketRule(match="books/*", epochs=2),
        BucketRule(match="crawl/*", share=0.5),
        BucketRule(match="wiki/*", share=0.5),
    )
    assert close(made, books_general=0.2, wiki_factual=0.4, crawl_factual=0.4 * 3 / 97, crawl_general=0.4 * 94 / 97)
    assert made.notes == ("shares are scaled by 0.8 to fill the run",)
    assert plan(BucketRule(match="*", share=0.25)).notes == ("shares are scaled by 4 to fill the run",)


def test_epochs_alone_are_scaled_to_fill_the_run() -> None:
    made = plan(BucketRule(match="books/*", epochs=1), BucketRule(match="wiki/*", epochs=2), samples=6_000)
    assert made.notes == (
        "crawl/factual: no rule matches it; it is left out",
        "crawl/general: no rule matches it; it is left out",
        "epochs are scaled by 1.2: no other rule fills what they leave of the run",
    )
    assert [round(row.epochs, 2) for row in made.rows] == [1.2, 0, 0, 2.4]


def test_caps_clip_and_the_overflow_goes_to_the_others_in_proportion() -> None:
    made = plan(
        BucketRule(match="wiki/*", share=0.9),
        BucketRule(match="crawl/factual", share=0.05),
        BucketRule(match="*", share=0.05),
        samples=20_000,
    )
    # wiki: 4 epochs of 2,000 windows; crawl/factual: 12,000 x 0.5, under its cap of 12,000.
    assert close(made, wiki_factual=0.4, crawl_factual=0.3, books_general=0.3 / 95, crawl_general=0.3 * 94 / 95)
    assert made.rows[3].samples <= 8_000
    assert made.notes == ("wiki/factual: held at its cap on epochs, 40 % of the run instead of 90 %",)


def test_a_rule_has_a_cap_of_its_own() -> None:
    made = plan(BucketRule(match="wiki/*", share=0.9, max_epochs=0.5), BucketRule(match="*"))
    assert made.rows[3].samples <= 1_000
    assert made.rows[3].epochs == pytest.approx(0.5, abs=0.01)
    assert [row.max_epochs for row in made.rows] == [4, 4, 4, 0.5]


def test_epochs_give_way_only_when_all_others_are_full() -> None:
    made = plan(
        BucketRule(match="wiki/*", share=0.5, max_epochs=1), BucketRule(match="books/*", epochs=1), samples=4_000
    )
    assert made.rows[3].samples <= 2_000
    assert made.rows[0].epochs == pytest.approx(2, abs=0.01)
    assert (
        "the other buckets have reached their caps: those under `epochs` rules get more than they ask for" in made.notes
    )


@pytest.mark.parametrize("samples", [9, 1_000, 65_536, 100_003, 399_000])
def test_caps_hold_for_runs_of_any_length(samples: int) -> None:
    made = plan(BucketRule(match="wiki/*", share=0.9), BucketRule(match="*"), samples=samples)
    assert sum(row.samples for row in made.rows) == samples
    for row, bucket in zip(made.rows, made.order.buckets, strict=True):
        assert row.samples <= 4 * bucket.windows


def test_a_decimal_cap_is_the_decimal() -> None:
    # 0.29 * 100 is 28.999999999999996 in floating point; 29 windows may be given.
    made = plan(
        BucketRule(match="a", share=0.5, max_epochs=0.29),
        BucketRule(match="b"),
        samples=58,
        tokens={"a": 1_001, "b": 10_001},
    )
    assert made.rows[0].samples == 29


def test_more_than_the_caps_allow_names_what_there_is() -> None:
    with pytest.raises(GristmillError, match="allow 4,000,000 tokens, the run asks for 4,000,010") as caught:
        plan(samples=400_001)
    assert caught.value.remedy == "raise `max_epochs`, lower the run's `tokens`, or add data"
    with pytest.raises(GristmillError, match="allow 80,000 tokens"):
        plan(BucketRule(match="wiki/*"), samples=8_001)
    assert plan(BucketRule(match="wiki/*"), samples=8_000).rows[3].epochs == 4


def test_caps_that_no_division_of_blocks_can_keep() -> None:
    with pytest.raises(GristmillError, match="no division of blocks of 4 samples keeps every cap") as caught:
        plan(samples=399_999, block_samples=4)
    assert caught.value.remedy is not None
    assert "lower the run's `tokens` a little" in caught.value.remedy


def test_small_buckets_get_nothing_and_the_plan_says_so() -> None:
    tokens = {"tiny/x": 10, "small/x": 11, "large/x": 10_000_001}
    made = plan(samples=10, tokens=tokens)
    assert [row.samples for row in made.rows] == [10, 0, 0]
    assert made.notes == (
        "tiny/x: 10 tokens are too few for one window of 10 + 1; it gets nothing",
        "small/x: its share, 1e-06, comes to no sample in a block of 65536; it gets nothing",
    )
    made = plan(samples=10, tokens={"small/x": 1_001, "large/x": 10_000_001})
    assert made.notes == ("small/x: the run is too short for its share, 0.0001; it gets nothing",)


def test_a_rule_over_buckets_without_windows_leaves_its_share_to_the_others() -> None:
    made = plan(
        BucketRule(match="tiny/*", share=0.5),
        BucketRule(match="large/*", share=0.5),
        samples=10,
        tokens={"tiny/x": 3, "large/x": 501},
    )
    assert obtained(made) == {"large/x": 1.0}
    assert made.notes == (
        "tiny/x: 3 tokens are too few for one window of 10 + 1; it gets nothing",
        "shares are scaled by 2 to fill the run",
    )


@pytest.mark.parametrize(
    ("rules", "message", "remedy"),
    [
        ([BucketRule(match="wikii/*")], "rule `wikii/\\*` matches no bucket", "wiki/factual"),
        ([BucketRule(match="zzz")], "matches no bucket", "books/general, crawl/factual, crawl/general, wiki/factual"),
        (
            [BucketRule(match="*"), BucketRule(match="wiki/*", share=0.2)],
            "`wiki/\\*` gets nothing: the rules before it",
            "move it up",
        ),
        (
            [BucketRule(match="wiki/*", epochs=5), BucketRule(match="*")],
            "asks for 5 epochs, its cap is 4",
            "`max_epochs` of its own",
        ),
        (
            [BucketRule(match="crawl/*", epochs=1), BucketRule(match="*")],
            "ask for 970,000 tokens, the run has 100,000",
            "raise the run's",
        ),
        (
            [BucketRule(match="wiki/*", share=1), BucketRule(match="books/*"), BucketRule(match="crawl/*")],
            "nothing for `books/\\*`, `crawl/\\*`",
            "lower",
        ),
        (
            [
                BucketRule(match="books/*", epochs=4),
                BucketRule(match="wiki/*", epochs=3),
                BucketRule(match="crawl/*", share=0.1),
            ],
            "nothing for `crawl/\\*`",
            "lower",
        ),
    ],
)
def test_rules_that_cannot_be_followed(rules: list[BucketRule], message: str, remedy: str) -> None:
    with pytest.raises(GristmillError, match=message) as caught:
        plan(*rules)
    assert caught.value.where == "mixture test"
    assert caught.value.remedy is not None
    assert remedy in caught.value.remedy


def test_nothing_to_train_on() -> None:
    for tokens in ({}, {"a": 10}):
        with pytest.raises(GristmillError, match=r"matches no bucket|no bucket holds as much as one window"):
            plan(tokens=tokens)
    with pytest.raises(GristmillError, match="at least one sample"):
        plan(samples=0)


def test_blocks_are_powers_of_two() -> None:
    with pytest.raises(ValueError, match="must be a power of two, such as 2048 or 4096"):
        MixtureManifest(block_samples=3_000)
