"""If a memory-mapped file is truncated, the process ends with a message that names it."""

import ast
import os
import subprocess
import sys

import pyarrow as pa
import pytest

from storage.files import open_input
from storage.rooms import ROOMS
from tests.paths import PROJECT

TOUCH = """
import os, sys
from storage.files import map_file
file = map_file(sys.argv[1])
os.truncate(sys.argv[1], 10)
print(sum(file.read_buffer(1 << 20).to_pybytes()))
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the signal is Linux's")
def test_a_mapped_file_that_is_cut_is_named(tmp_path) -> None:
    path = tmp_path / "shard.arrow"
    path.write_bytes(b"x" * (1 << 20))
    command = [sys.executable, "-c", TOUCH, str(path)]
    run = subprocess.run(
        command, env={**os.environ, "PYTHONPATH": str(PROJECT)}, capture_output=True, text=True, check=False
    )
    assert run.returncode == 1
    assert run.stderr.startswith(f"error: {path}: cut, or its disk failed, while it was mapped into memory\n  remedy: ")


MAPS = {"mmap.mmap", "pa.memory_map", "pyarrow.memory_map", "np.memmap", "numpy.memmap"}


def test_every_mapped_file_is_noted() -> None:
    """A function that maps a file notes it first; all others leave mapping to `map_file`."""
    found = []
    for room in ROOMS:
        for path in sorted((PROJECT / room).rglob("*.py")):
            tree = ast.parse(path.read_text())
            inside = {
                id(call): function
                for function in ast.walk(tree)
                if isinstance(function, ast.FunctionDef)
                for call in ast.walk(function)
            }
            for call in ast.walk(tree):
                if isinstance(call, ast.Call) and ast.unparse(call.func) in MAPS:
                    function = inside.get(id(call))
                    noted = function is not None and "note_mapped(" in ast.unparse(function)
                    found.append(f"{path.relative_to(PROJECT)}: {'noted' if noted else 'not noted'}")
    assert len(found) >= 3
    assert [line for line in found if line.endswith("not noted")] == []


def test_inputs_are_not_mapped(tmp_path) -> None:
    path = tmp_path / "input.arrow"
    path.write_bytes(b"x" * (1 << 20))
    with open_input(str(path)) as file:
        assert not isinstance(file, pa.MemoryMappedFile)
        os.truncate(path, 10)
        assert file.read_at(1 << 20, 0) == b"x" * 10
