"""Snapshot by snapshot: new documents get the fates that all snapshots at once would give them."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

import pytest
import yaml

import pipeline.schemas
import storage.steps
from manifests.corpus import load_corpus
from manifests.errors import GristmillError
from manifests.filters import REASONS
from pipeline.decide.duplicates.indexing import make_index
from pipeline.engines.runners import Runner
from storage.steps import require_manifest
from storage.verify import exported_step, verify_export
from tests.endtoend.corpora import tree_hashes
from tests.pipeline.decide.duplicates.corpora import SOURCES, fates, records, run, write
from tests.stopping import Stopped, limit_publishing


def dealt(number: int, *, snapshots: int = 3) -> list[dict[str, str]]:
    """The records of one of several snapshots; families are spread over all of them."""
    return [row for row in records(families=10) if hashlib.sha256(row["id"].encode()).digest()[0] % snapshots == number]


def at_once(folder: Path, **minhash: object) -> dict[str, tuple[int, str | None, float | None]]:
    """All snapshots prepared at once: the sources of each are preferred to those of the next."""
    every = [{**row, "source": f"{row['source']}-{number}"} for number in range(3) for row in dealt(number)]
    path = write(folder, every, minhash=minhash)
    manifest = yaml.safe_load(path.read_text())
    [first, *_] = manifest["sources"]
    manifest["sources"] = []
    for number in range(3):
        for source, priority in SOURCES.items():
            name = f"{source}-{number}"
            own = folder / name
            own.mkdir(exist_ok=True)
            rows = [row for row in every if row["source"] == name]
            (own / "0.jsonl").write_text("".join(line(row) for row in rows))
            manifest["sources"].append({**first, "name": name, "root": str(own), "priority": 10 * number + priority})
    path.write_text(yaml.safe_dump(manifest))
    run(path, folder / "out")
    return fates(folder / "out")


def line(row: dict[str, str]) -> str:
    return json.dumps({key: row[key] for key in ("id", "url", "text")}) + "\n"


def one_by_one(folder: Path, **minhash: object) -> dict[str, tuple[int, str | None, float | None]]:
    """Each snapshot prepared with the indexes of those before it, whose folders are deleted."""
    found: dict[str, tuple[int, str | None, float | None]] = {}
    indexes: list[str] = []
    for number in range(3):
        place = folder / f"snapshot-{number}"
        dedup = {"minhash": minhash, "index": indexes}
        run(write(place, dealt(number), files=2, **dedup), place / "out")
        found |= fates(place / "out")
        index = folder / f"index-{number}"
        make_index(str(place / "out"), out=str(index), runner=Runner())
        indexes = [*indexes, str(index)]
        shutil.rmtree(place)
    return found


@pytest.mark.parametrize("largest", [3, 1 << 16], ids=["large buckets", "small buckets"])
@pytest.mark.parametrize(
    ("run_bytes", "at_once_pairs"), [(64 << 20, 1 << 20), (1, 0)], ids=["one run", "many runs and rounds"]
)
def test_snapshots_one_by_one_decide_as_all_at_once(tmp_path, monkeypatch, largest, run_bytes, at_once_pairs) -> None:
    monkeypatch.setattr("pipeline.decide.duplicates.candidates.LARGEST", largest)
    expected = at_once(tmp_path / "once")
    monkeypatch.setattr("pipeline.decide.runs.RUN_BYTES", run_bytes)
    monkeypatch.setattr("pipeline.decide.duplicates.choice.EDGES_AT_ONCE", at_once_pairs)
    monkeypatch.setattr("pipeline.decide.runs.FAN", 2 if at_once_pairs == 0 else 256)
    found = one_by_one(tmp_path / "each")
    assert found == expected
    assert len({reason for reason, _, _ in found.values()}) == 3


@pytest.fixture(scope="module")
def indexed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("indexed")
    run(write(folder / "first", dealt(0)), folder / "first" / "out")
    make_index(str(folder / "first" / "out"), out=str(folder / "index"), runner=Runner())
    return folder


def test_an_index_is_a_folder_that_can_be_verified(indexed) -> None:
    step = exported_step(str(indexed / "index"))
    assert step is not None
    assert verify_export(str(indexed / "index"), step) == (len(step.outputs), [])
    assert {output.path.split("/")[0] for output in step.outputs} == {"nodes", "keys", "sets", "sketches"}


def test_an_index_stopped_between_any_two_files_is_the_same(indexed, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr("pipeline.decide.runs.RUN_BYTES", 1)
    make_index(str(indexed / "first" / "out"), out=str(tmp_path / "whole"), runner=Runner())
    allowance = limit_publishing(monkeypatch, storage.steps, pipeline.schemas)
    for _ in range(40):
        allowance.left = 5
        try:
            make_index(str(indexed / "first" / "out"), out=str(tmp_path / "out"), runner=Runner())
            break
        except (GristmillError, Stopped) as error:
            stopped = error
        assert "Stopped" in repr((stopped, stopped.__cause__))
    else:
        pytest.fail("it never ended")
    assert tree_hashes(tmp_path / "out") == tree_hashes(tmp_path / "whole")


def test_duplicates_of_earlier_snapshots_have_no_row_here(indexed, tmp_path) -> None:
    run(write(tmp_path, dealt(1), index=[str(indexed / "index")]), tmp_path / "out")
    here: set[bytes] = set()
    rows = []
    for path in (tmp_path / "out" / "decide" / "decisions").rglob("*.arrow"):
        documents = (
            tmp_path / "out" / "extract" / "documents" / path.relative_to(tmp_path / "out" / "decide" / "decisions")
        )
        here |= set(pipeline.schemas.read_ipc(str(documents))["id"].to_pylist())
        rows += pipeline.schemas.read_ipc(str(path)).to_pylist()
    gone = [row for row in rows if row["duplicate_of"] is not None]
    assert any(row["duplicate_row"] is None for row in gone)
    for row in gone:
        if row["duplicate_row"] is not None:
            assert row["duplicate_of"] in here


def test_the_same_snapshot_again_goes_whole(indexed, tmp_path) -> None:
    """Each text that stayed is an exact copy of itself; what had gone goes for the same documents."""
    first = fates(indexed / "first" / "out")
    run(write(tmp_path, dealt(0), index=[str(indexed / "index")]), tmp_path / "out")
    again = fates(tmp_path / "out")
    near = REASONS.index("near_duplicate")
    assert {name for name, (reason, _, _) in again.items() if reason == 0} == set()
    went = {name: fate for name, fate in first.items() if fate[0] == near}
    assert went
    assert {name: again[name] for name in went} == went


@pytest.mark.parametrize(
    ("dedup", "message"),
    [
        ({"minhash": {"seed": 1}}, "seed"),
        ({"minhash": {"ngram": 4}}, "ngram 5 and 4"),
        ({"minhash": {"bands": 28, "rows": 4}}, "bands, rows"),
        ({"minhash": {"similarity": 0.8}}, "similarity"),
        ({"minhash": None}, "of no use without"),
    ],
)
def test_other_settings_are_refused(indexed, tmp_path, dedup, message) -> None:
    path = write(tmp_path, dealt(1), **{**dedup, "index": [str(indexed / "index")]})
    if message == "seed":
        manifest = yaml.safe_load(path.read_text())
        manifest["seed"] = manifest["dedup"]["minhash"].pop("seed")
        path.write_text(yaml.safe_dump(manifest))
    with pytest.raises(GristmillError, match=message):
        run(path, tmp_path / "out")


def test_what_is_no_index_is_refused(indexed, tmp_path) -> None:
    for named, message in (
        ([str(indexed / "index")] * 2, "named twice"),
        ([str(indexed / "first" / "out" / "decide")], "is no index"),
        ([str(tmp_path / "nowhere")], "nowhere"),
    ):
        with pytest.raises(GristmillError, match=message):
            run(write(tmp_path, dealt(1), index=named), tmp_path / "out")
    damaged = tmp_path / "damaged"
    shutil.copytree(indexed / "index", damaged)
    (damaged / "nodes" / "000000.arrow").write_bytes(b"x")
    with pytest.raises(GristmillError, match=r"000000\.arrow"):
        run(write(tmp_path, dealt(1), index=[str(damaged)]), tmp_path / "out")
    with pytest.raises(GristmillError, match="is not empty"):
        make_index(str(indexed / "first" / "out"), out=str(indexed / "first" / "best"), runner=Runner())


def test_an_index_moved_elsewhere_is_the_same(indexed, tmp_path) -> None:
    corpus = write(tmp_path, dealt(1), index=[str(indexed / "index")])
    run(corpus, tmp_path / "out")
    before = tree_hashes(tmp_path / "out" / "decide")
    digest = require_manifest(str(tmp_path / "out" / "decide"), command="x").digest
    shutil.copytree(indexed / "index", tmp_path / "moved")
    manifest = yaml.safe_load(corpus.read_text())
    manifest["dedup"]["index"] = [str(tmp_path / "moved")]
    corpus.write_text(yaml.safe_dump(manifest))
    load_corpus(corpus)
    run(corpus, tmp_path / "out")
    assert require_manifest(str(tmp_path / "out" / "decide"), command="x").digest == digest
    assert tree_hashes(tmp_path / "out" / "decide") == before
