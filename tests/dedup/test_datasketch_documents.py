"""The programs in docs/manifests.md that exchange signatures with datasketch, run as they stand there."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from datasketch import LeanMinHash

from manifests.corpus import load_corpus
from manifests.errors import GristmillError
from pipeline.engines.runners import Runner
from pipeline.extract.step import extract
from tests.dedup.datasketch_texts import datasketch_of, shingles_of_words
from tests.paths import PROJECT

PAGE = (PROJECT / "docs" / "manifests.md").read_text(encoding="utf-8")
TEXTS = ["!?", "Here are the words of a text, as shingles are made of them!", "Nothing of this is said there at all."]


def program(name: str) -> str:
    (found,) = re.findall(rf"<!-- {name} -->\n```python\n(.*?)```", PAGE, re.DOTALL)
    return str(found)


@pytest.fixture
def prepared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a prepared corpus, the working folder."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "texts.jsonl").write_text("".join(json.dumps({"text": text}) + "\n" for text in TEXTS))
    source = {"name": "own", "format": "jsonl", "files": ["texts.jsonl"], "licence": "made up"}
    manifest = {"kind": "corpus", "name": "c", "sources": [source], "tokenizer": {"model": "none"}}
    (tmp_path / "corpus.yaml").write_text(json.dumps(manifest | {"dedup": {"minhash": {"permutations": "datasketch"}}}))
    extract(load_corpus(tmp_path / "corpus.yaml"), out="prepared", runner=Runner())
    return tmp_path


def test_ours_in_datasketch(prepared: Path, capsys: pytest.CaptureFixture[str]) -> None:
    exec(program("ours in datasketch"), {})
    (part,) = prepared.glob("prepared/extract/signatures/own/*.arrow")
    assert capsys.readouterr().out == f"[('{part.relative_to(prepared)}', 1)]\n"


def test_theirs_beside_ours(prepared: Path) -> None:
    made = [datasketch_of(shingles_of_words(text, 5), num_perm=112, seed=0, scheme="affine32") for text in TEXTS]
    names = {"theirs": [LeanMinHash(minhash) for minhash in made]}
    exec(program("theirs beside ours"), names)
    assert names["keys"].shape == (3, 14)
    others = [datasketch_of(["x"], num_perm=112, seed=1, scheme="affine32")]
    with pytest.raises(GristmillError, match="seed 1 and 0"):
        exec(program("theirs beside ours"), {"theirs": others})
