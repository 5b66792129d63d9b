"""Who is removed for whom: read from decisions, and from what the scripts of peers write."""

from __future__ import annotations

import json
import sys

import numpy as np
import pyarrow as pa
import pytest

from bench import dedup_peers
from bench.dedup_corpora import Corpus, Document, write_corpus
from bench.dedup_ours import Failed, cpu_seconds, removals_of_part, run_gristmill
from bench.dedup_peer_files import Clusters, read_documents, removals, shingles, write_removals
from bench.dedup_peers import PEERS, chosen_peers, run_peer
from bench.peers import REQUIREMENTS, Unavailable
from manifests.filters import REASONS

NAMES = [["a", "b", "c"], ["d", "e"]]


def _decisions(reasons, rows):
    found = [None if row is None else (row[0] << 32) | row[1] for row in rows]
    numbers = pa.array([REASONS.index(reason) for reason in reasons], pa.uint8())
    return pa.table({"reason": numbers, "duplicate_row": pa.array(found, pa.uint64())})


def test_the_kept_row_is_read():
    table = _decisions(["kept", "near_duplicate", "exact_duplicate"], [None, (1, 1), (0, 0)])
    assert removals_of_part(table, ids=NAMES[0], names=NAMES) == {"b": "e", "c": "a"}
    table = _decisions(["kept", "kept"], [None, None])
    assert removals_of_part(table, ids=NAMES[1], names=NAMES) == {}


def test_documents_dropped_for_another_reason_are_an_error():
    with pytest.raises(SystemExit, match="language"):
        removals_of_part(_decisions(["language"], [None]), ids=["a"], names=NAMES)


def test_a_duplicate_of_nobody_is_an_error():
    with pytest.raises(SystemExit, match="nobody is kept"):
        removals_of_part(_decisions(["near_duplicate"], [None]), ids=["a"], names=NAMES)


def test_gristmill_removes_a_copy(tmp_path):
    words = " ".join(f"word{number}" for number in range(100))
    documents = (
        Document("one", words),
        Document("other", "something else of ten words that nobody has copied here"),
        Document("two", words),
        Document("three", words + " more"),
    )
    path = write_corpus(Corpus("c", documents), tmp_path)
    outcome = run_gristmill(path, tmp_path / "ours")
    assert len(outcome.kept) == 2
    assert {*outcome.kept, *outcome.kept.values()} == {"one", "two", "three"}
    assert len(set(outcome.kept.values())) == 1
    assert outcome.cpu_s > 0


def test_a_command_that_fails_says_what_it_wrote(tmp_path):
    with pytest.raises(Failed, match="status 3: no wheel"):
        cpu_seconds([sys.executable, "-c", "print('no wheel'); raise SystemExit(3)"], log=tmp_path / "log")


def test_a_peer_that_fails_is_unavailable(tmp_path, monkeypatch):
    monkeypatch.setattr(dedup_peers, "peer_python", lambda name: sys.executable)
    monkeypatch.setitem(dedup_peers._SCRIPTS, "broken", ("broken", "bench.no_such_script", ()))
    with pytest.raises(Unavailable, match=r"broken: .*No module named bench\.no_such_script"):
        run_peer("broken", tmp_path / "documents.jsonl", tmp_path / "broken")


def test_peers_are_chosen_by_name():
    assert (chosen_peers("all"), chosen_peers("none")) == (list(PEERS), [])
    assert chosen_peers("rensa,datatrove") == ["rensa", "datatrove"]
    with pytest.raises(SystemExit, match="no such peer: minhash"):
        chosen_peers("minhash")
    assert {environment for environment, *_ in dedup_peers._SCRIPTS.values()} <= set(REQUIREMENTS)


def test_the_first_of_a_cluster_is_kept(tmp_path):
    documents = [Document(name, "text") for name in "abcdef"]
    path = write_corpus(Corpus("c", tuple(documents)), tmp_path)
    clusters = Clusters(6)
    for one, other in ((4, 2), (5, 4), (1, 3), (2, 5)):
        clusters.join(one, other)
    found = removals(clusters, read_documents(str(path)))
    assert found == {"d": "b", "e": "c", "f": "c"}
    write_removals(str(tmp_path / "removals.json"), found, note="n")
    assert json.loads((tmp_path / "removals.json").read_text()) == {"kept": found, "note": "n"}


def test_clusters_are_connected_components():
    generator = np.random.default_rng(1)
    for _ in range(20):
        edges = generator.integers(0, 30, (25, 2)).tolist()
        clusters, labels = Clusters(30), list(range(30))
        for one, other in edges:
            clusters.join(one, other)
        for _ in range(30):
            for one, other in edges:
                labels[one] = labels[other] = min(labels[one], labels[other])
        assert [clusters.root(number) for number in range(30)] == labels


def test_shingles_of_tools_that_leave_them_to_users():
    assert shingles("A b, c d e F") == ["a b c d e", "b c d e f"]
    assert shingles("a b") == ["a b"]
    assert shingles("") == [""]
