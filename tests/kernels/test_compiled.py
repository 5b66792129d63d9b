"""Compiled kernels on disk are reused only while all their sources stay the same."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from kernels import compiled, disk, sources
from tests.paths import PROJECT

OUTER = """
from kernels.compiled import kernel
from pipeline import inner
from pipeline.constants import (
    FIRST,
    SECOND,
)

twice = inner.twice

@kernel
def outer(number):
    return twice(number) + FIRST

print(outer(20), sum(outer.stats.cache_hits.values()))
"""
INNER = """
from kernels.compiled import bare_kernel

@bare_kernel
def twice(number):
    return {factor} * number
"""


def said(folder: Path, module: str) -> list[str]:
    """Words that a module of a folder prints, whatever earlier tests did to this process' environment."""
    environment = {**os.environ, "PYTHONPATH": f"{folder}{os.pathsep}{PROJECT}"}
    command = [sys.executable, "-P", "-m", module]
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=True
    ).stdout.split()


def run(folder: Path) -> tuple[int, int]:
    """What the outer kernel gives, and how often its machine code came from disk."""
    result, hits = said(folder, "pipeline.outer")
    return int(result), int(hits)


def copy_kernels(folder: Path) -> None:
    """Two rooms, with the modules that compile."""
    for room in ("kernels", "pipeline"):
        (folder / room).mkdir()
        (folder / room / "__init__.py").touch()
    for module in (compiled, disk, sources):
        shutil.copy(Path(module.__file__), folder / "kernels")


def test_a_changed_callee_or_constant_is_compiled_again(tmp_path):
    copy_kernels(tmp_path)
    (tmp_path / "pipeline/outer.py").write_text(OUTER)
    (tmp_path / "pipeline/inner.py").write_text(INNER.format(factor=2))
    (tmp_path / "pipeline/constants.py").write_text("FIRST, SECOND = 1, 2\n")
    assert run(tmp_path) == (41, 0)
    assert run(tmp_path) == (41, 1)
    (tmp_path / "pipeline/inner.py").write_text(INNER.format(factor=3))
    assert run(tmp_path) == (61, 0)
    (tmp_path / "pipeline/constants.py").write_text("FIRST, SECOND = 5, 2\n")
    assert run(tmp_path) == (65, 0)
    assert run(tmp_path) == (65, 1)


LOADED = """
import math
import sys

import numpy as np

from kernels.compiled import kernel

@kernel
def loaded(values):
    order = np.argsort(values)
    return values[order][0] + math.log(values[1]) + np.searchsorted(np.sort(values), 2.5)

VALUES = np.array([3.0, 1.0, 2.0])
NOT_NEEDED = ("awkward", "numba.experimental.jitclass.base")
print(loaded(VALUES), sum(loaded.stats.cache_hits.values()), *(name in sys.modules for name in NOT_NEEDED))

@kernel
def not_loaded(values):
    return loaded(values) + math.exp(values[1] - 1) + 1

print(not_loaded(VALUES), sum(not_loaded.stats.cache_hits.values()))
"""


def test_what_is_loaded_needs_nothing_of_the_compiler(tmp_path):
    """numba would import the rules of its whole compiler and what every package has registered with it: a CPU second
    for each process.

    Machine code that calls the C library and numba's own memory works without, and a kernel that is compiled afterwards
    may call it.
    """
    copy_kernels(tmp_path)
    module = tmp_path / "pipeline/loaded.py"
    module.write_text(LOADED)
    assert said(tmp_path, "pipeline.loaded") == ["3.0", "0", "True", "True", "5.0", "0"]
    assert said(tmp_path, "pipeline.loaded") == ["3.0", "1", "False", "False", "5.0", "1"]
    # One of the two alone is gone.
    for kept in tmp_path.rglob("*not_loaded*"):
        kept.unlink()
    assert said(tmp_path, "pipeline.loaded") == ["3.0", "1", "False", "False", "5.0", "0"]


PARTS = """
import numpy as np

from kernels.compiled import bare_kernel, kernel, part_kernel


@bare_kernel
def called(values, at):
    {body}

@part_kernel
def joined(values, at):
    {body}

@kernel
def calls(values):
    for at in range(8, len(values)):
        called(values, at)
    return values.sum()

@kernel
def joins(values):
    for at in range(8, len(values)):
        joined(values, at)
    return values.sum()

for outer, inner in ((calls, "called"), (joins, "joined")):
    result = outer(np.arange(20))
    code = outer.inspect_llvm(outer.signatures[0]).splitlines()
    print(result, any(" call " in line and inner in line for line in code))
"""


def test_a_part_of_a_kernel_is_not_called(tmp_path):
    copy_kernels(tmp_path)
    # Longer than what the compiler joins of its own accord.
    body = "\n    ".join(
        f"values[at] = (values[at] * {place} + values[at - {place % 8}]) % 1009" for place in range(1, 60)
    )
    (tmp_path / "pipeline/parts.py").write_text(PARTS.format(body=body))
    called, is_called, joined, is_joined_called = said(tmp_path, "pipeline.parts")
    assert called == joined
    assert (is_called, is_joined_called) == ("True", "False")


def test_sources_are_those_that_are_imported_and_no_others():
    names = {
        path.name for path in sources._sources(Path(compiled.__file__).parent.parent / "pipeline/text/words/walk.py")
    }
    assert {"walk.py", "ngram.py", "separate.py", "utf8.py", "signal_columns.py"} <= names
    assert not {"step.py", "text_pass.py", "schemas.py"} & names
