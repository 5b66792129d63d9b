"""The mixture of a run, shown."""

from __future__ import annotations

import pytest
import yaml

from tests.gristmill.commands.invoke import printed, run


def test_mix_show(corpus, prepared, tmp_path) -> None:
    mixture = {"buckets": [{"match": "*/factual", "share": 0.25}, {"match": "*"}], "max_epochs": 50}
    manifest = {
        "kind": "run",
        "name": "r",
        "data": str(prepared),
        "out": "run",
        "sequence": 64,
        "global_batch": 8,
        "tokens": 51_200,
    }
    (tmp_path / "run.yaml").write_text(yaml.safe_dump({**manifest, "mixture": mixture}))
    shown = printed("mix", "show", tmp_path / "run.yaml")
    rows = {row["bucket"]: row for row in shown["buckets"]}
    assert [(stage["from_step"], stage["to_step"]) for stage in shown["stages"]] == [(0, 99)]
    assert all(row["corpus_bytes"] > 0 for row in rows.values())
    assert rows["wiki/factual"]["obtained"] == pytest.approx(0.25, abs=0.005)
    assert sum(row["tokens"] for row in rows.values()) == 51_200
    text = run("mix", "show", tmp_path / "run.yaml")[1]
    assert "wiki/factual" in text
    assert "25.00 %" in text
