"""The folder of a run."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from manifests.mixture import MixtureManifest
from manifests.model import load_model
from manifests.run import Run, RunManifest
from shards.order import new_order, order_to_json
from tests.shards.corpora import Lengths, write_corpus

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
