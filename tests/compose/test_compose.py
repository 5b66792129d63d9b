"""docker-compose.yml, really started with local images: the client's digest, a killed TaskManager, the trainer.

Nothing may be left afterwards. Run by `make test-compose`; takes minutes. Skipped, with the reason, if Docker cannot be
started.
"""

from __future__ import annotations

import json
import math
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from tests.compose.docker import Project, daemon, local_images, missing

pytestmark = [pytest.mark.compose, pytest.mark.timeout(900)]

# A few MB of two sources in some files each, so that all four slots have work; the whole demo takes a few minutes more.
CORPUS = ["--sources", "factbook,django", "--split", "4"]
KILLED = "taskmanager-1"


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    reason = missing()
    if reason is not None:
        pytest.skip(reason)
    folder = tmp_path_factory.mktemp("compose")
    with daemon(folder) as problem:
        if problem is not None:
            pytest.skip(problem)
        local_images(folder / "local-images.env")
        project = Project(f"gristmill-test-{os.getpid()}", folder / "local-images.env")
        try:
            project.run("up", "-d")
            project.wait_until_healthy()
            yield project
        finally:
            project.run("down", "--volumes", "--remove-orphans")


@dataclass(frozen=True)
class ClientRun:
    """The client's last line, and what came before it."""

    digests: dict[str, Any]
    output: str


@pytest.fixture(scope="module")
def undisturbed(project: Project) -> ClientRun:
    return ended(start_client(project, "demo"))


def test_the_cluster_gives_the_digest_of_the_embedded_runner(undisturbed: ClientRun) -> None:
    assert undisturbed.digests["digest_equal"] is True
    assert undisturbed.digests["cluster"] == undisturbed.digests["embedded"]
    assert len(undisturbed.digests["cluster"]) == 64
    assert undisturbed.output.count("balanced") == 6, "three ledgers each of two runs"


@pytest.mark.parametrize("service", ["worker-1", "worker-2", "jobmanager", "taskmanager-1"])
def test_services_run_as_an_ordinary_user(project: Project, service: str) -> None:
    assert int(project.run("exec", "-T", service, "id", "-u")) >= 1000


def test_a_killed_task_manager_changes_nothing(project: Project, undisturbed: ClientRun) -> None:
    before = project.container(KILLED)["State"]["StartedAt"]
    client = start_client(project, "disturbed")
    job = wait_for_job(project, "extract", client)
    # The main process, from outside: `docker kill` would count as a wish to keep it stopped.
    os.kill(project.container(KILLED)["State"]["Pid"], signal.SIGKILL)
    run = ended(client)

    assert run.digests["cluster"] == undisturbed.digests["cluster"]
    state = project.container(KILLED)["State"]
    assert state["Running"], "its restart policy brings it back"
    assert state["StartedAt"] > before
    log = project.run("logs", "--no-color", "jobmanager")
    assert any(job in line and "RESTARTING" in line for line in log.splitlines()), "the job was hit in mid-run"
    assert project.flink("/overview")["taskmanagers"] == 2, (
        "it is back on the cluster, with its worker reachable as before"
    )
    assert project.flink(f"/jobs/{job}")["state"] == "FINISHED"


def test_the_trainer_takes_twenty_steps_on_shards_from_the_store(project: Project, undisturbed: ClientRun) -> None:
    assert undisturbed.digests["digest_equal"] is True
    project.run("run", "--rm", "trainer")
    text = project.run("run", "--rm", "--no-deps", "-T", "--entrypoint", "cat", "trainer", "/work/run/metrics.jsonl")
    lines = [json.loads(line) for line in text.splitlines()]
    losses = [line["loss"] for line in lines]
    assert [line["step"] for line in lines] == list(range(20))
    assert all(math.isfinite(loss) for loss in losses)
    assert losses[-1] < losses[0] - 0.3, "it learns"
    copies = project.run(
        "run", "--rm", "--no-deps", "-T", "--entrypoint", "find", "trainer", "/work/cache", "-name", "*.arrow"
    )
    assert copies.strip(), "what it read are copies of the store's shards"


def test_down_leaves_nothing(project: Project) -> None:
    assert len(project.left_behind()) > 12, "the check sees what is there"
    project.run("down", "--volumes")
    assert project.left_behind() == []


def start_client(project: Project, name: str) -> subprocess.Popen[str]:
    """The client in the background, preparing from the start under `name`."""
    command = project.command("run", "--rm", "-T", "client", *CORPUS, "--name", name)
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, text=True
    )


def ended(client: subprocess.Popen[str]) -> ClientRun:
    output, _ = client.communicate()
    assert client.returncode == 0, output
    last = next(line for line in reversed(output.splitlines()) if line.startswith("{"))
    return ClientRun(json.loads(last), output)


def wait_for_job(project: Project, step: str, client: subprocess.Popen[str]) -> str:
    """The id of the running job of a step, once its tasks have been at work for a moment."""
    ended_before = {job["jid"] for job in project.flink("/jobs/overview")["jobs"]}
    while client.poll() is None:
        for job in project.flink("/jobs/overview")["jobs"]:
            if job["jid"] not in ended_before and f"-{step}-" in job["name"] and job["tasks"]["running"]:
                time.sleep(1.5)
                return str(job["jid"])
        time.sleep(0.5)
    raise AssertionError(f"the client ended before its job `{step}` ran: {client.communicate()[0]}")
