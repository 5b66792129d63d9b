"""The development corpora on a real Flink cluster, from and to a real S3 server: the bytes of the embedded runner on local disk.

Undisturbed, with a TaskManager and later a Python worker killed, and with the client killed and started again.
"""

from __future__ import annotations

import os
import re
import signal

import pytest

from tests.endtoend.corpora import tree_hashes
from tests.flink.commands import finish, start, tasks_done, wait_until
from tests.flink.conftest import upload
from tests.paths import DEVELOPMENT_CORPUS, SHARED

pytestmark = [
    pytest.mark.corpora,
    pytest.mark.slow,
    pytest.mark.flink,
    pytest.mark.skipif(SHARED is None, reason="the development corpora are not beside the project"),
]


@pytest.fixture(scope="module")
def in_store(store, tmp_path_factory):
    return upload(DEVELOPMENT_CORPUS, store, "corpora", tmp_path_factory.mktemp("manifest") / "corpus.yaml")


def local_copy(store, prefix, folder):
    """The objects below a prefix as files."""
    filesystem = store.filesystem()
    for key in store.objects(prefix):
        path = folder / key.removeprefix(f"{prefix}/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(filesystem.open_input_file(f"{store.bucket}/{key}").read())
    return folder


def test_undisturbed(cluster, cluster_yaml, store, in_store, prepared_corpora, tmp_path) -> None:
    finish(start(in_store, store.url("plain"), "--cluster", str(cluster_yaml), environment=store.environment))
    assert tree_hashes(local_copy(store, "plain", tmp_path)) == tree_hashes(prepared_corpora)
    assert cluster.running_jobs() == []
    names = [name.split("-")[2] for name, state in cluster.ended_jobs() if state == "FINISHED"]
    assert set(names) >= {"preflight", "extract", "sites", "duplicates", "decisions", "tokenize"}


def test_a_task_manager_and_a_python_worker_are_killed(cluster, cluster_yaml, store, in_store, prepared_corpora, tmp_path) -> None:
    process = start(in_store, store.url("lost"), "--cluster", str(cluster_yaml), environment=store.environment)
    wait_until(lambda: tasks_done(store, "lost", "extract") >= 3, process)
    cluster.kill("taskmanager-1")
    cluster.start_task_manager("taskmanager-1")
    wait_until(lambda: tasks_done(store, "lost", "shards") >= 1 and cluster.worker_processes(), process)
    os.kill(cluster.worker_processes()[0], signal.SIGKILL)
    _, notes = finish(process)
    assert re.search(r"note: a TaskManager was lost; Flink starts the pipeline again", notes)
    assert re.search(r"note: a Python worker.* was lost; Flink starts the pipeline again", notes)
    assert tree_hashes(local_copy(store, "lost", tmp_path)) == tree_hashes(prepared_corpora)
    cluster.wait_for(task_managers=2)


def test_the_client_is_killed_and_started_again(cluster, cluster_yaml, store, in_store, prepared_corpora, tmp_path) -> None:
    process = start(in_store, store.url("client"), "--cluster", str(cluster_yaml), environment=store.environment)
    wait_until(lambda: tasks_done(store, "client", "extract") >= 3, process)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    left = cluster.running_jobs()
    assert len(left) == 1
    done = tasks_done(store, "client", "extract")
    _, notes = finish(start(in_store, store.url("client"), "--cluster", str(cluster_yaml), environment=store.environment))
    assert f"an earlier command left its job: cancelled on the cluster: {left[0]}" in notes
    assert done >= 3
    assert tree_hashes(local_copy(store, "client", tmp_path)) == tree_hashes(prepared_corpora)
