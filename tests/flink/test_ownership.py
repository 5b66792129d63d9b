"""The command owns its job: whatever ends the command also ends the job, with a message.

Errors are the worker's own.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml

from tests.flink.commands import fail, start, wait_until
from tests.paths import PROJECT

pytestmark = [pytest.mark.flink, pytest.mark.slow]


def nothing_left(cluster, *, patience_s: float) -> None:
    """No job on the cluster and no worker process, in time."""
    deadline = time.monotonic() + patience_s
    while cluster.running_jobs() or cluster.worker_processes():
        assert time.monotonic() < deadline, (cluster.running_jobs(), cluster.worker_processes())
        time.sleep(0.1)


def working(cluster) -> bool:
    """A job of a step has Python workers at work."""
    return any("preflight" not in name for name in cluster.running_jobs()) and bool(cluster.worker_processes())


def test_ctrl_c_cancels_the_job(cluster, cluster_yaml, small, store) -> None:
    process = start(small.path, store.url("stopped"), "--cluster", str(cluster_yaml), environment=store.environment)
    wait_until(lambda: working(cluster), process)
    began = time.monotonic()
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=15)
    nothing_left(cluster, patience_s=15 - (time.monotonic() - began))
    assert process.returncode == 130
    assert "cancelled on the cluster: gristmill-" in errors.decode()
    assert "run the same command again" in errors.decode()


def test_an_error_is_the_workers_own(cluster, cluster_yaml, store, tmp_path) -> None:
    pq.write_table(pa.table({"body": ["no text column"]}), tmp_path / "a.parquet")
    source = {"name": "tables", "format": "parquet", "files": ["a.parquet"], "licence": "none"}
    (tmp_path / "corpus.yaml").write_text(
        yaml.safe_dump(
            {"kind": "corpus", "name": "broken", "sources": [source], "tokenizer": {"train": {"vocab_size": 300}}}
        )
    )
    process = start(
        tmp_path / "corpus.yaml", store.url("broken"), "--cluster", str(cluster_yaml), environment=store.environment
    )
    on_cluster, _ = fail(process)
    embedded, _ = fail(start(tmp_path / "corpus.yaml", str(tmp_path / "out"), "--workers", "1", environment={}))
    assert embedded.strip() in on_cluster
    assert "a.parquet" in embedded
    assert "java" not in on_cluster
    assert "Traceback" not in on_cluster
    nothing_left(cluster, patience_s=15)


def test_detached_listed_and_cancelled_by_either_name(cluster, cluster_yaml, small, store, tmp_path) -> None:
    environment = {**os.environ, **store.environment, "XDG_STATE_HOME": str(tmp_path)}

    def command(*words: str, status: int = 0) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "gristmill", *words],
            cwd=PROJECT,
            env=environment,
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode == status, done.stderr
        return done.stdout

    def detach() -> str:
        printed = command(
            "prep", str(small.path), "--out", store.url("detached"), "--cluster", str(cluster_yaml), "--detach"
        )
        deadline = time.monotonic() + 120
        while not working(cluster):
            assert time.monotonic() < deadline, command("jobs")
            time.sleep(0.2)
        return printed.split()[1]

    first = detach()
    listed = command("jobs", "--cluster", str(cluster_yaml))
    assert first in listed
    assert cluster.running_jobs()[0] in listed
    # By the detached command's name: the command stops, and cancels its job as after Ctrl-C.
    assert "cancelled" in command("jobs", "cancel", first)
    nothing_left(cluster, patience_s=15)
    assert "cancelled on the cluster" in command("jobs", "follow", first, status=130)

    # By the job's name on the cluster: the command finds its job cancelled, and fails.
    second = detach()
    assert "cancelled" in command("jobs", "cancel", cluster.running_jobs()[0], "--cluster", str(cluster_yaml))
    assert "the job was cancelled" in command("jobs", "follow", second, status=1)
    nothing_left(cluster, patience_s=15)
