"""Kernels are compiled once, before workers start, and a message says so."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from kernels import disk
from pipeline.engines import compiled
from storage.processes import PARENT, child_environment, python_command
from tests.paths import PROJECT


@pytest.fixture
def said(monkeypatch):
    monkeypatch.delenv(compiled.WARMING_UP, raising=False)
    monkeypatch.delenv("NUMBA_DISABLE_JIT", raising=False)
    return []


def test_nothing_is_said_where_the_mark_lies(said, monkeypatch):
    monkeypatch.setattr(disk, "load", lambda entry: b"")
    monkeypatch.setattr(compiled, "_warm_up", lambda: pytest.fail("compiled again"))
    compiled.compile_kernels(said.append)
    assert said == []


def test_first_time_is_said_once(said, monkeypatch):
    monkeypatch.setattr(disk, "load", lambda entry: None)
    monkeypatch.setattr(compiled, "_warm_up", lambda: "")
    compiled.compile_kernels(said.append)
    compiled.compile_kernels(said.append)
    (line,) = said
    assert line.startswith(f"compiling the text kernels, once: some {compiled.COMPILING_S} s; they are kept in ")


def test_no_place_is_said_and_nothing_is_compiled_beforehand(said, monkeypatch):
    monkeypatch.setattr(disk, "load", lambda entry: None)
    monkeypatch.setattr(disk, "writable_place", lambda source: None)
    monkeypatch.setattr(compiled, "_warm_up", lambda: pytest.fail("compiled in vain"))
    compiled.compile_kernels(said.append)
    compiled.compile_kernels(said.append)
    (line,) = said
    assert "cannot be kept" in line
    assert "NUMBA_CACHE_DIR" in line


def test_a_child_that_fails_does_not_end_the_command(said, monkeypatch, tmp_path):
    monkeypatch.setattr(disk, "load", lambda entry: None)
    broken = tmp_path / "python"
    broken.write_text("#!/bin/sh\necho No space left on device\nexit 1\n")
    broken.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(broken))
    compiled.compile_kernels(said.append)
    assert said[1].endswith("each process does it for itself: No space left on device")


def test_looking_for_the_mark_is_quick_and_imports_no_compiler():
    program = (
        "import sys, time; from pipeline.engines.compiled import are_compiled\n"
        "began = time.process_time(); are_compiled(); print(time.process_time() - began, 'numba' in sys.modules)"
    )
    seconds = []
    for _ in range(3):
        done = subprocess.run([sys.executable, "-c", program], cwd=PROJECT, capture_output=True, text=True, check=True)
        used, imported = done.stdout.split()
        assert imported == "False"
        seconds.append(float(used))
    assert min(seconds) < 0.1


def test_the_mark_goes_with_the_sources(tmp_path, monkeypatch):
    """Whatever file holds a kernel, or what a kernel imports, is part of the stamp."""
    from kernels import sources

    before = sources.all_kernels_sha256()
    path = PROJECT / "kernels/utf8.py"
    whole = sources._file_sha256

    def changed(source: Path) -> bytes:
        return bytes(32) if source == path.resolve() else whole(source)

    monkeypatch.setattr(sources, "_file_sha256", changed)
    assert sources.all_kernels_sha256() != before


def test_child_ends_with_its_command():
    """One whose command was gone before it could ask ends as well."""
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    environment = child_environment(**{PARENT: str(gone.pid)})
    child = subprocess.run(
        python_command("pipeline.warm_up"), env=environment, capture_output=True, text=True, check=False, timeout=300
    )
    assert (child.returncode, child.stdout) == (-signal.SIGKILL, "")


def test_the_child_imports_nothing_from_the_working_folder(tmp_path, monkeypatch):
    """Neither by an entry of PYTHONPATH that means it, nor by its own children."""
    started = []

    def start(command, **settings):
        started.append((command, settings["env"]))
        raise KeyboardInterrupt

    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", ":relative:/absolute")
    monkeypatch.setattr(compiled.subprocess, "Popen", start)
    with pytest.raises(KeyboardInterrupt):
        compiled._warm_up()
    ((command, environment),) = started
    assert command == [sys.executable, "-P", "-m", "pipeline.warm_up"]
    assert environment["PYTHONPATH"].split(os.pathsep)[-1] == "/absolute"
    assert "relative" not in environment["PYTHONPATH"]
    assert "" not in environment["PYTHONPATH"].split(os.pathsep)
    assert (environment["PYTHONSAFEPATH"], environment[PARENT]) == ("1", str(os.getpid()))
