"""Shards that are whole but do not mean what their manifest says are refused when opened, when mapped, and by verify."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import yaml

from manifests.corpus import load_corpus
from manifests.errors import GristmillError
from pipeline.engines.runners import Runner
from pipeline.prep import prepare
from shards import guard
from shards.format import TokenizerInfo
from shards.reader import open_shards
from shards.verify import verify_shards
from shards.verify_corpus import verify_corpus
from shards.writer import load_manifest, publish_manifest, write_shard
from tests.endtoend.corpora import prose
from tests.shards.corpora import write_corpus

LENGTHS = {"wiki/factual": [[3, 2, 4], [5, 2, 9]], "crawl/general": [[6, 2], [5]]}
Tokens = np.ndarray


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A corpus of a source that is encoded as it is, and of one whose lines are cleaned."""
    folder = tmp_path_factory.mktemp("guard")
    for name in ("plain", "cleaned"):
        texts = [f"{prose(f'{name}{number}')} [1]\n\n  menu  \n{prose(str(number), words=24)}" for number in range(60)]
        rows = [{"id": f"{name}{number}", "text": text} for number, text in enumerate(texts)]
        (folder / f"{name}.jsonl").write_text("\n".join(map(json.dumps, rows)))
    source = {"format": "jsonl", "licence": "made up"}
    manifest = {
        "kind": "corpus",
        "name": "guarded",
        "sources": [
            {"name": "plain", "files": ["plain.jsonl"], "filters": "none", **source},
            {"name": "cleaned", "files": ["cleaned.jsonl"], "filters": ["c4-tfds"], **source},
        ],
        "dedup": {"exact": False, "minhash": None},
        "tokenizer": {"train": {"vocab_size": 400, "sample_mb": 1}},
        "shard_tokens": 4000,
    }
    (folder / "corpus.yaml").write_text(yaml.safe_dump(manifest))
    prepare(load_corpus(folder / "corpus.yaml"), out=str(folder / "out"), runner=Runner())
    return folder / "out"


@pytest.fixture
def out(made: Path, tmp_path: Path) -> Path:
    shutil.copytree(made, tmp_path / "out")
    return tmp_path / "out"


def rewrite(
    folder: Path, change: Callable[[str, Tokens, Tokens], Tokens], *, info: TokenizerInfo | None = None
) -> None:
    """Write all shards anew with other tokens of the same number, so that every hash is right."""
    manifest = load_manifest(str(folder))
    entries = []
    for bucket in open_shards(str(folder)).buckets.values():
        for at, entry in enumerate(bucket.entries):
            tokens, documents = np.array(bucket.map_tokens(at)), bucket.read_documents(at)
            offsets = np.append(documents["offset"].to_numpy(), len(tokens))
            entries.append(
                write_shard(
                    str(folder),
                    bucket=entry.bucket,
                    name=entry.name,
                    tokens=change(f"{entry.bucket}/{entry.name}", tokens, offsets),
                    offsets=offsets,
                    documents=documents,
                    tokenizer=info or manifest.tokenizer,
                    inputs=entry.inputs,
                )
            )
    changes = {"shards": entries, "tokenizer": info or manifest.tokenizer}
    publish_manifest(str(folder), manifest.model_copy(update=changes))


def another_vocabulary(_: str, tokens: Tokens, offsets: Tokens) -> Tokens:
    """As a tokenizer gives that has the same pieces in another order; BOS, EOS and bytes stay."""
    return np.where(tokens >= 300, 300 + (tokens - 299) % 100, tokens).astype(tokens.dtype)


def test_opening_looks_at_documents(out: Path) -> None:
    seen = open_shards(str(out / "shards")).seen
    assert seen.note is None
    assert seen.bounded >= 4
    assert seen.encoded >= 4
    assert verify_corpus(str(out))[1] == []


def test_another_tokenizer_under_the_same_name_is_found(out: Path) -> None:
    rewrite(out / "shards", another_vocabulary)
    with pytest.raises(GristmillError, match="has other tokens than its text has"):
        open_shards(str(out / "shards"))
    problems = verify_shards(str(out / "shards"))
    entries = load_manifest(str(out / "shards")).shards
    assert {problem.file for problem in problems} >= {entry.file for entry in entries if "plain" in entry.bucket}


def test_verify_finds_the_one_shard_that_was_encoded_otherwise(out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As after a run that was killed, a library changed, and started again: the shards that opening draws are sound."""
    names = [f"{bucket}/{name}" for bucket, name in load_manifest(str(out / "shards")).shards.bucket_and_name()]
    other = next(name for name in names if name.startswith("plain/"))
    rewrite(
        out / "shards",
        lambda name, tokens, offsets: another_vocabulary(name, tokens, offsets) if name == other else tokens,
    )
    monkeypatch.setattr(guard, "SHARDS_OPENED", 0)
    assert open_shards(str(out / "shards")).seen.note == "no document was encoded again: no document"
    assert [str(problem.file) for problem in verify_shards(str(out / "shards"))] == [f"{other}.arrow"]


def test_the_model_beside_the_shards_must_be_theirs(out: Path) -> None:
    model = out / "tokenizer" / "tokenizer.model"
    model.write_bytes(model.read_bytes() + b"\n")
    with pytest.raises(GristmillError, match="is not the tokenizer of the shards beside it") as caught:
        open_shards(str(out / "shards"))
    assert caught.value.where == str(model)
    assert any(
        "is not the tokenizer of the shards" in problem.message for problem in verify_shards(str(out / "shards"))
    )


@pytest.mark.parametrize("gone", ["extract", "shards/tasks", "tokenizer"])
def test_what_could_not_be_encoded_again_is_said(out: Path, gone: str) -> None:
    shutil.rmtree(out / gone)
    seen = open_shards(str(out / "shards")).seen
    assert seen.encoded == 0
    assert str(seen.note).startswith("no document was encoded again: ")
    assert seen.bounded >= 4
    notes: list[str] = []
    assert verify_shards(str(out / "shards"), say=notes.append) == []
    assert len(notes) == 1
    assert "shards was encoded again" in notes[0]


def test_texts_of_another_extract_prove_nothing(out: Path) -> None:
    """The text changed, not the tokens."""
    (part,) = (out / "extract" / "documents" / "plain").rglob("*.arrow")
    (other,) = (out / "extract" / "documents" / "cleaned").rglob("*.arrow")
    import pyarrow as pa

    table = pa.ipc.open_file(str(part)).read_all()
    texts = pa.ipc.open_file(str(other)).read_all()["text"]
    changed = table.set_column(table.schema.get_field_index("text"), table.schema.field("text"), texts)
    with pa.ipc.new_file(str(part), table.schema) as writer:
        writer.write_table(changed)
    notes: list[str] = []
    assert verify_shards(str(out / "shards"), say=notes.append) == []
    assert any("is not the one that the shards were made from" in note for note in notes)


@pytest.mark.parametrize("end", ["BOS", "EOS"])
def test_documents_without_bounds_are_refused_when_opened_and_when_mapped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, end: str
) -> None:
    write_corpus(str(tmp_path), LENGTHS, bounded=True)
    manifest = load_manifest(str(tmp_path))
    info = manifest.tokenizer.model_copy(update={f"{end.lower()}_id": 7})
    publish_manifest(str(tmp_path), manifest.model_copy(update={"tokenizer": info}))
    with pytest.raises(
        GristmillError, match=rf"is not bounded by {end} \(7\), as the manifest says, but by token [12]"
    ):
        open_shards(str(tmp_path))
    monkeypatch.setattr(guard, "SHARDS_OPENED", 0)
    for bucket in open_shards(str(tmp_path)).buckets.values():
        for shard in range(len(bucket.entries)):
            with pytest.raises(GristmillError, match=f"is not bounded by {end}"):
                bucket.map_tokens(shard)


def test_nothing_is_asked_of_shards_without_bounds(tmp_path: Path) -> None:
    write_corpus(str(tmp_path), LENGTHS)
    shards = open_shards(str(tmp_path))
    assert shards.seen.bounded == 0
    assert len(shards.buckets["crawl/general"].map_tokens(0)) == 8


def test_damage_is_left_to_the_hashes(tmp_path: Path) -> None:
    """A sampled shard that is not whole does not stop others from being used."""
    manifest = write_corpus(str(tmp_path), LENGTHS, bounded=True)
    for entry in manifest.shards:
        path = tmp_path / entry.file
        path.write_bytes(bytes(len(path.read_bytes())))
    shards = open_shards(str(tmp_path))
    assert shards.seen.bounded == 0
    with pytest.raises(GristmillError, match="its sha256 is not the manifest's"):
        shards.buckets["crawl/general"].map_tokens(0)
