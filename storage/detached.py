"""Commands that outlive their terminal: started, listed, followed, cancelled.

In: a command's module and its words. Out: a folder per detached command below the user's state folder, with what was
started (`job.json`), what it printed (`log`) and its exit status (`status`), which `storage.run_detached` writes. A
command runs as long as it holds the lock of its folder; the system releases that however the process ends.
"""

from __future__ import annotations

import fcntl
import json
import os
import signal
import subprocess
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from manifests.errors import GristmillError
from storage.files import publish
from storage.processes import child_environment, python_command
from storage.user_folders import user_state

_CANCEL_S = 30.0
# The process takes its lock in less time than this: it imports little before.
_START_S = 10.0


@dataclass(frozen=True)
class DetachedJob:
    """One detached command.

    Attributes:
        state: `running`, `done`, `failed` (with `status`), or `lost` when the process ended without recording a status.
        started: UTC, ISO 8601.
    """

    name: str
    folder: Path
    state: str
    status: int | None
    pid: int
    started: str
    out: str
    command: list[str]

    @property
    def log(self) -> Path:
        return self.folder / "log"

    def last_line(self) -> str:
        """The last line of the log."""
        lines = self.log.read_text(encoding="utf-8", errors="replace").split("\n") if self.log.is_file() else []
        return next((line.strip() for line in reversed(lines) if line.strip()), "")


def state_folder() -> Path:
    """Where detached commands are recorded: `$XDG_STATE_HOME/gristmill/jobs`, by default below ~/.local/state."""
    state = user_state()
    if state is None:
        raise GristmillError("this user has no home folder to record detached commands in", remedy="set XDG_STATE_HOME")
    return state / "jobs"


def start_detached(module: str, words: Sequence[str], *, out: str, first_look_s: float = 2.0) -> DetachedJob:
    """Start `python -m module words` as a process of its own session that outlives this one.

    Args:
        words: the first names the job.
        out: where the command writes.
        first_look_s: how long to wait for an error at once.

    Raises:
        GristmillError: the command ended at once with an error, which is shown.
    """
    name = f"{words[0]}-{datetime.now(UTC):%Y%m%d-%H%M%S}-{uuid.uuid4().hex[:4]}"
    folder = state_folder() / name
    try:
        folder.mkdir(parents=True)
    except OSError as error:
        raise GristmillError(
            f"detached commands cannot be recorded: {error.strerror}",
            where=str(folder.parent),
            remedy="set XDG_STATE_HOME to a folder",
        ) from None
    with open(folder / "log", "wb") as log:
        process = subprocess.Popen(
            python_command("storage.run_detached", str(folder), module, *words),
            env=child_environment(),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    record = {
        "pid": process.pid,
        "started": datetime.now(UTC).isoformat(timespec="seconds"),
        "out": out,
        "command": [module, *words],
    }
    publish(str(folder / "job.json"), json.dumps(record).encode())  # whole or not at all: others list it
    deadline = time.monotonic() + first_look_s
    while time.monotonic() < deadline:
        if process.poll():
            text = (folder / "log").read_text(encoding="utf-8", errors="replace").strip()
            raise GristmillError(text.removeprefix("error: ") or f"the command ended with status {process.returncode}")
        time.sleep(0.05)
    return find_job(name)


def list_jobs() -> list[DetachedJob]:
    """All detached commands of this user, oldest first."""
    folder = state_folder()
    names = sorted(path.parent.name for path in folder.glob("*/job.json")) if os.access(folder, os.R_OK) else []
    return sorted((find_job(name) for name in names), key=lambda job: (job.started, job.name))


def find_job(name: str) -> DetachedJob:
    """The command of this name.

    Raises:
        GristmillError: there is no such command.
    """
    folder = state_folder() / name
    try:
        record = json.loads((folder / "job.json").read_text())
        pid, started, out, command = (record[key] for key in ("pid", "started", "out", "command"))
    except FileNotFoundError:
        raise GristmillError("no such job", where=name, remedy="`gristmill jobs` lists them") from None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise GristmillError(
            f"cannot be read: {type(error).__name__}: {error}",
            where=str(folder / "job.json"),
            remedy="remove its folder",
        ) from None
    status = int((folder / "status").read_text()) if (folder / "status").is_file() else None
    # The process records its status before it releases the lock, and needs a moment to take the lock at its start.
    if status is None and _is_held(folder):
        state = "running"
    elif status is None:
        state = "running" if _just_started(started) else "lost"
    else:
        state = "done" if status == 0 else "failed"
    return DetachedJob(name, folder, state, status, pid, started, out, command)


def follow(job: DetachedJob, *, write: Callable[[str], object]) -> int:
    """Pass the log on, piece by piece, until the command has ended; returns its exit status."""
    # Other programs write into it, too, and bytes are not always text.
    with open(job.log, encoding="utf-8", errors="replace", newline="\n") as log:
        while True:
            running = find_job(job.name).state == "running"
            while piece := log.read(1 << 16):
                write(piece)
            if not running:
                break
            time.sleep(0.5)
    ended = find_job(job.name)
    return 1 if ended.status is None else ended.status


def cancel(job: DetachedJob) -> None:
    """Ask the command to stop, as Ctrl-C would: it cancels its job on the cluster first.

    Raises:
        GristmillError: it has ended already, or does not end in time.
    """
    if job.state != "running":
        raise GristmillError(f"is not running: {job.state}", where=job.name)
    os.kill(job.pid, signal.SIGTERM)
    deadline = time.monotonic() + _CANCEL_S
    while find_job(job.name).state == "running":
        if time.monotonic() > deadline:
            raise GristmillError(
                f"did not end within {_CANCEL_S:g} s",
                where=job.name,
                remedy=f"its log is {job.log}; its process is {job.pid}",
            )
        time.sleep(0.2)


def _is_held(folder: Path) -> bool:
    try:
        with open(folder / "lock", "rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False


def _just_started(started: str) -> bool:
    return (datetime.now(UTC) - datetime.fromisoformat(started)).total_seconds() < _START_S
