"""Worker processes of the embedded runner: however one dies, the pipeline ends, says so, and leaves no process."""

from __future__ import annotations

import inspect
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from apache_beam.runners.portability import local_job_service
from apache_beam.runners.portability.fn_api_runner import worker_handlers
from apache_beam.runners.worker.data_plane import _GrpcDataChannel

from manifests.errors import GristmillError
from pipeline.engines import embedded
from pipeline.engines.loopback import on_loopback
from pipeline.engines.runners import Runner, run_pipeline
from tests.paths import PROJECT
from tests.pipeline.engines.test_runners import run

WORKER = "pipeline.engines.external_worker"


def crash(element: str, settings: dict) -> list[tuple[int, bytes]]:
    signal.raise_signal(signal.SIGSEGV)  # in this thread, as a fault would
    return []


def leave(element: str, settings: dict) -> list[tuple[int, bytes]]:
    os._exit(0)


def linger(element: str, settings: dict) -> list[tuple[int, bytes]]:
    time.sleep(120)
    return []


Workers = Callable[[], list[psutil.Process]]


@pytest.fixture
def workers() -> Workers:
    """The worker processes that a test has started and that are left; other tests share some of their own."""

    def living() -> list[psutil.Process]:
        return [child for child in psutil.Process().children() if WORKER in child.cmdline()]

    others = {child.pid for child in living()}
    return lambda: [child for child in living() if child.pid not in others]


def waiting() -> list[threading.Thread]:
    """Threads in which Beam's runner waits for ever for a worker that is gone."""
    return [thread for thread in threading.enumerate() if thread.name == "beam-runner"]


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")  # pytest replaces our hook
def test_a_crash_tells_where(tmp_path: Path, workers: Workers) -> None:
    with pytest.raises(GristmillError) as caught:
        run(Runner(workers=2), crash, tmp_path)
    told = str(caught.value)
    assert (
        "was killed by SIGSEGV (Segmentation fault); its last lines:\n    Fatal Python error: Segmentation fault"
        in told
    )
    assert "in crash" in told
    assert "lack of memory" not in told
    assert workers() == []


def test_a_worker_that_is_aborted_tells_of_the_thread_that_was_hit_alone() -> None:
    """Python's handler crashes on other threads that begin or end while it tells of them: the signal would have another
    name.
    """
    code = (
        "import os, threading, time\n"
        "from pipeline.engines.external_worker import print_crashes\n"
        "print_crashes()\n"
        "for _ in range(3):\n"
        "    threading.Thread(target=time.sleep, args=(60,), daemon=True).start()\n"
        "os.abort()\n"
    )
    ended = subprocess.run([sys.executable, "-c", code], cwd=PROJECT, stderr=subprocess.PIPE, text=True, check=False)
    assert ended.returncode == -signal.SIGABRT
    assert ended.stderr.startswith("Fatal Python error: Aborted")
    assert ended.stderr.count("(most recent call first)") == 1
    assert "Thread 0x" not in ended.stderr


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_one_that_leaves_as_if_all_were_well_is_a_loss(tmp_path: Path, workers: Workers) -> None:
    with pytest.raises(GristmillError, match=r"worker [12] of 2, process \d+, ended with status 0"):
        run(Runner(workers=2), leave, tmp_path)
    assert workers() == []


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_one_that_dies_before_it_connects_ends_the_pipeline_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, workers: Workers
) -> None:
    (tmp_path / "sitecustomize.py").write_text(
        f"import os, sys\nif {WORKER!r} in sys.orig_argv and sys.orig_argv[-1][-1] in '13579':\n"
        "    print('no luck with the library', file=sys.stderr, flush=True)\n    os._exit(7)\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    began = time.monotonic()
    with pytest.raises(GristmillError) as caught:
        run(Runner(workers=2), linger, tmp_path)
    assert "ended with status 7; its last lines:\n    no luck with the library" in str(caught.value)
    assert time.monotonic() - began < 60
    assert workers() == []
    assert not waiting()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_signal_ends_all_workers_whatever_they_do(tmp_path: Path, workers: Workers) -> None:
    stopped: list[psutil.Process] = []

    def interrupt() -> None:
        while len(stopped) < 2:
            stopped[:] = workers()
            time.sleep(0.05)
        time.sleep(0.5)
        stopped[0].suspend()
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=interrupt, daemon=True).start()
    with pytest.raises(KeyboardInterrupt):
        run(Runner(workers=2), linger, tmp_path)
    assert workers() == []
    assert not [process for process in stopped if process.is_running()]
    assert not waiting()


def test_an_error_in_building_is_raised_as_it_is() -> None:
    def build(_pipeline: object) -> None:
        raise GristmillError("cannot be built", remedy="mend it")

    with pytest.raises(GristmillError, match="cannot be built"):
        run_pipeline(build, runner=Runner(workers=2))
    assert embedded._crews == {}


def test_servers_of_beams_are_bound_to_loopback_while_a_pipeline_runs() -> None:
    before = worker_handlers.grpc
    with on_loopback(worker_handlers), on_loopback(worker_handlers, local_job_service):
        server = worker_handlers.grpc.server(None)
        port = server.add_insecure_port("[::]:0")
        listening = {
            connection.laddr.ip
            for connection in psutil.Process().net_connections("tcp")
            if connection.status == psutil.CONN_LISTEN and connection.laddr.port == port
        }
        assert {address.removeprefix("::ffff:") for address in listening} == {"127.0.0.1"}
        assert worker_handlers.grpc.StatusCode is before.StatusCode
    assert worker_handlers.grpc is before
    assert local_job_service.grpc is before


def test_beam_is_as_it_was_when_this_was_written() -> None:
    """What is relied on: how servers are bound, and how the control connection of a worker is waited for."""
    server = inspect.getsource(worker_handlers.GrpcServer)
    assert server.count("grpc.server(") == server.count("add_insecure_port('[::]:0')") == 4
    connection = inspect.getsource(worker_handlers.ControlConnection)
    assert "self._futures_by_id[req.instruction_id] = future" in connection
    assert "for future in self._futures_by_id.values():\n      future.abort(exn)" in connection
    assert "self.push(BeamFnControlServicer._DONE_MARKER)" in connection
    assert "if self._exception:\n            raise self._exception from None" in inspect.getsource(
        _GrpcDataChannel.input_elements
    )
    assert "return constructor(" in inspect.getsource(worker_handlers.WorkerHandler.create)
    assert "self.stop_worker()" in inspect.getsource(worker_handlers.WorkerHandler.close)
    assert "'%s:%d' % (self.get_bind_address(), port)" in inspect.getsource(
        local_job_service.LocalJobServicer.start_grpc_server
    )
    assert "socket.getfqdn()" in inspect.getsource(worker_handlers.ExternalWorkerHandler.host_from_worker)
