"""The three functions that notebooks import, and the cost of the import."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

import gristmill
from manifests.errors import GristmillError
from manifests.mixture import MixtureManifest
from manifests.model import load_model
from manifests.run import Run, RunManifest
from shards.order import new_order, order_to_json
from tests.shards.corpora import Lengths, streams, write_corpus
from tests.shards.orders import located, positions

LENGTHS: Lengths = {"wiki/factual": [[30, 20, 44], [17]], "crawl/general": [[60, 60]]}


@pytest.fixture
def run_folder(tmp_path: Path) -> str:
    """A run over a small corpus, as far as lineage reads it."""
    manifest = write_corpus(str(tmp_path / "prepared/shards"), LENGTHS)
    order = new_order(
        {"wiki/factual": 111, "crawl/general": 120}, sequence=8, seed=0, counts={"wiki/factual": 3, "crawl/general": 1}
    )
    settings = RunManifest(name="test", data="prepared", out="run", sequence=8, global_batch=4, tokens=8 * 4 * 6)
    run = Run(
        manifest=settings,
        mixture=MixtureManifest(),
        model=load_model("tiny", folder=tmp_path),
        data=str(tmp_path / "prepared"),
        out=str(tmp_path / "run"),
    )
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / "run.json").write_text(json.dumps({"run": run.model_dump(mode="json"), "data_digest": manifest.digest}))
    (folder / "order.json").write_text(order_to_json(order))
    return str(folder)


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
