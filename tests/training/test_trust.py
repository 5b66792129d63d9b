"""A checkpoint's files never run code and are used only unchanged: each is replaced, flipped, cut, removed, swapped."""

from __future__ import annotations

import ast
import contextlib
import json
import os
import pickle
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from manifests.base import sha256_of
from manifests.errors import GristmillError
from manifests.run import Run
from storage.rooms import ROOMS
from tests.damage import flip, flip_quietly
from tests.paths import PROJECT
from tests.training.data import make_corpus, make_run
from training import checkpoint, staging
from training.loop import train
from training.parallel import agree, every_rank, one_rank
from training.record import read_record
from training.tensor_files import StoredFile

FILES = ("__0_0.distcp", ".metadata", "_MANIFEST.json")
SMALL = {"tokens": 6 * 8 * 32, "checkpoint": {"every_steps": 2, "keep": 2}}


class Planted:
    """A pickle of this makes a folder when it is read."""

    def __init__(self, path: Path) -> None:
        self.path = str(path)

    def __reduce__(self) -> tuple[Callable[[str], None], tuple[str]]:
        return os.mkdir, (self.path,)


@pytest.fixture(scope="module")
def stopped(tmp_path_factory: pytest.TempPathFactory, corpus: tuple[Path, np.ndarray]) -> Run:
    """A run of six steps that was stopped after the fourth: checkpoints of steps 2 and 4 are there."""
    run = make_run(tmp_path_factory.mktemp("stopped"), name="run", data=corpus[0], **SMALL)
    train(run, stop_after=4)
    return run


@pytest.fixture
def run(tmp_path: Path, stopped: Run, corpus: tuple[Path, np.ndarray]) -> Run:
    """A copy of it."""
    copy = make_run(tmp_path, name="run", data=corpus[0], **SMALL)
    shutil.copytree(stopped.out, copy.out)
    return copy


def newest(run: Run) -> Path:
    return Path(checkpoint.folder_of(run.out, 4))


def chosen(run: Run) -> tuple[int | None, list[str]]:
    """The step of the checkpoint that a start would use, and what it would say."""
    said: list[str] = []
    with one_rank():
        found = checkpoint.newest_whole(run.out, say=said.append)
    return (None if found is None else found.step), said


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-2])


def empty(path: Path) -> None:
    path.write_bytes(b"")


def lose(path: Path) -> None:
    path.unlink()


def stale(path: Path) -> None:
    """The file of the same name from the checkpoint before."""
    shutil.copy2(path.parent.parent / "step-00000002" / path.name, path)


def test_a_checkpoint_holds_no_pickle(run: Run) -> None:
    assert sorted(path.name for path in newest(run).iterdir()) == sorted(FILES)
    json.loads((newest(run) / ".metadata").read_text())
    json.loads((newest(run) / "_MANIFEST.json").read_text())
    tensors = (newest(run) / "__0_0.distcp").read_bytes()
    assert b"PK\x03\x04" not in tensors[:4]
    with pytest.raises(pickle.UnpicklingError):
        pickle.loads(tensors)


@pytest.mark.parametrize("same_size", [True, False])
@pytest.mark.parametrize("name", FILES)
def test_planted_pickles_are_not_run(
    run: Run, tmp_path: Path, name: str, same_size: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither by a run that goes on, which goes back to the checkpoint before, nor by one rank that only wants the
    weights.
    """
    monkeypatch.setenv("TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD", "1")
    canary = tmp_path / "ran"
    path = newest(run) / name
    planted = pickle.dumps(Planted(canary))
    path.write_bytes(planted + bytes(path.stat().st_size - len(planted)) if same_size else planted)
    said: list[str] = []
    assert train(run, say=said.append).step == 6
    assert any("step-00000004" in line and "it is not used" in line for line in said)
    assert any(line.startswith("resumed after step 2 ") for line in said)
    assert not canary.exists()


@pytest.mark.parametrize("name", [".metadata", "common.pt", "__0_0.distcp", "__0_1.distcp"])
def test_planted_pickles_with_hashes_to_match_are_not_run(
    run: Run, tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever writes into the folder can write a manifest, too."""
    monkeypatch.setenv("TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD", "1")
    canary = tmp_path / "ran"
    with open(newest(run) / name, "wb") as file:
        pickle.dump(Planted(canary), file) if name == ".metadata" else torch.save(Planted(canary), file)
    forge(newest(run))
    with contextlib.suppress(GristmillError):
        train(run)
    assert not canary.exists()


def forge(folder: Path, **changes: object) -> None:
    """A manifest to match what lies in the folder."""
    import hashlib

    path = folder / "_MANIFEST.json"
    said = json.loads(path.read_text())
    said["files"] = {
        file.name: {"bytes": file.stat().st_size, "sha256": hashlib.sha256(file.read_bytes()).hexdigest()}
        for file in folder.iterdir()
        if file != path
    }
    said |= changes
    said["digest"] = sha256_of({key: value for key, value in said.items() if key != "digest"})
    path.write_text(json.dumps(said))


@pytest.mark.parametrize("damage", [flip, flip_quietly, cut, empty, lose, stale])
@pytest.mark.parametrize("name", FILES)
def test_damaged_files_are_not_used(run: Run, name: str, damage: Callable[[Path], None]) -> None:
    damage(newest(run) / name)
    step, said = chosen(run)
    assert step == 2
    assert len(said) == 1
    assert "step-00000004" in said[0]
    assert said[0].endswith("it is not used")
    if name != "_MANIFEST.json":
        assert f"is damaged ({name})" in said[0]


def test_every_byte_counts(run: Run) -> None:
    """A flipped bit at sixty places of each file."""
    for name in FILES:
        path = newest(run) / name
        whole = path.read_bytes()
        for place in np.linspace(0, len(whole) - 1, 60).astype(int).tolist():
            changed = bytearray(whole)
            changed[place] ^= 1 << place % 8
            path.write_bytes(changed)
            assert chosen(run)[0] == 2, (name, place)
        path.write_bytes(whole)
    assert chosen(run) == (4, [])


def test_swapped_checkpoints_are_not_used(run: Run) -> None:
    newer, older = newest(run), Path(checkpoint.folder_of(run.out, 2))
    newer.rename(newer.with_name("other"))
    older.rename(newer)
    newer.with_name("other").rename(older)
    with pytest.raises(GristmillError, match="none of the checkpoints is whole") as caught:
        chosen(run)
    assert "is that of another checkpoint" in str(caught.value)


def test_without_a_whole_checkpoint_nothing_begins_anew(run: Run) -> None:
    """Weeks of work would be lost in silence."""
    for step in (2, 4):
        flip(Path(checkpoint.folder_of(run.out, step), "__0_0.distcp"))
    before = Path(run.out, "metrics.jsonl").read_bytes()
    with pytest.raises(GristmillError, match="none of the checkpoints is whole") as caught:
        train(run)
    assert "begin again at step 0" in str(caught.value.remedy)
    assert Path(run.out, "metrics.jsonl").read_bytes() == before


def test_checkpoints_of_pickles_are_refused(run: Run) -> None:
    path = newest(run) / "_MANIFEST.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "format": "gristmill-checkpoint/1"}))
    with pytest.raises(GristmillError, match="written by an earlier version, as pickles"):
        train(run)


@pytest.mark.parametrize("name", ["../outside", "/tmp/outside", "sub/file", "_MANIFEST.json", ""])
def test_names_of_files_stay_in_the_folder(run: Run, name: str) -> None:
    path = newest(run) / "_MANIFEST.json"
    said = json.loads(path.read_text())
    said["files"][name] = {"bytes": 1, "sha256": "0" * 64}
    said["digest"] = sha256_of({key: value for key, value in said.items() if key != "digest"})
    path.write_text(json.dumps(said))
    assert chosen(run)[0] == 2


def edit(index: dict, what: str) -> None:
    key = "decoder.layers.mlp.linear_fc1.weight"
    tensor = index["tensors"][key]
    if what == "lost tensor":
        del index["tensors"][key]
    elif what == "lost piece":
        tensor["pieces"].pop()
    elif what == "outside":
        tensor["pieces"][0]["at"] = 64 << 20
    elif what == "negative":
        tensor["pieces"][0]["at"] = -64
    elif what == "other file":
        tensor["pieces"][0]["file"] = "../step-00000002/__0_0.distcp"
    elif what == "dtype":
        tensor["dtype"] = "object"
    elif what == "shape":
        tensor["shape"][0] += 1
    elif what == "axes":
        tensor["pieces"][0]["offset"].pop()
    elif what == "huge":
        tensor["pieces"][0]["shape"] = [1 << 40, 1 << 40, 1 << 40]
    elif what == "unknown key":
        tensor["run"] = "os.system"


@pytest.mark.parametrize(
    "what",
    ["lost tensor", "lost piece", "outside", "negative", "other file", "dtype", "shape", "axes", "huge", "unknown key"],
)
def test_an_index_that_does_not_fit_is_an_error(run: Run, what: str) -> None:
    """With hashes to match: a folder made by someone else."""
    path = newest(run) / ".metadata"
    index = json.loads(path.read_text())
    edit(index, what)
    path.write_text(json.dumps(index))
    forge(newest(run))
    with pytest.raises(GristmillError, match="the checkpoint cannot be read"):
        train(run)


def test_training_and_loading_never_unpickle_a_file(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("unpickled")

    for name in (
        "pickle.load",
        "torch.load",
        "torch.serialization.load",
        "torch.distributed.checkpoint.filesystem.pickle.load",
    ):
        monkeypatch.setattr(name, refuse)
    assert train(run).step == 6


def test_an_order_that_was_changed_is_refused(run: Run) -> None:
    """Also before the first checkpoint, which would tell."""
    shutil.rmtree(f"{run.out}/checkpoints")
    path = Path(run.out, "order.json")
    path.write_text(path.read_text().replace('"seed":7', '"seed":8').replace('"seed": 7', '"seed": 8'))
    with pytest.raises(GristmillError, match="is not the order that the run began with"):
        train(run)


def verified(run: Run) -> list[str]:
    from typer.testing import CliRunner

    from gristmill.cli import app

    result = CliRunner().invoke(app, ["verify", run.out, "--json"])
    found: list[str] = json.loads(result.stdout)["problems"]
    assert result.exit_code == (1 if found else 0)
    return found


def test_verify_reads_a_runs_folder(run: Run) -> None:
    assert verified(run) == []
    for name in FILES:
        whole = (newest(run) / name).read_bytes()
        flip(newest(run) / name)
        found = verified(run)
        assert len(found) == 1
        assert found[0].startswith(str(newest(run)))
        assert "; remedy: " in found[0]
        (newest(run) / name).write_bytes(whole)
    for name in ("run.json", "order.json"):
        whole = Path(run.out, name).read_bytes()
        flip(Path(run.out, name))
        assert any(name in problem for problem in verified(run)), name
        Path(run.out, name).write_bytes(whole)
    with open(f"{run.out}/metrics.jsonl", "a") as file:
        file.write('{"step": 3}\n')
    assert verified(run) == [
        f"{run.out}/metrics.jsonl: line 5 is not the line of a later step; remedy: `gristmill train` goes on all the"
        " same"
    ]
    changed = json.loads(Path(run.out, "run.json").read_text())
    changed["run"]["manifest"]["log_every"] = 7  # a setting that does not bind
    Path(run.out, "run.json").write_text(json.dumps(changed))
    assert any("run.json: was changed" in problem for problem in verified(run))


def said_by(*words: str) -> str:
    """The error of a command that ends with one."""
    from typer.testing import CliRunner

    from gristmill.cli import app

    result = CliRunner().invoke(app, list(words))
    assert result.exit_code == 1
    assert isinstance(result.exception, GristmillError), result.exception
    return str(result.exception)


def test_folders_are_named_with_their_blanks(tmp_path: Path, run: Run) -> None:
    """What a finding names is a path that a script can open."""
    folder = tmp_path / "my runs" / "the first"
    shutil.copytree(run.out, folder)
    flip(folder / "checkpoints" / "step-00000004" / "__0_0.distcp")
    (folder / "checkpoints" / "step-00000002" / "_MANIFEST.json").unlink()
    found = verified(run.model_copy(update={"out": str(folder)}))
    remedy = (
        "`gristmill train` and `generate` use the newest checkpoint that is whole; restore this one, or remove its"
        " folder"
    )
    assert found == [
        f"{folder}/checkpoints/step-00000002: has no readable _MANIFEST.json: it is not used; remedy: {remedy}",
        f"{folder}/checkpoints/step-00000004: is damaged (__0_0.distcp): it is not used; remedy: {remedy}",
    ]


def _without(*keys: str) -> Callable[[dict[str, Any]], Any]:
    return lambda record: {key: value for key, value in record.items() if key not in keys}


@pytest.mark.parametrize(
    "change",
    [
        _without("run"),
        _without("data_digest"),
        _without("tokenizer", "sha256"),
        lambda record: {**record, "tokenizer": 3},
        lambda record: {**record, "tokenizer": {"sha256": "0"}},
        lambda record: {**record, "run": {"manifest": []}},
        lambda record: {**record, "data_digest": None},
        lambda record: {**record, "order_sha256": 3},
        lambda record: {},
        lambda record: [record],
        lambda record: None,
    ],
)
def test_a_damaged_record_is_named(run: Run, change: Callable[[dict[str, Any]], Any]) -> None:
    path = Path(run.out, "run.json")
    path.write_text(json.dumps(change(json.loads(path.read_text()))))
    assert [line.partition(": ")[0] for line in verified(run)] == [str(path)]
    assert said_by("generate", run.out, "--prompt", "x").startswith(f"{path}: ")
    with pytest.raises(GristmillError, match="run\\.json: ") as caught:
        read_record(run.out)
    assert caught.value.remedy is not None


def test_a_record_without_a_key_ends_no_command_in_a_traceback(run: Run) -> None:
    path = Path(run.out, "run.json")
    path.write_text(json.dumps(_without("data_digest")(json.loads(path.read_text()))))
    assert said_by("trace", run.out, "--step", "1").startswith(
        f"{path}: is not a run record of this version: data_digest: Field required"
    )
    with pytest.raises(GristmillError, match="is not a run record"):
        train(run)


def test_damaged_metrics_stop_nothing(run: Run) -> None:
    """As `verify` says. What is no line of metrics is left out when the run goes on."""
    from typer.testing import CliRunner

    from gristmill.cli import app

    path = Path(run.out, "metrics.jsonl")
    whole = path.read_text()
    path.write_bytes(b'[1]\n\xff\xfe\n{"loss": 1}\n{"step": "2"}\n' + whole.encode() + b'{"step": 4, "lo')
    assert verified(run) == [
        f"{path}: line 1 is not the line of a later step; remedy: `gristmill train` goes on all the same",
    ]
    shown = CliRunner().invoke(app, ["inspect", run.out])
    assert shown.exit_code == 0, shown.exception
    assert "samples_xxh3" in shown.stdout
    assert train(run).step == 6
    assert [json.loads(line)["step"] for line in path.read_text().splitlines()] == list(range(6))


def test_metrics_that_cannot_be_written_are_an_error_of_all_ranks(run: Run) -> None:
    board = Path(run.out, "tensorboard")
    shutil.rmtree(board)
    board.touch()
    with pytest.raises(GristmillError, match=r"tensorboard: File exists|tensorboard: Not a directory"):
        train(run)


CUT_WHILE_MAPPED = """
import os, sys
from pathlib import Path
import torch
from training.tensor_files import Piece, StoredFile, _Maps
folder = Path(sys.argv[1])
files = {"__0_0.distcp": StoredFile(bytes=1 << 20, sha256="")}
with _Maps(folder, files) as maps:
    tensor = maps.tensor(Piece(offset=[0], shape=[1 << 20], file="__0_0.distcp", at=0), torch.uint8)
    os.truncate(folder / "__0_0.distcp", 10)
    print(int(tensor.sum()))
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the signal is Linux's")
def test_a_checkpoint_that_is_cut_while_it_is_read_is_named(tmp_path: Path) -> None:
    path = tmp_path / "__0_0.distcp"
    path.write_bytes(bytes(1 << 20))
    command = [sys.executable, "-W", "ignore", "-c", CUT_WHILE_MAPPED, str(tmp_path)]
    done = subprocess.run(
        command, env={**os.environ, "PYTHONPATH": str(PROJECT)}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1, done.stderr
    assert f"error: {path}: cut, or its disk failed, while it was mapped into memory\n  remedy: " in done.stderr


@pytest.mark.parametrize("place", ["a file", "a file in the way", "a folder in the way"])
def test_a_staging_folder_that_cannot_be_written_is_an_error_of_all_ranks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    """Root may write everywhere: files that lie where folders should be stand for folders that are closed."""
    monkeypatch.setenv("GRISTMILL_STAGING", str(tmp_path / "staging"))
    out = "s3://bucket/run"
    if place == "a file":
        (tmp_path / "staging").touch()
    else:
        folder = staging.staging_folder(out)
        folder.mkdir(parents=True)
        (folder / "loading").touch() if place == "a file in the way" else (folder / "loading.lock").mkdir()
    with one_rank(), pytest.raises(GristmillError, match="cannot be written: ") as caught:
        staging.fetch(out, {"__0_0.distcp": StoredFile(bytes=1, sha256="0")})
    assert caught.value.remedy == "set GRISTMILL_STAGING to a folder with room"
    assert str(tmp_path / "staging") in str(caught.value.where)


def test_errors_of_the_system_are_given_to_all_ranks(tmp_path: Path) -> None:
    with one_rank():
        for told in (agree, every_rank):
            with pytest.raises(GristmillError, match="No such file or directory") as caught:
                told((tmp_path / "none").read_bytes)  # type: ignore[operator]
            assert caught.value.where == str(tmp_path / "none")


@pytest.mark.parametrize("damage", [flip, flip_quietly, cut, lose])
def test_damaged_shards_are_named_before_the_first_step(
    tmp_path: Path, damage: Callable[[Path], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """All of them, whether or not the first steps read from them; and not those that were checked before."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    make_corpus(tmp_path / "corpus", tokens=20_000)
    run = make_run(tmp_path, name="run", data=tmp_path / "corpus", **SMALL)
    train(run, stop_after=2)
    paths = [
        tmp_path / "corpus" / "shards" / name for name in ("crawl/general/00001.arrow", "wiki/factual/00000.arrow")
    ]
    for path in paths:
        damage(path)
    with pytest.raises(GristmillError) as caught:
        train(run)
    if damage is not lose:
        assert "2 shards are damaged" in str(caught.value)
        assert all(path.name in str(caught.value) for path in paths)
    assert "gristmill prep" in str(caught.value.remedy)
    assert len(Path(run.out, "metrics.jsonl").read_text().splitlines()) == 2


READS = {
    "pickle": {"load", "loads", "Unpickler"},
    "cloudpickle": {"load", "loads"},
    "dill": {"load", "loads"},
    "marshal": {"load", "loads"},
    "joblib": {"load"},
    "shelve": {"open"},
    "torch": {"load"},
    "yaml": {"load", "load_all", "unsafe_load", "unsafe_load_all", "full_load", "full_load_all"},
    "pd": {"read_pickle"},
    "pandas": {"read_pickle"},
}


def test_no_source_file_reads_pickles() -> None:
    """Neither by the functions that do, nor by an argument that allows it."""
    found = []
    for room in (*ROOMS, "gristmill"):
        for path in sorted((PROJECT / room).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text())):
                if (
                    isinstance(node, ast.Attribute)
                    and isinstance(node.value, ast.Name)
                    and node.attr in READS.get(node.value.id, ())
                ):
                    found.append(f"{path.relative_to(PROJECT)}:{node.lineno}: {node.value.id}.{node.attr}")
                if isinstance(node, ast.ImportFrom) and READS.get(node.module or "", set()) & {
                    alias.name for alias in node.names
                }:
                    found.append(f"{path.relative_to(PROJECT)}:{node.lineno}: from {node.module}")
                if isinstance(node, ast.keyword) and node.arg in ("allow_pickle", "weights_only", "auto_load"):
                    found.append(f"{path.relative_to(PROJECT)}:{node.lineno}: {node.arg}")
                if isinstance(node, ast.Attribute) and node.attr in (
                    "register_extension_type",
                    "load_common_state_dict",
                    "FileSystemReader",
                ):
                    found.append(f"{path.relative_to(PROJECT)}:{node.lineno}: {node.attr}")
    # Compiled kernels are machine code in a pickle, read only from folders that nobody else can write: kernels/disk.py.
    assert [line.split(":")[0] + line.split(":")[2] for line in found] == ["kernels/compiled.py pickle.loads"]
