"""The extract step: what a task refuses, and the step's notes."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import pytest
from xxhash import xxh3_64_hexdigest

from manifests.corpus import CorpusManifest, load_corpus
from manifests.errors import GristmillError
from pipeline.engines.runners import Runner
from pipeline.extract.inputs import list_raw_pieces
from pipeline.extract.settings import extract_job, read_tasks
from pipeline.extract.step import extract, extract_file
from pipeline.schemas import read_ipc


def corpus(folder: Path, files: dict[str, str]) -> CorpusManifest:
    for name, text in files.items():
        (folder / name).write_text(text)
    source = {"name": "texts", "format": "text", "files": ["*.txt"], "licence": "made up"}
    (folder / "corpus.yaml").write_text(
        json.dumps({"kind": "corpus", "name": "c", "sources": [source], "tokenizer": {"model": "none"}})
    )
    return load_corpus(folder / "corpus.yaml")


@pytest.mark.parametrize("change", ["grown", "as long as before", "gone"])
def test_a_file_that_changes_while_it_is_read_stops_the_run(tmp_path: Path, change: str) -> None:
    """Its text and its hash would be of two different files."""
    manifest = corpus(tmp_path, {"a.txt": "The miller grinds.\n"})
    job = extract_job(manifest, folder=str(tmp_path / "out"))
    (task,) = read_tasks(list_raw_pieces(manifest.sources), job.settings)
    assert extract_file(task, job).ledger.kept == 1
    path = tmp_path / "a.txt"
    if change == "gone":
        path.unlink()
    else:
        path.write_text("The miller grinds.\n" if change == "as long as before" else "The miller grinds the grain.\n")
    with pytest.raises(GristmillError, match=r"a\.txt: (the file changed while it was read|no such file)"):
        extract_file(task, job)


def test_many_empty_files_make_few_notes(tmp_path: Path) -> None:
    manifest = corpus(
        tmp_path, {**{f"{number:02}.txt": " " for number in range(30)}, "text.txt": "The miller grinds.\n"}
    )
    step = extract(manifest, out=str(tmp_path / "out"), runner=Runner())
    assert len(step.notes) == 21
    assert step.notes[0].endswith("gave no document")
    assert step.notes[20] == "10 more tasks gave no document"


def test_broken_records_are_all_kept_and_few_are_held(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever their number: files of a bounded size, the ledger counts all of them, no place is missing."""
    monkeypatch.setattr("pipeline.extract.step.QUARANTINE_BYTES", 100_000)
    lines = [f"{number} {xxh3_64_hexdigest(str(number).encode())}\n" for number in range(45_000)]
    (tmp_path / "a.jsonl").write_text("".join(lines))
    source = {"name": "lines", "format": "jsonl", "files": ["*.jsonl"], "licence": "made up"}
    (tmp_path / "corpus.yaml").write_text(
        json.dumps({"kind": "corpus", "name": "c", "sources": [source], "tokenizer": {"model": "none"}})
    )
    step = extract(load_corpus(tmp_path / "corpus.yaml"), out=str(tmp_path / "out"), runner=Runner())
    assert sum(step.ledger.quarantined.values()) == step.ledger.records_in == 45_000
    assert step.ledger.balance() == 0
    files = [output for output in step.outputs if output.path.startswith("quarantine/")]
    assert len(files) == 5
    assert max(output.bytes for output in files) < 1_000_000
    tables = [read_ipc(str(tmp_path / "out" / "extract" / output.path)) for output in files]
    places_found = sorted(place for table in tables for place in table["record"].to_pylist())
    assert places_found == [0, *itertools.accumulate(len(line) for line in lines[:-1])]


def test_a_file_without_documents_is_noted_with_its_one_error(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('[\n{"text": "The miller grinds."}\n]\n')
    source = {"name": "lines", "format": "jsonl", "files": ["*.jsonl"], "licence": "made up"}
    (tmp_path / "corpus.yaml").write_text(
        json.dumps({"kind": "corpus", "name": "c", "sources": [source], "tokenizer": {"model": "none"}})
    )
    step = extract(load_corpus(tmp_path / "corpus.yaml"), out=str(tmp_path / "out"), runner=Runner())
    assert (step.ledger.records_in, step.ledger.quarantined) == (1, {"no JSON Lines": 1})
    assert step.notes[0].endswith("gave no document: no JSON Lines")
