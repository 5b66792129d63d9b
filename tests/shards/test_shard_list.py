"""The list of shards: what is put in comes out, lazily; its file depends on the rows only; a bad one is refused."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from manifests.errors import GristmillError
from shards.format import FORMAT, LIST, MANIFEST, ShardManifest
from shards.reader import open_shards
from shards.shard_list import ShardEntry, ShardList
from shards.verify import verify_shards
from shards.writer import load_manifest, manifest_sha256_of, publish_manifest
from tests.shards.corpora import tokenizer, write_corpus


def entry(bucket: str, number: int, inputs: list[str]) -> ShardEntry:
    name = f"{number:05d}-0000"
    return ShardEntry(
        bucket=bucket, name=name, file=f"{bucket}/{name}.arrow", documents_file=f"{bucket}/{name}.documents.arrow",
        sha256=f"{number:064x}", documents_sha256=f"{number + 1:064x}", content_sha256=f"{number + 2:064x}",
        bytes=number * 3, documents_bytes=number, documents=number % 7, tokens=number % 11, inputs=inputs,
    )  # fmt: skip


ENTRIES = st.lists(
    st.builds(
        entry, st.sampled_from(["a/x", "b/y", "ü/z"]), st.integers(0, 2**40), st.lists(st.text(max_size=5), max_size=3)
    ),
    max_size=12,
)


@given(ENTRIES, st.slices(12))
def test_entries_come_back_whole(entries: list[ShardEntry], piece: slice) -> None:
    held = ShardList.of(entries)
    read = ShardList.from_file(held.to_file(), where="list")
    for shards in (held, read):
        assert list(shards) == entries
        assert [shards[at] for at in range(-len(entries), len(entries))] == entries * 2
        assert list(shards[piece]) == entries[piece]
        assert list(shards[piece].in_order()) == sorted(entries[piece], key=lambda one: (one.bucket, one.name))
        assert shards.tokens.tolist() == [one.tokens for one in entries]
        assert shards.files == [one.file for one in entries]
        assert shards.bucket_and_name() == [(one.bucket, one.name) for one in entries]
        with pytest.raises(IndexError):
            shards[len(entries)]
    assert held == read
    assert (held == ShardList.of(entries[:-1])) == (not entries)


@given(ENTRIES, st.slices(12))
def test_the_file_depends_on_the_rows_only(entries: list[ShardEntry], piece: slice) -> None:
    part = ShardList.from_file(ShardList.of(entries).to_file(), where="list")[piece]
    assert part.to_file() == ShardList.of(entries[piece]).to_file()


def test_what_is_no_list_is_refused() -> None:
    for data in (b"", b"nothing", ShardList.of([entry("a/x", 1, [])]).to_file().to_pybytes()[:-20]):
        with pytest.raises(GristmillError, match="is not a list of shards"):
            ShardList.from_file(pa.py_buffer(data), where="list")
    sink = pa.BufferOutputStream()
    with pa.ipc.new_file(sink, pa.schema([("tokens", pa.int64())])) as writer:
        writer.write_batch(pa.RecordBatch.from_pydict({"tokens": [1]}))
    with pytest.raises(GristmillError, match="is not a list of shards"):
        ShardList.from_file(sink.getvalue(), where="list")
    with pytest.raises(GristmillError, match="is not a sha256"):
        ShardList.of([entry("a/x", 1, []).model_copy(update={"sha256": "ab"})])


def test_a_list_that_is_not_the_manifests_is_refused(tmp_path: Path) -> None:
    write_corpus(str(tmp_path), {"a/x": [[3], [4]]})
    whole = (tmp_path / LIST).read_bytes()
    (tmp_path / LIST).write_bytes(whole[:-1] + b"x")
    with pytest.raises(GristmillError, match="its sha256 is not the one in the manifest") as caught:
        open_shards(str(tmp_path))
    assert caught.value.where == str(tmp_path / LIST)
    (tmp_path / LIST).unlink()
    with pytest.raises(GristmillError, match="is missing"):
        open_shards(str(tmp_path))


def test_a_manifest_of_the_first_format_opens(tmp_path: Path) -> None:
    new = write_corpus(str(tmp_path), {"b/y": [[3, 5]], "a/x": [[3], [4]]}, bounded=False)
    old = new.model_copy(update={"format": FORMAT})
    old = old.model_copy(update={"manifest_sha256": manifest_sha256_of(old)})
    (tmp_path / MANIFEST).write_text(json.dumps(old.stored()))
    (tmp_path / LIST).unlink()
    assert "listed" not in json.loads((tmp_path / MANIFEST).read_text())
    shards = open_shards(str(tmp_path))
    assert (shards.manifest.digest, shards.manifest.shards) == (new.digest, new.shards)
    assert verify_shards(str(tmp_path)) == []
    said = json.loads((tmp_path / MANIFEST).read_text())
    said["shards"][0]["tokens"] += 1
    (tmp_path / MANIFEST).write_text(json.dumps(said))
    with pytest.raises(GristmillError, match="was changed"):
        load_manifest(str(tmp_path))


def test_the_json_of_the_new_format_holds_no_list(tmp_path: Path) -> None:
    write_corpus(str(tmp_path), {"a/x": [[3], [4]]})
    said = json.loads((tmp_path / MANIFEST).read_text())
    assert said["listed"]["shards"] == 2
    (tmp_path / MANIFEST).write_text(json.dumps({**said, "shards": []}))
    with pytest.raises(GristmillError, match=f"lists in {LIST}"):
        load_manifest(str(tmp_path))


def test_many_shards_load_in_a_blink(tmp_path: Path) -> None:
    """31,250 shards, as 2 trillion tokens have: no object per shard is made."""
    entries = [entry(f"source{number % 400:03d}/q", number, [f"source/part-{number}"] * 8) for number in range(31_250)]
    publish_manifest(str(tmp_path), ShardManifest(corpus="c", dtype="uint16", tokenizer=tokenizer(), shards=entries))
    began = time.process_time()
    manifest = load_manifest(str(tmp_path))
    assert int(manifest.shards.tokens.sum()) == sum(one.tokens for one in entries)
    assert time.process_time() - began < 0.5
    assert manifest.shards[31_000].inputs == ["source/part-" + manifest.shards[31_000].name[:5].lstrip("0")] * 8
