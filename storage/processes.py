"""Processes that Gristmill starts from its own code: what they import, what ends them, and how their end is reported.

In: the name of a module. Out: a command and an environment in which nothing of the working folder is imported; a
process that a thread waits for; sentences for people. Data folders hold files of any name: a `tempfile.py` or a folder
`training` there must not be run.
"""

from __future__ import annotations

import collections
import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import IO, Any

from manifests.errors import GristmillError

PARENT = "GRISTMILL_PARENT"
"""Process id of the process that starts another, in the environment of that."""

_PR_SET_PDEATHSIG = 1  # linux/prctl.h

_LOOK_S = 1.0
# How long a signal may wait for its handler.
_SIGNAL_S = 0.2
_KEPT_LINES = 400
_SHOWN_LINES = 5
_LONGEST_LINE = 1 << 12

_FATAL = "Fatal Python error: "
# How the stack of the thread that crashed begins, where all threads are listed or it alone is.
_CURRENT = ("Current thread ", "Stack (most recent call first)")


def home() -> Path:
    """The folder that holds Gristmill's packages."""
    return Path(__file__).resolve().parents[1]


def check_working_folder() -> None:
    """Check that there is a working folder: relative names, and libraries that ask for it, need one.

    Raises:
        GristmillError: it was deleted, or is closed to this user.
    """
    try:
        Path.cwd()
    except OSError as error:
        raise GristmillError(
            f"the working folder cannot be used: {error.strerror}",
            remedy="change to a folder that is there, and run the same command again",
        ) from None


def python_command(module: str, *arguments: str) -> list[str]:
    """`python -P -m module arguments`: -P keeps the working folder off the path."""
    return [sys.executable, "-P", "-m", module, *arguments]


def child_environment(**more: str) -> dict[str, str]:
    """The environment of this process, changed so that neither a child nor a child's child imports from the working
    folder.

    Relative entries of PYTHONPATH (an empty one is the working folder) are left out; Gristmill's own folder comes first
    where it is not installed among other packages, so that children find it wherever they are started. No proxy is used
    between processes of this machine: gRPC would use one even for loopback.
    """
    own = str(home())
    path = [] if home().name in ("site-packages", "dist-packages") else [own]
    path += [
        entry
        for entry in os.environ.get("PYTHONPATH", "").split(os.pathsep)
        if Path(entry).is_absolute() and entry != own
    ]
    told = [
        next(filter(None, map(os.environ.get, ("no_grpc_proxy", "no_proxy", "NO_PROXY"))), ""),
        "localhost",
        "127.0.0.1",
    ]
    direct = ",".join(dict.fromkeys(filter(None, ",".join(told).split(","))))
    environment = {
        **os.environ,
        "PYTHONSAFEPATH": "1",
        "PYTHONPATH": os.pathsep.join(path),
        "no_grpc_proxy": direct,
        **more,
    }
    if not environment["PYTHONPATH"]:
        del environment["PYTHONPATH"]
    return environment


def protect_children() -> None:
    """Change the environment of this process likewise, for processes that libraries start."""
    environment = child_environment()
    os.environ.update(environment)
    if "PYTHONPATH" not in environment:
        os.environ.pop("PYTHONPATH", None)


def start_watched(
    command: Sequence[str], *, on_end: Callable[[int], object] | None = None, **settings: Any
) -> subprocess.Popen[bytes]:
    """Start a process and have a thread wait for it.

    The process is also started by that thread, which lives as long: the death signal that a child asks for on Linux
    (`end_with_parent`) comes when the *thread* that started it ends.

    Args:
        on_end: called in that thread with the status, as `Popen.returncode` gives it.
        settings: of `subprocess.Popen`.
    """
    started = threading.Event()
    made: list[subprocess.Popen[bytes]] = []
    failed: list[BaseException] = []

    def run() -> None:
        try:
            made.append(subprocess.Popen(command, **settings))
        except BaseException as error:
            failed.append(error)
            return
        finally:
            started.set()
        status = made[0].wait()
        if on_end is not None:
            on_end(status)

    threading.Thread(target=run, name=f"wait-for-{command[-1]}", daemon=True).start()
    started.wait()
    if failed:
        raise failed[0]
    return made[0]


def wait_for(event: threading.Event) -> None:
    """Wait until an event is set, in the main thread, where handlers of signals run.

    The system may deliver a signal to any thread. Python runs its handler in the main thread, but does not wake it: a
    wait without a timeout would outlast Ctrl-C.
    """
    while not event.wait(_SIGNAL_S):
        pass


def parent_told() -> dict[str, str]:
    """What `child_environment` has to pass to a child that calls `end_with_starter`."""
    return {PARENT: str(os.getpid())}


def end_with_starter(*, by: signal.Signals = signal.SIGKILL, patience_s: float = 0.0) -> None:
    """`end_with_parent` for a child whose environment names its parent; one that a person started by hand goes on."""
    parent = os.environ.pop(PARENT, None)  # of this process, not of its children
    if parent is not None:
        end_with_parent(int(parent), by=by, patience_s=patience_s)


def end_with_parent(parent: int, *, by: signal.Signals = signal.SIGKILL, patience_s: float = 0.0) -> None:
    """In a child: be sent a signal when the process that started this one ends, however that happens.

    On Linux the kernel does it, also for a stopped process; elsewhere, and for what the kernel cannot see, a thread
    looks every second.

    Args:
        parent: the starter's process id, which it passed to its child: it may have ended before this is called.
        by: the signal.
        patience_s: how long the process may go on after the signal; then it is killed.
    """
    if sys.platform.startswith("linux"):
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, by)
    if os.getppid() != parent:
        os.kill(os.getpid(), by)

    def look() -> None:
        while os.getppid() == parent:
            time.sleep(_LOOK_S)
        os.kill(os.getpid(), by)
        time.sleep(patience_s)
        os.kill(os.getpid(), signal.SIGKILL)

    threading.Thread(target=look, name="end-with-parent", daemon=True).start()


class LastLines:
    """The last lines that a process printed, from a pipe that a thread empties."""

    def __init__(self, stream: IO[bytes], *, copy_to: IO[bytes] | None = None) -> None:
        self._lines: collections.deque[str] = collections.deque(maxlen=_KEPT_LINES)
        self._reader = threading.Thread(target=self._read, args=(stream, copy_to), name="last-lines", daemon=True)
        self._reader.start()

    def _read(self, stream: IO[bytes], copy_to: IO[bytes] | None) -> None:
        # A pipe that is closed while it is read, or a terminal that is closed, ends the reading and nothing else.
        with contextlib.suppress(OSError, ValueError):
            while line := stream.readline(_LONGEST_LINE):
                self._lines.append(line.decode(errors="replace").rstrip())
                if copy_to is not None:
                    copy_to.write(line)
                    copy_to.flush()

    def settle(self, timeout_s: float = 1.0) -> list[str]:
        """The last lines, when the process has ended: waits until the pipe is empty, but not for others that hold it
        open.
        """
        self._reader.join(timeout_s)
        return telling_lines(list(self._lines))


def telling_lines(lines: Iterable[str]) -> list[str]:
    """The few most telling of the last lines: where Python's fault handler saw a crash, else the last ones."""
    said = [line for line in lines if line.strip() and not line.startswith("Extension modules: ")]
    fatal = next((place for place, line in enumerate(said) if line.startswith(_FATAL)), None)
    if fatal is None:
        return said[-_SHOWN_LINES:]
    # It lists all threads; the one that crashed need not be the first.
    current = next((place for place, line in enumerate(said) if place > fatal and line.startswith(_CURRENT)), fatal)
    return [said[fatal], *said[current + 1 : current + _SHOWN_LINES]]


def how_it_ended(status: int) -> str:
    """`was killed by SIGKILL (Killed)`, or `ended with status 3`."""
    if status >= 0:
        return f"ended with status {status}"
    try:
        number = signal.Signals(-status)
    except ValueError:
        return f"was killed by signal {-status}"
    return f"was killed by {number.name} ({signal.strsignal(number)})"


def obituary(who: str, status: int, lines: Sequence[str]) -> str:
    """One sentence on a process that should not have ended, and its last lines below it."""
    if not lines:
        return f"{who} {how_it_ended(status)}"
    return "\n    ".join([f"{who} {how_it_ended(status)}; its last lines:", *lines])


def killed_by_memory(status: int) -> bool:
    """True for the signal by which systems end a process when memory runs out."""
    return status == -signal.SIGKILL
