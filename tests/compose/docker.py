"""Docker for tests: a daemon, local images, one compose project, and a check of what it leaves.

In: Debian's docker.io, docker-compose and debootstrap, root, the jars of Flink and of Beam's runner. Out: a `Project`
that runs the real docker-compose.yml. Nothing is installed; a daemon started here is stopped again.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.flink.cluster import jars
from tests.paths import PROJECT

_DAEMON_S = 60.0
_HEALTHY_S = 180.0


def missing() -> str | None:
    """Why the compose file cannot be brought up here, or None."""
    for program in ("docker", "docker-compose", "debootstrap"):
        if shutil.which(program) is None:
            return f"no {program} (Debian: apt-get install docker.io docker-compose debootstrap)"
    if os.geteuid() != 0:
        return "local images are made as root"
    if jars() is None:
        return "no jars of Flink and Beam's Flink runner (GRISTMILL_FLINK_JARS)"
    if not daemon_answers() and shutil.which("dockerd") is None:
        return "no Docker daemon runs, and there is no dockerd to start"
    return None


def daemon_answers() -> bool:
    return subprocess.run(["docker", "info"], capture_output=True, check=False, timeout=60).returncode == 0


@contextlib.contextmanager
def daemon(folder: Path) -> Iterator[str | None]:
    """A Docker daemon while the block runs; gives why there is none, or None.

    One that runs already is used and left alone.
    """
    if daemon_answers():
        yield None
        return
    with open(folder / "dockerd.log", "wb") as log:
        process = subprocess.Popen(
            ["dockerd"], stdout=log, stderr=log, stdin=subprocess.DEVNULL, start_new_session=True
        )
    try:
        deadline = time.monotonic() + _DAEMON_S
        problem = None
        while not daemon_answers():
            if process.poll() is not None or time.monotonic() > deadline:
                lines = (folder / "dockerd.log").read_text(errors="replace").strip().splitlines()
                problem = f"dockerd does not start here: {lines[-1] if lines else 'no output'}"
                break
            time.sleep(0.3)
        yield problem
    finally:
        process.terminate()
        try:
            process.wait(timeout=60)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def local_images(env_file: Path) -> None:
    """Run scripts/local-images; its output is the test's."""
    command = [
        sys.executable,
        str(PROJECT / "scripts" / "local-images"),
        "--jars",
        str(jars()),
        "--env-file",
        str(env_file),
    ]
    subprocess.run(command, check=True)


@dataclass(frozen=True)
class Project:
    """One project of docker-compose on the file of this repository."""

    name: str
    env_file: Path

    def command(self, *words: str) -> list[str]:
        file = str(PROJECT / "docker-compose.yml")
        return ["docker-compose", "--project-name", self.name, "--file", file, "--env-file", str(self.env_file), *words]

    def run(self, *words: str) -> str:
        """Run one command of docker-compose to its end; returns its standard output.

        Raises:
            AssertionError: it failed; with all its output.
        """
        done = subprocess.run(self.command(*words), capture_output=True, text=True, check=False)
        assert done.returncode == 0, (
            f"docker-compose {' '.join(words)} ended with status {done.returncode}\n{done.stdout}\n{done.stderr}"
        )
        return done.stdout

    def container(self, service: str) -> dict[str, Any]:
        """What Docker knows about a service's container."""
        return dict(json.loads(_output("docker", "inspect", self.run("ps", "-q", service).strip()))[0])

    def wait_until_healthy(self) -> None:
        """Until every container that has a health check passes it."""
        deadline = time.monotonic() + _HEALTHY_S
        while waiting := self._not_healthy():
            assert time.monotonic() < deadline, (
                f"not healthy after {_HEALTHY_S:.0f} s: {waiting}\n{self.run('logs', '--tail=20')}"
            )
            time.sleep(1)

    def _not_healthy(self) -> dict[str, str]:
        identifiers = self.run("ps", "-q").split()
        containers = json.loads(_output("docker", "inspect", *identifiers))
        health = {
            container["Name"]: container["State"].get("Health", {}).get("Status", "healthy") for container in containers
        }
        return {name: state for name, state in health.items() if state != "healthy"}

    def flink(self, path: str) -> Any:
        """An answer of Flink's REST service."""
        return json.loads(self.run("exec", "-T", "jobmanager", "curl", "--silent", f"http://localhost:8081{path}"))

    def left_behind(self) -> list[str]:
        """Containers, networks and volumes of this project that exist."""
        label = f"label=com.docker.compose.project={self.name}"
        kinds = {"container": ["--all"], "network": [], "volume": []}
        found = {
            kind: _output("docker", kind, "ls", "-q", *flags, "--filter", label).split()
            for kind, flags in kinds.items()
        }
        return [f"{kind} {name}" for kind, names in found.items() for name in names]


def _output(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout
