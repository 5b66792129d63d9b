"""BOS and EOS tokens; what tasks make of sources of which most is dropped."""

import json
import shutil
from collections import Counter
from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from manifests.corpus import load_corpus
from pipeline.engines.runners import Runner
from pipeline.prep import prepare
from pipeline.tokenize.kept_text import KeptDocuments, kept_documents
from pipeline.tokenize.step import add_boundaries, tokenize
from shards.reader import open_shards
from shards.verify import verify_shards

TEXT = "The miller gets up early in the morning and walks with his dog through the village as far as the river. "


@pytest.mark.parametrize(("bos", "eos"), [(1, 2), (1, None), (None, 2)])
@given(documents=st.lists(st.lists(st.integers(3, 9), max_size=4), min_size=1, max_size=6))
def test_boundaries(documents, bos, eos) -> None:
    tokens = np.array([token for document in documents for token in document], np.uint32)
    offsets = np.concatenate([[0], np.cumsum([len(document) for document in documents])]).astype(np.int64)
    bounded, lengths = add_boundaries(tokens, offsets, bos=bos, eos=eos)
    expected = [[t for t in (bos, *document, eos) if t is not None] for document in documents]
    assert bounded.tolist() == [token for document in expected for token in document]
    assert lengths.tolist() == [len(document) for document in expected]


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    """A source of 60 files, of which nine documents in ten are in a language that is not kept."""
    folder = tmp_path_factory.mktemp("dropped")
    foreign = "Der alte Müller steht früh am Morgen auf und geht mit seinem Hund durch das Dorf bis an den Fluss. "
    for file in range(60):
        rows = [{"id": f"{file}-{row}", "text": f"{file} {row} {foreign * 8}"} for row in range(9)]
        rows.insert(file % 9, {"id": f"{file}-kept", "text": f"Part {file} of the story of the mill. {TEXT * 6}{file}"})
        (folder / f"{file:03d}.jsonl").write_text("\n".join(map(json.dumps, rows)))
    manifest = {
        "kind": "corpus",
        "name": "dropped",
        "sources": [{"name": "s", "format": "jsonl", "files": ["*.jsonl"], "licence": "made up", "filters": "none"}],
        "dedup": {"exact": False, "minhash": None},
        "languages": {"keep": ["en"]},
        "tokenizer": {"train": {"vocab_size": 400, "sample_mb": 1}},
        "shard_tokens": 1500,
    }
    (folder / "corpus.yaml").write_text(json.dumps(manifest))
    return load_corpus(folder / "corpus.yaml")


@pytest.fixture(scope="module")
def prepared(corpus, tmp_path_factory):
    out = tmp_path_factory.mktemp("out")
    prepare(corpus, out=str(out), runner=Runner())
    return out


def test_shards_hold_what_was_asked_for_whatever_was_dropped(corpus, prepared) -> None:
    shards = open_shards(str(prepared / "shards")).manifest.shards
    assert int(shards.documents.sum()) == 60
    assert len(shards) > 4
    assert ((shards.tokens >= corpus.shard_tokens / 2) & (shards.tokens <= corpus.shard_tokens * 3 / 2)).all()


def test_documents_of_a_task_are_in_hash_order(prepared) -> None:
    (bucket,) = open_shards(str(prepared / "shards")).buckets.values()
    tasks: dict[str, list[bytes]] = {}
    neighbours = documents = 0
    for at, entry in enumerate(bucket.entries):
        table = bucket.read_documents(at)
        tasks.setdefault(entry.name.split("-")[0], []).extend(table["document_id"].to_pylist())
        files = [int(name.split(".")[0]) for name in table["file"].to_pylist()]
        neighbours += sum(abs(one - two) == 1 for one, two in zip(files, files[1:], strict=False))
        documents += len(files)
    assert all(ids == sorted(ids) for ids in tasks.values())
    assert neighbours < documents / 2


def test_a_task_writes_each_bucket_of_its_documents(prepared, corpus, tmp_path, monkeypatch) -> None:
    out = tmp_path / "out"
    shutil.copytree(prepared, out)
    shutil.rmtree(out / "shards")

    def in_two(*arguments, **settings) -> Iterator[KeptDocuments]:
        for batch in kept_documents(*arguments, **settings):
            bands = ["s/odd" if name[0] in "13579" else "s/even" for name in batch.documents["name"].to_pylist()]
            yield batch._replace(buckets=pa.array(bands))

    monkeypatch.setattr("pipeline.tokenize.step.kept_documents", in_two)
    tokenize(corpus, out=str(out), runner=Runner())
    shards = open_shards(str(out / "shards"))
    assert list(shards.buckets) == ["s/even", "s/odd"]

    def rows(folder, names) -> Counter[tuple[str, str, bytes]]:
        buckets = open_shards(str(folder / "shards")).buckets
        return Counter(
            (
                row["record_name"],
                row["band"] if names else "",
                bucket.map_tokens(at)[row["offset"] :][: row["length"]].tobytes(),
            )
            for bucket in buckets.values()
            for at in range(len(bucket.entries))
            for row in bucket.read_documents(at).to_pylist()
        )

    assert rows(out, False) == rows(prepared, False)
    assert {(name[0] in "13579", band) for name, band, _ in rows(out, True)} == {(True, "odd"), (False, "even")}
    assert verify_shards(str(out / "shards")) == []
