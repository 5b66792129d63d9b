"""Exports and imports from the command line: there and back again, tables, JSON, errors that say what to do."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from manifests.corpus import load_corpus
from manifests.errors import GristmillError
from pipeline.engines.runners import Runner
from pipeline.prep import prepare
from shards.reader import open_shards
from tests.gristmill.commands.invoke import printed, run
from tests.paths import PROJECT


@pytest.fixture(scope="module")
def prepared(corpus, tmp_path_factory) -> Path:
    """Read by all tests here, written to by none."""
    out = tmp_path_factory.mktemp("prepared")
    prepare(load_corpus(corpus.path), out=str(out), runner=Runner())
    return out


def _stream(folder: Path) -> dict[str, list[int]]:
    buckets = open_shards(str(folder / "shards")).buckets
    return {
        name: np.concatenate([bucket.map_tokens(shard) for shard in range(len(bucket.starts) - 1)]).tolist()
        for name, bucket in buckets.items()
    }


def test_megatron_there_and_back_again(prepared, tmp_path) -> None:
    kept = printed("inspect", prepared)["steps"]["decide"]["ledger"]["kept"]
    exported = printed("export", "megatron", prepared, "--out", tmp_path / "megatron")
    assert exported["ledger"] == {"records_in": kept, "kept": kept, "dropped": {}, "quarantined": {}}
    prefixes = sorted(path.with_suffix("") for path in (tmp_path / "megatron").rglob("*.bin"))
    buckets = [str(prefix.relative_to(tmp_path / "megatron")) for prefix in prefixes]
    words = [word for bucket in buckets for word in ("--bucket", bucket)]
    model = prepared / "tokenizer" / "tokenizer.model"
    imported = printed(
        *("import", "megatron", *prefixes, *words, "--tokenizer", model),
        *("--boundaries", "bos+eos", "--out", tmp_path / "again"),
    )
    assert imported["ledger"]["kept"] == kept
    assert _stream(tmp_path / "again") == _stream(prepared)
    assert imported["tokens"] == sum(len(stream) for stream in _stream(prepared).values())
    for folder in ("megatron", "again"):
        assert printed("verify", tmp_path / folder)["problems"] == []
    assert sorted(printed("inspect", tmp_path / "again")["steps"]) == ["import", "tokenizer"]
    text = run("inspect", tmp_path / "again")[1]
    assert "wiki/factual" in text


def test_tables_and_progress_for_people(prepared, tmp_path) -> None:
    status, text = run("export", "megatron", prepared, "--out", tmp_path / "megatron", "--file-tokens", 1)
    assert status == 0
    assert "wiki/factual-00000.bin" in text
    status, text = run("export", "parquet", prepared, "--out", tmp_path / "parquet", "--workers", 1)
    assert status == 0
    assert "wiki/00000.parquet" in text
    status, text = run(
        *("import", "megatron", tmp_path / "megatron" / "wiki" / "factual-00000.idx", "--bucket", "wiki/factual"),
        *("--tokenizer", prepared / "tokenizer" / "tokenizer.model", "--boundaries", "bos+eos"),
        *("--out", tmp_path / "again"),
    )
    assert status == 0
    assert "wiki/factual" in text
    assert "balanced" in text


def test_parquet(prepared, tmp_path) -> None:
    kept = printed("inspect", prepared)["steps"]["decide"]["ledger"]["kept"]
    done = printed("export", "parquet", prepared, "--out", tmp_path / "out", "--workers", 1, "--file-mb", 0)
    assert done["ledger"]["kept"] == kept
    paths = [tmp_path / "out" / file["path"] for file in done["files"]]
    assert sum(pq.read_metadata(path).num_rows for path in paths) == kept
    assert printed("verify", tmp_path / "out") == {
        "folder": str(tmp_path / "out"),
        "files": len(paths),
        "problems": [],
        "notes": [],
    }
    paths[0].write_bytes(b"")
    status, text = run("verify", tmp_path / "out")
    assert status == 1
    assert "repeat `gristmill export parquet` with the same options" in text


def test_data_prep_kit(prepared, tmp_path) -> None:
    schema = pa.schema([pa.field("tokens", pa.uint32())])
    with pa.OSFile(str(tmp_path / "x.arrow"), "wb") as file, pa.ipc.new_file(file, schema) as writer:
        writer.write_batch(pa.record_batch([pa.array([5, 6, 2], pa.uint32())], schema=schema))
    words = ("--bucket", "ibm/general", "--tokenizer", prepared / "tokenizer" / "tokenizer.model")
    done = printed(
        "import", "data-prep-kit", tmp_path / "x.arrow", *words, "--boundaries", "eos", "--out", tmp_path / "out"
    )
    assert done["tokens"] == 3
    assert done["notes"] == [f"{tmp_path}/x.arrow has no list of ids (meta/….docs.ids): its documents have no names"]
    assert _stream(tmp_path / "out") == {"ibm/general": [5, 6, 2]}
    with pytest.raises(GristmillError, match="which is read"):
        run("import", "data-prep-kit", tmp_path, *words, "--boundaries", "eos", "--out", tmp_path / "new")


@pytest.mark.parametrize(
    ("words", "match"),
    [
        (("--bucket", "wiki", "--boundaries", "eos"), "`wiki` is not source/band"),
        (("--bucket", "../x/y", "--boundaries", "eos"), "is not source/band"),
        (("--bucket", "a/b", "--bucket", "c/d", "--bucket", "e/f", "--boundaries", "eos"), "3 buckets for 2 inputs"),
        (("--bucket", "a/b", "--boundaries", "both"), r"use one of bos\+eos, bos, eos, none"),
        (("--bucket", "a/b", "--boundaries", "eos"), r"one\.idx: no such file"),
    ],
)
def test_options_that_cannot_be(prepared, tmp_path, words, match) -> None:
    model = prepared / "tokenizer" / "tokenizer.model"
    with pytest.raises(GristmillError, match=match):
        run("import", "megatron", tmp_path / "one", tmp_path / "two", "--tokenizer", model, *words, "--out", tmp_path)


def test_an_error_has_no_traceback(prepared, tmp_path) -> None:
    (tmp_path / "thesis.txt").write_text("mine")
    for kind in ("megatron", "parquet"):
        done = subprocess.run(
            [sys.executable, "-m", "gristmill", "export", kind, str(prepared), "--out", str(tmp_path), "--json"],
            cwd=PROJECT,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 1
        assert done.stdout == ""
        assert "it holds thesis.txt" in done.stderr
        assert "remedy: choose another folder" in done.stderr
        assert "Traceback" not in done.stderr


def test_what_is_printed_is_one_object(prepared, tmp_path) -> None:
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "gristmill",
            "export",
            "megatron",
            str(prepared),
            "--out",
            str(tmp_path / "o"),
            "--json",
        ],
        cwd=PROJECT,
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["out"] == str(tmp_path / "o")
