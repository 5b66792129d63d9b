"""Worker processes that serve one pipeline after another: starting one costs two CPU seconds, most of it to import
Beam.

In: control URLs of runners. Out: processes of `pipeline.engines.external_worker`, and how each ended. A process reads
its next control URL from standard input. It keeps only imported code, compiled kernels and caches whose keys contain
digests.
"""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Callable
from typing import IO

from pipeline.engines.external_worker import DONE, LAST, READY
from storage.processes import LastLines, child_environment, parent_told, python_command, start_watched

_MODULE = "pipeline.engines.external_worker"


class Service:
    """The work of one process for one control URL.

    Attributes:
        ready_or_failed: set once the process can work, or when it has failed to start.
        over: set when there is no more work, or when the process has ended.
        ready: True once the process could work.
        finished: True once the runner has no more work for it.
        status: None while it works, 0 once the runner has no more work for it, else how the process ended
            (`Popen.returncode`).
        lines: last lines of output of a process that ended.
    """

    def __init__(self, worker: WorkerProcess) -> None:
        self.worker = worker
        self.ready_or_failed, self.over = threading.Event(), threading.Event()
        self.ready, self.finished = False, False
        self.status: int | None = None
        self.lines: list[str] = []


class WorkerProcess:
    """A process, and the control URL that it serves now.

    Args:
        control_url: the first control URL that it serves.
        worker_id: its name there.
        idle: receives the process whenever it has finished with one control URL and can serve another.
        on_end: called in a thread with the service during which the process ended; not called if that service had
            finished.
        copy_to: receives a copy of the process's standard error.
    """

    def __init__(
        self,
        control_url: str,
        worker_id: str,
        *,
        idle: IdleWorkers,
        on_end: Callable[[Service], object],
        copy_to: IO[bytes] | None,
    ) -> None:
        self.on_end, self._idle = on_end, idle
        self.service = Service(self)
        constructed = threading.Event()

        def ended(status: int) -> None:
            constructed.wait()
            self._end(status)

        self.process = start_watched(
            python_command(_MODULE, control_url, worker_id),
            on_end=ended,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=child_environment(**parent_told()),
        )
        assert self.process.stderr is not None
        self.last_lines = LastLines(self.process.stderr, copy_to=copy_to)
        self._listener = threading.Thread(target=self._listen, name=f"listen-to-{worker_id}", daemon=True)
        self._listener.start()
        constructed.set()

    def serve(self, control_url: str, worker_id: str) -> Service | None:
        """Serve another control URL after the last one has finished; returns None if the process has ended."""
        assert self.process.stdin is not None
        self.service = Service(self)
        try:
            self.process.stdin.write(f"{control_url} {worker_id}\n".encode())
            self.process.stdin.flush()
        except OSError:
            self.service.finished = True  # no work is lost: `on_end` is not called
            return None
        return self.service

    def end(self) -> None:
        """SIGTERM, and SIGKILL five seconds later."""
        self.process.terminate()
        try:
            self.process.wait(timeout=5.0)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def _listen(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            word, service = line.decode(errors="replace").strip(), self.service
            if word == READY:
                service.ready = True
                service.ready_or_failed.set()
            elif word in (DONE, LAST):
                service.finished, service.status = True, 0
                if word == DONE:
                    self._idle.put(self)
                service.over.set()

    def _end(self, status: int) -> None:
        lines = self.last_lines.settle()
        # Read all that is left in the pipe before the process counts as lost. Other processes may hold the pipe open,
        # hence the timeout.
        self._listener.join(timeout=1.0)
        service = self.service
        if not service.finished:
            service.status, service.lines = status, lines
            self.on_end(service)
        service.ready_or_failed.set()
        service.over.set()


class IdleWorkers:
    """Idle processes: each has finished one service and waits for the next.

    Args:
        patience_s: a process that has been idle for this long is ended; None for no limit.
    """

    def __init__(self, *, patience_s: float | None = None) -> None:
        self._patience_s = patience_s
        self._lock = threading.Lock()
        self._workers: list[WorkerProcess] = []
        self._closed = False

    def put(self, worker: WorkerProcess) -> None:
        with self._lock:
            if not self._closed:
                self._workers.append(worker)
                if self._patience_s is not None:
                    timer = threading.Timer(self._patience_s, self._end_idle, args=(worker, worker.service))
                    timer.daemon = True
                    timer.start()
                return
        worker.process.kill()

    def take(self) -> WorkerProcess | None:
        """The process that became idle last and still lives, or None."""
        with self._lock:
            while self._workers:
                worker = self._workers.pop()
                if worker.process.poll() is None:
                    return worker
        return None

    def close(self) -> None:
        """End all idle processes, and those that become idle later."""
        with self._lock:
            self._closed, workers = True, self._workers
            self._workers = []
        for worker in workers:
            worker.process.kill()
        for worker in workers:
            worker.process.wait()

    def _end_idle(self, worker: WorkerProcess, service: Service) -> None:
        with self._lock:
            if worker not in self._workers or worker.service is not service:
                return
            self._workers.remove(worker)
        worker.process.kill()


def start_service(
    control_url: str,
    worker_id: str,
    *,
    idle: IdleWorkers,
    on_end: Callable[[Service], object],
    copy_to: IO[bytes] | None,
) -> Service:
    """Have a control URL served by an idle process, or else by a new one."""
    while (worker := idle.take()) is not None:
        worker.on_end = on_end
        service = worker.serve(control_url, worker_id)
        if service is not None:
            return service
    return WorkerProcess(control_url, worker_id, idle=idle, on_end=on_end, copy_to=copy_to).service
