"""Kept documents as Parquet files: which, with what text, in what bytes; interrupted, refused."""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import sentencepiece

from manifests.corpus import load_corpus
from manifests.errors import GristmillError
from manifests.step import Ledger
from pipeline.engines.runners import Runner
from pipeline.export.parquet import EXPORTED, export_parquet
from pipeline.prep import prepare
from pipeline.schemas import read_ipc
from shards.reader import open_shards
from storage.steps import read_step
from storage.verify import verify_export
from tests.children import in_child
from tests.endtoend.corpora import change, tree_hashes, write_corpus


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    return write_corpus(tmp_path_factory.mktemp("corpus"))


@pytest.fixture(scope="module")
def prepared(corpus, tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("prepared")
    prepare(load_corpus(corpus.path), out=str(out), runner=Runner())
    return out


@pytest.fixture(scope="module")
def exported(prepared, tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("exported")
    export_parquet(str(prepared), out=str(out), runner=Runner())
    return out


def _rows(out: Path) -> list[dict[str, Any]]:
    return [row for path in sorted(out.rglob("*.parquet")) for row in pq.read_table(path).to_pylist()]


def test_exactly_the_kept_documents(corpus, prepared, exported) -> None:
    kept = sorted(str(name) for name, fate in corpus.fates.items() if fate == "kept")
    assert len(kept) > 20
    assert sorted(str(row["record_name"]) for row in _rows(exported)) == kept
    decided, done = read_step(str(prepared / "decide")), read_step(str(exported))
    assert done.ledger == Ledger(records_in=decided.ledger.kept, kept=decided.ledger.kept)
    assert sum(output.rows for output in done.outputs) == decided.ledger.kept
    assert verify_export(str(exported), done) == (len(done.outputs), [])


def test_texts_are_those_that_were_encoded(prepared, exported) -> None:
    """By the tokens in the shards: sentencepiece itself encodes each text to them; where lines were removed as well."""
    model = sentencepiece.SentencePieceProcessor(model_file=str(prepared / "tokenizer" / "tokenizer.model"))
    encoded, sides = {}, {}
    for bucket in open_shards(str(prepared / "shards")).buckets.values():
        for shard in range(len(bucket.starts) - 1):
            tokens = bucket.map_tokens(shard)
            for row in bucket.read_documents(shard).to_pylist():
                place = (row["source"], row["file"], row["record"])
                encoded[place] = tokens[row["offset"] + 1 : row["offset"] + row["length"] - 1].tolist()
                sides[place] = row
    rows = _rows(exported)
    assert len(rows) == len(encoded)
    for row in rows:
        place = (row["source"], row["file"], row["record"])
        assert model.encode(row["text"]) == encoded[place]
        side = sides[place]
        assert row["id"] == side["document_id"].hex()
        assert all(row[name] == side[name] for name in ("url", "site", "band", "record_name"))
    extracted = {
        identity.hex(): text
        for path in (prepared / "extract" / "documents").rglob("*.arrow")
        for table in [read_ipc(str(path), columns=["id", "text"])]
        for identity, text in zip(table["id"].to_pylist(), table["text"].to_pylist(), strict=True)
    }
    shortened = [row["source"] for row in rows if row["text"] != extracted[row["id"]]]
    assert Counter(shortened) == {"novel": 1}


def test_columns(exported) -> None:
    rows = _rows(exported)
    for path in exported.rglob("*.parquet"):
        schema = pq.read_schema(path)
        assert schema.equals(EXPORTED)
        metadata = pq.read_metadata(path)
        assert {metadata.row_group(0).column(at).compression for at in range(metadata.num_columns)} == {"ZSTD"}
        assert path.parent.name in {row["source"] for row in rows}
    assert {row["band"] for row in rows if row["source"] == "wiki"} == {"factual"}
    assert {row["band"] for row in rows if row["source"] != "wiki"} == {"general"}
    assert all(len(row["language"]) in (2, 3) for row in rows)
    crawled = [row for row in rows if row["source"] == "crawl"]
    assert {row["site"] for row in crawled} == {f"site{number}.example" for number in range(3)}
    assert all(row["url"].startswith("https://www.site") for row in crawled)


def test_files_of_bounded_size(prepared, exported, tmp_path) -> None:
    done = export_parquet(str(prepared), out=str(tmp_path / "parts"), runner=Runner(), file_text_bytes=0)
    extracted = read_step(str(prepared / "extract"))
    parts = [output.path for output in extracted.outputs if output.path.startswith("documents/articles/")]
    assert [output.path for output in done.outputs if output.path.startswith("articles/")] == [
        f"articles/{number:05d}.parquet" for number in range(len(parts))
    ]
    assert len(parts) == 2
    assert [row["id"] for row in _rows(tmp_path / "parts")] == [row["id"] for row in _rows(exported)]
    assert [path.name for path in (exported / "articles").iterdir()] == ["00000.parquet"]


def test_row_groups_are_bounded(prepared, exported, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr("pipeline.export.parquet._GROUP_TEXT_BYTES", 1)
    export_parquet(str(prepared), out=str(tmp_path), runner=Runner())
    assert pq.read_metadata(tmp_path / "articles" / "00000.parquet").num_row_groups == 2
    assert pq.read_metadata(exported / "articles" / "00000.parquet").num_row_groups == 1
    assert _rows(tmp_path) == _rows(exported)


def test_the_same_bytes_for_any_workers_and_after_a_kill(prepared, exported, tmp_path) -> None:
    export_parquet(str(prepared), out=str(tmp_path / "two"), runner=Runner(workers=2))
    assert tree_hashes(tmp_path / "two") == tree_hashes(exported)
    out = tmp_path / "killed"

    def die(tell) -> None:
        import pipeline.export.parquet as module

        write, count = module.publish_buffer, 0

        def publish(*arguments, **options):
            nonlocal count
            count += 1
            if count == 3:
                os._exit(9)
            return write(*arguments, **options)

        module.publish_buffer = publish
        export_parquet(str(prepared), out=str(out), runner=Runner())

    assert in_child(die, cpu_s=60)[1] == 9
    assert not (out / "_MANIFEST.json").exists()
    first = {path: path.stat().st_mtime_ns for path in out.rglob("*.parquet")}
    assert len(first) == 2
    export_parquet(str(prepared), out=str(out), runner=Runner())
    assert {path: path.stat().st_mtime_ns for path in first} == first
    assert tree_hashes(out) == tree_hashes(exported)


def test_nothing_kept(corpus, tmp_path) -> None:
    manifest = load_corpus(change(corpus.path, filters=[{"variant": "gopher-paper", "min_words": 100_000}]))
    manifest = manifest.model_copy(update={"sources": [s for s in manifest.sources if s.filters is None]})
    runner = Runner()
    with pytest.raises(GristmillError, match="no document is kept"):
        prepare(manifest, out=str(tmp_path / "prepared"), runner=runner)
    done = export_parquet(str(tmp_path / "prepared"), out=str(tmp_path / "out"), runner=replace(runner, workers=1))
    assert done.ledger.kept == 0
    assert done.notes == [
        f"{source.name}: no document is kept, and there is no file"
        for source in sorted(manifest.sources, key=lambda source: source.name)
    ]
    assert not list((tmp_path / "out").rglob("*.parquet"))


def test_refused(prepared, exported, tmp_path) -> None:
    with pytest.raises(GristmillError, match="the step is not complete"):
        export_parquet(str(tmp_path), out=str(tmp_path / "out"), runner=Runner())
    with pytest.raises(GristmillError, match="other settings"):
        export_parquet(str(prepared), out=str(exported), runner=Runner(), file_text_bytes=1)
    with pytest.raises(GristmillError, match="is not empty"):
        export_parquet(str(prepared), out=str(prepared), runner=Runner())
