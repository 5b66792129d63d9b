"""A small corpus, and what was prepared from it."""

from __future__ import annotations

from pathlib import Path

import pytest

from manifests.corpus import load_corpus
from pipeline.engines.runners import Runner
from pipeline.prep import prepare
from tests.endtoend.corpora import Corpus, write_corpus


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    return write_corpus(tmp_path_factory.mktemp("corpus"))


@pytest.fixture
def prepared(corpus: Corpus, tmp_path: Path) -> Path:
    prepare(load_corpus(corpus.path), out=str(tmp_path / "prepared"), runner=Runner())
    return tmp_path / "prepared"
