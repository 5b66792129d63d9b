"""Starts the ranks of a run on this machine as children of this process.

The ranks meet in a store that this process serves on loopback. Torch's own launcher would serve that store on all
interfaces, and let ranks import whatever is in the working folder. Each rank writes its error into a file. This module
chooses and raises the one that explains the failure, so that users see one message instead of one per rank.
"""

from __future__ import annotations

import contextlib
import json
import os
import queue
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch._C._distributed_c10d import TCPStore

from manifests.errors import GristmillError
from storage.processes import LastLines, child_environment, end_with_parent, obituary, python_command, start_watched

LAUNCHED = "GRISTMILL_LAUNCHED"
"""Environment variable of ranks that this module has started: the launcher's process id.

They write their errors for it.
"""

_ERROR_FILE = "TORCHELASTIC_ERROR_FILE"
"""Environment variable with the file for a rank's error.

The name is torchrun's, so ranks started by torchrun have it too.
"""

_HOST = "127.0.0.1"

_GRACE = 120
"""Seconds that ranks have, once asked to stop, to finish their step and save a checkpoint before they are killed."""

_SECOND_CHANCE = 1.0
"""A second signal this many seconds after the first means: stop at once.

Terminals and supervisors may send several together.
"""

_LAST_WORDS_S = 3.0
"""Seconds that other ranks have, after one has failed, to notice and write their own errors before they are ended."""

_KILL_S = 5.0
"""Seconds between SIGTERM and SIGKILL for the ranks of a failed run, which may wait in a collective for a lost rank."""

_BLAME_S = 1.0
"""A rank ended by a signal is blamed before ranks that failed up to this many seconds before: peers notice first."""

STOPPED = 130
"""Exit status of a rank stopped by a signal, the same as a shell's after Ctrl-C."""


class RanksFailedError(GristmillError):
    """Ranks ended without finishing; the message is the error of the rank that explains the failure."""


@dataclass(frozen=True)
class _Rank:
    number: int
    process: subprocess.Popen[bytes]
    last_lines: LastLines
    error_file: Path


@dataclass(frozen=True)
class _End:
    rank: int
    status: int
    seconds: float


def launch(module: str, arguments: Sequence[str], *, ranks: int) -> None:
    """Run `python -P -m module arguments` as `ranks` ranks and wait for them.

    SIGINT, SIGTERM and SIGHUP are passed on to the ranks as SIGTERM: they save a checkpoint and end. After another
    signal they are killed.

    Raises:
        RanksFailedError: a rank failed; then all ranks are ended.
        KeyboardInterrupt: the run was stopped by a signal.
    """
    with tempfile.TemporaryDirectory(prefix="gristmill-ranks-") as folder, _signals() as signal_times:
        store, port = _store()
        ends: queue.Queue[_End] = queue.Queue()
        crew: list[_Rank] = []
        try:
            for number in range(ranks):
                crew.append(_start(module, arguments, number, ranks=ranks, port=port, folder=Path(folder), ends=ends))
            failed = _wait(crew, ends, signal_times)
        finally:
            _kill(crew)
            del store
        if failed:
            raise _explain(crew, failed)
        if signal_times or any(rank.process.returncode == STOPPED for rank in crew):
            raise KeyboardInterrupt


def _store() -> tuple[TCPStore, int]:
    """The store in which ranks meet. Torch binds all interfaces unless it is given a socket."""
    listening = socket.socket()
    listening.bind((_HOST, 0))
    listening.listen(128)
    port = int(listening.getsockname()[1])
    return TCPStore(_HOST, port, is_master=True, wait_for_workers=False, master_listen_fd=listening.detach()), port


def _start(
    module: str, arguments: Sequence[str], number: int, *, ranks: int, port: int, folder: Path, ends: queue.Queue[_End]
) -> _Rank:
    error_file = folder / f"rank-{number}.json"
    process = start_watched(
        python_command(module, *arguments),
        on_end=lambda status: ends.put(_End(number, status, time.time())),
        env=child_environment(**_settings(number, ranks=ranks, port=port, error_file=error_file)),
        stdin=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        # In its own session, so that Ctrl-C in a terminal reaches only this process, which passes it on once.
        start_new_session=True,
    )
    assert process.stderr is not None
    return _Rank(number, process, LastLines(process.stderr, copy_to=sys.stderr.buffer), error_file)


def _settings(number: int, *, ranks: int, port: int, error_file: Path) -> dict[str, str]:
    """The environment variables from which torch learns a rank's number and where the other ranks are."""
    on_loopback = {
        name: os.environ.get(name) or loopback_interface() for name in ("GLOO_SOCKET_IFNAME", "NCCL_SOCKET_IFNAME")
    }
    return {
        LAUNCHED: str(os.getpid()),
        "RANK": str(number),
        "LOCAL_RANK": str(number),
        "WORLD_SIZE": str(ranks),
        "LOCAL_WORLD_SIZE": str(ranks),
        "MASTER_ADDR": _HOST,
        "MASTER_PORT": str(port),
        # All ranks use this process's store; otherwise rank 0 would serve one on all interfaces.
        "TORCHELASTIC_USE_AGENT_STORE": "True",
        _ERROR_FILE: str(error_file),
        # Ranks on one machine share its cores; with more threads than cores they only wait for each other.
        "OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS") or str(max(1, (os.cpu_count() or 1) // ranks)),
        # A crash in compiled code prints its traceback into the last lines of output.
        "PYTHONFAULTHANDLER": "1",
        **on_loopback,
    }


def loopback_interface() -> str:
    """The name of the loopback interface, to keep gloo and NCCL on it: by default they use the host name's address."""
    names = [name for _, name in socket.if_nameindex()]
    return next((name for name in names if name in ("lo", "lo0")), "lo")


def _wait(crew: list[_Rank], ends: queue.Queue[_End], signal_times: Sequence[float]) -> list[_End]:
    """Wait until all ranks have ended; returns those that failed by themselves, not those that we ended."""
    failed: list[_End] = []
    running = len(crew)
    stopping = killed = False
    deadline = float("inf")
    while running:
        with contextlib.suppress(queue.Empty):
            end = ends.get(timeout=0.2)
            running -= 1
            if end.status not in (0, STOPPED) and not stopping and not killed:
                deadline = min(deadline, time.monotonic() + _LAST_WORDS_S)
                failed.append(end)
        if signal_times and not stopping and not failed:
            stopping, deadline = True, time.monotonic() + _GRACE
            _terminate(crew)
        if stopping and not killed and signal_times[-1] - signal_times[0] > _SECOND_CHANCE:
            deadline = 0.0
        if time.monotonic() > deadline:
            if stopping or killed:
                _kill(crew)
            else:
                _terminate(crew)
            killed, deadline = True, time.monotonic() + _KILL_S
    return failed


def _terminate(crew: list[_Rank]) -> None:
    for rank in crew:
        rank.process.terminate()


def _kill(crew: list[_Rank]) -> None:
    """Kill the process group of each rank.

    The processes that write a rank's checkpoint are in its group. They would outlive the rank and hold our output open.
    """
    for rank in crew:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(rank.process.pid, signal.SIGKILL)
        rank.process.wait()


@contextlib.contextmanager
def _signals() -> Iterator[Sequence[float]]:
    """The times at which signals that end a command came while the block runs."""
    signal_times: list[float] = []
    if threading.current_thread() is not threading.main_thread():
        yield signal_times
        return

    def note(_number: int, _frame: object) -> None:
        signal_times.append(time.monotonic())

    numbers = [
        number
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
        if signal.getsignal(number) is not signal.SIG_IGN
    ]
    before = {number: signal.signal(number, note) for number in numbers}
    try:
        yield signal_times
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def follow_launcher() -> None:
    """In a rank that `launch` started: get SIGTERM when the launcher dies, for whatever reason, and SIGKILL later."""
    if LAUNCHED in os.environ:
        end_with_parent(int(os.environ[LAUNCHED]), by=signal.SIGTERM, patience_s=_GRACE)


def leave_error(error: Exception) -> None:
    """In a rank: write the error to the file that its launcher (ours or torchrun) reads; without one, do nothing."""
    path = os.environ.get(_ERROR_FILE)
    if path is None:
        return
    if LAUNCHED not in os.environ:
        if not isinstance(error, GristmillError):  # rank 0 prints those; torchrun would add the traceback of every rank
            from torch.distributed.elastic.multiprocessing.errors import get_error_handler

            get_error_handler().record_exception(error)
        return
    # The time is used only to find out which rank failed first.
    record = {"message": _words(error), "known": isinstance(error, GristmillError), "seconds": time.time()}
    temporary = f"{path}.tmp"
    Path(temporary).write_text(json.dumps(record), encoding="utf-8")
    os.replace(temporary, path)


def _words(error: BaseException) -> str:
    return str(error) if isinstance(error, GristmillError) else f"{type(error).__name__}: {error}"


def _explain(crew: list[_Rank], failed: list[_End]) -> RanksFailedError:
    """Choose the error to raise: errors with a remedy first, then the earliest.

    The earliest matters because the peers of a failed rank fail too, when they lose their connections to it.
    """
    explained: list[tuple[bool, float, int, str]] = []
    silent: list[tuple[bool, float, int]] = []
    status = {end.rank: end.status for end in failed}
    for end in failed:
        error = _read_error(crew[end.rank].error_file)
        if error is not None:
            explained.append((not error["known"], float(error["seconds"]), end.rank, str(error["message"])))
        else:
            silent.append((True, end.seconds - (_BLAME_S if end.status < 0 else 0.0), end.rank))
    if explained and (not silent or min(explained)[:2] <= min(silent)[:2]):
        unknown, _, rank, text = min(explained)
        return RanksFailedError(
            f"rank {rank} failed: {text}\n  remedy: run `gristmill --debug …` for the traceback" if unknown else text
        )
    _, _, rank = min(silent)
    process = crew[rank].process
    return RanksFailedError(
        obituary(f"rank {rank} of {len(crew)}, process {process.pid},", status[rank], crew[rank].last_lines.settle()),
        remedy="look for an out-of-memory kill in the system log; the same command resumes from the newest checkpoint",
    )


def _read_error(path: Path) -> dict[str, Any] | None:
    """What `leave_error` wrote in a rank, or None: the text, whether it is a GristmillError, and the time."""
    try:
        return dict(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError):
        return None
