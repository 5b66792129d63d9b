"""Runs `gristmill prep` as a user does, and kills it."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psutil

from tests.paths import PROJECT


def start_prep(manifest: Path, out: Path, *, workers: int = 2) -> subprocess.Popen[bytes]:
    """The command in a process group of its own."""
    command = [
        sys.executable,
        "-m",
        "gristmill",
        "prep",
        str(manifest),
        "--out",
        str(out),
        "--workers",
        str(workers),
        "--json",
    ]
    return subprocess.Popen(
        command, cwd=PROJECT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True
    )


def count_tasks(out: Path) -> int:
    """Finished tasks of all steps in an output folder."""
    return sum(1 for path in out.glob("*/tasks/**/*.json"))


def connected(process: psutil.Process) -> bool:
    """Whether it has a connection; psutil's errors are raised when it is gone."""
    return any(connection.status == psutil.CONN_ESTABLISHED for connection in process.net_connections("tcp"))


def prep_with_kills(
    manifest: Path, out: Path, *, tasks: int, seed: int, workers: int = 2
) -> tuple[int, dict[str, Any]]:
    """Start it five times and end it and its workers by SIGKILL at random moments, as a power cut would; then let it
    finish.

    A moment is up to half a second after a random number of tasks: what is finished is not repeated, so that after a
    random time most attempts would find little left to kill.

    Args:
        tasks: of an undisturbed run.

    Returns:
        How often there was still something to kill, and what the last run printed.
    """
    draw = random.Random(seed)
    killed = 0
    for moment in sorted(draw.sample(range(tasks), 5)):
        process = start_prep(manifest, out, workers=workers)
        while process.poll() is None and count_tasks(out) < moment:
            time.sleep(0.01)
        time.sleep(draw.uniform(0, 0.5))
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            killed += 1
        process.communicate()
    process = start_prep(manifest, out, workers=workers)
    printed, errors = process.communicate(timeout=600)
    assert process.returncode == 0, errors.decode()
    return killed, json.loads(printed)
