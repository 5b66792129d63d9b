"""A part of the development corpora on a real Flink cluster, from and to a real S3 server.

The bytes are those of the embedded runner on local disk: undisturbed, and with the client killed and restarted, then a
TaskManager killed, then a Python worker.
"""

from __future__ import annotations

import os
import re
import signal

import pytest

from tests.endtoend.corpora import tree_hashes
from tests.flink.commands import finish, local_copy, start, tasks_done, wait_until
from tests.flink.conftest import upload
from tests.paths import SHARED

pytestmark = [
    pytest.mark.corpora,
    pytest.mark.slow,
    pytest.mark.flink,
    pytest.mark.skipif(SHARED is None, reason="the development corpora are not beside the project"),
]


@pytest.fixture(scope="module")
def in_store(store, part_manifest, tmp_path_factory):
    return upload(part_manifest, store, "corpora", tmp_path_factory.mktemp("manifest") / "corpus.yaml")


def test_undisturbed(cluster, cluster_yaml, store, in_store, prepared_part, tmp_path) -> None:
    finish(start(in_store, store.url("plain"), "--cluster", str(cluster_yaml), environment=store.environment))
    assert tree_hashes(local_copy(store, "plain", tmp_path)) == tree_hashes(prepared_part)
    assert cluster.running_jobs() == []
    names = [name.split("-")[2] for name, state in cluster.ended_jobs() if state == "FINISHED"]
    assert set(names) >= {"preflight", "extract", "sites", "duplicates", "decisions", "tokenize"}


def test_client_task_manager_and_python_worker_are_killed(
    cluster, cluster_yaml, store, in_store, prepared_part, tmp_path
) -> None:
    """One after the other, each in mid-run; the command is started again once, after the client's death."""

    def run():
        return start(in_store, store.url("lost"), "--cluster", str(cluster_yaml), environment=store.environment)

    client = run()
    wait_until(lambda: tasks_done(store, "lost", "extract") >= 3, client)
    os.killpg(client.pid, signal.SIGKILL)
    client.communicate()
    (left,) = cluster.running_jobs()

    process = run()
    # The second command's own job: the one that was left is cancelled by then.
    wait_until(lambda: any("extract" in name and name != left for name in cluster.running_jobs()), process)
    before = tasks_done(store, "lost", "extract")
    wait_until(lambda: tasks_done(store, "lost", "extract") > before, process)
    cluster.kill("taskmanager-1")
    cluster.start_task_manager("taskmanager-1")
    wait_until(lambda: tasks_done(store, "lost", "shards") >= 1 and cluster.worker_processes(), process)
    os.kill(cluster.worker_processes()[0], signal.SIGKILL)

    _, notes = finish(process)
    assert f"an earlier command left its job: cancelled on the cluster: {left}" in notes
    assert "note: a TaskManager was lost; Flink starts the pipeline again" in notes
    assert re.search(r"note: a Python worker.* was lost; Flink starts the pipeline again", notes)
    assert tree_hashes(local_copy(store, "lost", tmp_path)) == tree_hashes(prepared_part)
    cluster.wait_for(task_managers=2)
