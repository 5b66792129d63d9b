"""The command: how it starts, what it imports, and how it says that something is wrong."""

from __future__ import annotations

import subprocess
import sys

import pytest

from gristmill.cli import _missing_module
from tests.paths import PROJECT

HEAVY = ("apache_beam", "torch", "megatron", "numba", "trafilatura", "sentencepiece")


@pytest.mark.parametrize("words", [["--help"], ["prep", "--help"], ["show", "llama2-7b"], ["jobs", "list"]])
def test_light_commands_import_nothing_heavy(words: list[str]) -> None:
    program = f"""
import sys
from gristmill.cli import main
sys.argv = ["gristmill", *{words}]
try:
    main()
except SystemExit as ended:
    assert not ended.code
print("imported:", sorted({{name.partition(".")[0] for name in sys.modules}} & set({HEAVY})))
"""
    done = subprocess.run([sys.executable, "-c", program], cwd=PROJECT, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "imported: []"


def test_a_missing_group_is_named() -> None:
    assert "group `train`" in _missing_module(ModuleNotFoundError("x", name="megatron.core"))
    assert "group `data`" in _missing_module(ModuleNotFoundError("x", name="numba"))


def test_errors_have_no_traceback_unless_asked_for(tmp_path) -> None:
    def command(*options):
        words = [sys.executable, "-m", "gristmill", *options, "show", str(tmp_path / "gone.yaml")]
        return subprocess.run(words, cwd=PROJECT, capture_output=True, text=True, check=False)

    plain, debug = command(), command("--debug")
    assert plain.returncode == 1
    assert plain.stderr == f"error: {tmp_path}/gone.yaml: no such manifest\n  remedy: check the path\n"
    assert "Traceback" in debug.stderr
