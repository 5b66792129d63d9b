"""The data half as commands: what they print, and what they refuse before they begin."""

from __future__ import annotations

import signal

import pytest
import yaml

from manifests.errors import GristmillError
from tests.gristmill.commands.invoke import printed, run


def test_a_command_leaves_the_signal_handlers_as_they_were(corpus, tmp_path) -> None:
    before = signal.getsignal(signal.SIGTERM)
    assert run("extract", corpus.path, "--out", tmp_path / "out", "--workers", 1)[0] == 0
    assert signal.getsignal(signal.SIGTERM) is before


def test_prep_prints_ledgers_and_digest(corpus, tmp_path) -> None:
    result = printed("prep", corpus.path, "--out", tmp_path / "out", "--workers", 1)
    assert result["ledgers"]["extract"]["records_in"] == corpus.records
    assert len(result["digest"]) == 64
    status, text = run("prep", corpus.path, "--out", tmp_path / "out", "--workers", 1)
    assert status == 0
    for words in ("quarantined: invalid JSON", "dropped: near_duplicate", "balanced", "wiki/factual", result["digest"]):
        assert words in text


def test_steps_one_by_one_give_the_same(corpus, prepared, tmp_path) -> None:
    for words in (("extract",), ("decide",), ("tokenizer", "train"), ("tokenize",)):
        result = printed(*words, corpus.path, "--out", tmp_path / "steps")
    assert result["digest"] == printed("inspect", prepared)["shards"]["digest"]


def test_a_step_before_its_turn(corpus, tmp_path) -> None:
    with pytest.raises(GristmillError, match="run `gristmill extract` first"):
        run("decide", corpus.path, "--out", tmp_path / "out")


def test_unknown_runner_and_flink_without_a_cluster(corpus, tmp_path) -> None:
    with pytest.raises(GristmillError, match="unknown runner `spark`"):
        run("prep", corpus.path, "--out", tmp_path / "out", "--runner", "spark")
    with pytest.raises(GristmillError, match="a Flink cluster has to be described"):
        run("prep", corpus.path, "--out", tmp_path / "out", "--runner", "flink")
    (tmp_path / "cluster.yaml").write_text("{kind: cluster, runner: portable, job_endpoint: 'localhost:1'}")
    with pytest.raises(GristmillError, match="but the manifest's runner is portable"):
        run("prep", corpus.path, "--out", tmp_path / "out", "--runner", "flink", "--cluster", tmp_path / "cluster.yaml")


def test_what_later_steps_read_is_looked_for_before_the_first(corpus, tmp_path) -> None:
    data = yaml.safe_load(corpus.path.read_text())
    for section, problem in (
        ({"block_lists": [{"name": "b", "sites": "gone"}]}, "block list `b` names no file for `sites`"),
        ({"opt_out": {"urls": "gone"}}, "`opt_out` names no file for `urls`"),
        ({"tokenizer": {"model": "gone.model"}}, r"gone\.model: no such file\n  remedy: check `tokenizer\.model`"),
    ):
        (tmp_path / "corpus.yaml").write_text(yaml.safe_dump(data | section))
        with pytest.raises(GristmillError, match=problem):
            run("prep", tmp_path / "corpus.yaml", "--out", tmp_path / "out")
        assert not (tmp_path / "out").exists()
