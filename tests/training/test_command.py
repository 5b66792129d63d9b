"""`gristmill train` with several ranks: killed at any moment, it resumes with the same results.

A failure is reported once.
"""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import psutil
import pytest

from tests.paths import PROJECT
from tests.training.data import metrics, write_run
from tests.training.ranks import ENVIRONMENT

STEPS = 400
"""Some 30 seconds with two ranks; the runs here are ended long before."""


def start(path: Path, *options: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "gristmill", "train", str(path), *options]
    return subprocess.Popen(
        command, cwd=PROJECT, env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def wait_for_step(out: Path, step: int, process: subprocess.Popen[str]) -> None:
    for _ in range(2400):
        if (out / "metrics.jsonl").exists() and len((out / "metrics.jsonl").read_bytes().splitlines()) > step:
            return
        assert process.poll() is None, process.communicate()
        time.sleep(0.05)
    raise AssertionError("no progress in two minutes")


@pytest.mark.hostile
def test_killed_and_resumed_is_uninterrupted(tmp_path: Path, corpus: tuple[Path, np.ndarray]) -> None:
    path = write_run(
        tmp_path,
        name="run",
        data=corpus[0],
        layout={"tensor": 2},
        tokens=STEPS * 8 * 32,
        checkpoint={"every_steps": 10},
    )
    out = tmp_path / "run"
    first = start(path)
    wait_for_step(out, 13, first)
    ranks = psutil.Process(first.pid).children()
    assert len(ranks) == 2
    # One rank is killed: the command ends within seconds, and names it.
    ranks[1].kill()
    _, errors = first.communicate(timeout=30)
    assert first.returncode == 1
    assert re.match(rf"error: rank [01] of 2, process {ranks[1].pid}, was killed by SIGKILL \(Killed\)\n", errors), (
        errors
    )
    assert not any(process.is_running() for process in ranks)
    before = metrics(out)
    assert 13 < len(before) < STEPS

    # The second run is stopped by a signal to the command: ranks save and end.
    second = start(path)
    wait_for_step(out, len(before) + 5, second)
    ranks = psutil.Process(second.pid).children()
    second.send_signal(signal.SIGTERM)
    said, errors = second.communicate(timeout=120)
    assert second.returncode == 130
    assert errors.strip() == "error: stopped; run the same command again to go on"
    assert "resumed after step " in said
    assert "stopped by a signal after step " in said
    assert not any(process.is_running() for process in ranks)
    after = metrics(out)
    assert [line["step"] for line in after] == list(range(len(after)))
    assert len(before) + 5 < len(after) < STEPS
    newest = max((out / "checkpoints").iterdir())
    assert json.loads((newest / "_MANIFEST.json").read_text())["step"] == len(after)

    # Steps that both runs have done are the same to the last bit.
    resumed_at = int(said.split("resumed after step ")[1].split()[0].replace(",", ""))
    assert resumed_at in (len(before) // 10 * 10, len(before) // 10 * 10 - 10)
    timing = {"tokens_per_second", "seconds"}
    assert [{key: line[key] for key in line.keys() - timing} for line in after[: len(before)]] == [
        {key: line[key] for key in line.keys() - timing} for line in before
    ]


@pytest.mark.hostile
def test_ranks_end_with_their_launcher(tmp_path: Path, corpus: tuple[Path, np.ndarray]) -> None:
    path = write_run(tmp_path, name="run", data=corpus[0], tokens=STEPS * 8 * 32)
    command = start(path, "--processes", "2")
    wait_for_step(tmp_path / "run", 3, command)
    ranks = psutil.Process(command.pid).children()
    command.kill()
    gone, alive = psutil.wait_procs(ranks, timeout=60)
    assert len(gone) == 2
    assert not alive
    steps = metrics(tmp_path / "run")
    assert (tmp_path / "run" / "checkpoints" / f"step-{len(steps):08d}" / "_MANIFEST.json").exists()
    assert len(steps) < STEPS


def test_errors_of_ranks_are_said_once(tmp_path: Path, corpus: tuple[Path, np.ndarray]) -> None:
    path = write_run(tmp_path, name="run", data=tmp_path / "nothing", layout={"tensor": 2})
    done = start(path)
    said, errors = done.communicate(timeout=120)
    assert (done.returncode, said) == (1, "")
    assert errors.splitlines() == [
        f"error: {tmp_path}/nothing/shards: holds no complete token shards",
        "  remedy: run `gristmill prep` to its end",
    ]


def test_a_layout_that_does_not_fit_starts_nothing(tmp_path: Path, corpus: tuple[Path, np.ndarray]) -> None:
    done = start(write_run(tmp_path, name="run", data=corpus[0], layout={"tensor": 2}), "--processes", "3")
    _, errors = done.communicate(timeout=60)
    assert done.returncode == 1
    assert errors.startswith("error: layout: 3 ranks cannot be arranged as tensor 2 x pipeline 1 x context 1 = 2\n")
    assert not (tmp_path / "run").exists()
