"""The three functions that notebooks import, and the cost of the import."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import gristmill
from manifests.errors import GristmillError
from shards.lineage import steps_of_document
from shards.order import new_order
from tests.gristmill.conftest import LENGTHS
from tests.shards.corpora import streams, write_corpus
from tests.shards.orders import located, positions


def test_importing_the_package_imports_no_room() -> None:
    rooms = ("numpy", "pyarrow", "manifests", "shards", "training", "torch", "apache_beam")
    program = f"import sys, gristmill; print([name for name in {rooms} if name in sys.modules])"
    assert subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout == "[]\n"


def test_samples_of_a_run(run_folder: str) -> None:
    shards = gristmill.open_shards(str(Path(run_folder).parent / "prepared/shards"))
    order = new_order(
        {"wiki/factual": 111, "crawl/general": 120}, sequence=8, seed=0, counts={"wiki/factual": 3, "crawl/general": 1}
    )
    tokens = list(streams(LENGTHS).values())
    expected = [[tokens[place[0]][at] for at in positions(order, *place)] for place in located(order, 10)][3:]
    assert gristmill.samples(shards, run_folder, 3, 7).tolist() == expected
    assert gristmill.samples(shards, order, 3, 7).tolist() == expected
    with pytest.raises(GristmillError, match="is not a run folder"):
        gristmill.samples(shards, str(Path(run_folder).parent), 0, 1)


def test_trace_of_a_step(run_folder: str) -> None:
    rows = gristmill.trace(run_folder, step=2)
    assert {row["sample"] for row in rows} == {8, 9, 10, 11}
    assert sum(row["tokens"] for row in rows) == 4 * 9
    assert {row["source"] for row in rows} == {"wiki", "crawl"}


def test_trace_says_what_is_wrong(run_folder: str, tmp_path: Path) -> None:
    with pytest.raises(GristmillError, match="the run has steps 0 to 5"):
        gristmill.trace(run_folder, step=6)
    with pytest.raises(GristmillError, match="is not a run folder"):
        gristmill.trace(str(tmp_path), step=0)
    write_corpus(str(tmp_path / "prepared/shards"), {**LENGTHS, "wiki/factual": [[31, 20, 43], [17]]})
    with pytest.raises(GristmillError, match="not those that the run was trained on"):
        gristmill.trace(run_folder, step=0)


def test_the_steps_of_a_document_are_those_whose_documents_it_is_among(run_folder: str) -> None:
    """Every document of the corpus, against what the steps say of their documents."""
    seen: dict[str, list[tuple[int, int, int]]] = {}
    for step in range(6):
        for row in gristmill.trace(run_folder, step=step):
            of_document = seen.setdefault(row["document_id"], [])
            if of_document and of_document[-1][0] == row["sample"]:  # at both ends of the stream
                of_document[-1] = (row["sample"], row["epoch"], of_document[-1][2] + row["tokens"])
            else:
                of_document.append((row["sample"], row["epoch"], row["tokens"]))
    assert len(seen) > 4
    for document, rows in seen.items():
        found = steps_of_document(run_folder, document)
        assert [(sighting.sample, sighting.epoch, sighting.tokens) for sighting in found] == rows
        assert all(sighting.step == sighting.sample // 4 and not sighting.trained for sighting in found)
    (Path(run_folder) / "metrics.jsonl").write_text('{"step": 2}\n')
    found = steps_of_document(run_folder, max(seen, key=lambda document: len(seen[document])))
    assert {sighting.trained for sighting in found if sighting.step <= 2} == {True}
    assert {sighting.trained for sighting in found if sighting.step > 2} == {False}


def test_a_document_that_is_not_there(run_folder: str) -> None:
    for document, message in (
        ("ab" * 16, "no document has the id"),
        ("ab", "is not the id"),
        ("xy" * 16, "is not the"),
    ):
        with pytest.raises(GristmillError, match=message):
            steps_of_document(run_folder, document)
