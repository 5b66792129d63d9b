"""The worker pool: workers that cannot start say why.

Several TaskManagers may use the same numbers; no worker outlives the pool.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import grpc
import pytest
from apache_beam.portability.api import beam_fn_api_pb2_grpc

from manifests.errors import GristmillError
from pipeline.engines import worker_pool as module
from pipeline.engines.worker_pool import Workers, worker_pool
from tests.paths import PROJECT


@pytest.fixture
def workers(monkeypatch, tmp_path):
    """Workers whose processes run a script in place of Python: `ready`, then they sleep."""
    script = tmp_path / "python"
    script.write_text("#!/bin/sh\necho ready\nexec sleep 600\n")
    script.chmod(0o755)
    monkeypatch.setattr(module.sys, "executable", str(script))
    pool = Workers()
    yield pool
    pool.stop_all()


def alive(pool: Workers) -> int:
    return sum(service.worker.process.poll() is None for known in pool._services.values() for service in known)


def script(monkeypatch, tmp_path, text) -> None:
    (tmp_path / "python").write_text(f"#!/bin/sh\n{text}\n")


def test_a_worker_starts_and_stops(workers) -> None:
    assert workers.start("1-1", "localhost:1") is None
    assert alive(workers) == 1
    workers.stop("1-1")
    workers.stop("unknown")
    assert alive(workers) == 0


def test_a_worker_that_cannot_start_says_why(workers, monkeypatch, tmp_path) -> None:
    script(monkeypatch, tmp_path, "echo \"ModuleNotFoundError: No module named 'apache_beam'\" >&2; exit 1")
    assert (
        workers.start("1-1", "localhost:1")
        == "the Python worker did not start: ModuleNotFoundError: No module named 'apache_beam'"
    )


def test_a_worker_that_is_given_up_ends(workers, monkeypatch, tmp_path) -> None:
    script(monkeypatch, tmp_path, "exec sleep 60")
    gone = threading.Event()
    threading.Timer(0.3, gone.set).start()
    began = time.monotonic()
    assert workers.start("1-1", "localhost:1", gone=gone) is not None
    assert time.monotonic() - began < 10
    assert alive(workers) == 0


def test_numbers_of_two_task_managers_collide(workers) -> None:
    workers.start("1-1", "localhost:1")
    workers.start("1-1", "localhost:2")
    workers.stop("1-1")
    assert alive(workers) == 2, "one of them may still be at work for the other TaskManager"
    workers.stop("1-1")
    assert alive(workers) == 0


def test_a_killed_worker_is_still_asked_for(workers) -> None:
    workers.start("1-1", "localhost:1")
    workers.start("1-1", "localhost:2")
    os.kill(workers._services["1-1"][0].worker.process.pid, signal.SIGKILL)
    time.sleep(0.2)
    workers.stop("1-1")
    assert alive(workers) == 1
    workers.stop("1-1")
    assert alive(workers) == 0


def test_a_worker_that_lost_its_task_manager_is_not_waited_for(workers, monkeypatch, tmp_path) -> None:
    script(monkeypatch, tmp_path, "echo ready; sleep 0.1; exit 1")
    workers.start("1-1", "localhost:1")
    script(monkeypatch, tmp_path, "echo ready; exec sleep 600")
    workers.start("1-1", "localhost:2")
    time.sleep(0.3)
    workers.stop("1-1")
    assert alive(workers) == 0


ONE_AFTER_THE_OTHER = "echo ready; sleep 0.3; echo done; read -r url id; echo ready; exec sleep 600"


def test_a_worker_that_has_finished_serves_the_next_job(workers, monkeypatch, tmp_path) -> None:
    script(monkeypatch, tmp_path, ONE_AFTER_THE_OTHER)
    workers.start("1-1", "localhost:1")
    first = workers._services["1-1"][0]
    workers.stop("1-1")
    assert first.finished
    assert first.worker.process.poll() is None, "stopped by name, it has finished in time, and rests"
    assert workers.start("1-2", "localhost:2") is None
    assert workers._services["1-2"][0].worker is first.worker
    workers.stop_all()
    assert first.worker.process.poll() is not None


def test_a_worker_rests_for_a_while_only(workers, monkeypatch, tmp_path) -> None:
    monkeypatch.setattr(workers._idle, "_patience_s", 0.2)
    script(monkeypatch, tmp_path, ONE_AFTER_THE_OTHER)
    workers.start("1-1", "localhost:1")
    process = workers._services["1-1"][0].worker.process
    assert process.wait(timeout=10) != 0
    assert workers._idle.take() is None


def test_a_loss_in_the_second_job_is_told_and_one_at_rest_is_not(monkeypatch, tmp_path) -> None:
    told: list[str] = []
    (tmp_path / "python").write_text(f"#!/bin/sh\n{ONE_AFTER_THE_OTHER}\n")
    (tmp_path / "python").chmod(0o755)
    monkeypatch.setattr(module.sys, "executable", str(tmp_path / "python"))
    pool = Workers(on_loss=told.append)
    for kill_at_rest in (True, False):
        pool.start("1-1", "localhost:1")
        service = pool._services["1-1"][-1]
        assert service.over.wait(10)
        if kill_at_rest:
            service.worker.process.kill()
            service.worker.process.wait()
    assert told == []
    pool.start("1-2", "localhost:2")
    service = pool._services["1-2"][0]
    assert service.ready
    service.worker.process.kill()
    assert service.over.wait(10)
    assert [text.split("; ")[0] for text in told] == [
        f"the Python worker 1-2, process {service.worker.process.pid}, was killed by SIGKILL (Killed)"
    ]
    pool.stop_all()


def test_a_taken_port_is_an_error() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(GristmillError, match="cannot be bound"), worker_pool(port=port):
            pass


class SilentControl(beam_fn_api_pb2_grpc.BeamFnControlServicer):
    """A TaskManager that never asks its worker for anything."""

    def Control(self, _requests, context):
        while context.is_active():
            time.sleep(0.1)
        yield from ()


def test_workers_end_with_a_killed_pool() -> None:
    server = grpc.server(ThreadPoolExecutor(4))
    beam_fn_api_pb2_grpc.add_BeamFnControlServicer_to_server(SilentControl(), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    code = (
        "import time\nfrom pipeline.engines.worker_pool import Workers\n"
        f"pool = Workers()\nassert pool.start('1-1', 'localhost:{port}') is None\n"
        "print(pool._services['1-1'][0].worker.process.pid, flush=True)\ntime.sleep(60)\n"
    )
    pool = subprocess.Popen(
        [sys.executable, "-c", code], cwd=PROJECT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    try:
        worker = int(pool.stdout.readline())
        os.kill(worker, 0)
    finally:
        pool.kill()
        pool.wait()
    deadline = time.monotonic() + 20
    while Path(f"/proc/{worker}/cmdline").exists() and Path(f"/proc/{worker}/cmdline").read_bytes():
        assert time.monotonic() < deadline
        time.sleep(0.1)
    server.stop(0)
