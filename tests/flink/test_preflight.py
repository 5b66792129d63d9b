"""Each pre-flight failure, provoked on a real cluster: its message and remedy come within twenty seconds.

Failures that need a cluster with other settings are in tests/pipeline/engines/test_preflight.py, with recorded answers
of Flink's REST service.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys

import pytest

from tests.flink.cluster import wait_for_port
from tests.flink.commands import fail, start
from tests.paths import PROJECT
from tests.store.server import free_ports

pytestmark = [pytest.mark.flink, pytest.mark.slow]
LIMIT_S = 20


def others_at_work() -> float:
    """How much longer what takes processor time takes now than alone: other tests run beside."""
    return max(1.5, os.getloadavg()[0] / (os.cpu_count() or 1))


@contextlib.contextmanager
def pool(environment, *, module=("gristmill", "worker", "--port"), path=None):
    """A second worker pool; gives its port."""
    port = closed_port()
    own = {**os.environ, **environment, **({"PATH": path} if path else {})}
    process = subprocess.Popen(
        [sys.executable, "-m", *module, str(port)],
        cwd=PROJECT,
        env=own,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        wait_for_port(port)
        yield port
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@pytest.fixture
def failure(cluster, small, store, tmp_path):
    """Runs the command with a changed cluster manifest; gives its error."""

    def run(*, environment=None, corpus=small.path, **changes):
        manifest = cluster.manifest(tmp_path / "cluster.yaml", **changes)
        process = start(
            corpus,
            store.url("preflight"),
            "--cluster",
            str(manifest),
            environment={**store.environment, **(environment or {})},
        )
        told, seconds = fail(process)
        assert seconds < LIMIT_S * others_at_work()
        assert "remedy: " in told
        assert "Traceback" not in told
        assert cluster.running_jobs() == []
        return told

    return run


def closed_port() -> int:
    return free_ports(1)[0]


def test_no_job_service(failure) -> None:
    address = f"localhost:{closed_port()}"
    assert f"{address}: the job service cannot be reached" in failure(job_endpoint=address)


def test_something_else_than_a_job_service(failure, cluster) -> None:
    assert "does not answer as a Beam job service" in failure(job_endpoint=cluster.rest.removeprefix("http://"))


def test_no_flink(failure) -> None:
    assert "Flink's REST service does not answer" in failure(flink_rest=f"http://localhost:{closed_port()}")


def test_too_few_slots(failure) -> None:
    assert "parallelism 9 wants as many slots, and 2 TaskManagers have 2" in failure(parallelism=9)


def test_no_worker_pool(failure) -> None:
    assert "no worker pool answers beside a TaskManager" in failure(worker_endpoint=f"localhost:{closed_port()}")


def test_a_worker_that_cannot_start(failure, store, tmp_path) -> None:
    # The worker's own import fails, the pool's does not.
    (tmp_path / "fastwarc.py").write_text("")
    (tmp_path / "sitecustomize.py").write_text(
        "import sys\nif 'pipeline.engines.external_worker' in ' '.join(sys.orig_argv):\n    sys.modules['apache_beam']"
        " = None\n"
    )
    with pool({**store.environment, "PYTHONPATH": str(tmp_path)}) as port:
        told = failure(worker_endpoint=f"localhost:{port}")
    assert "a Python worker cannot start" in told
    assert "apache_beam" in told


def test_a_worker_of_another_pool_that_dies_in_silence(failure, store, tmp_path) -> None:
    # Beam's own pool starts the first `python` on PATH and calls it started.
    (tmp_path / "python").write_text("#!/bin/sh\nexit 1\n")
    (tmp_path / "python").chmod(0o755)
    beams_own = ("apache_beam.runners.worker.worker_pool_main", "--service_port")
    with pool(store.environment, module=beams_own, path=f"{tmp_path}:{os.environ['PATH']}") as port:
        told = failure(worker_endpoint=f"localhost:{port}", worker_start_timeout_s=8)
    assert "no Python worker showed up within 8 s" in told


def test_another_version(failure, store, tmp_path) -> None:
    other = tmp_path / "xxhash-0.0.1.dist-info"
    other.mkdir()
    (other / "METADATA").write_text("Metadata-Version: 2.1\nName: xxhash\nVersion: 0.0.1\n")
    with pool({**store.environment, "PYTHONPATH": str(tmp_path)}) as port:
        told = failure(worker_endpoint=f"localhost:{port}")
    assert "computes with other versions: xxhash 0.0.1, here " in told


def test_another_store_in_the_workers_environment(failure, store) -> None:
    with pool({**store.environment, "AWS_ENDPOINT_URL": "http://localhost:1"}) as port:
        told = failure(worker_endpoint=f"localhost:{port}")
    assert (
        f"AWS_ENDPOINT_URL is http://localhost:1, and the cluster manifest's `store_endpoint` is {store.endpoint}"
        in told
    )


def test_wrong_keys_in_the_workers_environment(failure, store) -> None:
    with pool({**store.environment, "AWS_SECRET_ACCESS_KEY": "something-else"}) as port:
        told = failure(worker_endpoint=f"localhost:{port}")
    assert "AWS_SECRET_ACCESS_KEY" in told
    assert store.url("preflight") in told
    assert "something-else" not in told


def test_no_store(failure) -> None:
    address = f"http://localhost:{closed_port()}"
    assert f"the store at {address} cannot be reached" in failure(
        store_endpoint=address, environment={"AWS_ENDPOINT_URL": address}
    )
