"""A worker pool beside a TaskManager: starts a Python worker process whenever the TaskManager asks for one.

In: Beam's `BeamFnExternalWorkerPool` requests on one port of this machine. Out: worker processes of this interpreter. In place of
`apache_beam.runners.worker.worker_pool_main`, which listens on all interfaces, starts the first `python` on PATH, leaves its
workers' output pipe unread, and calls a worker started that dies a moment later (the job then hangs for five minutes).
"""

from __future__ import annotations

import collections
import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

from manifests.errors import GristmillError
from pipeline.engines.external_worker import READY
from pipeline.engines.worker import one_quiet_thread

_START_S = 120.0
# A worker that is told to stop has closed its control channel by then, and ends by itself.
_LAST_WORK_S = 2.0


@contextlib.contextmanager
def worker_pool(*, port: int, host: str = "127.0.0.1") -> Iterator[int]:
    """Serve while the block runs; gives the port (a free one for port 0). All workers end with it.

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
    workers = Workers()
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

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._processes: dict[str, list[subprocess.Popen[bytes]]] = {}
        self._stopped: dict[str, int] = {}

    def start(self, worker_id: str, control_url: str, *, gone: threading.Event | None = None) -> str | None:
        """Start a worker and wait until it can work; returns what it said when it could not.

        Args:
            gone: set when the TaskManager waits no longer, because its job was cancelled: it does not stop such a worker.
        """
        command = [sys.executable, "-m", "pipeline.engines.external_worker", control_url, worker_id]
        # Our packages are found from wherever the pool was started.
        path = os.pathsep.join(filter(None, [str(Path(__file__).resolve().parents[2]), os.environ.get("PYTHONPATH")]))
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env={**os.environ, "PYTHONPATH": path}
        )
        with self._lock:
            self._processes.setdefault(worker_id, []).append(process)
        said: collections.deque[str] = collections.deque(maxlen=20)
        assert process.stderr is not None
        assert process.stdout is not None
        reader = threading.Thread(target=_pass_on, args=(process.stderr, said), daemon=True)
        reader.start()
        given_up = gone or threading.Event()
        ready = threading.Event()
        threading.Thread(target=_kill_unless, args=(ready, given_up, process), daemon=True).start()
        first = process.stdout.readline().decode(errors="replace").strip()
        ready.set()
        if first == READY and not given_up.is_set():
            _log(f"worker {worker_id} started for {control_url}, process {process.pid}")
            threading.Thread(target=process.stdout.read, daemon=True).start()
            return None
        if given_up.is_set():
            _log(f"worker {worker_id} for {control_url} is no longer wanted")
            _end(process)
            self._forget(worker_id, process)
            return "the worker is no longer wanted"
        status = process.wait()
        reader.join(timeout=5)
        told = next((line for line in reversed(said) if line.strip()), f"exit status {status}")
        return f"the Python worker did not start: {told}"

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
        for process in asked_for:
            _end(process, patience_s=_LAST_WORK_S)

    def stop_all(self) -> None:
        with self._lock:
            processes = [process for known in self._processes.values() for process in known]
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


def _pass_on(stream: IO[bytes], said: collections.deque[str]) -> None:
    for line in stream:
        said.append(line.decode(errors="replace").rstrip())
        sys.stderr.buffer.write(line)
        sys.stderr.buffer.flush()


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


def serve(*, port: int, host: str = "127.0.0.1") -> None:
    """Run a pool until SIGINT or SIGTERM."""
    done = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda _number, _frame: done.set())
    with worker_pool(port=port, host=host):
        done.wait()


if __name__ == "__main__":
    serve(port=int(sys.argv[1]))
