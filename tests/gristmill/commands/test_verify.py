"""`verify` finds changes in any file of a prepared corpus; its remedy repairs them; reading shards finds them, too."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import yaml
from typer.testing import CliRunner

from gristmill.cli import app
from manifests.base import sha256_of
from manifests.corpus import load_corpus
from manifests.errors import GristmillError
from pipeline.decide.step import decide
from pipeline.engines.runners import Runner
from pipeline.prep import prepare
from shards.reader import open_shards
from shards.shard_list import ShardList
from shards.writer import load_manifest
from storage.checked import Remembered
from storage.steps import require_step
from tests.damage import flip, flip_quietly
from tests.endtoend.corpora import prose, tree_hashes


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A small corpus and what was prepared from it."""
    folder = tmp_path_factory.mktemp("verify")
    for name in ("a", "b"):
        rows = [
            {"id": f"{name}{n}", "url": f"https://www.site{n % 3}.org/{n}", "text": prose(f"{name}{n}")}
            for n in range(40)
        ]
        (folder / f"{name}.jsonl").write_text("\n".join(map(json.dumps, [*rows, rows[0]])) + "\nbroken\n")
    manifest = {
        "kind": "corpus",
        "name": "small",
        "sources": [{"name": "a", "format": "jsonl", "files": ["*.jsonl"], "licence": "made up", "filters": "none"}],
        "tokenizer": {"train": {"vocab_size": 400, "sample_mb": 1}},
        "shard_tokens": 4000,
    }
    (folder / "corpus.yaml").write_text(yaml.safe_dump(manifest))
    prepare(load_corpus(folder / "corpus.yaml"), out=str(folder / "out"), runner=Runner())
    return folder


@pytest.fixture
def out(made, tmp_path, monkeypatch):
    """A copy of it, checked: everything in it is remembered as whole."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    shutil.copytree(made / "out", tmp_path / "out")
    assert again(made, tmp_path / "out") == tree_hashes(made / "out")
    return tmp_path / "out"


def again(made: Path, out: Path) -> dict[str, str]:
    prepare(load_corpus(made / "corpus.yaml"), out=str(out), runner=Runner())
    return tree_hashes(out)


def problems(folder: Path) -> list[str]:
    result = CliRunner().invoke(app, ["verify", str(folder), "--json"])
    found: list[str] = json.loads(result.stdout)["problems"]
    assert result.exit_code == (1 if found else 0)
    return found


def rot(path: Path) -> None:
    """As `flip_quietly`; and what is remembered of the file is made to fit, as if a disk had changed it."""
    from manifests.step import TaskManifest, digest_of
    from storage.checked import stamp_of

    flip_quietly(path)
    step = path
    while not (step / "_MANIFEST.json").is_file():
        step = step.parent
    for task in (step / "tasks").rglob("*.json"):
        said = TaskManifest.model_validate(json.loads(task.read_text()))
        name = str(path.relative_to(step))
        if name in said.stamps:
            said = said.model_copy(update={"stamps": {**said.stamps, name: stamp_of(str(path))}})
            task.write_text(said.model_copy(update={"digest": digest_of(said)}).model_dump_json())


def kinds(out: Path) -> list[Path]:
    """One file of each kind."""
    found: dict[str, Path] = {}
    for path in sorted(out.rglob("*")):
        name = path.relative_to(out)
        if path.is_file() and not path.name.startswith("."):
            kind = "/".join(name.parts[:2]) + ("/documents" if ".documents." in path.name else "")
            found.setdefault(kind, path)
    return list(found.values())


def test_nothing_is_wrong_with_what_was_prepared(out) -> None:
    assert problems(out) == []


@pytest.mark.parametrize("damage", [flip, flip_quietly])
def test_each_flipped_file_is_found_and_mended(made, out, damage) -> None:
    wanted = tree_hashes(made / "out")
    files = kinds(out)
    assert len(files) > 12
    for path in files:
        damage(path)
        found = problems(out)
        assert found, path
        assert all("; remedy: " in problem for problem in found)
        if path.name != "_MANIFEST.json" and "tasks" not in path.parts:
            assert any(str(path) in problem for problem in found), (path, found)
        assert again(made, out) == wanted, path
    assert problems(out) == []


def test_what_a_disk_changed_is_mended_as_verify_says(made, out) -> None:
    """No time of change tells of it: `prep` believes what it remembers, `verify` reads everything and says what to
    delete.
    """
    path = next(path for path in sorted((out / "shards" / "a").rglob("*.arrow")) if ".documents." not in path.name)
    rot(path)
    found = problems(out)
    assert len(found) == 1
    assert "delete this file and run `gristmill prep` again" in found[0]
    path.unlink()
    assert again(made, out) == tree_hashes(made / "out")
    assert problems(out) == []


def test_finished_files_are_not_read_again(made, out, monkeypatch) -> None:
    """But a copy of the folder is, once."""
    read: list[str] = []

    def count(path: str) -> str:
        from storage import files

        read.append(path)
        return files.sha256_file(path)

    monkeypatch.setattr("storage.checked.sha256_file", count)
    monkeypatch.setattr("storage.steps._whole", Remembered(None))
    again(made, out)
    assert [path for path in read if "tokenizer" not in path] == []
    copy = out.parent / "copy"
    shutil.copytree(out, copy)
    again(made, copy)
    assert len(read) > 10
    read.clear()
    monkeypatch.setattr("storage.steps._whole", Remembered(None))
    again(made, copy)
    assert [path for path in read if "tokenizer" not in path] == []


def edit(path: Path, change: Callable[[dict], None], *, digest: bool = False) -> None:
    said = json.loads(path.read_text())
    change(said)
    if digest and "manifest_sha256" in said:
        said["manifest_sha256"] = sha256_of({key: value for key, value in said.items() if key != "manifest_sha256"})
    elif digest:
        said["digest"] = sha256_of({key: value for key, value in said.items() if key != "digest"})
    path.write_text(json.dumps(said))


def more(said: dict) -> None:
    said["ledger"]["records_in"] += 5000
    said["ledger"]["dropped"] = {**said["ledger"]["dropped"], "made_up": 5000}


def kept(said: dict) -> None:
    said["ledger"]["records_in"] += 1
    said["ledger"]["kept"] += 1


def settings(said: dict) -> None:
    if "settings" in said:
        said["settings"]["seed"] = 99
    said["settings_sha256"] = "0" * 64


def inputs(said: dict) -> None:
    said["inputs"] = {**said["inputs"], "made/up": "0" * 32}


def rows(said: dict) -> None:
    for output in said.get("outputs") or [said["listed"]]:
        output["rows" if "rows" in output else "shards"] += 1


def lost(said: dict) -> None:
    if "outputs" in said:
        said["outputs"].pop()
    else:
        said.pop("listed")


@pytest.mark.parametrize("digest", [False, True], ids=["", "with a digest to match"])
@pytest.mark.parametrize("change", [more, kept, settings, inputs, rows, lost])
@pytest.mark.parametrize("step", ["extract", "decide", "tokenizer", "shards"])
def test_edited_manifests_are_found_and_mended(made, out, step, change, digest) -> None:
    path = out / step / "_MANIFEST.json"
    edit(path, change, digest=digest)
    if digest and step == "tokenizer" and change in (more, kept, inputs, rows):
        return  # it has no tasks, and its folder says nothing else about it
    if digest and step == "shards" and change is settings:
        return  # the shard manifest holds the hash of the settings alone
    assert any(str(path.parent) in problem for problem in problems(out))
    assert again(made, out) == tree_hashes(made / "out")


def test_a_later_step_refuses_what_was_changed(made, out) -> None:
    path = next((out / "extract" / "signals").rglob("*.arrow"))
    whole = path.read_bytes()
    flip_quietly(path)
    with pytest.raises(GristmillError, match="its sha256 is not the manifest's") as caught:
        decide(load_corpus(made / "corpus.yaml"), out=str(out), runner=Runner())
    assert caught.value.where == str(path)
    assert "gristmill extract" in str(caught.value.remedy)
    path.write_bytes(whole)
    edit(out / "extract" / "_MANIFEST.json", more)
    with pytest.raises(GristmillError, match="was changed"):
        require_step(str(out / "extract"), command="gristmill extract")


def test_edited_tasks_are_found_and_repeated(made, out) -> None:
    path = next((out / "extract" / "tasks").rglob("*.json"))
    edit(path, more)
    assert any(str(path) in problem for problem in problems(out))
    assert again(made, out) == tree_hashes(made / "out")
    assert problems(out) == []


def test_manifests_cannot_name_files_elsewhere(out) -> None:
    folder = out / "shards"
    first, *others = load_manifest(str(folder)).shards
    data = ShardList.of([first.model_copy(update={"file": "../../secret.arrow"}), *others]).to_file().to_pybytes()
    (folder / "_SHARDS.arrow").write_bytes(data)

    def lead_out(said: dict) -> None:
        said["listed"] |= {"sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)}

    edit(folder / "_MANIFEST.json", lead_out, digest=True)
    with pytest.raises(GristmillError, match="leads out of the folder"):
        open_shards(str(out / "shards"))


@pytest.mark.parametrize("damage", [flip, flip_quietly])
def test_shards_are_checked_before_they_are_mapped(out, damage) -> None:
    shards = open_shards(str(out / "shards"))
    bucket = next(iter(shards.buckets.values()))
    tokens = np.array(bucket.map_tokens(0))
    damage(out / "shards" / bucket.entries[0].file)
    damage(out / "shards" / bucket.entries[1].documents_file)
    bucket = next(iter(open_shards(str(out / "shards")).buckets.values()))
    with pytest.raises(GristmillError, match="its sha256 is not the manifest's") as caught:
        bucket.map_tokens(0)
    assert "gristmill prep" in str(caught.value.remedy)
    with pytest.raises(GristmillError, match="its sha256 is not the manifest's"):
        bucket.read_documents(1)
    assert len(bucket.map_tokens(1))
    flip(out / "shards" / bucket.entries[0].file)
    assert (bucket.map_tokens(0) == tokens).all()


def test_checked_shards_are_remembered(out, monkeypatch) -> None:
    read: list[str] = []
    from storage import checked

    whole = checked.sha256_file
    monkeypatch.setattr("storage.checked.sha256_file", lambda path: read.append(path) or whole(path))
    for _ in range(3):
        for bucket in open_shards(str(out / "shards")).buckets.values():
            for shard in range(len(bucket.entries)):
                bucket.map_tokens(shard)
    assert len(read) == len(set(read))
    tokens = [path for path in read if not path.endswith(".documents.arrow")]
    assert len(tokens) == len(open_shards(str(out / "shards")).manifest.shards)


def test_without_a_cache_that_can_be_written_shards_are_checked_each_time(out, monkeypatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", "/proc/none")
    for _ in range(2):
        assert len(next(iter(open_shards(str(out / "shards")).buckets.values())).map_tokens(0))
