"""A worker pool beside a TaskManager: starts a Python worker process whenever the TaskManager asks for one.

In: Beam's `BeamFnExternalWorkerPool` requests on one port of this machine. Out: worker processes with this interpreter.
It replaces `apache_beam.runners.worker.worker_pool_main`, which listens on all interfaces, starts the first `python` on
PATH, leaves its workers' output pipe unread, and reports a worker as started that dies a moment later (the job then
hangs for five minutes).

A worker that dies at work is reported in the log. Flink notices the loss and restarts the pipeline. Beam's local job
service may wait forever; therefore the pool beside it ends with its first lost worker (`main`), and the command notices
that.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

from manifests.errors import GristmillError
from pipeline.engines.external_worker import one_quiet_thread
from pipeline.engines.loopback import print_port
from pipeline.engines.worker_processes import IdleWorkers, Service, start_service
from storage.processes import end_with_starter, how_it_ended, obituary, wait_for

LOST = 3
"""Exit status of a pool that ended with its worker."""

WHO = "the Python worker "
"""Prefix of a pool's report of a worker that died at work."""

_START_S = 120.0
# When a worker is told to stop it has already lost its control channel, and finishes by itself.
_LAST_WORK_S = 2.0
# How long a worker waits for a command's next job: Flink needs 3 to 7 seconds to accept a job.
_IDLE_S = 10.0


def _ignore(_message: object) -> None:
    pass


@contextlib.contextmanager
def worker_pool(*, port: int, host: str = "127.0.0.1", on_loss: Callable[[str], object] = _ignore) -> Iterator[int]:
    """Serve while the block runs; yields the port (a free one for port 0). All workers end with the block.

    Args:
        on_loss: called in a thread with a report of each worker that died at work.

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
        raise GristmillError(
            "the port cannot be bound",
            where=f"{host}:{port}",
            remedy="another pool may run there: choose another --port",
        )
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

    A TaskManager numbers its own workers and stops a worker by its number. If several TaskManagers share a pool (on one
    machine without network namespaces), their numbers collide: the workers with one number end once each of their
    TaskManagers has asked to stop it. Workers of a TaskManager that died end by themselves and do not count here.
    """

    def __init__(self, *, on_loss: Callable[[str], object] = _ignore) -> None:
        self._on_loss = on_loss
        self._idle = IdleWorkers(patience_s=_IDLE_S)
        self._dismissed: set[Service] = set()
        self._lock = threading.Lock()
        self._services: dict[str, list[Service]] = {}
        self._stopped: dict[str, int] = {}

    def start(self, worker_id: str, control_url: str, *, gone: threading.Event | None = None) -> str | None:
        """Start a worker and wait until it can work; returns an error message if it cannot.

        Args:
            gone: set when the TaskManager no longer waits, because its job was cancelled. It will not ask to stop this
                worker.
        """

        def on_end(service: Service) -> None:
            if service.ready:
                self._report_loss(worker_id, service)

        service = start_service(control_url, worker_id, idle=self._idle, on_end=on_end, copy_to=sys.stderr.buffer)
        process = service.worker.process
        with self._lock:
            self._services.setdefault(worker_id, []).append(service)
        given_up = gone or threading.Event()
        _wait_until_ready(service, given_up)
        if given_up.is_set():
            _log(f"worker {worker_id} for {control_url} is no longer wanted")
            self._dismiss([service])
            self._forget(worker_id, service)
            return "the worker is no longer wanted"
        if service.ready:
            _log(f"worker {worker_id} started for {control_url}, process {process.pid}")
            return None
        status = process.wait()
        return (
            "the Python worker did not start:"
            f" {service.lines[-1] if service.lines and status >= 0 else how_it_ended(status)}"
        )

    def stop(self, worker_id: str) -> None:
        """A TaskManager no longer needs its worker with this number. An unknown number is not an error."""
        _log(f"worker {worker_id} is to stop")
        with self._lock:
            if worker_id in self._services:
                self._stopped[worker_id] = self._stopped.get(worker_id, 0) + 1
        self._settle(worker_id)

    def _forget(self, worker_id: str, service: Service) -> None:
        with self._lock:
            self._services[worker_id].remove(service)
        self._settle(worker_id)

    def _settle(self, worker_id: str) -> None:
        """End the workers with one number once each of their TaskManagers has asked for it."""
        with self._lock:
            # A worker with a positive status lost its TaskManager, which will not ask. One that was killed or has
            # finished does count.
            counted = [service for service in self._services.get(worker_id, []) if (service.status or 0) <= 0]
            if self._stopped.get(worker_id, 0) < len(counted):
                self._services[worker_id] = counted
                return
            self._services.pop(worker_id, None)
            self._stopped.pop(worker_id, None)
        self._dismiss(counted, patience_s=_LAST_WORK_S)

    def _dismiss(self, services: list[Service], *, patience_s: float = 0.0) -> None:
        """End the processes that still serve, without reporting a loss.

        Those that finish in time become idle instead.
        """
        with self._lock:
            self._dismissed.update(service for service in services if service.status is None)
        for service in services:
            if not service.over.wait(patience_s):
                service.worker.end()

    def _report_loss(self, worker_id: str, service: Service) -> None:
        with self._lock:
            dismissed = service in self._dismissed
            self._dismissed.discard(service)
        if dismissed:
            return
        report = obituary(
            f"{WHO}{worker_id}, process {service.worker.process.pid},", service.status or 0, service.lines
        )
        _log(report)
        self._on_loss(report)

    def stop_all(self) -> None:
        with self._lock:
            services = [service for known in self._services.values() for service in known]
        for service in services:
            if not service.over.is_set():
                service.worker.process.terminate()
        self._dismiss(services)
        self._idle.close()


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


def _wait_until_ready(service: Service, given_up: threading.Event) -> None:
    """Wait until the worker can work or has failed to start; kill it if it is given up or too slow."""
    deadline = time.monotonic() + _START_S
    while not service.ready_or_failed.wait(0.2):
        if given_up.is_set() or time.monotonic() > deadline:
            service.worker.process.kill()


def _log(text: str) -> None:
    sys.stderr.write(f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ} {text}\n")
    sys.stderr.flush()


def serve(
    *,
    port: int,
    host: str = "127.0.0.1",
    on_loss: Callable[[str], object] = _ignore,
    on_start: Callable[[int], object] = _ignore,
) -> None:
    """Run a pool until SIGINT, SIGTERM or SIGHUP.

    Args:
        on_start: called with the port.
        on_loss: called in a thread with a report of each worker that died at work.
    """
    over = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, lambda _number, _frame: over.set())
    with worker_pool(port=port, host=host, on_loss=on_loss) as bound:
        on_start(bound)
        wait_for(over)
    _log("the pool was stopped, and its workers with it")


def main() -> None:
    """A pool for one command on this machine.

    It ends with the command, or at once if a worker dies; all workers end with the pool.
    """
    end_with_starter(by=signal.SIGTERM, patience_s=10.0)
    serve(port=0, on_loss=lambda _message: os._exit(LOST), on_start=print_port)


if __name__ == "__main__":
    main()
