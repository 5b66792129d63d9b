"""Commands started in a hostile folder: nothing in it is imported, and nothing listens beyond loopback."""

from __future__ import annotations

import ipaddress
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from gristmill import rooms as front
from storage import rooms
from storage.processes import child_environment
from tests.endtoend import sockets
from tests.endtoend.corpora import write_corpus
from tests.paths import PROJECT

TRAPS = (
    *("pipeline", "training", "manifests", "storage", "shards", "kernels", "dedup", "mixing", "text"),
    *(
        "tempfile",
        "numpy",
        "grpc",
        "apache_beam",
        "torch",
        "megatron",
        "typer",
        "yaml",
        "contextlib",
        "sitecustomize",
        "usercustomize",
    ),
)
"""What a worker, a rank or a library would import, as files of the working folder; half of them as packages too."""


@pytest.fixture
def hostile(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    folder.mkdir()
    for name in TRAPS:
        note = f"open({str(folder / 'SPRUNG')!r}, 'a').write('{name} in ' + str(sys.orig_argv) + chr(10))"
        trap = f"import sys\n{note}\nraise SystemExit('trap {name}')\n"
        (folder / f"{name}.py").write_text(trap)
        if name in ("training", "numpy", "grpc", "manifests"):
            (folder / name).mkdir()
            (folder / name / "__init__.py").write_text(trap)
    return folder


def sprung(folder: Path) -> str:
    return (folder / "SPRUNG").read_text() if (folder / "SPRUNG").exists() else ""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.mark.slow
@pytest.mark.timeout(1500)
def test_commands_listen_on_loopback_and_import_nothing_of_the_working_folder(hostile: Path, tmp_path: Path) -> None:
    reason = sockets.why_not()
    if reason is not None:
        pytest.skip(reason)
    pytest.importorskip("torch")
    from tests.training.data import make_corpus, write_run

    corpus = write_corpus(tmp_path / "corpus")
    make_corpus(tmp_path / "prepared", tokens=20_000)
    run = write_run(tmp_path, name="run", data=tmp_path / "prepared", tokens=2 * 8 * 32)
    alone = write_run(tmp_path, name="alone", data=tmp_path / "prepared", tokens=2 * 8 * 32)
    port = free_port()

    def step(name: str, *words: str, **more: object) -> dict[str, object]:
        command = [sys.executable, "-P", "-m", "gristmill", *words]
        environment = {"PYTHONPATH": str(PROJECT), "OMP_NUM_THREADS": "1"}
        return {"name": name, "command": command, "cwd": str(hostile), "environment": environment, **more}

    prep = ("prep", str(corpus.path), "--workers", "2", "--json", "--out")
    seen = sockets.watch(
        [
            step("embedded", *prep, str(tmp_path / "embedded")),
            step("portable", "extract", *prep[1:], str(tmp_path / "portable"), "--runner", "portable"),
            step("worker", "worker", "--port", str(port), until=port),
            step("train", "train", str(run), "--processes", "2"),
            step("train alone", "train", str(alone), "--processes", "1"),
        ],
        tmp_path,
        cwd=PROJECT,
        timeout=1400,
    )
    assert sprung(hostile) == ""
    for name, found in seen.items():
        assert found["status"] == 0, (name, found["said"])
        assert found["ports"], f"{name}: the test sees nothing"
        assert all(ipaddress.ip_address(address).is_loopback for address in found["addresses"]), (
            name,
            found["addresses"],
        )


def test_the_command_itself_leaves_the_working_folder(hostile: Path) -> None:
    """As far as it can: `python -m` imports a few modules before any of ours, which `python -P -m` does not."""
    (hostile / "contextlib.py").unlink()
    (hostile / "manifests.py").unlink()
    for command in (["-m", "gristmill"], ["-P", "-m", "gristmill"], ["-c", "from gristmill.cli import main; main()"]):
        done = subprocess.run(
            [sys.executable, *command, "show", "llama2-7b"],
            cwd=hostile,
            env={**os.environ, "PYTHONPATH": str(PROJECT)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.returncode, done.stderr) == (0, ""), command
        assert "llama2-7b" in done.stdout
    assert sprung(hostile) == ""


@pytest.mark.parametrize(
    "entries", ["", ".", "/absolute:", ":/absolute", "relative/folder:/absolute", "/absolute::./x"]
)
def test_children_get_no_entry_that_means_the_working_folder(entries: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", entries)
    environment = child_environment(MORE="1")
    assert environment["PYTHONPATH"].split(os.pathsep) == [
        str(PROJECT),
        *(["/absolute"] if "/absolute" in entries else []),
    ]
    assert (environment["PYTHONSAFEPATH"], environment["MORE"]) == ("1", "1")


def test_children_of_children_are_safe(hostile: Path) -> None:
    code = (
        "import subprocess, sys; print(subprocess.check_output([sys.executable, '-c', 'import sys; print(sys.path)'],"
        " text=True))"
    )
    environment = {**child_environment(), "PYTHONPATH": str(PROJECT)}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=hostile, env=environment, capture_output=True, text=True, check=True
    )
    assert str(hostile) not in done.stdout
    assert "''" not in done.stdout
    assert sprung(hostile) == ""


@pytest.mark.parametrize("kind", ["module", "package", "folder"])
@pytest.mark.parametrize("name", ["training", "kernels", "storage", "manifests"])
def test_a_foreign_room_is_an_error_that_names_it(name: str, kind: str, tmp_path: Path) -> None:
    if kind == "module":
        place = tmp_path / f"{name}.py"
        place.write_text("raise SystemExit('it was run')\n")
    else:
        (tmp_path / name).mkdir()
        place = tmp_path / name / ("__init__.py" if kind == "package" else "notes.txt")
        place.write_text("raise SystemExit('it was run')\n")
    code = (
        f"import sys; sys.path.insert(0, {str(PROJECT)!r}); sys.path.insert(0, ''); import gristmill;"
        " gristmill.open_shards('nothing')"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=os.environ, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "it was run" not in done.stdout + done.stderr
    if kind == "folder":
        # Python takes a package further down the path before a folder without `__init__.py`; what is found is ours.
        assert "holds no complete token shards" in done.stderr
    else:
        assert f"{place}: Python finds another package `{name}` than Gristmill's" in done.stderr
    command = [sys.executable, "-P", "-m", "gristmill", "show", "llama2-7b"]
    path = os.pathsep.join([str(tmp_path), str(PROJECT)])
    done = subprocess.run(
        command, cwd=PROJECT, env={**os.environ, "PYTHONPATH": path}, capture_output=True, text=True, check=False
    )
    assert done.returncode == (0 if kind == "folder" else 1)
    if kind != "folder":
        assert done.stderr.startswith(f"error: {place}: Python finds another package `{name}`")
        assert "Traceback" not in done.stderr


def test_a_folder_that_hides_a_room_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Editable installations are found after folders without `__init__.py`."""
    (tmp_path / "mixing").mkdir()
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    monkeypatch.delitem(sys.modules, "mixing", raising=False)
    monkeypatch.setattr(
        sys, "meta_path", [finder for finder in sys.meta_path if "Path" in getattr(finder, "__name__", "")]
    )
    sys.path_importer_cache.clear()
    with pytest.raises(rooms.ForeignRoomError, match=f"{tmp_path}/mixing: Python finds another package `mixing`"):
        rooms.check_rooms(["mixing"])
    with pytest.raises(ImportError, match=f"{tmp_path}/mixing: Python finds another package `mixing`"):
        front.check_rooms()


GONE = "error: the working folder cannot be used: No such file or directory\n  remedy: change to a folder that is there"


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (("show", "llama2-7b"), 0, ""),
        (("--help",), 0, ""),
        (("inspect", "nothing"), 1, "error: nothing: holds nothing that Gristmill wrote, or nothing complete\n"),
        (("show", "corpus.yaml"), 1, "error: corpus.yaml: no such manifest\n"),
        (("trace", "run", "--step", "1"), 1, GONE),
        (("prep", str(PROJECT / "demo" / "corpus.yaml"), "--out", "out"), 1, GONE),
        (("train", "/nowhere/run.yaml"), 1, GONE),
        (("generate", "/nowhere", "--prompt", "x"), 1, GONE),
    ],
)
def test_a_working_folder_that_was_deleted_is_no_traceback(
    words: tuple[str, ...], status: int, said: str, tmp_path: Path
) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    command = ["sh", "-c", 'rmdir "$PWD" && exec "$@"', "sh", sys.executable, "-P", "-m", "gristmill", *words]
    environment = {**os.environ, "PYTHONPATH": str(PROJECT)}  # with a relative entry Python itself does not start
    done = subprocess.run(command, cwd=gone, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == status, done.stderr
    assert done.stderr.startswith(said)
    assert "Traceback" not in done.stderr


def test_all_packages_are_looked_at() -> None:
    told = next(line for line in (PROJECT / "pyproject.toml").read_text().splitlines() if line.startswith("include = "))
    assert {name.strip().strip('"*') for name in told.split("[")[1].rstrip("]").split(",")} == {
        *rooms.ROOMS,
        "gristmill",
    }
