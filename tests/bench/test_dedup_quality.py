"""The whole command over small corpora, with tools that are played."""

from __future__ import annotations

import json
import sys

import pytest

from bench import dedup_quality
from bench.dedup_corpora import Corpus, Document, Family
from bench.dedup_ours import Outcome
from bench.dedup_peer_files import read_documents
from bench.peers import Unavailable

TEXT = " ".join(f"w{number}" for number in range(50))
CORPORA = {
    "real": Corpus("real", (Document("a", TEXT), Document("b", TEXT), Document("c", "something else"))),
    "planted": Corpus("planted", (Document("d", TEXT), Document("e", "another")), (Family("case", ("d", "e")),)),
}


@pytest.fixture
def command(tmp_path, monkeypatch, capsys):
    """Runs the command with arguments; its lines. Gristmill removes b; `rensa` runs, `datatrove` does not."""
    (tmp_path / "MANIFEST.json").write_text("[]")

    def ours(documents, folder):
        return Outcome({"b": "a"} if documents.parent.name == "real" else {}, 1.0)

    def peer(name, documents, folder):
        assert read_documents(str(documents))
        if name == "datatrove":
            raise Unavailable("datatrove: no network")
        return Outcome({"e": "d"} if documents.parent.name == "planted" else {}, 2.0, "rensa 1")

    def makers(corpora, *, half, scale):
        return {name: lambda corpus=corpus: corpus for name, corpus in CORPORA.items()}

    monkeypatch.setattr(dedup_quality, "run_gristmill", ours)
    monkeypatch.setattr(dedup_quality, "run_peer", peer)
    monkeypatch.setattr(dedup_quality, "makers", makers)

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["quality", "--corpora", str(tmp_path), *arguments])
        dedup_quality.main()
        return capsys.readouterr().out.splitlines()

    return run


def test_the_command_measures_every_tool_on_every_corpus(command):
    lines = command("--peers", "rensa,datatrove")
    last = json.loads(lines[-1])
    assert (last["precision"], last["wrong_below_half"], last["pairs_left_above_0.8"]) == (1.0, 0, 0.0)
    assert last["by_corpus"]["planted"]["precision"] is None
    assert (last["peers"]["rensa"]["precision"], last["peers"]["rensa"]["pairs_left_above_0.8"]) == (0.0, 1.0)
    assert last["peers"]["datatrove"] == {"unavailable": "datatrove: no network"}
    assert "datatrove could not be run: datatrove: no network" in lines
    assert any(line.startswith("real: 3 documents") and "rensa 1" in line for line in lines)
    assert any(line.split()[:2] == ["case", "1"] and line.split()[-2:] == ["0.00", "1.00"] for line in lines)


def test_corpora_are_kept_where_asked(command, tmp_path):
    command("--peers", "none", "--only", "real", "--work", str(tmp_path / "work"))
    assert [document.id for document in read_documents(str(tmp_path / "work/real/documents.jsonl"))] == ["a", "b", "c"]
    assert not (tmp_path / "work/planted").exists()
    with pytest.raises(SystemExit, match="empty folder"):
        command("--work", str(tmp_path / "work"))


def test_what_does_not_exist_is_named(command, tmp_path):
    with pytest.raises(SystemExit, match="no such corpus: web"):
        command("--only", "web")
    (tmp_path / "MANIFEST.json").unlink()
    with pytest.raises(SystemExit, match="--corpora"):
        command()
