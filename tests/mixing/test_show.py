"""A plan as rows and as a table."""

from __future__ import annotations

import io
import json

from rich.console import Console

from manifests.mixture import BucketRule, MixtureManifest
from mixing.plan import plan_mixture
from mixing.show import mixture_rows, mixture_table

MIXTURE = MixtureManifest(buckets=[BucketRule(match="wiki/*", share=0.25), BucketRule(match="crawl/*")])
PLAN = plan_mixture(
    MIXTURE, {"wiki/factual": 10_001, "crawl/general": 1_000_001, "other/x": 500}, samples=4096, sequence=10, seed=0
)


def test_rows_are_plain_data() -> None:
    rows = mixture_rows(PLAN)
    assert json.loads(json.dumps(rows)) == rows
    assert rows[2] == {
        "bucket": "wiki/factual",
        "rule": "wiki/*",
        "corpus_tokens": 10_001,
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
    text = io.StringIO()
    Console(file=text, width=160).print(mixture_table(PLAN))
    lines = [line.split() for line in text.getvalue().splitlines()]
    assert lines[0] == ["Mixture", "of", "4,096", "samples", "of", "10", "tokens"]
    assert lines[2] == ["crawl/general", "crawl/*", "75.00", "%", "75.00", "%", "30,720", "0.031", "4", "1,000,001"]
    assert lines[3] == ["wiki/factual", "wiki/*", "25.00", "%", "25.00", "%", "10,240", "1.024", "4", "10,001"]
    assert lines[4] == ["other/x", "0.00", "%", "0.00", "%", "0", "0.000", "4", "500"]
    assert lines[-1] == ["all", "100.00", "%", "100.00", "%", "40,960", "1,010,502"]


def test_small_shares_keep_a_digit() -> None:
    plan = plan_mixture(MixtureManifest(), {"a": 501, "b": 10_000_001}, samples=400_000, sequence=10, seed=0)
    text = io.StringIO()
    Console(file=text, width=160).print(mixture_table(plan))
    assert "0.005 %" in text.getvalue()
