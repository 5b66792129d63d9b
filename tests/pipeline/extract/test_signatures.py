"""Signatures parts: what they say of themselves, and what they hold for each kind of permutations and unit."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from dedup.signature_settings import check_comparable, from_metadata, signature_settings
from dedup.signing import make_signing, sign_texts
from manifests.corpus import load_corpus
from manifests.errors import GristmillError
from pipeline.engines.runners import Runner
from pipeline.extract.step import extract
from pipeline.schemas import ipc_metadata, read_ipc
from pipeline.text.normalise import text_buffers

TEXTS = [
    "The miller grinds the grain of the valley, day after day.",
    "粉屋は毎日、谷の麦をひく。",
    "no",
    "Ein Müller mahlt das Korn des Tales: Tag für Tag, Jahr für Jahr, ohne Ende.",
]


def extracted(folder: Path, minhash: dict[str, Any], *, seed: int = 7) -> Path:
    """The signatures part of the texts."""
    folder.mkdir()
    (folder / "a.jsonl").write_text("".join(json.dumps({"text": text}) + "\n" for text in TEXTS))
    source = {"name": "own", "format": "jsonl", "files": ["a.jsonl"], "licence": "made up"}
    manifest = {"kind": "corpus", "name": "c", "sources": [source], "tokenizer": {"model": "none"}, "seed": seed}
    (folder / "corpus.yaml").write_text(json.dumps(manifest | {"dedup": {"minhash": minhash}}))
    extract(load_corpus(folder / "corpus.yaml"), out=str(folder / "out"), runner=Runner())
    (part,) = (folder / "out" / "extract" / "signatures").rglob("*.arrow")
    return part


@pytest.mark.parametrize("unit", ["words", "characters"])
@pytest.mark.parametrize("permutations", ["gristmill", "datasketch", "datasketch-legacy"])
def test_a_part_holds_the_signatures_that_it_says_it_holds(tmp_path: Path, permutations: str, unit: str) -> None:
    minhash = {"bands": 4, "rows": 3, "ngram": 3, "unit": unit, "permutations": permutations}
    part = extracted(tmp_path / "corpus", minhash)
    metadata = ipc_metadata(str(part))
    settings = from_metadata(metadata, where=str(part))
    assert settings.model_dump(exclude={"shingle_rule"}) == {
        "permutations": permutations, "seed": 7, "values": 12, "ngram": 3, "unit": unit
    }  # fmt: skip
    assert (metadata["source"], metadata["file"]) == ("own", "a.jsonl")
    table = read_ipc(str(part))
    values = table["signature"].combine_chunks().flatten().to_numpy().reshape(-1, 12)
    expected, shingles = sign_texts(*text_buffers(pa.array(TEXTS, pa.large_string())), make_signing(settings))
    assert values.dtype == np.uint32
    assert values.tolist() == expected.tolist()
    assert table["shingles"].to_pylist() == shingles.tolist()


def test_parts_of_two_corpora_are_compared_only_if_they_were_made_alike(tmp_path: Path) -> None:
    one = extracted(tmp_path / "one", {"bands": 2, "rows": 6})
    same = extracted(tmp_path / "same", {"bands": 3, "rows": 4})
    other = extracted(tmp_path / "other", {"bands": 2, "rows": 6}, seed=8)
    found = {path: from_metadata(ipc_metadata(str(path)), where=str(path)) for path in (one, same, other)}
    check_comparable(found[one], found[same], where=str(one), other_where=str(same))
    with pytest.raises(GristmillError, match="seed 7 and 8"):
        check_comparable(found[one], found[other], where=str(one), other_where=str(other))


def test_a_recipe_and_its_numbers_give_the_same_part(tmp_path: Path) -> None:
    by_name = extracted(tmp_path / "name", {"preset": "dolma3"})
    by_numbers = extracted(tmp_path / "numbers", {"bands": 26, "rows": 11, "ngram": 5, "unit": "words"})
    assert by_name.read_bytes() == by_numbers.read_bytes()


def test_the_longest_recipe_is_signed(tmp_path: Path) -> None:
    part = extracted(tmp_path / "corpus", {"preset": "lee-2022"})
    minhash = load_corpus(tmp_path / "corpus" / "corpus.yaml").dedup.minhash
    assert minhash is not None
    assert from_metadata(ipc_metadata(str(part)), where="") == signature_settings(minhash, seed=7)
    assert read_ipc(str(part))["signature"].type.list_size == 9_000
