"""With a Python other than 3.11 to 3.13, or one that cannot make environments: a one-line error, nothing installed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.paths import PROJECT

NEEDS = "Gristmill needs Python 3.11, 3.12 or 3.13"


def made(folder: Path, python: str) -> subprocess.CompletedProcess[str]:
    for name in ("Makefile", "pyproject.toml", "constraints.txt"):
        shutil.copy(PROJECT / name, folder)
    shutil.copytree(
        PROJECT / "scripts", folder / "scripts", dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__")
    )
    environment = {key: value for key, value in os.environ.items() if not key.startswith("MAKE")}
    return subprocess.run(
        ["make", "demo", f"PYTHON={python}"],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


def pretending(folder: Path, lines: str) -> Path:
    """An interpreter that runs `lines` first."""
    (folder / "before").mkdir()
    (folder / "before" / "sitecustomize.py").write_text(lines)
    script = folder / "python"
    script.write_text(f'#!/bin/sh\nPYTHONPATH={folder / "before"} exec {sys.executable} "$@"\n')
    script.chmod(0o755)
    return script


def sentences(told: str) -> list[str]:
    return [line for line in told.splitlines() if not line.startswith("make")]


@pytest.mark.parametrize("version", [(3, 9, 18), (3, 10, 13), (3, 14, 0), (2, 7, 18)])
def test_another_version(tmp_path, version):
    (tmp_path / "clone").mkdir()
    done = made(tmp_path / "clone", str(pretending(tmp_path, f"import sys\nsys.version_info = {version}\n")))
    (line,) = sentences(done.stderr)
    assert line.startswith(f"{NEEDS}, and ")
    assert f" is Python {version[0]}.{version[1]}: name another one" in line
    assert done.returncode != 0
    assert done.stdout == ""
    assert not (tmp_path / "clone/.venv").exists()


def test_no_python(tmp_path):
    done = made(tmp_path, "python3-that-is-not-there")
    (line,) = sentences(done.stderr)
    assert line.startswith("There is no python3-that-is-not-there: install Python 3.11, 3.12 or 3.13")
    assert done.returncode != 0
    assert not (tmp_path / ".venv").exists()


@pytest.mark.parametrize("module", ["venv", "ensurepip"])
def test_python_without_environments(tmp_path, module):
    """Debian's python3 without python3-venv."""
    (tmp_path / "clone").mkdir()
    done = made(tmp_path / "clone", str(pretending(tmp_path, f"import sys\nsys.modules[{module!r}] = None\n")))
    (line,) = sentences(done.stderr)
    assert "cannot make environments: install its module venv" in line
    assert done.returncode != 0
    assert not (tmp_path / "clone/.venv").exists()


def test_environment_of_another_version(tmp_path):
    """After an upgrade of the system its old environment stays."""
    (tmp_path / "clone/.venv/bin").mkdir(parents=True)
    shutil.copy(
        pretending(tmp_path, "import sys\nsys.version_info = (3, 10, 13)\n"), tmp_path / "clone/.venv/bin/python"
    )
    done = made(tmp_path / "clone", sys.executable)
    (line,) = sentences(done.stderr)
    assert line.startswith(".venv is of Python 3.10, and Gristmill needs Python 3.11, 3.12 or 3.13: run `make clean`")
    assert done.returncode != 0


@pytest.mark.parametrize("words", [["-m", "gristmill", "prep"], ["-c", "from gristmill.cli import main"]])
def test_the_command_itself(words):
    program = "import sys; sys.version_info = (3, 10, 13); import runpy; sys.argv = sys.argv[1:]; "
    run = f"runpy.run_module({words[1]!r}, run_name='__main__')" if words[0] == "-m" else words[1]
    done = subprocess.run(
        [sys.executable, "-c", program + run], cwd=PROJECT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert done.stderr.strip() == f"{NEEDS}, and {sys.executable} is Python 3.10."


def test_versions_are_said_in_one_way():
    assert 'requires-python = ">=3.11,<3.14"' in (PROJECT / "pyproject.toml").read_text()
