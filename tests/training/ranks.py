"""Starts ranks from a test."""

from __future__ import annotations

import os
import subprocess
import sys

from tests.paths import PROJECT

ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1"}


def run_many(*arguments: str, ranks: int) -> None:
    """Run `tests.training.many` with so many ranks; fails with their output when they do."""
    command = [sys.executable, "-m", "tests.training.many", str(ranks), *arguments]
    done = subprocess.run(
        command, cwd=PROJECT, env=ENVIRONMENT, capture_output=True, text=True, timeout=400, check=False
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-6000:]
