"""Shards as Megatron's files: its own reader gives every document back; interrupted, refused, damaged."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from manifests.errors import GristmillError
from manifests.step import Ledger
from shards.export_megatron import SIDE_ROWS, export_megatron
from shards.format import ShardManifest
from shards.reader import open_shards
from shards.writer import publish_manifest, write_shard
from storage.verify import exported_step, verify_export
from tests.children import in_child
from tests.damage import flip
from tests.shards.corpora import side_rows, tokenizer, write_corpus
from tests.shards.megatron import read

LENGTHS = {
    "wiki/factual": [[5, 3, 0, 7], [4], [9, 9]],
    "crawl/general": [[100, 20], [50] * 5, [30]],
}


def _documents(folder: Path, bucket: str) -> list[list[int]]:
    """The documents of a bucket as the Arrow files have them."""
    found = []
    for path in sorted((folder / bucket).glob("*.arrow")):
        if not path.name.endswith(".documents.arrow"):
            with pa.memory_map(str(path)) as file:
                found += pa.ipc.open_file(file).get_batch(0).column("tokens").to_pylist()
    return found


def _content(folder: Path) -> dict[str, bytes]:
    """All files but the tasks' manifests, which hold times."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != ".lock" and path.relative_to(folder).parts[0] != "tasks"
    }


@pytest.mark.parametrize(("vocab_size", "dtype"), [(1000, np.uint16), (1 << 16, np.uint16), (70_000, np.int32)])
@pytest.mark.parametrize("bounded", [False, True])
def test_megatron_reads_every_document_back(tmp_path, vocab_size, dtype, bounded) -> None:
    lengths = LENGTHS if not bounded else {**LENGTHS, "wiki/factual": [[5, 3, 7], [4], [9, 9]]}
    write_corpus(str(tmp_path / "shards"), lengths, vocab_size=vocab_size, bounded=bounded)
    done = export_megatron(str(tmp_path / "shards"), out=str(tmp_path / "out"))
    count = sum(len(shard) for shards in lengths.values() for shard in shards)
    assert done.ledger == Ledger(records_in=count, kept=count)
    for bucket in lengths:
        wanted = _documents(tmp_path / "shards", bucket)
        assert read(tmp_path / "out" / bucket) == wanted
        tokens = np.fromfile(tmp_path / "out" / f"{bucket}.bin", dtype)
        assert tokens.tolist() == [token for document in wanted for token in document]


def test_files_end_with_the_shard_that_fills_them(tmp_path) -> None:
    write_corpus(str(tmp_path / "shards"), LENGTHS)
    done = export_megatron(str(tmp_path / "shards"), out=str(tmp_path / "out"), file_tokens=200)
    pairs = [output.path for output in done.outputs if output.path.endswith(".bin")]
    assert pairs == ["crawl/general-00000.bin", "crawl/general-00001.bin", "wiki/factual-00000.bin"]
    assert [output.bytes for output in done.outputs if output.path in pairs] == [2 * 370, 2 * 30, 2 * 37]
    both = [read(tmp_path / "out" / f"crawl/general-0000{number}") for number in range(2)]
    assert both[0] + both[1] == _documents(tmp_path / "shards", "crawl/general")


def test_the_side_table_loses_nothing(tmp_path) -> None:
    write_corpus(str(tmp_path / "shards"), LENGTHS)
    export_megatron(str(tmp_path / "shards"), out=str(tmp_path / "out"))
    bucket = open_shards(str(tmp_path / "shards")).buckets["crawl/general"]
    wanted = [row for shard in range(3) for row in bucket.read_documents(shard).to_pylist()]
    at = 0
    for row in wanted:
        row["offset"], at = at, at + row["length"]
    with pa.OSFile(str(tmp_path / "out" / "crawl" / "general.documents.arrow")) as file:
        table = pa.ipc.open_file(file).read_all()
    assert table.schema.equals(SIDE_ROWS)
    assert table.to_pylist() == wanted
    assert table.schema.metadata[b"bucket"] == b"crawl/general"


def test_repeating_an_export_writes_nothing(tmp_path) -> None:
    write_corpus(str(tmp_path / "shards"), LENGTHS)
    out = tmp_path / "out"
    first = export_megatron(str(tmp_path / "shards"), out=str(out))
    before = {path: path.stat().st_mtime_ns for path in out.rglob("*.bin")}
    told: list[int] = []
    assert export_megatron(str(tmp_path / "shards"), out=str(out), advance=told.append) == first
    assert {path: path.stat().st_mtime_ns for path in out.rglob("*.bin")} == before
    assert sum(told) == 437


def test_a_killed_export_goes_on_and_gives_the_same_bytes(tmp_path) -> None:
    write_corpus(str(tmp_path / "shards"), LENGTHS)
    export_megatron(str(tmp_path / "shards"), out=str(tmp_path / "undisturbed"))
    out = tmp_path / "out"
    for kill_at in (1, 2, 4, 3):
        written = 0

        def die(_tokens: int, kill_at: int = kill_at) -> None:
            nonlocal written
            written += 1
            if written == kill_at:
                os._exit(9)

        _, status = in_child(
            lambda tell, die=die: export_megatron(str(tmp_path / "shards"), out=str(out), advance=die), cpu_s=20
        )
        assert status == 9
        assert not (out / "_MANIFEST.json").exists()
    # The first file was finished by the third attempt; the fourth did not write it again.
    finished = (out / "crawl" / "general.bin").stat().st_mtime_ns
    export_megatron(str(tmp_path / "shards"), out=str(out))
    assert (out / "crawl" / "general.bin").stat().st_mtime_ns == finished
    assert _content(out) == _content(tmp_path / "undisturbed")
    assert not list(out.rglob(".tmp-*"))


def test_foreign_folders_are_refused(tmp_path) -> None:
    write_corpus(str(tmp_path / "shards"), LENGTHS)
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "thesis.txt").write_text("mine")
    with pytest.raises(GristmillError, match=r"not what this command wrote: it holds thesis\.txt"):
        export_megatron(str(tmp_path / "shards"), out=str(tmp_path / "home"))
    assert [path.name for path in (tmp_path / "home").iterdir()] == ["thesis.txt"]
    with pytest.raises(GristmillError, match="which is read"):
        export_megatron(str(tmp_path / "shards"), out=str(tmp_path / "shards" / "wiki" / "megatron"))
    export_megatron(str(tmp_path / "shards"), out=str(tmp_path / "out"))
    before = _content(tmp_path / "out")
    with pytest.raises(GristmillError, match="something else was begun here: other settings"):
        export_megatron(str(tmp_path / "shards"), out=str(tmp_path / "out"), file_tokens=10)
    write_corpus(str(tmp_path / "others"), {"wiki/factual": [[3]]})
    with pytest.raises(GristmillError, match="something else was begun here: other inputs"):
        export_megatron(str(tmp_path / "others"), out=str(tmp_path / "out"))
    assert _content(tmp_path / "out") == before


def test_what_megatron_cannot_hold_is_refused(tmp_path, monkeypatch) -> None:
    info = tokenizer(2**31 + 1)
    entry = write_shard(
        str(tmp_path / "wide"),
        bucket="a/b",
        name="00000-0000",
        tokens=np.array([2**31], np.uint32),
        offsets=np.array([0, 1]),
        documents=side_rows("a/b", 0, [1]),
        tokenizer=info,
        inputs=[],
    )
    publish_manifest(str(tmp_path / "wide"), ShardManifest(corpus="c", dtype="uint32", tokenizer=info, shards=[entry]))
    with pytest.raises(GristmillError, match="vocabulary of 2147483649 does not fit"):
        export_megatron(str(tmp_path / "wide"), out=str(tmp_path / "out"))
    assert not (tmp_path / "out").exists()
    write_corpus(str(tmp_path / "shards"), LENGTHS)
    monkeypatch.setattr("shards.export_megatron.MOST_TOKENS", 99)
    with pytest.raises(GristmillError, match="a document has 100 tokens; Megatron's files hold at most 99") as error:
        export_megatron(str(tmp_path / "shards"), out=str(tmp_path / "out"))
    assert error.value.where == "crawl/general, shard 0"
    assert not list((tmp_path / "out").rglob(".tmp-*"))


def test_a_damaged_shard_stops_the_export(tmp_path) -> None:
    write_corpus(str(tmp_path / "shards"), LENGTHS)
    flip(tmp_path / "shards" / "crawl" / "general" / "00001-0000.arrow")
    with pytest.raises(GristmillError, match="sha256 is not the manifest's"):
        export_megatron(str(tmp_path / "shards"), out=str(tmp_path / "out"))
    assert not (tmp_path / "out" / "crawl" / "general.bin").exists()


def test_verification_finds_damage_and_a_repetition_mends_it(tmp_path) -> None:
    write_corpus(str(tmp_path / "shards"), LENGTHS)
    out = tmp_path / "out"
    done = export_megatron(str(tmp_path / "shards"), out=str(out))
    assert exported_step(str(tmp_path / "shards")) is None
    assert exported_step(str(out)) == done
    assert verify_export(str(out), done) == (6, [])
    whole = _content(out)
    flip(out / "crawl" / "general.bin")
    [finding] = verify_export(str(out), done)[1]
    assert finding.where == str(out / "crawl" / "general.bin")
    assert "repeat `gristmill export megatron`" in finding.remedy
    export_megatron(str(tmp_path / "shards"), out=str(out))
    assert _content(out) == whole
