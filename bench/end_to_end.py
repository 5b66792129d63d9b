"""The data half, whole: CPU seconds, speed per step, peak memory, digest.

    python bench/end_to_end.py [CORPUS.yaml] [--workers N] [--keep DIR]

`whole` is one run of `gristmill prep`; then each step runs once more as a command of its own, into another folder, which must give the
same digest. CPU seconds are user + system of a command and all its children, start-up included. MB are megabytes (1e6 bytes) of extracted
UTF-8 text, before anything is dropped. The last line is one JSON object.
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
sys.path.insert(0, str(HERE.parent))

from shards.writer import load_manifest  # noqa: E402  (the project's root is no installed package)

STEPS = ("extract", "decide", "tokenizer", "tokenize")
_COMMANDS = {
    "extract": ["extract"],
    "decide": ["decide"],
    "tokenizer": ["tokenizer", "train"],
    "tokenize": ["tokenize"],
}


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
    """Samples the resident memory of a process tree ten times a second.

    Shared pages count once per process: an upper bound.
    """

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
        whole = _step(["prep"], options, out)
        costs = {step: _step(_COMMANDS[step], options, Path(scratch) / "steps") for step in STEPS}
        extract = json.loads((out / "extract" / "_MANIFEST.json").read_text())
        shards, again = (load_manifest(str(folder / "shards")) for folder in (out, Path(scratch) / "steps"))
    if shards.digest != again.digest:
        raise SystemExit(f"two runs gave two digests: {shards.digest} and {again.digest}")
    text_mb = sum(output["text_bytes"] for output in extract["outputs"]) / 1e6
    result = {
        "text_mb": round(text_mb, 2),
        "whole_mb_per_cpu_s": round(text_mb / whole.cpu_s, 2),
        **{f"{step}_mb_per_cpu_s": round(text_mb / costs[step].cpu_s, 2) for step in ("extract", "decide", "tokenize")},
        "peak_mb": round(max(cost.peak_mb for cost in (whole, *costs.values()))),
        "digest": shards.digest,
        "whole_cpu_s": round(whole.cpu_s, 2),
        "whole_wall_s": round(whole.wall_s, 2),
        "documents": extract["ledger"]["kept"],
        "tokens": sum(shard.tokens for shard in shards.shards),
        "workers": options.workers,
    }
    print(json.dumps(result))


def _step(words: list[str], options: argparse.Namespace, out: Path) -> Cost:
    workers = [] if words[0] == "tokenizer" else ["--workers", str(options.workers)]
    cost = measure([sys.executable, "-m", "gristmill", *words, str(options.corpus), "--out", str(out), *workers])
    print(f"{' '.join(words):<16} {cost.cpu_s:8.2f} CPU s {cost.wall_s:8.2f} s {cost.peak_mb:8.0f} MB peak", flush=True)
    return cost


if __name__ == "__main__":
    main()
