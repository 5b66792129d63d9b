"""Near duplicates are found by signatures of each kind."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from manifests.corpus import load_corpus
from pipeline.decide.step import decide
from pipeline.engines.runners import Runner
from pipeline.extract.step import extract

_PAGE = (
    "The miller of the old mill grinds the grain of the valley every day until the river freezes; then he mends the"
    " wheel, writes letters to his sister in the town beyond the hills, and waits for the thaw that brings back water,"
    " work, farmers with full sacks, and the smell of fresh bread in the narrow streets below the weir."
)
TEXTS = [_PAGE, _PAGE.replace("town", "city"), _PAGE[::-1]]


@pytest.mark.parametrize(
    "minhash",
    [
        {"preset": "fineweb"},
        {"preset": "fineweb", "permutations": "datasketch"},
        {"preset": "slimpajama", "permutations": "datasketch-legacy"},
        {"preset": "lee-2022"},
        {"threshold": 0.7, "ngram": 3, "permutations": "datasketch"},
        {"bands": 20, "rows": 5, "ngram": 8, "unit": "characters"},
    ],
    ids=str,
)
def test_one_word_changed(tmp_path: Path, minhash: dict[str, Any]) -> None:
    (tmp_path / "a.jsonl").write_text("".join(json.dumps({"text": text}) + "\n" for text in TEXTS))
    source = {"name": "own", "format": "jsonl", "files": ["a.jsonl"], "licence": "made up", "filters": "none"}
    manifest = {"kind": "corpus", "name": "c", "sources": [source], "tokenizer": {"model": "none"}}
    (tmp_path / "corpus.yaml").write_text(json.dumps(manifest | {"dedup": {"minhash": minhash}}))
    corpus, out = load_corpus(tmp_path / "corpus.yaml"), str(tmp_path / "out")
    extract(corpus, out=out, runner=Runner())
    assert decide(corpus, out=out, runner=Runner()).ledger.dropped == {"near_duplicate": 1}
