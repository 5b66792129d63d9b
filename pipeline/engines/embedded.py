"""Beam's embedded runner with worker processes of our own.

If one dies, the pipeline ends; none of them outlives the pipeline.

In: a pipeline, and how many processes. Out: nothing; pipelines publish files. Beam's own handler of worker processes
waits forever for a process that died before it connected, starts processes through a shell, and leaves them running
when this process is killed.

Beam's runner works in a thread of its own, so that the calling thread can always end it: on a signal, or when a worker
dies. Then all other workers are killed and Beam's waits are aborted.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from manifests.errors import GristmillError
from pipeline.engines.failures import gristmill_errors
from pipeline.engines.loopback import HOST, on_loopback
from pipeline.engines.worker_processes import IdleWorkers, Service, start_service
from storage.processes import killed_by_memory, obituary, wait_for

URN = "gristmill:env:worker_processes:v1"

# How long Beam's runner may take to close its servers after a signal or the death of a worker. Then its thread is
# abandoned.
_CLOSE_S = 5.0
# When a worker dies, Beam may report the broken connection before the process has been waited for.
_DEATH_S = 1.0
# `kill -- -GROUP` reaches workers a moment before this process notices.
_OWN_SIGNAL_S = 0.5
# How long a worker may take to finish after Beam has closed its control channel.
_FINISH_S = 5.0

_crews: dict[str, Crew] = {}


@dataclass
class _Member:
    handler: Any
    service: Service


class Crew:
    """The worker processes of one pipeline.

    Args:
        size: the number of processes.
        idle: idle processes, taken from here and returned here.

    Attributes:
        over: set when a worker has died or Beam's runner has ended.
        lost: the error for the first worker that died at work, if any.
        stopped: True if that worker got a signal that ends a whole command.
    """

    def __init__(self, size: int, idle: IdleWorkers) -> None:
        self.over = threading.Event()
        self.lost: GristmillError | None = None
        self.stopped = False
        self._size, self._idle = size, idle
        self._members: list[_Member] = []
        self._lock = threading.Lock()
        self._closing = False

    def start(self, handler: Any) -> None:
        """Make a process work for a handler of Beam's runner."""
        with self._lock:
            if self._closing:
                raise RuntimeError("the pipeline is ending")
            number = len(self._members) + 1
            service = start_service(
                handler.control_address,
                handler.worker_id,
                idle=self._idle,
                on_end=lambda service: self._record_loss(number, service),
                # Beam's worker prints the traceback of every failing element; the error itself says everything but the
                # line of code.
                copy_to=sys.stderr.buffer if os.environ.get("GRISTMILL_DEBUG") else None,
            )
            self._members.append(_Member(handler, service))

    def close(self) -> None:
        """From now on, a worker that ends does not count as lost."""
        with self._lock:
            self._closing = True

    def end(self) -> None:
        """Kill workers that still run and abort the waits of Beam's runner.

        Tasks publish by renaming, so killing a worker loses only its unfinished task.
        """
        self.close()
        for member in self._members:
            if not member.service.finished:
                member.service.worker.process.kill()
            _abort_waits(member.handler, self.lost or RuntimeError("the pipeline was stopped"))

    def wait_for_worker(self, handler: Any) -> None:
        """Wait for the worker of a handler to finish, after Beam has told it that there is no more work."""
        for member in self._members:
            if member.handler is handler and not member.service.over.wait(_FINISH_S):
                member.service.worker.process.kill()
                member.service.worker.process.wait()

    def _record_loss(self, number: int, service: Service) -> None:
        status = service.status or 0
        with self._lock:
            if self._closing or self.lost is not None:
                return
            who = f"worker {number} of {self._size}, process {service.worker.process.pid},"
            remedy = "run the same command again to go on; finished parts are kept"
            if killed_by_memory(status):
                remedy = f"it was probably for lack of memory: use fewer --workers; {remedy}"
            self.lost = GristmillError(obituary(who, status, service.lines), remedy=remedy)
            self.stopped = -status in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
        self.over.set()


def run_in_processes(run: Callable[[Any], object], *, workers: int, idle: IdleWorkers) -> None:
    """Run a pipeline in worker processes.

    Args:
        run: called with the environment for Beam's runner; builds the pipeline, runs it and waits for its end.
        idle: idle processes of earlier pipelines; the processes of this one are returned to it.

    Raises:
        GristmillError: a worker died.
        Exception: whatever Beam's runner raised.
    """
    from apache_beam.runners.portability.fn_api_runner import worker_handlers

    crew, key = Crew(workers, idle), uuid.uuid4().hex
    problems: list[BaseException] = []

    def work() -> None:
        try:
            run(_environment(key))
        except BaseException as error:
            problems.append(error)
        finally:
            crew.over.set()

    _crews[key] = crew
    thread = threading.Thread(target=work, name="beam-runner", daemon=True)
    try:
        with on_loopback(worker_handlers):
            thread.start()
            try:
                wait_for(crew.over)
                if problems and not gristmill_errors(problems[0]):
                    _until(lambda: crew.lost is not None, _DEATH_S)
                if crew.stopped:
                    time.sleep(_OWN_SIGNAL_S)
            finally:
                if crew.lost is not None or not crew.over.is_set():
                    crew.end()
                    _until(lambda: not thread.is_alive(), _CLOSE_S, every=crew.end)
                else:
                    thread.join()
    finally:
        crew.end()
        del _crews[key]
    if crew.lost is not None and (problems or thread.is_alive()):
        raise crew.lost from None
    if problems:
        raise problems[0]


def _until(true: Callable[[], bool], patience_s: float, *, every: Callable[[], None] = lambda: None) -> None:
    deadline = time.monotonic() + patience_s
    while not true() and time.monotonic() < deadline:
        every()
        time.sleep(0.05)


def _abort_waits(handler: Any, error: Exception) -> None:
    """Abort Beam's waits for a worker's answers (to pending and later requests) and data: they have no timeout."""
    from apache_beam.runners.portability.fn_api_runner.worker_handlers import BeamFnControlServicer, ControlConnection

    connection = handler.control_conn

    def refuse(request: Any) -> Any:
        if request is BeamFnControlServicer._DONE_MARKER:
            return ControlConnection.push(connection, request)
        raise error

    connection.push = refuse
    for future in list(connection._futures_by_id.values()):
        future.abort(error)
    handler.data_conn._exception = error


def _environment(key: str) -> Any:
    """A Beam environment whose workers are those of a crew.

    The first call registers the environment and its handler with Beam.
    """
    from apache_beam.runners.portability.fn_api_runner import worker_handlers
    from apache_beam.transforms import environments

    if URN not in worker_handlers.WorkerHandler._registered_environments:

        class Handler(worker_handlers.GrpcWorkerHandler):  # type: ignore[misc]
            def __init__(self, payload: bytes, state: Any, provision_info: Any, grpc_server: Any) -> None:
                super().__init__(state, provision_info, grpc_server)
                self._crew = _crews[payload.decode()]

            def host_from_worker(self) -> str:
                return HOST

            def start_worker(self) -> None:
                self._crew.start(self)

            def close(self) -> None:
                self._crew.close()
                super().close()

            def stop_worker(self) -> None:
                self._crew.wait_for_worker(self)

        worker_handlers.WorkerHandler.register_environment(URN, bytes)(Handler)

    class Processes(environments.Environment):  # type: ignore[misc]
        def to_runner_api_parameter(self, _context: Any) -> tuple[str, bytes]:
            return URN, key.encode()

    return Processes(capabilities=environments.python_sdk_capabilities(), artifacts=())
