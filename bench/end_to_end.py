"""The data half, whole: CPU seconds, speed per step, peak memory, digest.

    python bench/end_to_end.py [CORPUS.yaml] [--workers N] [--keep DIR]

Each step runs as the command `gristmill STEP` in a process of its own; CPU seconds are user + system of that process and all its
children. MB are megabytes (1e6 bytes) of extracted UTF-8 text, before anything is dropped. The last line is one JSON object.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import psutil

HERE = Path(__file__).resolve().parent
STEPS = ("extract", "decide", "tokenizer", "tokenize")


@dataclass(frozen=True)
class Cost:
    """What one command used: CPU seconds and peak resident megabytes of all its processes together."""

    cpu_s: float
    wall_s: float
    peak_mb: float


def measure(command: list[str]) -> Cost:
    """Run a command to its end; fails when it fails."""
    before, began = os.times(), time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    peak = _Peak(process.pid)
    peak.start()
    status = process.wait()
    peak.stop()
    after = os.times()
    if status:
        raise SystemExit(f"{' '.join(command)} ended with status {status}")
    cpu = (after.children_user - before.children_user) + (after.children_system - before.children_system)
    return Cost(cpu, time.monotonic() - began, peak.megabytes)


class _Peak(threading.Thread):
    """Samples the resident memory of a process tree ten times a second. Shared pages count once per process: an upper bound."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self._pid = pid
        self._done = threading.Event()
        self.megabytes = 0.0

    def run(self) -> None:
        while not self._done.wait(0.1):
            try:
                root = psutil.Process(self._pid)
                total = sum(_resident(process) for process in (root, *root.children(recursive=True)))
            except psutil.NoSuchProcess:
                return
            self.megabytes = max(self.megabytes, total / 1e6)

    def stop(self) -> None:
        self._done.set()
        self.join()


def _resident(process: psutil.Process) -> int:
    try:
        # Memory-mapped inputs are the page cache's: they do not count as memory that the step needs.
        info = process.memory_info()
        return int(info.rss - getattr(info, "shared", 0))
    except psutil.NoSuchProcess:
        return 0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpus", nargs="?", type=Path, default=HERE / "dev_corpus.yaml")
    parser.add_argument("--workers", type=int, default=os.cpu_count())
    parser.add_argument("--keep", type=Path, help="keep the prepared corpus here; must not exist")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        out = options.keep or Path(scratch) / "prepared"
        if out.exists():
            raise SystemExit(f"{out} exists: a benchmark begins with an empty folder")
        costs = {}
        for step in STEPS:
            words = ["tokenizer", "train"] if step == "tokenizer" else [step, "--workers", str(options.workers)]
            costs[step] = measure([sys.executable, "-m", "gristmill", *words, str(options.corpus), "--out", str(out)])
            print(f"{step:<10} {costs[step].cpu_s:8.2f} CPU s {costs[step].wall_s:8.2f} s {costs[step].peak_mb:8.0f} MB peak", flush=True)
        extract = json.loads((out / "extract" / "_MANIFEST.json").read_text())
        shards = json.loads((out / "shards" / "_MANIFEST.json").read_text())
    text_mb = sum(output["text_bytes"] for output in extract["outputs"]) / 1e6
    print(
        json.dumps(
            {
                "text_mb": round(text_mb, 2),
                "whole_mb_per_cpu_s": round(text_mb / sum(cost.cpu_s for cost in costs.values()), 2),
                **{f"{step}_mb_per_cpu_s": round(text_mb / costs[step].cpu_s, 2) for step in ("extract", "decide", "tokenize")},
                "peak_mb": round(max(cost.peak_mb for cost in costs.values())),
                "digest": shards["digest"],
                "documents": extract["ledger"]["kept"],
                "tokens": sum(shard["tokens"] for shard in shards["shards"]),
                "workers": options.workers,
            }
        )
    )


if __name__ == "__main__":
    main()
