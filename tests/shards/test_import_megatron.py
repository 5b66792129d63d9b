"""Megatron's files as shards: exported and back again, written by Megatron, bounded otherwise, damaged, interrupted."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import xxhash

import storage.steps
from manifests.errors import GristmillError
from manifests.step import Ledger
from shards.contents import contents_of
from shards.export_megatron import export_megatron
from shards.format import SIDE_TABLE, ShardManifest
from shards.import_bounds import Boundaries
from shards.import_megatron import megatron_files
from shards.import_settings import ImportSettings
from shards.import_tokenizer import tokenizer_of
from shards.import_tokens import import_tokens
from shards.reader import open_shards
from shards.verify_corpus import verify_corpus
from tests.children import in_child
from tests.models import write_model
from tests.shards.megatron import build

DOCUMENTS = [[[1, 5, 2]], [[1, 7], [8, 9, 2]], [[]], [[1, 3, 2]]]
JOINED = [[1, 5, 2], [1, 7, 8, 9, 2], [1, 3, 2]]


@pytest.fixture(scope="module")
def models(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    write_model(folder / "small.model", vocab_size=1000)
    write_model(folder / "large.model", vocab_size=70_000)
    write_model(folder / "no_bos.model", vocab_size=1000, bos=False)
    return folder


def _import(
    prefixes: Sequence[Path],
    model: Path,
    out: Path,
    *,
    buckets: Sequence[str] | None = None,
    boundaries: Boundaries = "bos+eos",
    shard_tokens: int = 1000,
    advance: Callable[[int], object] = lambda tokens: None,
) -> ShardManifest:
    info, _ = tokenizer_of(model.read_bytes(), boundaries, where=str(model))
    files = megatron_files(
        [str(prefix) for prefix in prefixes], buckets or ["old/general"] * len(prefixes), tokenizer_sha256=info.sha256
    )
    settings = ImportSettings(
        command="import megatron",
        corpus="imported",
        model=str(model),
        boundaries=boundaries,
        shard_tokens=shard_tokens,
    )
    return import_tokens(files, settings, out=str(out), advance=advance)


def _documents(out: Path, bucket: str = "old/general") -> list[list[int]]:
    opened = open_shards(str(out / "shards")).buckets[bucket]
    found = []
    for shard in range(len(opened.starts) - 1):
        tokens, rows = opened.map_tokens(shard), opened.read_documents(shard)
        for offset, length in zip(rows["offset"].to_pylist(), rows["length"].to_pylist(), strict=True):
            found.append(tokens[offset : offset + length].tolist())
    return found


def _rows(out: Path, bucket: str = "old/general") -> list[dict[str, Any]]:
    opened = open_shards(str(out / "shards")).buckets[bucket]
    return [row for shard in range(len(opened.starts) - 1) for row in opened.read_documents(shard).to_pylist()]


def _content(out: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(out)): path.read_bytes()
        for path in sorted(out.rglob("*"))
        if path.is_file() and path.name != ".lock" and "tasks" not in path.parts
    }


def test_what_megatron_wrote(models, tmp_path) -> None:
    build(tmp_path / "x", DOCUMENTS, np.uint16)
    done = _import([tmp_path / "x"], models / "small.model", tmp_path / "out")
    assert done.ledger == Ledger(records_in=4, kept=3, dropped={"no_tokens": 1})
    assert _documents(tmp_path / "out") == JOINED
    content = np.array([7, 8, 9], "<u4").tobytes()
    assert _rows(tmp_path / "out")[1] == {
        "document_id": xxhash.xxh3_128_digest(content),
        "source": "old",
        "band": "general",
        "site": None,
        "url": None,
        "offset": 3,
        "length": 5,
        "file": "x.bin",
        "record": 1,
        "record_name": None,
    }
    assert [row["record"] for row in _rows(tmp_path / "out")] == [0, 1, 3]
    assert verify_corpus(str(tmp_path / "out")) == (3, [])
    found = contents_of(str(tmp_path / "out"))
    assert sorted(found.steps) == ["import", "tokenizer"]
    assert found.steps["import"].inputs.keys() == {"old/general: x.bin", "old/general: x.idx"}
    assert found.steps["import"].notes == ["documents without tokens are left out: 1"]


def test_the_id_of_a_document_is_that_of_its_content(models, tmp_path) -> None:
    """Whatever the dtype, the file, and what bounds it."""
    build(tmp_path / "bounded", [[[1, 5, 6, 2]]], np.uint16)
    build(tmp_path / "plain", [[[7]], [[5, 6]]], np.int64)
    bounded = _import([tmp_path / "bounded"], models / "small.model", tmp_path / "a")
    _import([tmp_path / "plain"], models / "large.model", tmp_path / "b", boundaries="none")
    assert _rows(tmp_path / "a")[0]["document_id"] == _rows(tmp_path / "b")[1]["document_id"]
    assert (bounded.tokenizer.bos_id, bounded.tokenizer.eos_id) == (1, 2)
    assert open_shards(str(tmp_path / "b" / "shards")).manifest.tokenizer.bos_id is None


@pytest.mark.parametrize("model", ["small.model", "large.model"])
@pytest.mark.parametrize("file_tokens", [None, 300])
def test_there_and_back_again(models, tmp_path, model, file_tokens) -> None:
    """Tokens, documents and side tables are the same; only where shards end may differ."""
    rng = np.random.default_rng(5)
    for number in range(2):
        documents = [[[1, *rng.integers(3, 900, length).tolist(), 2]] for length in rng.integers(1, 60, 40).tolist()]
        build(tmp_path / f"first{number}", documents, np.int32)
    buckets = ["crawl/general", "wiki/factual"]
    first = _import(
        [tmp_path / "first0", tmp_path / "first1"],
        models / model,
        tmp_path / "a",
        buckets=buckets,
        shard_tokens=100,
    )
    export_megatron(str(tmp_path / "a" / "shards"), out=str(tmp_path / "exported"), file_tokens=file_tokens)
    prefixes = sorted((tmp_path / "exported").rglob("*.bin"))
    assert len(prefixes) == (2 if file_tokens is None else 8)
    again = _import(
        prefixes,
        models / model,
        tmp_path / "b",
        buckets=[str(path.relative_to(tmp_path / "exported")).split(".")[0].rpartition("-0")[0] or
                 str(path.relative_to(tmp_path / "exported")).removesuffix(".bin") for path in prefixes],
        shard_tokens=250,
    )  # fmt: skip
    assert again.tokenizer == first.tokenizer
    assert again.dtype == first.dtype
    for bucket in buckets:
        assert _documents(tmp_path / "b", bucket) == _documents(tmp_path / "a", bucket)
        for one, other in zip(_rows(tmp_path / "b", bucket), _rows(tmp_path / "a", bucket), strict=True):
            assert {**one, "offset": 0} == {**other, "offset": 0}
        assert _rows(tmp_path / "b", bucket)[0]["file"].startswith("first")
    assert verify_corpus(str(tmp_path / "b"))[1] == []


def test_tokens_of_another_vocabulary_are_refused(models, tmp_path) -> None:
    build(tmp_path / "x", [[[1, 4, 2]], [[1, 1000, 2]]], np.int32)
    with pytest.raises(GristmillError, match="token id 1000 is outside the vocabulary of 1000") as error:
        _import([tmp_path / "x"], models / "small.model", tmp_path / "out")
    assert error.value.where == f"{tmp_path}/x.bin, document 1"
    build(tmp_path / "y", [[[1, 4, 2]], [[1, -1, 2]]], np.int32)
    with pytest.raises(GristmillError, match="token id -1 is outside"):
        _import([tmp_path / "y"], models / "small.model", tmp_path / "other")
    assert not (tmp_path / "other" / "shards" / "_MANIFEST.json").exists()


@pytest.mark.parametrize(
    ("documents", "boundaries", "match"),
    [
        (
            [[[1, 4, 2]], [[4, 5, 2]]],
            "bos+eos",
            r"document 1: does not begin with BOS \(1\) but with 4; of 2 documents",
        ),
        ([[[1, 4, 2]], [[1, 5, 9]]], "eos", r"document 1: does not end with EOS \(2\) but with 9"),
        ([[[1, 4, 2]], [[]], [[4]]], "bos", r"document 2: does not begin with BOS"),
        ([[[1, 4, 2]], [[1, 5, 2]]], "none", r"x\.bin: all 2 documents begin with BOS \(1\), which was not declared"),
        ([[[1, 4, 2]], [[1, 5, 2]]], "bos", r"all 2 documents end with EOS \(2\), which was not declared"),
        ([[[1, 4, 2]], [[1, 5, 2]]], "eos", r"all 2 documents begin with BOS"),
    ],
)
def test_bounds_are_declared_and_checked(models, tmp_path, documents, boundaries, match) -> None:
    build(tmp_path / "x", documents, np.uint16)
    with pytest.raises(GristmillError, match=match):
        _import([tmp_path / "x"], models / "small.model", tmp_path / "out", boundaries=boundaries)


@pytest.mark.parametrize(
    ("documents", "boundaries"),
    [
        ([[[1, 4]], [[1, 2, 5]]], "bos"),
        ([[[4, 2]], [[1, 2]]], "eos"),
        ([[[4]], [[1, 5, 2]]], "none"),
        ([[[1, 2]]], "bos+eos"),
    ],
)
def test_bounds_as_declared(models, tmp_path, documents, boundaries) -> None:
    build(tmp_path / "x", documents, np.uint16)
    _import([tmp_path / "x"], models / "small.model", tmp_path / "out", boundaries=boundaries)
    assert _documents(tmp_path / "out") == [document[0] for document in documents]


def test_a_model_without_the_bound_is_refused(models, tmp_path) -> None:
    build(tmp_path / "x", [[[4, 1]]], np.uint16)
    with pytest.raises(GristmillError, match="the tokenizer has no bos token"):
        _import([tmp_path / "x"], models / "no_bos.model", tmp_path / "out")
    _import([tmp_path / "x"], models / "no_bos.model", tmp_path / "out", boundaries="eos")
    (tmp_path / "text.model").write_text("not a model")
    with pytest.raises(GristmillError, match="is not a SentencePiece model"):
        _import([tmp_path / "x"], tmp_path / "text.model", tmp_path / "other")


def test_a_cut_file_is_found_before_anything_is_written(models, tmp_path) -> None:
    for name in "xy":
        build(tmp_path / name, DOCUMENTS, np.uint16)
    path = tmp_path / "y.bin"
    path.write_bytes(path.read_bytes()[:-2])
    with pytest.raises(GristmillError, match=r"y\.bin: has 20 bytes: document 3 ends beyond"):
        _import([tmp_path / "x", tmp_path / "y"], models / "small.model", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_two_files_of_one_name(models, tmp_path) -> None:
    for folder in "ab":
        (tmp_path / folder).mkdir()
        build(tmp_path / folder / "x", DOCUMENTS, np.uint16)
    prefixes = [tmp_path / "a" / "x", tmp_path / "b" / "x"]
    with pytest.raises(GristmillError, match=r"two files of bucket old/general are called x\.bin"):
        _import(prefixes, models / "small.model", tmp_path / "out")
    done = _import(prefixes, models / "small.model", tmp_path / "out", buckets=["a/general", "b/general"])
    assert sorted(done.bucket_sizes()) == ["a/general", "b/general"]


def test_small_files_are_put_together_and_large_ones_cut(models, tmp_path) -> None:
    for number in range(5):
        build(tmp_path / f"part{number}", [[[1, number + 3, 2]]] * 300, np.uint16)
    prefixes = [tmp_path / f"part{number}" for number in (3, 1, 0, 2, 4)]
    done = _import(prefixes, models / "small.model", tmp_path / "out", shard_tokens=2000)
    assert [(entry.name, entry.tokens) for entry in done.shards] == [
        ("00000-0000", 2001),
        ("00000-0001", 699),
        ("00001-0000", 1800),
    ]
    assert done.shards[0].inputs == ["part0.bin", "part1.bin", "part2.bin"]
    assert _documents(tmp_path / "out") == [[1, number + 3, 2] for number in range(5) for _ in range(300)]


def test_a_killed_import_goes_on_and_gives_the_same_bytes(models, tmp_path) -> None:
    for number in range(4):
        build(tmp_path / f"part{number}", [[[1, number + 3, 2]]] * 400, np.uint16)
    prefixes = [tmp_path / f"part{number}" for number in range(4)]

    def run(out: Path, advance: Callable[[int], object]) -> ShardManifest:
        return _import(prefixes, models / "small.model", out, advance=advance)

    undisturbed = run(tmp_path / "undisturbed", lambda tokens: None)
    assert len(undisturbed.shards) == 8
    out = tmp_path / "out"
    for kill_at in (1, 3, 4):
        calls = 0

        def die(_tokens: int, kill_at: int = kill_at) -> None:
            nonlocal calls
            calls += 1
            if calls == kill_at:
                os._exit(9)

        assert in_child(lambda tell, die=die: run(out, die), cpu_s=20)[1] == 9
        assert not (out / "shards" / "_MANIFEST.json").exists()
    first = out / "shards" / "old" / "general" / "00000-0000.arrow"
    before = first.stat().st_mtime_ns
    assert run(out, lambda tokens: None) == undisturbed
    assert first.stat().st_mtime_ns == before
    assert _content(out) == _content(tmp_path / "undisturbed")
    assert run(out, lambda tokens: None) == undisturbed


def test_again_deletes_nothing(models, tmp_path, monkeypatch) -> None:
    build(tmp_path / "x", [[[1, 5, 2]]], np.uint16)
    _import([tmp_path / "x"], models / "small.model", tmp_path / "out")
    monkeypatch.setattr(storage.steps, "remove_file", lambda path: pytest.fail(f"deleted {path}"))
    _import([tmp_path / "x"], models / "small.model", tmp_path / "out")
    assert _documents(tmp_path / "out") == [[1, 5, 2]]


def test_a_changed_input_is_imported_again(models, tmp_path) -> None:
    build(tmp_path / "x", [[[1, 5, 2]]], np.uint16)
    _import([tmp_path / "x"], models / "small.model", tmp_path / "out")
    build(tmp_path / "x", [[[1, 6, 2]], [[1, 7, 2]]], np.uint16)
    _import([tmp_path / "x"], models / "small.model", tmp_path / "out")
    assert _documents(tmp_path / "out") == [[1, 6, 2], [1, 7, 2]]
    assert verify_corpus(str(tmp_path / "out"))[1] == []


def test_other_options_and_foreign_folders_are_refused(models, tmp_path) -> None:
    build(tmp_path / "x", [[[1, 5, 2]]], np.uint16)
    _import([tmp_path / "x"], models / "small.model", tmp_path / "out")
    with pytest.raises(GristmillError, match="other settings"):
        _import([tmp_path / "x"], models / "small.model", tmp_path / "out", shard_tokens=2000)
    with pytest.raises(GristmillError, match="other inputs"):
        _import([tmp_path / "x"], models / "large.model", tmp_path / "out")
    with pytest.raises(GristmillError, match="is not empty"):
        _import([tmp_path / "x"], models / "small.model", tmp_path)


def test_files_without_a_document(models, tmp_path) -> None:
    build(tmp_path / "x", [[[]]], np.uint16)
    with pytest.raises(GristmillError, match="hold no document with tokens"):
        _import([tmp_path / "x"], models / "small.model", tmp_path / "out")


def _exported(models: Path, folder: Path) -> Path:
    build(folder / "x", [[[1, 5, 2]], [[1, 6, 2]], [[1, 7, 8, 2]]], np.uint16)
    _import([folder / "x"], models / "small.model", folder / "first")
    export_megatron(str(folder / "first" / "shards"), out=str(folder / "exported"))
    return folder / "exported" / "old" / "general"


def test_a_side_table_of_other_tokens_is_refused(models, tmp_path) -> None:
    prefix = _exported(models, tmp_path)
    build(prefix, [[[1, 5, 2]], [[1, 6, 9, 2]], [[1, 7, 2]]], np.uint16)
    with pytest.raises(GristmillError, match="says another length than the index of document 1"):
        _import([prefix], models / "small.model", tmp_path / "a")
    build(prefix, [[[1, 5, 2]]], np.uint16)
    with pytest.raises(GristmillError, match="has 3 rows, its index 1 documents"):
        _import([prefix], models / "small.model", tmp_path / "b")
    (prefix.parent / "general.documents.arrow").unlink()
    _import([prefix], models / "small.model", tmp_path / "c")


def test_a_side_table_of_another_tokenizer_or_damaged_is_refused(models, tmp_path) -> None:
    prefix = _exported(models, tmp_path)
    with pytest.raises(GristmillError, match="written by another tokenizer"):
        _import([prefix], models / "large.model", tmp_path / "a")
    side = prefix.parent / "general.documents.arrow"
    whole = side.read_bytes()
    side.write_bytes(whole[:-30])
    with pytest.raises(GristmillError, match="is not a whole Arrow IPC file"):
        _import([prefix], models / "small.model", tmp_path / "b")
    with pa.OSFile(str(side), "wb") as file, pa.ipc.new_file(file, SIDE_TABLE):
        pass
    with pytest.raises(GristmillError, match="is not a side table of format"):
        _import([prefix], models / "small.model", tmp_path / "c")


def test_a_damaged_byte_of_a_side_table_is_an_error_or_changes_no_tokens(models, tmp_path) -> None:
    prefix = _exported(models, tmp_path)
    sha256 = tokenizer_of((models / "small.model").read_bytes(), "bos+eos", where="")[0].sha256
    side = prefix.parent / "general.documents.arrow"
    whole = side.read_bytes()
    unnoticed = 0
    for at in range(0, len(whole), 3):
        data = bytearray(whole)
        data[at] ^= 0xFF
        side.write_bytes(data)
        try:
            [file] = megatron_files([str(prefix)], ["old/general"], tokenizer_sha256=sha256)
            [documents] = file.read()
        except GristmillError:
            continue
        unnoticed += 1
        assert documents.known is not None
        assert documents.known.num_rows == len(documents.lengths) == 3
    assert 0 < unnoticed < len(whole) / 3
