"""What a cluster and an object store cost, against the embedded runner on local disk, on the same work.

    python bench/cluster.py [CORPUS.yaml]

Four runs of `gristmill prep`: embedded on local disk, embedded from and to an S3 server, on a real Flink cluster (two TaskManagers of one
slot) on local disk, and on Flink from and to the S3 server. CPU seconds are user + system of the command and, on Flink, of every process of
the cluster while the command ran: JobManager, TaskManagers, job server, worker pool and workers. The object store's own CPU is reported
apart. Needs what tests/flink/cluster.py needs. The last line is one JSON object:

    digest_equal   all four runs gave the same digest
    flink_cpu_ratio, flink_s3_cpu_ratio, s3_cpu_ratio   CPU over that of the embedded runner on local disk
    peak_mb        by process, largest resident size (of the JVMs at any time; of the command's and the pool's Python processes each)
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from tests.flink.cluster import FlinkCluster, flink_cluster, missing  # noqa: E402
from tests.flink.conftest import upload  # noqa: E402
from tests.store.server import Store, object_store  # noqa: E402


@dataclass(frozen=True)
class Run:
    """One run of the command. CPU in seconds, by process; the command's own under `command`."""

    digest: str
    wall_s: float
    cpu_s: dict[str, float]

    @property
    def whole_cpu_s(self) -> float:
        return sum(seconds for name, seconds in self.cpu_s.items() if name != "store")


class Peaks(threading.Thread):
    """Largest resident size by name, in MB, of the processes in `watched`, sampled five times a second."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.megabytes: dict[str, float] = {}
        self.watched: dict[str, int] = {}
        self._done = threading.Event()

    def run(self) -> None:
        while not self._done.wait(0.2):
            for name, pid in list(self.watched.items()):
                for label, size in _sizes(name, pid).items():
                    self.megabytes[label] = max(self.megabytes.get(label, 0.0), round(size / 1e6))

    def stop(self) -> None:
        self._done.set()
        self.join()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpus", nargs="?", type=Path, default=HERE / "dev_corpus.yaml")
    corpus = parser.parse_args().corpus.resolve()
    reason = missing()
    if reason is not None:
        raise SystemExit(f"bench/cluster.py: {reason}")
    peaks = Peaks()
    peaks.start()
    with tempfile.TemporaryDirectory() as folder, object_store(Path(folder) / "store") as store:
        runs = compare(corpus, Path(folder), store, peaks)
    peaks.stop()
    for name, run in runs.items():
        cpu = "  ".join(f"{process} {seconds:.1f}" for process, seconds in run.cpu_s.items())
        print(f"{name:<14} {run.whole_cpu_s:7.1f} CPU s  {run.wall_s:6.1f} s wall  {run.digest[:16]}  ({cpu})")
    base = runs["embedded"].whole_cpu_s
    result = {
        "digest_equal": len({run.digest for run in runs.values()}) == 1,
        "flink_cpu_ratio": round(runs["flink"].whole_cpu_s / base, 2),
        "flink_s3_cpu_ratio": round(runs["flink_s3"].whole_cpu_s / base, 2),
        "s3_cpu_ratio": round(runs["embedded_s3"].whole_cpu_s / base, 2),
        "peak_mb": dict(sorted(peaks.megabytes.items())),
        "runs": {name: {**asdict(run), "whole_cpu_s": round(run.whole_cpu_s, 2)} for name, run in runs.items()},
    }
    print(json.dumps(result))


def compare(corpus: Path, folder: Path, store: Store, peaks: Peaks) -> dict[str, Run]:
    """The four runs, the store's corpus uploaded first."""
    in_store = upload(corpus, store, "corpus", folder / "corpus.yaml")
    watched = {"store": store.pid}
    peaks.watched.update(watched)
    runs = {
        "embedded": prep(corpus, str(folder / "embedded"), ["--workers", "2"], watched={}, environment={}, peaks=peaks),
        "embedded_s3": prep(
            in_store,
            store.url("embedded"),
            ["--workers", "2"],
            watched=watched,
            environment=store.environment,
            peaks=peaks,
        ),
    }
    with flink_cluster(folder / "flink", environment=store.environment, slots=1) as cluster:
        options = ["--cluster", str(cluster.manifest(folder / "cluster.yaml"))]
        processes = {**watched, **_processes(cluster)}
        peaks.watched.update(processes)
        runs["flink"] = prep(
            corpus, str(folder / "flink-out"), options, watched=processes, environment=store.environment, peaks=peaks
        )
        runs["flink_s3"] = prep(
            in_store, store.url("flink"), options, watched=processes, environment=store.environment, peaks=peaks
        )
    return runs


def prep(
    corpus: Path, out: str, options: list[str], *, watched: dict[str, int], environment: dict[str, str], peaks: Peaks
) -> Run:
    """Run the command to its end."""
    command = [sys.executable, "-m", "gristmill", "prep", str(corpus), "--out", out, *options, "--json"]
    before, own, began = {name: _cpu_s(pid) for name, pid in watched.items()}, os.times(), os.times().elapsed
    process = subprocess.Popen(command, cwd=HERE.parent, env={**os.environ, **environment}, stdout=subprocess.PIPE)
    peaks.watched["command"] = process.pid
    printed, _ = process.communicate()
    peaks.watched.pop("command")
    after = os.times()
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} ended with status {process.returncode}")
    used = after.children_user + after.children_system - own.children_user - own.children_system
    cpu = {"command": round(used, 2), **{name: round(_cpu_s(pid) - before[name], 2) for name, pid in watched.items()}}
    return Run(json.loads(printed)["digest"], round(after.elapsed - began, 1), cpu)


def _processes(cluster: FlinkCluster) -> dict[str, int]:
    return {name: process.pid for name, process in cluster.processes.items()}


def _cpu_s(pid: int) -> float:
    """User + system seconds of a process, its ended children and its living ones."""
    process = psutil.Process(pid)
    times = process.cpu_times()
    total = times.user + times.system + times.children_user + times.children_system
    for child in process.children(recursive=True):
        try:
            total += child.cpu_times().user + child.cpu_times().system
        except psutil.NoSuchProcess:
            continue
    return float(total)


def _sizes(name: str, pid: int) -> dict[str, int]:
    try:
        process = psutil.Process(pid)
        children = process.children(recursive=True)
        sizes = {name: process.memory_info().rss}
        for child in children:
            label = f"{name}'s worker"
            sizes[label] = max(sizes.get(label, 0), child.memory_info().rss)
    except psutil.NoSuchProcess:
        return {}
    return sizes


if __name__ == "__main__":
    main()
