"""Inputs of bench/slopes.py: nested shares, and a corpus without text that decide accepts."""

import gzip
import json

import pytest
import yaml

from bench.slope_inputs import FIRST_RECORDS, write_share, write_synthetic
from manifests.corpus import load_corpus
from pipeline.decide.step import decide
from pipeline.engines.runners import Runner

TOKENIZER = "given.model"


@pytest.fixture
def corpus(tmp_path):
    lines = [json.dumps({"text": f"text {number}"}).encode() + b"\n" for number in range(400)]
    (tmp_path / "raw").mkdir()
    (tmp_path / "raw" / "a.jsonl.gz").write_bytes(gzip.compress(b"".join(lines)))
    source = {"name": "a", "format": "jsonl", "root": "raw", "files": ["*.jsonl.gz"], "licence": "none"}
    path = tmp_path / "corpus.yaml"
    path.write_text(
        yaml.safe_dump(
            {"kind": "corpus", "version": 1, "name": "a", "sources": [source], "tokenizer": {"model": TOKENIZER}}
        )
    )
    return path


def test_shares_are_nested_and_as_large_as_asked_for(corpus, tmp_path):
    found = []
    for share in (0.0, 0.1, 0.5, 1.0):
        manifest = load_corpus(write_share(corpus, tmp_path / f"share-{share}", share=share))
        assert manifest.sources[0].root is not None
        lines = gzip.decompress((tmp_path / f"share-{share}" / "a" / "a.jsonl.gz").read_bytes()).splitlines()
        found.append(set(lines))
        assert len(found[-1]) == len(lines)
    assert [len(found[0]), len(found[3])] == [FIRST_RECORDS, 400]
    assert found[0] < found[1] < found[2] < found[3]
    # Four standard deviations of a binomial count around its mean.
    assert abs(len(found[1]) - 40) < 24
    assert abs(len(found[2]) - 200) < 40


def test_decide_finds_the_copies_among_documents_without_text(tmp_path):
    """5 % exact and 20 % near copies: what a signature that differs in a tenth of its places still gives away in 14
    bands of 8.
    """
    path = write_synthetic(tmp_path, tokenizer=TOKENIZER, documents=4_000)
    ledger = decide(load_corpus(path), out=str(tmp_path / "out"), runner=Runner()).ledger
    assert ledger.records_in == 4_000
    assert set(ledger.dropped) == {"exact_duplicate", "near_duplicate"}
    assert 100 < ledger.dropped["exact_duplicate"] < 300
    assert 500 < ledger.dropped["near_duplicate"] < 1_000
