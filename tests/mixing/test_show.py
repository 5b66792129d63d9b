"""A plan as rows and as tables."""

from __future__ import annotations

import io
import json

import pytest
from rich.console import Console

from manifests.mixture import BucketRule, MixtureManifest
from mixing.history import MixtureHistory
from mixing.plan import MixturePlan, plan_mixture
from mixing.show import mixture_json, mixture_rows, mixture_tables

MIXTURE = MixtureManifest(buckets=[BucketRule(match="wiki/*", share=0.25), BucketRule(match="crawl/*")])
TOKENS = {"wiki/factual": 10_001, "crawl/general": 1_000_001, "other/x": 500}
PLAN = plan_mixture(MIXTURE, TOKENS, samples=4096, sequence=10, seed=0)
SIZES = {"wiki/factual": 21_234, "crawl/general": 2_000_900_000, "other/x": 999}


def printed(plan: MixturePlan, sizes: dict[str, int], changes: tuple[int, ...] = ()) -> str:
    text = io.StringIO()
    for table in mixture_tables(MixtureHistory(plan, changes), sizes, step_samples=8):
        Console(file=text, width=200).print(table)
    return text.getvalue()


def test_rows_are_plain_data() -> None:
    rows = mixture_rows(PLAN.rows, SIZES)
    assert json.loads(json.dumps(rows)) == rows
    assert rows[2] == {
        "bucket": "wiki/factual",
        "rule": "wiki/*",
        "corpus_tokens": 10_001,
        "corpus_bytes": 21_234,
        "wanted": 0.25,
        "granted": 0.25,
        "obtained": 0.25,
        "samples": 1024,
        "tokens": 10_240,
        "epochs": 1.024,
        "epochs_so_far": 1.024,
        "max_epochs": 4.0,
    }


def test_the_table_is_sorted_by_share_and_adds_up() -> None:
    lines = [line.split() for line in printed(PLAN, SIZES).splitlines()]
    assert lines[0] == ["Mixture", "of", "4,096", "samples", "of", "10", "tokens"]
    assert " ".join(lines[1]) == ("bucket rule share wanted share obtained epochs cap tokens corpus tokens disk size")
    assert " ".join(lines[2]) == "crawl/general crawl/* 75.00 % 75.00 % 0.031 4 30,720 1,000,001 2 GB"
    assert " ".join(lines[3]) == "wiki/factual wiki/* 25.00 % 25.00 % 1.024 4 10,240 10,001 21.2 kB"
    assert " ".join(lines[4]) == "other/x 0.00 % 0.00 % 0.000 4 0 500 999 B"
    assert " ".join(lines[-1]) == "all 100.00 % 100.00 % 40,960 1,010,502 2 GB"


def test_every_stage_has_a_table_and_the_run_one_more() -> None:
    stages = [{"buckets": MIXTURE.buckets}, {"from_step": 128, "preset": "natural"}]
    plan = plan_mixture(
        MixtureManifest.model_validate({"stages": stages}), TOKENS, samples=4096, sequence=10, seed=0, step_samples=8
    )
    text = printed(plan, SIZES, changes=(128,))
    assert "Stage 1 of 2: steps 0 to 127, 10,240 tokens" in text
    assert "Stage 2 of 2: steps 128 to 511, changed in mid-run, 30,720 tokens" in text
    assert "Mixture of 4,096 samples of 10 tokens" in text
    assert text.count("epochs so far") == 1
    found = mixture_json(MixtureHistory(plan, (128,), ("shown",)), SIZES, step_samples=8)
    assert json.loads(json.dumps(found)) == found
    assert [(stage["from_step"], stage["to_step"], stage["changed_in_mid_run"]) for stage in found["stages"]] == [
        (0, 127, False),
        (128, 511, True),
    ]
    assert found["notes"][-1] == "shown"
    for total, *parts in zip(found["buckets"], *(stage["buckets"] for stage in found["stages"]), strict=True):
        assert total["samples"] == sum(part["samples"] for part in parts)
        assert total["epochs"] == pytest.approx(parts[-1]["epochs_so_far"])


def test_small_shares_keep_a_digit() -> None:
    plan = plan_mixture(MixtureManifest(), {"a": 501, "b": 10_000_001}, samples=400_000, sequence=10, seed=0)
    assert "0.005 %" in printed(plan, {})


def test_one_row_per_source() -> None:
    tokens = {"crawl/q01": 30_001, "crawl/q02": 10_001, "wiki/factual": 10_001}
    rules = [{"match": "crawl/q02", "share": 0.5}, {"match": "*"}]
    plan = plan_mixture(MixtureManifest.model_validate({"buckets": rules}), tokens, samples=1000, sequence=10, seed=0)
    text = io.StringIO()
    (table,) = mixture_tables(
        MixtureHistory(plan), {"crawl/q01": 60_000, "crawl/q02": 20_000}, step_samples=8, sources=True
    )
    Console(file=text, width=200).print(table)
    lines = [" ".join(line.split()) for line in text.getvalue().splitlines()]
    # 500 samples of q02 and 375 of q01, of 4,000 windows.
    assert [row.samples for row in plan.rows] == [375, 500, 125]
    assert lines[2] == "crawl *, crawl/q02 87.50 % 87.50 % 0.219 4 8,750 40,002 80 kB"
    assert lines[3] == "wiki * 12.50 % 12.50 % 0.125 4 1,250 10,001 0 B"
