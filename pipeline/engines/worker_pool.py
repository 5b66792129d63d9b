"""A worker pool beside a TaskManager: starts a Python worker process whenever the TaskManager asks for one.

In: Beam's `BeamFnExternalWorkerPool` requests on one port of this machine. Out: worker processes of this interpreter. In place of
`apache_beam.runners.worker.worker_pool_main`, which listens on all interfaces, starts the first `python` on PATH, leaves its
workers' output pipe unread, and calls a worker started that dies a moment later (the job then hangs for five minutes).

A worker that dies at work is told of in the log. Flink notices it, and starts the pipeline again; Beam's local job service may wait for
ever, so that the pool beside it ends with its first worker (`main`), and the command sees that.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

from manifests.errors import GristmillError
from manifests.processes import (
    LastLines,
    child_environment,
    end_with_starter,
    how_it_ended,
    obituary,
    parent_told,
    python_command,
    start_watched,
)
from pipeline.engines.external_worker import DONE, READY, one_quiet_thread

LOST = 3
"""Exit status of a pool that ended with its worker."""

WHO = "the Python worker "
"""Begins what a pool says of a worker that died at work."""

_START_S = 120.0
# A worker that is told to stop has closed its control channel by then, and ends by itself.
_LAST_WORK_S = 2.0


def _unmoved(_told: str) -> None:
    pass


@contextlib.contextmanager
def worker_pool(*, port: int, host: str = "127.0.0.1", on_loss: Callable[[str], object] = _unmoved) -> Iterator[int]:
    """Serve while the block runs; gives the port (a free one for port 0). All workers end with it.

    Args:
        on_loss: told of each worker that died at work, in a thread.

    Raises:
        GristmillError: the port is taken.
    """
    one_quiet_thread()
    import grpc
    from apache_beam.portability.api import beam_fn_api_pb2_grpc
    from apache_beam.utils import thread_pool_executor

    options = [("grpc.http2.max_pings_without_data", 0), ("grpc.http2.max_ping_strikes", 0), ("grpc.so_reuseport", 0)]
    server = grpc.server(thread_pool_executor.shared_unbounded_instance(), options=options)
    try:
        bound = server.add_insecure_port(f"{host}:{port}")
    except RuntimeError:
        bound = 0
    if bound == 0:
        raise GristmillError("the port cannot be bound", where=f"{host}:{port}", remedy="another pool may run there: choose another --port")
    workers = Workers(on_loss=on_loss)
    beam_fn_api_pb2_grpc.add_BeamFnExternalWorkerPoolServicer_to_server(_servicer(workers), server)
    server.start()
    try:
        yield bound
    finally:
        server.stop(0)
        workers.stop_all()


class Workers:
    """The processes of one pool.

    A TaskManager numbers its workers itself, and stops one by its number alone. Where several TaskManagers share a pool (on one
    machine without network namespaces) their numbers collide: then the workers of a number end once each of their TaskManagers has
    stopped its own. Those of a TaskManager that died end by themselves, and are not waited for.
    """

    def __init__(self, *, on_loss: Callable[[str], object] = _unmoved) -> None:
        self._on_loss = on_loss
        self._dismissed: set[int] = set()
        self._lock = threading.Lock()
        self._processes: dict[str, list[subprocess.Popen[bytes]]] = {}
        self._stopped: dict[str, int] = {}

    def start(self, worker_id: str, control_url: str, *, gone: threading.Event | None = None) -> str | None:
        """Start a worker and wait until it can work; returns what it said when it could not.

        Args:
            gone: set when the TaskManager waits no longer, because its job was cancelled: it does not stop such a worker.
        """
        said: list[LastLines] = []
        worked, told = threading.Event(), threading.Event()
        output: list[str] = []

        def on_end(status: int) -> None:
            told.wait()
            if worked.is_set():
                listener.join(timeout=1)
                self._mourn(worker_id, process, status, said[0], finished=DONE in output)

        process = start_watched(
            python_command("pipeline.engines.external_worker", control_url, worker_id),
            on_end=on_end,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=child_environment(**parent_told()),
        )
        with self._lock:
            self._processes.setdefault(worker_id, []).append(process)
        assert process.stderr is not None
        stdout = process.stdout
        assert stdout is not None
        said.append(LastLines(process.stderr, copy_to=sys.stderr.buffer))
        given_up = gone or threading.Event()
        ready = threading.Event()
        threading.Thread(target=_kill_unless, args=(ready, given_up, process), daemon=True).start()
        first = stdout.readline().decode(errors="replace").strip()
        ready.set()
        if first == READY and not given_up.is_set():
            _log(f"worker {worker_id} started for {control_url}, process {process.pid}")
            listener = threading.Thread(target=lambda: output.extend(line.decode().strip() for line in stdout), daemon=True)
            listener.start()
            worked.set()
            told.set()
            return None
        told.set()
        if given_up.is_set():
            _log(f"worker {worker_id} for {control_url} is no longer wanted")
            _end(process)
            self._forget(worker_id, process)
            return "the worker is no longer wanted"
        status = process.wait()
        lines = said[0].settle(timeout_s=5.0)
        return f"the Python worker did not start: {lines[-1] if lines and status >= 0 else how_it_ended(status)}"

    def stop(self, worker_id: str) -> None:
        """A TaskManager wants no more of its worker of this number; an unknown number is fine."""
        _log(f"worker {worker_id} is to stop")
        with self._lock:
            if worker_id in self._processes:
                self._stopped[worker_id] = self._stopped.get(worker_id, 0) + 1
        self._settle(worker_id)

    def _forget(self, worker_id: str, process: subprocess.Popen[bytes]) -> None:
        with self._lock:
            self._processes[worker_id].remove(process)
        self._settle(worker_id)

    def _settle(self, worker_id: str) -> None:
        """End the workers of a number when each of their TaskManagers has asked for it."""
        with self._lock:
            # A positive status: it lost its TaskManager, which then does not ask. A killed one is still asked for.
            asked_for = [process for process in self._processes.get(worker_id, []) if (process.poll() or 0) <= 0]
            if self._stopped.get(worker_id, 0) < len(asked_for):
                self._processes[worker_id] = asked_for
                return
            self._processes.pop(worker_id, None)
            self._stopped.pop(worker_id, None)
            self._dismissed.update(process.pid for process in asked_for if process.poll() is None)
        for process in asked_for:
            _end(process, patience_s=_LAST_WORK_S)

    def _mourn(self, worker_id: str, process: subprocess.Popen[bytes], status: int, said: LastLines, *, finished: bool) -> None:
        lines = said.settle()
        with self._lock:
            dismissed = process.pid in self._dismissed
            self._dismissed.discard(process.pid)
        if finished or dismissed:
            return
        told = obituary(f"{WHO}{worker_id}, process {process.pid},", status, lines)
        _log(told)
        self._on_loss(told)

    def stop_all(self) -> None:
        with self._lock:
            processes = [process for known in self._processes.values() for process in known]
            self._dismissed.update(process.pid for process in processes if process.poll() is None)
        for process in processes:
            process.terminate()
        for process in processes:
            _end(process)


def _servicer(workers: Workers) -> Any:
    from apache_beam.portability.api import beam_fn_api_pb2, beam_fn_api_pb2_grpc

    class Servicer(beam_fn_api_pb2_grpc.BeamFnExternalWorkerPoolServicer):  # type: ignore[misc]
        def StartWorker(self, request: Any, context: Any) -> Any:
            gone = threading.Event()
            context.add_callback(gone.set)
            error = workers.start(request.worker_id, request.control_endpoint.url, gone=gone)
            return beam_fn_api_pb2.StartWorkerResponse(error=error or "")

        def StopWorker(self, request: Any, _context: object) -> Any:
            workers.stop(request.worker_id)
            return beam_fn_api_pb2.StopWorkerResponse()

    return Servicer()


def _kill_unless(ready: threading.Event, given_up: threading.Event, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + _START_S
    while not ready.wait(0.2) and process.poll() is None:
        if given_up.is_set() or time.monotonic() > deadline:
            process.kill()


def _log(text: str) -> None:
    sys.stderr.write(f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ} {text}\n")
    sys.stderr.flush()


def _end(process: subprocess.Popen[bytes], *, patience_s: float = 0.0) -> None:
    """Wait `patience_s` for the process to end by itself; then SIGTERM, and SIGKILL five seconds later."""
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(timeout=patience_s)
    process.terminate()
    try:
        process.wait(timeout=5.0)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def serve(*, port: int, host: str = "127.0.0.1", on_loss: Callable[[str], object] = _unmoved) -> None:
    """Run a pool until SIGINT, SIGTERM or SIGHUP.

    Args:
        on_loss: told of each worker that died at work, in a thread.
    """
    over = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, lambda _number, _frame: over.set())
    with worker_pool(port=port, host=host, on_loss=on_loss):
        over.wait()
    _log("the pool was stopped, and its workers with it")


def main() -> None:
    """A pool for one command on this machine: ends with it, and at once with the first worker that dies; the others end with the pool."""
    end_with_starter(by=signal.SIGTERM, patience_s=10.0)
    serve(port=int(sys.argv[1]), on_loss=lambda _told: os._exit(LOST))


if __name__ == "__main__":
    main()
