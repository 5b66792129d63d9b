"""Our own processes end with the process that started them; the reports on processes that ended."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time

import psutil
import pytest

from storage.processes import LastLines, how_it_ended, obituary, start_watched, telling_lines
from tests.paths import PROJECT

WAITING = """
import signal, sys, threading, time
sys.path.insert(0, {project!r})
from storage.processes import wait_for

def stop(number, frame):
    raise SystemExit(130)

def hit():
    time.sleep(0.5)
    signal.pthread_kill(threading.get_ident(), signal.SIGTERM)
    time.sleep(100)

signal.signal(signal.SIGTERM, stop)
threading.Thread(target=hit, daemon=True).start()
wait_for(threading.Event())
"""
CHILD = """
import sys, time
sys.path.insert(0, {project!r})
from storage.processes import end_with_parent
end_with_parent({parent})
print("ready", flush=True)
time.sleep(100)
"""


def test_a_signal_that_another_thread_is_handed_ends_a_wait() -> None:
    """Python's own wait went on for ever: a command outlasted SIGTERM, once in twenty times."""
    done = subprocess.run([sys.executable, "-c", WAITING.format(project=str(PROJECT))], timeout=20, check=False)
    assert done.returncode == 130


def child(parent: int) -> list[str]:
    return [sys.executable, "-c", CHILD.format(project=str(PROJECT), parent=parent)]


def test_a_child_ends_with_its_parent_even_when_it_is_stopped() -> None:
    code = (
        f"import os, subprocess, sys, time\nsys.path.insert(0, {str(PROJECT)!r})\nfrom tests.storage.test_processes"
        " import child\nfrom storage.processes import start_watched\nprocess = start_watched(child(os.getpid()),"
        " stdout=subprocess.PIPE)\nprocess.stdout.readline()\nprint(process.pid, flush=True)\ntime.sleep(100)\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
    assert parent.stdout is not None
    orphan = psutil.Process(int(parent.stdout.readline()))
    if sys.platform.startswith("linux"):
        orphan.suspend()
    parent.kill()
    parent.wait()
    assert not psutil.wait_procs([orphan], timeout=20)[1]


def test_a_child_that_comes_too_late_ends_at_once() -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    assert (
        subprocess.run(child(gone.pid), stdout=subprocess.PIPE, check=False, timeout=20).returncode == -signal.SIGKILL
    )


def test_the_thread_that_asks_for_a_child_may_end_before_it() -> None:
    """On Linux the death signal comes when the thread ends that started the process."""
    made: list[subprocess.Popen[bytes]] = []
    ended: list[int] = []
    command = child(os.getpid())
    thread = threading.Thread(
        target=lambda: made.append(start_watched(command, on_end=ended.append, stdout=subprocess.PIPE))
    )
    thread.start()
    thread.join()
    assert made[0].stdout is not None
    assert made[0].stdout.readline() == b"ready\n"
    time.sleep(0.5)
    assert made[0].poll() is None
    made[0].kill()
    made[0].wait()
    deadline = time.monotonic() + 10
    while not ended:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert ended == [-signal.SIGKILL]


def test_what_cannot_be_started_is_raised() -> None:
    with pytest.raises(FileNotFoundError):
        start_watched(["/nothing/here"])


def test_how_a_process_ended_in_words() -> None:
    assert how_it_ended(-signal.SIGKILL) == "was killed by SIGKILL (Killed)"
    assert how_it_ended(-signal.SIGSEGV) == "was killed by SIGSEGV (Segmentation fault)"
    assert how_it_ended(-40) == "was killed by signal 40"
    assert how_it_ended(3) == "ended with status 3"
    assert obituary("worker 1", 3, []) == "worker 1 ended with status 3"
    assert obituary("worker 1", 3, ["a", "b"]) == "worker 1 ended with status 3; its last lines:\n    a\n    b"


def test_the_lines_that_tell_most() -> None:
    assert telling_lines([str(number) for number in range(20)] + ["", " "]) == ["15", "16", "17", "18", "19"]
    crash = ["a note", "Fatal Python error: Aborted", "", "Thread 0x1 (most recent call first):", "  in wait"]
    crash += [
        "Current thread 0x2 (most recent call first):",
        "  in kernel",
        "  in task",
        "",
        "Extension modules: numpy, and so on",
    ]
    assert telling_lines(crash) == ["Fatal Python error: Aborted", "  in kernel", "  in task"]
    alone = ["Fatal Python error: Aborted", "", "Stack (most recent call first):", *crash[-4:]]
    assert telling_lines(alone) == ["Fatal Python error: Aborted", "  in kernel", "  in task"]


def test_a_line_without_an_end_takes_no_memory() -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", "import sys; sys.stderr.write('x' * 10_000_000)"], stderr=subprocess.PIPE
    )
    assert process.stderr is not None
    said = LastLines(process.stderr)
    process.wait()
    lines = said.settle(10.0)
    assert len(lines) == 5
    assert max(map(len, lines)) <= 1 << 12
