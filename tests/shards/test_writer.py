"""What the writer writes, as read by other tools, and what it refuses."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.dataset
import pytest

from manifests.errors import GristmillError
from shards.format import FORMAT, SIDE_TABLE, ShardEntry
from shards.writer import load_manifest, side_table, write_shard
from tests.shards.corpora import side_rows, streams, tokenizer, write_corpus

LENGTHS = {"b/x": [[3, 1, 4], [1, 5]], "a/y": [[9]]}


def write(folder: Path, **changes: object) -> ShardEntry:
    arguments: dict[str, object] = {
        "bucket": "b/x",
        "name": "0",
        "tokens": np.arange(8, dtype=np.uint16),
        "offsets": np.array([0, 3, 4, 8]),
        "documents": side_rows("b/x", 0, [3, 1, 4]),
        "tokenizer": tokenizer(),
        "inputs": [],
    }
    return write_shard(str(folder), **{**arguments, **changes})  # type: ignore[arg-type]


def test_tokens_are_read_without_a_copy(tmp_path: Path) -> None:
    write(tmp_path, tokens=np.arange(8, dtype=np.uint16))
    before = pa.total_allocated_bytes()
    with pa.memory_map(str(tmp_path / "b/x/0.arrow")) as file:
        batch = pa.ipc.open_file(file).get_batch(0)
        assert pa.ipc.open_file(file).num_record_batches == 1
    view = batch.column(0).values.to_numpy(zero_copy_only=True)
    assert pa.total_allocated_bytes() == before
    assert (view.dtype, view.tolist()) == (np.uint16, list(range(8)))
    assert batch.to_pydict() == {"tokens": [[0, 1, 2], [3], [4, 5, 6, 7]]}
    assert batch.schema.metadata == {
        b"format": FORMAT.encode(),
        b"dtype": b"uint16",
        b"tokenizer_sha256": b"ab" * 32,
        b"bucket": b"b/x",
        b"shard": b"0",
    }


def test_a_folder_is_an_arrow_dataset(tmp_path: Path) -> None:
    manifest = write_corpus(str(tmp_path), LENGTHS)
    files = [str(tmp_path / entry.file) for entry in manifest.shards]
    rows = pyarrow.dataset.dataset(files, format="ipc").to_table()["tokens"].to_pylist()
    assert [token for row in rows for token in row] == [
        token for stream in streams(LENGTHS).values() for token in stream
    ]
    sides = pyarrow.dataset.dataset(
        [str(tmp_path / entry.documents_file) for entry in manifest.shards], format="ipc"
    ).to_table()
    assert sides["length"].to_pylist() == [9, 3, 1, 4, 1, 5] == [len(row) for row in rows]
    assert sides.schema.names == SIDE_TABLE.names


def test_large_vocabularies_are_uint32(tmp_path: Path) -> None:
    write(tmp_path, tokens=np.array([70_000] * 8, np.uint32), tokenizer=tokenizer(128_256))
    batch = pa.ipc.open_file(str(tmp_path / "b/x/0.arrow")).get_batch(0)
    assert batch.column(0).values.type == pa.uint32()


def test_bytes_depend_on_values_only(tmp_path: Path) -> None:
    rows = side_rows("b/x", 0, [3, 1, 4])
    words = pa.DictionaryArray.from_arrays(pa.array([None, 2, 1], pa.int32()), ["unused", "site0", "site1"])
    # A slice keeps its parent's bits: they must not reach the file.
    sliced = pa.array([*rows["url"].to_pylist(), None, "more", None]).slice(0, 3)
    chunked = pa.concat_tables([rows.slice(0, 1), rows.slice(1)])
    other = chunked.set_column(2, "site", words).set_column(3, "url", sliced).select(list(reversed(rows.column_names)))
    entry = write(tmp_path / "one")
    assert write(tmp_path / "two", documents=other) == entry
    for name in (entry.file, entry.documents_file):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()
    assert side_table(other).to_pydict() == {name: rows[name].to_pylist() for name in SIDE_TABLE.names}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"tokens": np.arange(8, dtype=np.uint32)}, "needs uint16"),
        ({"tokens": np.full(8, 1000, np.uint16)}, "token id 1000 is outside the vocabulary of 1000"),
        ({"offsets": np.array([0, 3, 4, 7])}, "offsets do not run"),
        ({"offsets": np.array([1, 3, 4, 8])}, "offsets do not run"),
        ({"offsets": np.array([0, 4, 3, 8])}, "offsets do not run"),
        ({"offsets": np.array([0])}, "offsets do not run"),
        ({"documents": side_rows("b/x", 0, [3, 5])}, "2 rows in the side table for 3 documents"),
        ({"documents": side_rows("b/x", 0, [3, 2, 3])}, "offsets or lengths"),
        ({"documents": side_rows("b/x", 0, [3, 1, 4]).drop_columns(["url"])}, "lacks url"),
        (
            {"documents": side_rows("b/x", 0, [3, 1, 4]).set_column(1, "source", pa.array([None, "a", "b"]))},
            "rows without source",
        ),
    ],
)
def test_bad_input_is_refused_and_nothing_written(tmp_path: Path, changes: dict[str, object], message: str) -> None:
    with pytest.raises(GristmillError, match=message) as caught:
        write(tmp_path, **changes)
    assert caught.value.where == "b/x/0"
    assert list(tmp_path.iterdir()) == []


def test_the_manifest_is_sorted_and_its_digest_follows_the_content(tmp_path: Path) -> None:
    manifest = write_corpus(str(tmp_path / "one"), LENGTHS)
    assert [entry.bucket for entry in manifest.shards] == ["a/y", "b/x", "b/x"]
    assert load_manifest(str(tmp_path / "one")) == manifest
    assert write_corpus(str(tmp_path / "two"), dict(reversed(LENGTHS.items()))).digest == manifest.digest
    assert write_corpus(str(tmp_path / "three"), {**LENGTHS, "a/y": [[8]]}).digest != manifest.digest


def test_no_manifest_and_a_broken_one(tmp_path: Path) -> None:
    with pytest.raises(GristmillError, match="no complete token shards"):
        load_manifest(str(tmp_path))
    (tmp_path / "_MANIFEST.json").write_text('{"format": "other"}')
    with pytest.raises(GristmillError, match="is not a shard manifest"):
        load_manifest(str(tmp_path))
