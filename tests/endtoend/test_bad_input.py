"""Bad input: a quarantine entry or a clear error, and never a half-written output that looks complete."""

from __future__ import annotations

import gzip
import json
import os
import re
import resource
import shutil
import subprocess
import sys
from contextlib import contextmanager

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml

from manifests.corpus import load_corpus
from manifests.errors import GristmillError
from pipeline.engines.runners import Runner
from pipeline.extract.quarantine import broken_records
from pipeline.prep import prepare
from pipeline.schemas import read_ipc
from storage.steps import MANIFEST, read_step
from tests.endtoend.corpora import change, prose, tree_hashes, write_corpus
from tests.paths import PROJECT
from tests.pipeline.readers.samples import json_lines, members, page, warc_record


def corpus_of(folder, *sources, **sections):
    """A manifest over files in `folder`; each source is (name, format, file)."""
    described = [
        {"name": name, "format": format, "files": [file], "licence": "made up", "filters": "none"}
        for name, format, file in sources
    ]
    data = {
        "kind": "corpus",
        "version": 1,
        "name": "bad",
        "sources": described,
        "tokenizer": {"train": {"vocab_size": 320}},
    } | sections
    (folder / "corpus.yaml").write_text(yaml.safe_dump(data))
    return folder / "corpus.yaml"


def prep(corpus, out, *options, memory_mb=None):
    command = [sys.executable, "-m", "gristmill", "prep", str(corpus), "--out", str(out), "--workers", "1", *options]
    environment = dict(os.environ, PYTHONPATH=str(PROJECT))

    def limit():
        if memory_mb is not None:
            resource.setrlimit(resource.RLIMIT_DATA, (memory_mb << 20, memory_mb << 20))

    return subprocess.run(
        command,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
        cwd=corpus.parent,
        preexec_fn=limit,
        check=False,
    )


def assert_clear(run, *words):
    """Status 1, no traceback, and an error that says these things."""
    assert run.returncode == 1, run.stdout + run.stderr
    assert "Traceback" not in run.stderr
    assert re.search(r"^error: ", run.stderr, re.MULTILINE)
    for word in words:
        assert word in run.stderr


def assert_nothing_looks_complete(out):
    for step in ("extract", "decide", "tokenizer", "shards"):
        assert not (out / step / MANIFEST).exists()


def quarantined(out):
    rows = {}
    for path in sorted((out / "extract" / "quarantine").rglob("*.arrow")):
        name = (pa.ipc.open_file(str(path)).schema.metadata or {})[b"file"].decode()
        rows[name] = [(row["record"], row["error"]) for row in read_ipc(str(path)).to_pylist()]
    return rows


def test_broken_files_are_quarantined_and_the_rest_is_kept(tmp_path) -> None:
    documents = [{"id": str(number), "text": prose(f"line {number}")} for number in range(400)]
    pages = members([warc_record(number, page(prose(f"page {number}"))) for number in range(40)])
    whole = gzip.compress(json_lines(*documents), mtime=0)
    (tmp_path / "cut.jsonl.gz").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "cut.warc.gz").write_bytes(pages[: len(pages) - 100])
    lying = [
        warc_record(number, page(prose(f"lying {number}")), length=7 if number == 1 else None) for number in range(4)
    ]
    (tmp_path / "lying.warc").write_bytes(b"".join(lying))
    (tmp_path / "latin.jsonl").write_bytes(
        json_lines({"text": prose("good")}) + '{"text": "caf\xe9"}\n'.encode("latin-1")
    )
    (tmp_path / "latin.wet").write_bytes(warc_record(0, "caf\xe9 ".encode("latin-1") * 9, kind="conversion"))
    (tmp_path / "empty.jsonl").write_bytes(b"")
    (tmp_path / "empty.warc.gz").write_bytes(b"")
    (tmp_path / "empty.parquet").write_bytes(b"")
    corpus = corpus_of(
        tmp_path,
        ("lines", "jsonl", "*.jsonl*"),
        ("pages", "warc", "*.warc*"),
        ("wet", "wet", "*.wet"),
        ("rows", "parquet", "*.parquet"),
    )
    prepare(load_corpus(corpus), out=str(tmp_path / "out"), runner=Runner())
    found = quarantined(tmp_path / "out")
    kinds = {name: [error.split(":")[0] for _, error in rows] for name, rows in found.items()}
    assert kinds == {
        "cut.jsonl.gz": ["damaged gzip"],
        "cut.warc.gz": ["damaged gzip"],
        "lying.warc": ["wrong Content-Length"],
        "latin.jsonl": ["invalid UTF-8"],
        "latin.wet": ["invalid UTF-8"],
        "empty.jsonl": ["empty file"],
        "empty.warc.gz": ["empty file"],
        "empty.parquet": ["empty file"],
    }
    assert found["latin.jsonl"][0][0] == len(json_lines({"text": prose("good")}))
    step = read_step(str(tmp_path / "out" / "extract"))
    assert step.ledger.balance() == 0
    assert step.ledger.kept > 100 + 39 + 3 + 1
    assert sum(step.ledger.quarantined.values()) == 8
    assert "rows/empty.parquet" in " ".join(step.notes)
    broken, left = broken_records(str(tmp_path / "out" / "extract"), step)
    assert left == 0
    assert {row["file"]: [row["error"].split(":")[0]] for row in broken} == kinds
    assert [(row["source"], row["record"]) for row in broken if row["file"] == "latin.jsonl"] == [
        ("lines", found["latin.jsonl"][0][0])
    ]


def test_a_line_of_100_mb_is_quarantined_in_bounded_memory(tmp_path) -> None:
    with (tmp_path / "long.jsonl").open("wb") as file:
        file.write(json_lines({"text": prose("before")}) + b'{"text": "')
        for _ in range(100):
            file.write(b"x" * 1_000_000)
        file.write(b'"}\n' + json_lines({"text": prose("after")}))
    corpus = corpus_of(tmp_path, ("lines", "jsonl", "*.jsonl"))
    run = prep(corpus, tmp_path / "out", "--json", memory_mb=1_200)
    assert run.returncode == 0, run.stderr
    ledger = json.loads(run.stdout)["ledgers"]["extract"]
    assert (ledger["records_in"], ledger["kept"], ledger["quarantined"]) == (3, 2, {"line too long": 1})


def test_parquet_without_the_text_column(tmp_path) -> None:
    pq.write_table(pa.table({"id": ["1"], "body": ["text"]}), tmp_path / "rows.parquet")
    run = prep(corpus_of(tmp_path, ("rows", "parquet", "rows.parquet")), tmp_path / "out")
    assert_clear(
        run, "rows.parquet", "no column `text`", "columns: id, body", "remedy: set `text_field` of source `rows`"
    )
    assert_nothing_looks_complete(tmp_path / "out")


def test_a_missing_file_and_a_glob_that_matches_nothing(tmp_path) -> None:
    run = prep(corpus_of(tmp_path, ("rows", "jsonl", "gone.jsonl")), tmp_path / "out")
    assert_clear(run, "gone.jsonl", "no such file", "remedy: check `root` and `files`")
    run = prep(corpus_of(tmp_path, ("rows", "jsonl", "gone-*.jsonl")), tmp_path / "out")
    assert_clear(run, "no file matches `gone-*.jsonl`")
    run = prep(tmp_path / "nowhere.yaml", tmp_path / "out")
    assert_clear(run, "nowhere.yaml", "no such manifest")
    assert_nothing_looks_complete(tmp_path / "out")


def test_a_misspelt_key_names_the_nearest(tmp_path) -> None:
    (tmp_path / "a.jsonl").write_bytes(json_lines({"text": "x"}))
    run = prep(corpus_of(tmp_path, ("rows", "jsonl", "a.jsonl"), languges={"keep": "all"}), tmp_path / "out")
    assert_clear(run, "corpus.yaml", "languges: unknown key; did you mean `languages`?")


def test_all_documents_dropped_is_an_error_that_says_so(tmp_path) -> None:
    (tmp_path / "a.jsonl").write_bytes(json_lines({"text": "too short"}))
    run = prep(corpus_of(tmp_path, ("rows", "jsonl", "a.jsonl"), filters="gopher-paper"), tmp_path / "out")
    assert_clear(run, "tokenizer")
    assert not (tmp_path / "out" / "shards" / MANIFEST).exists()


@contextmanager
def small_disk(path, megabytes):
    path.mkdir()
    if subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(path)], capture_output=True, check=False
    ).returncode:
        pytest.skip("a tmpfs cannot be mounted here")
    try:
        yield
    finally:
        subprocess.run(["umount", str(path)], check=True)


@pytest.mark.skipif(shutil.which("mount") is None, reason="there is no `mount` here")
def test_a_full_disk_stops_cleanly_and_more_space_finishes(tmp_path) -> None:
    corpus = write_corpus(tmp_path / "corpus", scale=40)
    manifest = change(corpus.path, tokenizer={"train": {"vocab_size": 420, "sample_mb": 0.1}})
    prepare(load_corpus(manifest), out=str(tmp_path / "expected"), runner=Runner())
    size = sum(path.stat().st_size for path in (tmp_path / "expected").rglob("*") if path.is_file())
    with small_disk(tmp_path / "disk", max(1, size // 2_500_000)):
        run = prep(manifest, tmp_path / "disk" / "out")
        assert_clear(run, "the disk is full", "remedy: free some space")
        assert not (tmp_path / "disk" / "out" / "shards" / MANIFEST).exists()
        assert not list((tmp_path / "disk" / "out").rglob(".tmp-*"))
        subprocess.run(
            ["mount", "-o", f"remount,size={8 + 4 * size // 1_000_000}m", str(tmp_path / "disk")], check=True
        )
        run = prep(manifest, tmp_path / "disk" / "out")
        assert run.returncode == 0, run.stderr
        assert tree_hashes(tmp_path / "disk" / "out") == tree_hashes(tmp_path / "expected")


def extracted(corpus, out, *options):
    command = [sys.executable, "-m", "gristmill", "extract", str(corpus), "--out", str(out), *options]
    return subprocess.run(
        command,
        env=dict(os.environ, PYTHONPATH=str(PROJECT)),
        capture_output=True,
        text=True,
        timeout=300,
        cwd=corpus.parent,
        check=False,
    )


@pytest.mark.parametrize("options", [(), ("--sample", "0.5")])
def test_an_output_folder_within_the_inputs_is_refused_before_anything_is_written(tmp_path, options) -> None:
    (tmp_path / "a.jsonl").write_bytes(json_lines({"text": prose("a")}))
    corpus = corpus_of(tmp_path, ("lines", "jsonl", "**/*.js*"))
    assert_clear(extracted(corpus, tmp_path / "out", *options), "reaches what is written here", "choose an --out")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.jsonl", "corpus.yaml"]


def test_one_record_that_cannot_be_taken_never_ends_the_command(tmp_path) -> None:
    deep = b'{"text": "a", "id": ' + b"[" * 1_000 + b"]" * 1_000 + b"}\n"
    (tmp_path / "deep.jsonl").write_bytes(
        json_lines({"text": prose("first")}) + deep + json_lines({"text": prose("last")})
    )
    (tmp_path / "array.jsonl").write_text(json.dumps([{"text": prose("a")}, {"text": prose("b")}], indent=1))
    (tmp_path / "data[1].jsonl").write_bytes(json_lines({"text": prose("named")}))
    corpus = corpus_of(tmp_path, ("lines", "jsonl", "*.jsonl"), ("named", "jsonl", "data[1].jsonl"))
    run = extracted(corpus, tmp_path / "out")
    assert run.returncode == 0, run.stderr
    found = quarantined(tmp_path / "out")
    assert [error.split(":")[0] for _, error in found["deep.jsonl"]] == ["id nested too deeply"]
    assert found["deep.jsonl"][0][0] == len(json_lines({"text": prose("first")}))
    assert [error.split(":")[0] for _, error in found["array.jsonl"]] == ["no JSON Lines"]
    step = read_step(str(tmp_path / "out" / "extract"))
    assert (step.ledger.balance(), step.ledger.kept, step.ledger.records_in) == (0, 4, 6)
    assert any("array.jsonl" in note and "no JSON Lines" in note for note in step.notes)


def test_an_input_that_is_cut_while_it_is_read_is_named(tmp_path) -> None:
    """A mapped one would end the process without a word."""
    from pipeline.extract.inputs import list_raw_pieces
    from pipeline.extract.settings import extract_job, read_tasks
    from pipeline.extract.step import extract_records, raw_records

    table = pa.table({"text": [prose(f"{number}") * 40 for number in range(300)]})
    for name in ("a.arrow", "b.parquet"):
        path = tmp_path / name
        if name == "a.arrow":
            with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
                writer.write_table(table, max_chunksize=100)
        else:
            pq.write_table(table, path, row_group_size=100, compression="none", use_dictionary=False)
        manifest = load_corpus(corpus_of(tmp_path, ("rows", name.split(".")[1], name)))
        job = extract_job(manifest, folder=str(tmp_path / "out"))
        task = read_tasks(list_raw_pieces(manifest.sources), job.settings)[0]

        def cut(batches, path=path):
            for number, batch in enumerate(batches):
                if number == 0:
                    os.truncate(path, 5_000)
                yield batch

        with pytest.raises(GristmillError, match=rf"{name}: the file changed while it was read"):
            extract_records(cut(raw_records(task, job)), task, job)
