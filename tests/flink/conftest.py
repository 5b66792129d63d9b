"""One object store and one cluster for all tests of this folder: a JobManager, two TaskManagers of one slot, a worker
pool.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from manifests.corpus import load_corpus
from pipeline.extract.inputs import list_raw_files
from tests.endtoend.corpora import Corpus, write_corpus
from tests.flink.cluster import FlinkCluster, flink_cluster, missing
from tests.store.server import Store


@pytest.fixture(scope="session")
def store(server: Store) -> Store:
    return server


@pytest.fixture(scope="session")
def cluster(store: Store, tmp_path_factory: pytest.TempPathFactory) -> Iterator[FlinkCluster]:
    reason = missing()
    if reason is not None:
        pytest.skip(reason)
    with flink_cluster(tmp_path_factory.mktemp("flink") / "cluster", environment=store.environment, slots=1) as running:
        yield running


@pytest.fixture(scope="session")
def cluster_yaml(cluster: FlinkCluster, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return cluster.manifest(tmp_path_factory.mktemp("manifest") / "cluster.yaml")


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    """Some fifty records of every format, on local disk."""
    return write_corpus(tmp_path_factory.mktemp("small"))


def upload(manifest: Path, store: Store, prefix: str, written: Path) -> Path:
    """Put a corpus' raw files and its tokenizer into the store; the manifest that reads them there, under the same
    names.
    """
    corpus = load_corpus(manifest)
    content = yaml.safe_load(manifest.read_text())
    for file in list_raw_files(corpus.sources):
        store.upload(Path(file.path), f"{prefix}/{file.source}/{file.name}")
    for source in content["sources"]:
        source["root"] = store.url(prefix, source["name"])
    if corpus.tokenizer.model is not None:
        store.upload(Path(corpus.tokenizer.model), f"{prefix}/tokenizer.model")
        content["tokenizer"]["model"] = store.url(prefix, "tokenizer.model")
    written.write_text(yaml.safe_dump(content))
    return written
