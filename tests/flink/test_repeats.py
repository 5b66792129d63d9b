"""Lines and runs of tokens that a corpus repeats, on a real Flink cluster, to a real S3 server: the bytes of one process."""

from __future__ import annotations

from pathlib import Path

import pytest

from manifests.corpus import load_corpus
from pipeline.engines.runners import Runner
from pipeline.prep import prepare
from tests.endtoend.corpora import change, tree_hashes
from tests.flink.cluster import FlinkCluster
from tests.flink.commands import finish, local_copy, start
from tests.pipeline.substrings.corpus import dealt, texts, write_corpus
from tests.store.server import Store

pytestmark = [pytest.mark.flink, pytest.mark.slow]


def test_lines_and_substrings(cluster: FlinkCluster, cluster_yaml: Path, store: Store, tmp_path: Path) -> None:
    folder = tmp_path / "corpus"
    write_corpus(folder, files=dealt(texts()), section={})
    manifest = change(folder / "corpus.yaml", dedup={"lines": "c4", "substrings": {}})
    prepare(load_corpus(manifest), out=str(tmp_path / "alone"), runner=Runner())
    finish(start(manifest, store.url("repeats"), "--cluster", str(cluster_yaml), environment=store.environment))
    alone = tree_hashes(tmp_path / "alone")
    assert tree_hashes(local_copy(store, "repeats", tmp_path / "flink")) == alone
    assert {"decide/lines/frequent.arrow", "substrings/_MANIFEST.json"} < set(alone)
    names = {name.split("-")[2] for name, state in cluster.ended_jobs() if state == "FINISHED"}
    assert names >= {"lines", "within", "removed", "cut"}
