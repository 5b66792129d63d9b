"""Hugging Face datasets, Polars and DuckDB open what Gristmill writes: token shards, side tables, Parquet files.

All three are told nothing of Gristmill; what they read is compared with the files as pyarrow gives them, and counted
against the manifests.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from manifests.corpus import load_corpus
from pipeline.engines.runners import Runner
from pipeline.export.parquet import export_parquet
from pipeline.prep import prepare
from shards.format import ShardEntry
from shards.reader import open_shards
from tests.endtoend.corpora import write_corpus


@pytest.fixture(scope="module")
def prepared(tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("prepared")
    corpus = write_corpus(tmp_path_factory.mktemp("corpus"))
    prepare(load_corpus(corpus.path), out=str(out), runner=Runner())
    export_parquet(str(out), out=str(out / "parquet"), runner=Runner())
    return out


def _entries(prepared: Path) -> list[ShardEntry]:
    return [entry for bucket in open_shards(str(prepared / "shards")).buckets.values() for entry in bucket.entries]


def _table(path: Path) -> pa.Table:
    with pa.OSFile(str(path)) as file:
        return pa.ipc.open_file(file).read_all()


@pytest.fixture
def datasets(monkeypatch) -> Any:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("HF_DATASETS_OFFLINE", "1")
    monkeypatch.setenv("HF_HUB_DISABLE_TELEMETRY", "1")
    found = pytest.importorskip("datasets", reason="datasets is not installed: it is in the group `dev`")
    found.disable_progress_bars()
    return found


def test_datasets_open_shards_and_side_tables(prepared, datasets, tmp_path) -> None:
    for entry in _entries(prepared):
        shard, side = (prepared / "shards" / name for name in (entry.file, entry.documents_file))
        loaded = {
            path: datasets.load_dataset("arrow", data_files=str(path), split="train", cache_dir=str(tmp_path / "cache"))
            for path in (shard, side)
        }
        assert loaded[shard]["tokens"][:] == _table(shard)["tokens"].to_pylist()
        assert sum(len(tokens) for tokens in loaded[shard]["tokens"]) == entry.tokens
        assert loaded[side][:] == _table(side).to_pydict()
        assert loaded[side].num_rows == entry.documents


def test_datasets_open_many_shards_at_once(prepared, datasets, tmp_path) -> None:
    """As people do; a list of the shards alone, since side tables have other columns."""
    entries = _entries(prepared)
    files = [str(prepared / "shards" / entry.file) for entry in entries]
    loaded = datasets.load_dataset("arrow", data_files=files, split="train", cache_dir=str(tmp_path / "cache"))
    assert len(files) > 5
    assert loaded.num_rows == sum(entry.documents for entry in entries)
    streamed = datasets.load_dataset("arrow", data_files=files, split="train", streaming=True)
    assert [row["tokens"] for row in streamed] == loaded["tokens"][:]


def test_polars_opens_shards_and_side_tables(prepared) -> None:
    polars = pytest.importorskip("polars", reason="polars is not installed: it is in the group `dev`")
    for entry in _entries(prepared):
        shard, side = (prepared / "shards" / name for name in (entry.file, entry.documents_file))
        tokens = polars.read_ipc(shard)
        assert tokens["tokens"].to_list() == _table(shard)["tokens"].to_pylist()
        assert tokens.select(polars.col("tokens").list.len().sum()).item() == entry.tokens
        documents = polars.read_ipc(side)
        assert documents.to_dicts() == _table(side).to_pylist()
        assert polars.scan_ipc(side).select(polars.col("length").sum()).collect().item() == entry.tokens


def test_duckdb_reads_shards_and_side_tables_through_arrow(prepared) -> None:
    """DuckDB reads Arrow files by pyarrow, or by an extension that has to be downloaded."""
    duckdb = pytest.importorskip("duckdb", reason="duckdb is not installed: it is in the group `dev`")
    with duckdb.connect() as connection:
        for entry in _entries(prepared):
            shard = _table(prepared / "shards" / entry.file)
            side = _table(prepared / "shards" / entry.documents_file)
            connection.register("shard", shard)
            connection.register("side", side)
            assert connection.execute("SELECT tokens FROM shard").fetchall() == [
                (tokens,) for tokens in shard["tokens"].to_pylist()
            ]
            assert connection.execute("SELECT sum(len(tokens)), count(*) FROM shard").fetchone() == (
                entry.tokens,
                entry.documents,
            )
            found = connection.execute("SELECT * FROM side").fetchall()
            assert found == [tuple(row.values()) for row in side.to_pylist()]
            connection.unregister("shard")
            connection.unregister("side")


def test_all_three_open_the_parquet_files(prepared, datasets, tmp_path) -> None:
    polars, duckdb = (
        pytest.importorskip(name, reason=f"{name} is not installed: it is in the group `dev`")
        for name in ("polars", "duckdb")
    )
    pattern = f"{prepared}/parquet/**/*.parquet"
    frame = polars.read_parquet(pattern)
    kept = sum(entry.documents for entry in _entries(prepared))
    assert frame.height == kept
    with duckdb.connect() as connection:
        counts = dict(
            connection.execute(f"SELECT source, count(*) FROM read_parquet('{pattern}') GROUP BY source").fetchall()
        )
        texts = dict(connection.execute(f"SELECT id, text FROM read_parquet('{pattern}')").fetchall())
    assert counts == dict(frame["source"].value_counts().iter_rows())
    assert texts == dict(frame.select("id", "text").iter_rows())
    loaded = datasets.load_dataset("parquet", data_files=pattern, split="train", cache_dir=str(tmp_path / "cache"))
    assert loaded.num_rows == kept
    assert {row["id"]: row["text"] for row in loaded} == texts
