"""A worker that dies ends its command within seconds, which prints its name and last lines.

A restart gives the same bytes.

On each runner: before the worker connects, right after, in the middle of its tasks, in a later step, and at the end.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from tests.endtoend.commands import connected, count_tasks
from tests.endtoend.corpora import Corpus, write_corpus
from tests.paths import PROJECT

pytestmark = [pytest.mark.hostile, pytest.mark.slow, pytest.mark.timeout(1500)]

RUNNERS = {"embedded": ("--workers", "2"), "portable": ("--workers", "2", "--runner", "portable")}
WORKER = "pipeline.engines.external_worker"

# On an idle machine the error is there in two; this one may be shared.
WITHIN_S = 30
# Looking at all processes takes a whole core, which the command needs.
LOOK_S = 0.05


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    return write_corpus(tmp_path_factory.mktemp("corpus"))


@pytest.fixture(scope="module")
def digest(corpus: Corpus, tmp_path_factory: pytest.TempPathFactory) -> str:
    return finish(start(corpus, tmp_path_factory.mktemp("undisturbed"), "--workers", "1"))


def start(corpus: Corpus, out: Path, *options: str, **environment: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "gristmill", "prep", str(corpus.path), "--out", str(out), "--json", *options]
    marked = {**os.environ, "MARK": str(out), **environment}
    return subprocess.Popen(command, cwd=PROJECT, env=marked, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def finish(process: subprocess.Popen[str]) -> str:
    printed, errors = process.communicate(timeout=400)
    assert process.returncode == 0, errors
    return str(json.loads(printed)["digest"])


def marked(out: Path, module: str = "") -> list[psutil.Process]:
    """Processes of commands on this folder, by their environment: also those whose parent is gone."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get("MARK") == str(out) and module in [*process.cmdline(), ""]:
                found.append(process)
        except (psutil.Error, OSError):
            continue
    return found


def nothing_left(out: Path) -> bool:
    return not psutil.wait_procs(marked(out), timeout=WITHIN_S)[1]


def moments(out: Path) -> Iterator[tuple[str, Callable[[psutil.Process], bool], signal.Signals]]:
    """Name, when a worker is to be killed, and by what. Each start goes on where the one before was killed.

    Between two pipelines workers rest, without a connection: killing one then loses nothing.
    """
    yield "before it connects", lambda worker: True, signal.SIGKILL
    yield "right after", connected, signal.SIGSEGV
    yield "in the middle", lambda worker: count_tasks(out) >= 4 and connected(worker), signal.SIGKILL
    yield (
        "in a later step",
        lambda worker: (out / "extract" / "_MANIFEST.json").exists() and connected(worker),
        signal.SIGABRT,
    )
    yield (
        "at the end",
        lambda worker: (out / "decide" / "_MANIFEST.json").exists() and connected(worker),
        signal.SIGKILL,
    )


@pytest.mark.parametrize("runner", RUNNERS)
def test_a_worker_killed_at_five_moments(runner: str, corpus: Corpus, digest: str, tmp_path: Path) -> None:
    out = tmp_path / "out"
    slowest = 0.0
    for moment, come, number in moments(out):
        process = start(corpus, out, *RUNNERS[runner])
        victim = None
        while victim is None:
            assert process.poll() is None, (moment, process.communicate())
            time.sleep(LOOK_S)
            victim = next((worker for worker in marked(out, WORKER) if _true(come, worker)), None)
        victim.send_signal(number)
        began = time.monotonic()
        printed, errors = process.communicate(timeout=WITHIN_S)
        slowest = max(slowest, time.monotonic() - began)
        assert (process.returncode, printed) == (1, ""), (moment, errors)
        assert re.search(
            rf"{victim.pid}, was killed by {number.name} \(\w+|did not start: was killed by {number.name}", errors
        ), (
            moment,
            errors,
        )
        assert "run the same command again to go on" in errors or "did not start" in errors, (moment, errors)
        assert "Traceback" not in errors, (moment, errors)
        assert nothing_left(out), moment
    assert finish(start(corpus, out, *RUNNERS[runner])) == digest
    assert nothing_left(out)


def _true(come: Callable[[psutil.Process], bool], worker: psutil.Process) -> bool:
    try:
        return come(worker)
    except psutil.Error:
        return False


def test_what_a_worker_said_last_is_told(corpus: Corpus, tmp_path: Path) -> None:
    """One that ends while it imports, as with a broken installation."""
    (tmp_path / "sitecustomize.py").write_text(
        "import os, sys\n"
        "if 'pipeline.engines.external_worker' in sys.orig_argv:\n"
        "    print('no luck with the library', file=sys.stderr, flush=True)\n"
        "    os._exit(7)\n"
    )
    path = os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])
    for options in RUNNERS.values():
        process = start(corpus, tmp_path / "out", *options, PYTHONPATH=path)
        _, errors = process.communicate(timeout=200)
        assert process.returncode == 1
        assert "no luck with the library" in errors
        assert nothing_left(tmp_path / "out")


@pytest.mark.parametrize(
    ("runner", "number"),
    [
        ("embedded", signal.SIGKILL),
        ("embedded", signal.SIGTERM),
        ("portable", signal.SIGKILL),
        ("portable", signal.SIGHUP),
    ],
)
def test_workers_end_with_their_command(runner: str, number: signal.Signals, corpus: Corpus, tmp_path: Path) -> None:
    out = tmp_path / "out"
    process = start(corpus, out, *RUNNERS[runner])
    while not any(_true(connected, worker) for worker in marked(out, WORKER)):
        assert process.poll() is None, process.communicate()
        time.sleep(LOOK_S)
    stopped = marked(out, WORKER)[0]
    stopped.suspend()  # a stopped process must end with its command too
    process.send_signal(number)
    printed, errors = process.communicate(timeout=WITHIN_S)
    assert process.returncode == (-signal.SIGKILL if number == signal.SIGKILL else 130)
    if number != signal.SIGKILL:
        assert "error: stopped; run the same command again to go on" in errors
        assert "Traceback" not in errors
    assert printed == ""
    assert nothing_left(out)
