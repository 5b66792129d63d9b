"""Compiled kernels on disk: used again while all their sources stay the same, and no longer."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from dedup import kernel, kernel_files, kernel_sources

OUTER = """
from dedup.kernel import kernel
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
from dedup.kernel import bare_kernel

@bare_kernel
def twice(number):
    return {factor} * number
"""


def run(folder: Path) -> tuple[int, int]:
    """What the outer kernel gives, and how often its machine code came from disk."""
    done = subprocess.run([sys.executable, "-m", "pipeline.outer"], cwd=folder, capture_output=True, text=True, check=True)
    result, hits = done.stdout.split()
    return int(result), int(hits)


def test_a_changed_callee_or_constant_is_compiled_again(tmp_path):
    for room in ("dedup", "pipeline"):
        (tmp_path / room).mkdir()
        (tmp_path / room / "__init__.py").touch()
    for module in (kernel, kernel_files, kernel_sources):
        shutil.copy(Path(module.__file__), tmp_path / "dedup")
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


def test_sources_are_those_that_are_imported_and_no_others():
    names = {path.name for path in kernel_sources._sources(Path(kernel.__file__).parent.parent / "pipeline/kernels/walk.py")}
    assert {"walk.py", "ngram.py", "separate.py", "utf8.py", "signal_columns.py"} <= names
    assert not {"extract.py", "decide.py", "schemas.py"} & names
