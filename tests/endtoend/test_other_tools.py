"""Hugging Face datasets, Polars and DuckDB open what Gristmill writes: token shards, side tables, Parquet files.

All three are told nothing of Gristmill; what they read is compared with the files as pyarrow gives them, and counted
against the manifests.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from bench.peers import Unavailable, peer_environment, peer_python
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
def datasets(tmp_path: Path) -> Callable[..., list[dict[str, Any]]]:
    """What datasets reads from files; bytes as hexadecimal digits."""
    try:
        python = peer_python("datasets")
    except Unavailable as reason:
        pytest.skip(str(reason))
    environment = {**peer_environment(), "HF_DATASETS_OFFLINE": "1", "HF_HUB_DISABLE_TELEMETRY": "1"}

    def load(kind: str, files: list[Path], how: str = "whole") -> list[dict[str, Any]]:
        words = [python, Path(__file__).with_name("with_datasets.py"), kind, tmp_path / "cache", how, *files]
        run = subprocess.run([*map(str, words)], env=environment, capture_output=True, text=True, check=False)
        assert run.returncode == 0, run.stderr
        rows: list[dict[str, Any]] = json.loads(run.stdout)
        return rows

    return load


def _plain(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The same with bytes as hexadecimal digits."""
    return [{name: value.hex() if isinstance(value, bytes) else value for name, value in row.items()} for row in rows]


def test_datasets_open_shards_and_side_tables(prepared, datasets) -> None:
    entry = max(_entries(prepared), key=lambda entry: entry.tokens)
    shard, side = (prepared / "shards" / name for name in (entry.file, entry.documents_file))
    tokens = datasets("arrow", [shard])
    assert tokens == _table(shard).to_pylist()
    assert sum(len(row["tokens"]) for row in tokens) == entry.tokens
    assert datasets("arrow", [side]) == _plain(_table(side).to_pylist())


def test_datasets_open_many_shards_at_once(prepared, datasets) -> None:
    """As people do; a list of the shards alone, since side tables have other columns."""
    entries = _entries(prepared)
    files = [prepared / "shards" / entry.file for entry in entries]
    rows = datasets("arrow", files)
    assert len(files) > 5
    assert len(rows) == sum(entry.documents for entry in entries)
    assert datasets("arrow", files, "streaming") == rows


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


def test_all_three_open_the_parquet_files(prepared, datasets) -> None:
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
    loaded = datasets("parquet", sorted((prepared / "parquet").rglob("*.parquet")))
    assert len(loaded) == kept
    assert {
        bytes.fromhex(row["id"]) if isinstance(row["id"], str) else row["id"]: row["text"] for row in loaded
    } == texts
