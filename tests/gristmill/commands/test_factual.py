"""`gristmill factual`: train, show, urls."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from gristmill.cli import app
from manifests.kinds import load_any
from tests.pipeline.factual.test_training import CHAT, FACTS, manifest, source, text, write
from tests.pipeline.factual.test_urls import NEW


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("raw")
    for name, kind in (("facts", FACTS), ("chat", CHAT)):
        write(folder, name, [{"text": text(kind, f"{name}{number}")} for number in range(30)])
    return manifest(folder, [source("facts", label="factual"), source("chat", label="general")])


def test_train_and_show(path: Path, tmp_path: Path) -> None:
    run, out = CliRunner(), str(tmp_path / "m.arrow")
    printed = run.invoke(app, ["factual", "train", str(path), "--out", out])
    assert printed.exit_code == 0, printed.output
    for words in ("log-odds by source", "20 parts by score", "does NOT beat the name of the source", "rates ", "facts"):
        assert words in printed.output
    shown = run.invoke(app, ["factual", "show", out])
    assert "does NOT beat the name of the source" in shown.output
    as_json = json.loads(run.invoke(app, ["factual", "show", out, "--json"]).stdout)
    assert as_json["report"]["beats_source"] is False
    assert as_json["training"]["sources"]["facts"]["factual"] == 30
    again = json.loads(run.invoke(app, ["factual", "train", str(path), "--out", out, "--json"]).stdout)
    assert again == as_json


def test_the_manifest_is_a_kind_that_show_knows(path: Path) -> None:
    whole = load_any(path).model_dump(mode="json")
    assert whole["kind"] == "factual"
    assert "priority" not in whole["sources"][0]


def test_urls(tmp_path: Path) -> None:
    (tmp_path / "dump.sql.gz").write_bytes(gzip.compress(NEW.encode()))
    out = tmp_path / "urls.gz"
    printed = CliRunner().invoke(app, ["factual", "urls", str(tmp_path / "dump.sql.gz"), "--out", str(out)])
    assert "4 URLs" in printed.output
    assert len(gzip.decompress(out.read_bytes()).splitlines()) == 4
