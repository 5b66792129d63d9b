"""The command: what it prints for people and for scripts, and its exit status."""

from __future__ import annotations

import json
import signal
import subprocess
import sys

import pytest
import yaml
from typer.testing import CliRunner

from gristmill.cli import _missing_module, app
from gristmill.running import stops_on_sigterm
from manifests.corpus import load_corpus
from manifests.errors import GristmillError
from manifests.model import PRESETS
from pipeline.engines.runners import Runner
from pipeline.prep import prepare
from tests.endtoend.corpora import write_corpus
from tests.paths import PROJECT


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    return write_corpus(tmp_path_factory.mktemp("corpus"))


@pytest.fixture
def prepared(corpus, tmp_path):
    prepare(load_corpus(corpus.path), out=str(tmp_path / "prepared"), runner=Runner())
    return tmp_path / "prepared"


def run(*words):
    """Exit status and standard output; errors that people see are raised, as `main` would print them."""
    result = CliRunner().invoke(app, [str(word) for word in words])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.stdout


def printed(*words):
    status, text = run(*words, "--json")
    assert status == 0
    return json.loads(text)


def test_show_prints_every_default(corpus, tmp_path) -> None:
    shown = yaml.safe_load(run("show", corpus.path)[1])
    assert shown == printed("show", corpus.path)
    assert shown["dedup"] == {"exact": True, "minhash": {"bands": 14, "rows": 8, "ngram": 5}}
    (tmp_path / "shown.yaml").write_text(yaml.safe_dump(shown))
    assert printed("show", tmp_path / "shown.yaml") == shown
    (tmp_path / "run.yaml").write_text("{kind: run, name: r, data: d, out: o}")
    assert printed("show", tmp_path / "run.yaml")["optimizer"]["eps"] == 1e-5
    (tmp_path / "mixture.yaml").write_text("{kind: mixture}")
    assert printed("show", tmp_path / "mixture.yaml")["max_epochs"] == 4


def test_a_command_leaves_the_signal_handlers_as_they_were(corpus, tmp_path) -> None:
    before = signal.getsignal(signal.SIGTERM)
    assert run("extract", corpus.path, "--out", tmp_path / "out", "--workers", 1)[0] == 0
    assert signal.getsignal(signal.SIGTERM) is before


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda number: number.name)
def test_a_signal_ends_a_command_as_ctrl_c_does(number, capsys) -> None:
    with pytest.raises(SystemExit, match="130"), stops_on_sigterm():
        signal.raise_signal(number)
    assert "run the same command again to go on" in capsys.readouterr().err


def test_nohup_is_respected() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with stops_on_sigterm():
            signal.raise_signal(signal.SIGHUP)
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


@pytest.mark.parametrize("name", PRESETS)
def test_show_prints_a_preset(name) -> None:
    assert printed("show", name)["name"] == name


def test_show_of_something_else(tmp_path) -> None:
    (tmp_path / "odd.yaml").write_text("kind: soup")
    with pytest.raises(GristmillError, match="`kind: soup` is not a kind of manifest"):
        run("show", tmp_path / "odd.yaml")


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


def test_inspect_and_verify(prepared) -> None:
    assert sorted(printed("inspect", prepared)["steps"]) == ["decide", "extract", "tokenizer"]
    assert "articles/general" in run("inspect", prepared)[1]
    assert printed("verify", prepared)["problems"] == []
    victim = sorted((prepared / "extract" / "signals").rglob("*.arrow"))[0]
    victim.write_bytes(victim.read_bytes()[:-1] + b"\x00")
    sorted((prepared / "shards").rglob("*.documents.arrow"))[0].unlink()
    status, text = run("verify", prepared)
    assert status == 1
    assert f"{victim}: its sha256 is not the manifest's" in text
    assert ".documents.arrow" in text


def test_inspect_of_an_empty_folder(tmp_path) -> None:
    with pytest.raises(GristmillError, match="holds nothing that Gristmill wrote"):
        run("inspect", tmp_path)


def test_tokenizer_check(prepared) -> None:
    result = printed("tokenizer", "check", prepared / "tokenizer" / "tokenizer.model")
    assert (result["vocab_size"], result["differing"]) == (420, 0)
    assert result["probes"] > 50


def test_mix_show(corpus, prepared, tmp_path) -> None:
    mixture = {"buckets": [{"match": "*/factual", "share": 0.25}, {"match": "*"}], "max_epochs": 50}
    manifest = {"kind": "run", "name": "r", "data": str(prepared), "out": "run", "sequence": 64, "global_batch": 8, "tokens": 51_200}
    (tmp_path / "run.yaml").write_text(yaml.safe_dump({**manifest, "mixture": mixture}))
    rows = {row["bucket"]: row for row in printed("mix", "show", tmp_path / "run.yaml")["buckets"]}
    assert rows["wiki/factual"]["obtained"] == pytest.approx(0.25, abs=0.005)
    assert sum(row["tokens"] for row in rows.values()) == 51_200
    text = run("mix", "show", tmp_path / "run.yaml")[1]
    assert "wiki/factual" in text
    assert "25.00 %" in text


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
        ({"tokenizer": {"model": "gone.model"}}, r"gone\.model: no such file\n  remedy: check `tokenizer\.model`"),
    ):
        (tmp_path / "corpus.yaml").write_text(yaml.safe_dump(data | section))
        with pytest.raises(GristmillError, match=problem):
            run("prep", tmp_path / "corpus.yaml", "--out", tmp_path / "out")
        assert not (tmp_path / "out").exists()


def test_a_missing_group_is_named() -> None:
    assert "group `train`" in _missing_module(ModuleNotFoundError("x", name="megatron.core"))
    assert "group `data`" in _missing_module(ModuleNotFoundError("x", name="numba"))


def test_errors_have_no_traceback_unless_asked_for(tmp_path) -> None:
    def command(*options):
        words = [sys.executable, "-m", "gristmill", *options, "show", str(tmp_path / "gone.yaml")]
        return subprocess.run(words, cwd=PROJECT, capture_output=True, text=True, check=False)

    plain, debug = command(), command("--debug")
    assert plain.returncode == 1
    assert plain.stderr == f"error: {tmp_path}/gone.yaml: no such manifest\n  remedy: check the path\n"
    assert "Traceback" in debug.stderr
