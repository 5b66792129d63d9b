"""data-prep-kit's tokens as shards; its layout is written here from its description, since it is no dependency."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from manifests.errors import GristmillError
from manifests.step import Ledger
from shards.format import ShardManifest
from shards.import_data_prep_kit import data_prep_kit_files
from shards.import_settings import ImportSettings
from shards.import_tokens import import_tokens
from shards.reader import open_shards
from shards.verify_corpus import verify_corpus
from tests.models import write_model

DOCUMENTS = [[1, 5, 2], [1, 7, 8, 9, 2], [], [1, 2]]


def _write(path: Path, documents: Sequence[Sequence[int]], *, ids: Sequence[str] | None = None) -> None:
    """One `.arrow` with a record batch per document, `meta/….docs` and `meta/….docs.ids`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    schema = pa.schema([pa.field("tokens", pa.uint32())])
    with pa.OSFile(str(path), "wb") as file, pa.ipc.new_file(file, schema) as writer:
        for document in documents:
            writer.write_batch(pa.record_batch([pa.array(document, pa.uint32())], schema=schema))
    meta = path.parent / "meta"
    meta.mkdir(exist_ok=True)
    total = sum(len(document) for document in documents)
    (meta / f"{path.stem}.docs").write_text(f"{path.stem}, documents: {len(documents)}, tokens: {total}\n")
    names = ids or [f"doc-{number}" for number in range(len(documents))]
    lines = [f"{name}, {len(document)}\n" for name, document in zip(names, documents, strict=True)]
    (meta / f"{path.stem}.docs.ids").write_text("".join(lines))


@pytest.fixture(scope="module")
def model(tmp_path_factory) -> Path:
    return write_model(tmp_path_factory.mktemp("models") / "small.model", vocab_size=1000)


def _import(
    places: Sequence[Path], model: Path, out: Path, *, shard_tokens: int = 1000
) -> tuple[ShardManifest, list[str]]:
    files, notes = data_prep_kit_files([str(place) for place in places], ["ibm/general"] * len(places))
    settings = ImportSettings(
        command="import data-prep-kit",
        corpus="imported",
        model=str(model),
        boundaries="bos+eos",
        shard_tokens=shard_tokens,
    )
    return import_tokens(files, settings, out=str(out)), notes


def test_a_folder_with_folders_in_it(model, tmp_path) -> None:
    _write(tmp_path / "in" / "b.arrow", DOCUMENTS, ids=["uuid-0", "a, with a comma", "uuid-2", "uuid-3"])
    _write(tmp_path / "in" / "deep" / "a.arrow", [[1, 4, 2]])
    _write(tmp_path / "in" / "deep" / "far" / "c.arrow", [[1, 6, 2]])
    # Its lists may also lie in the `meta` at the top, under the same folders.
    moved = tmp_path / "in" / "meta" / "deep" / "far"
    moved.mkdir(parents=True)
    (tmp_path / "in" / "deep" / "far" / "meta" / "c.docs.ids").rename(moved / "c.docs.ids")
    done, notes = _import([tmp_path / "in"], model, tmp_path / "out")
    assert done.ledger == Ledger(records_in=6, kept=5, dropped={"no_tokens": 1})
    assert notes == []
    bucket = open_shards(str(tmp_path / "out" / "shards")).buckets["ibm/general"]
    assert bucket.map_tokens(0).tolist() == [1, 5, 2, 1, 7, 8, 9, 2, 1, 2, 1, 4, 2, 1, 6, 2]
    rows = bucket.read_documents(0).to_pylist()
    assert [(row["file"], row["record"], row["record_name"]) for row in rows] == [
        ("b.arrow", 0, "uuid-0"),
        ("b.arrow", 1, "a, with a comma"),
        ("b.arrow", 3, "uuid-3"),
        ("deep/a.arrow", 0, "doc-0"),
        ("deep/far/c.arrow", 0, "doc-0"),
    ]
    assert len({row["document_id"] for row in rows}) == 5
    assert verify_corpus(str(tmp_path / "out")) == (3, [])


def test_files_are_read_in_pieces_and_cut_into_shards(model, tmp_path, monkeypatch) -> None:
    documents = [[1, *range(3, 3 + number % 9), 2] for number in range(600)]
    _write(tmp_path / "in" / "x.arrow", documents)
    monkeypatch.setattr("shards.import_data_prep_kit._DOCUMENTS", 7)
    done, _ = _import([tmp_path / "in" / "x.arrow"], model, tmp_path / "out")
    flat = [token for document in documents for token in document]
    bucket = open_shards(str(tmp_path / "out" / "shards")).buckets["ibm/general"]
    assert len(done.shards) == len(flat) // 1000 + 1
    assert np.concatenate([bucket.map_tokens(shard) for shard in range(len(done.shards))]).tolist() == flat
    names = [
        row["record_name"] for shard in range(len(done.shards)) for row in bucket.read_documents(shard).to_pylist()
    ]
    assert names == [f"doc-{number}" for number in range(600)]


def test_without_lists_of_ids_documents_have_no_names(model, tmp_path) -> None:
    _write(tmp_path / "in" / "x.arrow", DOCUMENTS)
    (tmp_path / "in" / "meta" / "x.docs.ids").unlink()
    _, notes = _import([tmp_path / "in"], model, tmp_path / "out")
    assert notes == [f"{tmp_path}/in/x.arrow has no list of ids (meta/….docs.ids): its documents have no names"]
    bucket = open_shards(str(tmp_path / "out" / "shards")).buckets["ibm/general"]
    assert bucket.read_documents(0)["record_name"].null_count == 3


def _lines(path: Path, change) -> None:
    ids = path / "in" / "meta" / "x.docs.ids"
    ids.write_text("".join(change(ids.read_text().splitlines(keepends=True))))


@pytest.mark.parametrize(
    ("damage", "match"),
    [
        (lambda path: _lines(path, lambda lines: lines[:-1]), r"x\.docs\.ids: lists 3 documents, its file has 4"),
        (
            lambda path: _lines(path, lambda lines: [lines[0], "doc-1, 4\n", *lines[2:]]),
            r"x\.arrow, document 1: has 5 tokens, .*x\.docs\.ids says 4",
        ),
        (lambda path: _lines(path, lambda lines: ["doc-0\n", *lines[1:]]), r"line 1: is not `document_id"),
        (lambda path: (path / "in" / "meta" / "x.docs.ids").write_bytes(b"\xff, 3\n" * 4), "is not text"),
    ],
)
def test_lists_that_do_not_fit(model, tmp_path, damage, match) -> None:
    _write(tmp_path / "in" / "x.arrow", DOCUMENTS)
    damage(tmp_path)
    with pytest.raises(GristmillError, match=match):
        _import([tmp_path / "in"], model, tmp_path / "out")


def test_damaged_and_other_files(model, tmp_path) -> None:
    path = tmp_path / "in" / "x.arrow"
    _write(path, DOCUMENTS)
    whole = path.read_bytes()
    path.write_bytes(whole[:-50])
    with pytest.raises(GristmillError, match=r"x\.arrow: is not a whole Arrow IPC file"):
        _import([tmp_path / "in"], model, tmp_path / "out")
    (tmp_path / "empty").mkdir()
    with pytest.raises(GristmillError, match=r"holds no \.arrow files"):
        _import([tmp_path / "empty"], model, tmp_path / "out")
    table = pa.table({"text": ["a"]})
    with pa.OSFile(str(path), "wb") as file, pa.ipc.new_file(file, table.schema) as writer:
        writer.write_table(table)
    with pytest.raises(GristmillError, match="has the columns text: string instead of tokens: uint32"):
        _import([tmp_path / "in"], model, tmp_path / "out")
    _write(path, [[1, 5, 2], [1, 1000, 2]])
    with pytest.raises(GristmillError, match=r"x\.arrow, document 1: token id 1000 is outside the vocabulary"):
        _import([tmp_path / "in"], model, tmp_path / "out")


def test_a_damaged_byte_is_an_error_or_changes_no_bound(tmp_path) -> None:
    """The layout has no hashes: damaged tokens may go unnoticed, but never with another exception."""
    path = tmp_path / "in" / "x.arrow"
    _write(path, DOCUMENTS)
    whole = path.read_bytes()
    unnoticed = 0
    for at in range(len(whole)):
        data = bytearray(whole)
        data[at] ^= 0xFF
        path.write_bytes(data)
        try:
            [file] = data_prep_kit_files([str(path)], ["ibm/general"])[0]
            lengths = [length for documents in file.read() for length in documents.lengths.tolist()]
        except GristmillError:
            continue
        unnoticed += 1
        assert lengths == [3, 5, 0, 2]
    assert 0 < unnoticed < len(whole)
