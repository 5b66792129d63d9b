"""Mapped files that are cut: the process ends with a sentence that names them."""

import os
import subprocess
import sys

import pyarrow as pa
import pytest

from manifests.storage import open_input
from tests.paths import PROJECT

TOUCH = """
import os, sys
from manifests.storage import map_file
file = map_file(sys.argv[1])
os.truncate(sys.argv[1], 10)
print(sum(file.read_buffer(1 << 20).to_pybytes()))
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the signal is Linux's")
def test_a_mapped_file_that_is_cut_is_named(tmp_path) -> None:
    path = tmp_path / "shard.arrow"
    path.write_bytes(b"x" * (1 << 20))
    command = [sys.executable, "-c", TOUCH, str(path)]
    run = subprocess.run(command, env={**os.environ, "PYTHONPATH": str(PROJECT)}, capture_output=True, text=True, check=False)
    assert run.returncode == 1
    assert run.stderr.startswith(f"error: {path}: cut, or its disk failed, while it was mapped into memory\n  remedy: ")


def test_inputs_are_not_mapped(tmp_path) -> None:
    path = tmp_path / "input.arrow"
    path.write_bytes(b"x" * (1 << 20))
    with open_input(str(path)) as file:
        assert not isinstance(file, pa.MemoryMappedFile)
        os.truncate(path, 10)
        assert file.read_at(1 << 20, 0) == b"x" * 10
