"""A real Flink cluster on loopback for tests and benchmarks: JobManager, TaskManagers, Beam's Flink job server, a
worker pool.

Each is its own process, on free ports, with the settings of docker-compose.yml. Needs Java 17 and the jars of Flink and
of Beam's Flink runner in one folder: `GRISTMILL_FLINK_JARS`, or a folder beside the project.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import yaml

from tests.endtoend.commands import connected
from tests.paths import PROJECT, SHARED
from tests.store.server import die_with_parent, free_ports

START_S = 90.0
_MB = 1 << 20
_PACKAGES = ("lang", "util", "nio", "io", "net", "lang.invoke", "lang.reflect", "util.concurrent", "util.concurrent.atomic",
             "util.concurrent.locks", "time", "text")  # fmt: skip
_OPENS = [f"--add-opens=java.base/java.{package}=ALL-UNNAMED" for package in _PACKAGES] + [
    "--add-opens=java.base/sun.nio.ch=ALL-UNNAMED",
    "--add-opens=java.base/sun.net.util=ALL-UNNAMED",
    # A few short jobs: what the second compiler and parallel collectors cost is never won back.
    "-XX:TieredStopAtLevel=1",
    "-XX:+UseSerialGC",
    "-Dorg.slf4j.simpleLogger.defaultLogLevel=info",
    "-Dorg.slf4j.simpleLogger.showDateTime=true",
    "-Dorg.slf4j.simpleLogger.dateTimeFormat=HH:mm:ss.SSS",
]


def jars() -> Path | None:
    """The folder of jars, or None."""
    named = os.environ.get("GRISTMILL_FLINK_JARS")
    if named:
        return Path(named)
    found = sorted(SHARED.glob("engines/flink-*/jars")) if SHARED is not None else []
    return found[-1] if found else None


def missing() -> str | None:
    """Why no cluster can be started here, or None."""
    if shutil.which("java") is None:
        return "no java (Debian: openjdk-17-jre-headless)"
    if jars() is None:
        return "no jars of Flink and Beam's Flink runner (GRISTMILL_FLINK_JARS)"
    return None


@dataclass
class FlinkCluster:
    """A running cluster. `environment` is that of the worker pool and of a client."""

    folder: Path
    rest: str
    job_endpoint: str
    worker_port: int
    environment: Mapping[str, str]
    task_managers: int
    slots: int
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def manifest(self, path: Path, **changes: object) -> Path:
        """Write the cluster manifest of this cluster."""
        content = {
            "kind": "cluster",
            "version": 1,
            "runner": "flink",
            "job_endpoint": self.job_endpoint,
            "flink_rest": self.rest,
            "worker_endpoint": f"localhost:{self.worker_port}",
            "parallelism": self.task_managers * self.slots,
            "workers_per_task_manager": self.slots,
            **(
                {"store_endpoint": self.environment["AWS_ENDPOINT_URL"]}
                if "AWS_ENDPOINT_URL" in self.environment
                else {}
            ),
        }
        path.write_text(yaml.safe_dump({**content, **changes}))
        return path

    def get(self, path: str) -> object:
        with urllib.request.urlopen(self.rest + path, timeout=20) as answer:
            return json.loads(answer.read())

    def running_jobs(self) -> list[str]:
        """Names of jobs that have not ended."""
        return [
            job["name"]
            for job in self.get("/jobs/overview")["jobs"]
            if job["state"] not in ("FINISHED", "FAILED", "CANCELED")
        ]

    def ended_jobs(self) -> list[tuple[str, str]]:
        return [(job["name"], job["state"]) for job in self.get("/jobs/overview")["jobs"]]

    def worker_processes(self) -> list[int]:
        """Process ids of the Python workers of this cluster's pool that are at work; those that rest have no
        connection.
        """
        return [
            pid
            for pid in _children(self.processes["pool"].pid)
            if b"pipeline.engines.external_worker" in _command_line(pid) and _connected(pid)
        ]

    def kill(self, name: str) -> None:
        """SIGKILL."""
        process = self.processes.pop(name)
        process.kill()
        process.wait()

    def start_task_manager(self, name: str) -> None:
        self._java(name, "org.apache.flink.runtime.taskexecutor.TaskManagerRunner", ["--configDir", str(self.folder / "conf"), *_memory()],
                   ["-Xmx560m", "-XX:MaxDirectMemorySize=600m", "-XX:MaxMetaspaceSize=256m"])  # fmt: skip

    def wait_for(self, *, task_managers: int) -> None:
        """Until so many TaskManagers are registered and their slots are free."""
        deadline = time.monotonic() + START_S
        while True:
            with contextlib.suppress(OSError, ValueError):
                overview = self.get("/overview")
                if overview["taskmanagers"] == task_managers and overview["slots-available"] == overview["slots-total"]:
                    return
            dead = [name for name, process in self.processes.items() if process.poll() is not None]
            if dead or time.monotonic() > deadline:
                tail = "\n".join((self.folder / f"{name}.log").read_text(errors="replace")[-1500:] for name in dead)
                raise RuntimeError(f"the Flink cluster did not come up; ended: {dead}\n{tail}")
            time.sleep(0.3)

    def start_pool(self, *, command: Sequence[str] = (), environment: Mapping[str, str] | None = None) -> None:
        """`gristmill worker`, or another command that listens on the worker port."""
        words = [*command] or [sys.executable, "-m", "gristmill", "worker", "--port", str(self.worker_port)]
        self._start("pool", words, {**os.environ, **self.environment, **(environment or {})})
        wait_for_port(self.worker_port)

    def _java(self, name: str, main: str, arguments: Sequence[str], heap: Sequence[str]) -> None:
        found = jars()
        assert found is not None
        path = ["-cp", f"{found}/*"]
        if name == "jobserver":
            path = _job_server_path(found)
        self._start(name, ["java", *heap, *_OPENS, *path, main, *arguments], dict(os.environ))

    def _start(self, name: str, command: Sequence[str], environment: Mapping[str, str]) -> None:
        with open(self.folder / f"{name}.log", "ab") as log:
            self.processes[name] = subprocess.Popen(
                command,
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                env=environment,
                cwd=PROJECT,
                start_new_session=True,
                preexec_fn=die_with_parent,
            )

    def start(self) -> None:
        main = "org.apache.flink.runtime.entrypoint.StandaloneSessionClusterEntrypoint"
        sizes = {
            "heap.size": 448,
            "off-heap.size": 128,
            "jvm-metaspace.size": 256,
            "jvm-overhead.min": 192,
            "jvm-overhead.max": 192,
        }
        memory = [word for key, mb in sizes.items() for word in ("-D", f"jobmanager.memory.{key}={mb * _MB}b")]
        self._java("jobmanager", main, ["--configDir", str(self.folder / "conf"), *memory], ["-Xmx448m"])
        for number in range(self.task_managers):
            self.start_task_manager(f"taskmanager-{number + 1}")
        host, port = self.job_endpoint.split(":")
        self._java(
            "jobserver",
            "org.apache.beam.runners.flink.FlinkJobServerDriver",
            [f"--flink-master={self.rest.removeprefix('http://')}", f"--job-host={host}", f"--job-port={port}", "--artifact-port=0",
             "--expansion-port=0", f"--artifacts-dir={self.folder / 'staging'}"],
            ["-Xmx700m"],
        )  # fmt: skip
        self.start_pool()
        self.wait_for(task_managers=self.task_managers)
        wait_for_port(int(port))

    def stop(self) -> None:
        for process in self.processes.values():
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)
        for process in self.processes.values():
            try:
                process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


@contextlib.contextmanager
def flink_cluster(
    folder: Path,
    *,
    environment: Mapping[str, str],
    task_managers: int = 2,
    slots: int = 2,
    settings: Mapping[str, object] | None = None,
) -> Iterator[FlinkCluster]:
    """A cluster for as long as the block runs.

    Args:
        environment: of the worker pool, besides this process' own (an object store's address and keys).
        settings: of Flink, over the defaults.
    """
    (folder / "conf").mkdir(parents=True)
    (folder / "tmp").mkdir()
    rest, rpc, job, worker = free_ports(4)
    configuration: dict[str, object] = {
        "jobmanager.rpc.address": "localhost",
        "jobmanager.rpc.port": rpc,
        "jobmanager.memory.process.size": "1024m",
        "jobmanager.bind-host": "127.0.0.1",
        "rest.address": "localhost",
        "rest.bind-address": "127.0.0.1",
        "rest.port": rest,
        "blob.server.port": 0,
        "taskmanager.bind-host": "127.0.0.1",
        "taskmanager.host": "localhost",
        "taskmanager.numberOfTaskSlots": slots,
        "io.tmp.dirs": str(folder / "tmp"),
        "restart-strategy.type": "fixed-delay",
        "restart-strategy.fixed-delay.attempts": 10,
        "restart-strategy.fixed-delay.delay": "2 s",
        "heartbeat.timeout": 10000,
        "heartbeat.interval": 2000,
        "slot.request.timeout": 60000,
        "classloader.resolve-order": "parent-first",
        **(settings or {}),
    }
    (folder / "conf" / "flink-conf.yaml").write_text(
        "".join(f"{key}: {value}\n" for key, value in configuration.items())
    )
    cluster = FlinkCluster(
        folder, f"http://localhost:{rest}", f"localhost:{job}", worker, environment, task_managers, slots
    )
    try:
        cluster.start()
        yield cluster
    finally:
        cluster.stop()


def wait_for_port(port: int, *, patience_s: float = START_S) -> None:
    deadline = time.monotonic() + patience_s
    while True:
        with socket.socket() as probe:
            if probe.connect_ex(("localhost", port)) == 0:
                return
        if time.monotonic() > deadline:
            raise RuntimeError(f"nothing listens on port {port}")
        time.sleep(0.1)


def _job_server_path(found: Path) -> list[str]:
    """Class path options of the job server.

    It sends its own class path to the cluster with each job, here 118 MB, which the TaskManagers have already. What
    lies on the boot class path is not sent. Flink's and Beam's own classes have to have a class loader.
    """
    own = re.compile(r"(?:flink-(?!shaded|rpc-akka-loader)|beam-runners|beam-sdks)")
    boot = [str(jar) for jar in sorted(found.glob("*.jar")) if not own.match(jar.name)]
    sent = [str(jar) for jar in sorted(found.glob("*.jar")) if own.match(jar.name)]
    return ["-Xbootclasspath/a:" + ":".join(boot), "-cp", ":".join(sent)]


def _memory() -> list[str]:
    sizes = {
        "network.min": 256, "network.max": 256, "framework.heap.size": 128, "task.heap.size": 384, "framework.off-heap.size": 128,
        "managed.size": 256, "jvm-metaspace.size": 256, "jvm-overhead.min": 192, "jvm-overhead.max": 192, "task.off-heap.size": 0,
    }  # fmt: skip
    words = [word for key, mb in sizes.items() for word in ("-D", f"taskmanager.memory.{key}={mb * _MB}b")]
    return [*words, "-D", "taskmanager.cpu.cores=2.0"]


def _children(pid: int) -> list[int]:
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                parent = re.search(r"^PPid:\s+(\d+)", (entry / "status").read_text(), re.MULTILINE)
                if parent is not None and int(parent[1]) == pid:
                    found.append(int(entry.name))
    return found


def _connected(pid: int) -> bool:
    with contextlib.suppress(psutil.Error):
        return connected(psutil.Process(pid))
    return False


def _command_line(pid: int) -> bytes:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    return b""
