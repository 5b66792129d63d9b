"""The training half on real text: every layout against one rank, a kill and resume against an undisturbed run, and learning.

    python bench/training.py [PREPARED] [--steps N] [--learn N]

PREPARED is a folder that `gristmill prep` wrote; without it the development corpora are prepared first. A small Llama trains 20 steps
(fp32, gloo, this machine's CPU) under each layout by the command `gristmill train`; one run is killed by SIGKILL when half its steps are
logged and started again; one run goes on for `--learn` steps. The last line is one JSON object: losses are in nats per token,
`max_loss_difference` and `max_grad_norm_difference` are over all steps and layouts against one rank.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import psutil
import yaml

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from demo.curve import unigram_entropy  # noqa: E402  (the project's root is no installed package)

LAYOUTS: dict[str, tuple[dict[str, int], int]] = {
    "TP1 PP1 DP1": ({}, 1),
    "TP2": ({"tensor": 2}, 2),
    "PP2": ({"pipeline": 2}, 2),
    "DP2": ({}, 2),
    "TP2 PP2": ({"tensor": 2, "pipeline": 2}, 4),
}
SEQUENCE, GLOBAL_BATCH = 128, 8


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("prepared", nargs="?", type=Path)
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--learn", type=int, default=350)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        prepared = options.prepared.resolve() if options.prepared else _prepare(folder)
        runs = {}
        for name, (layout, ranks) in LAYOUTS.items():
            began = time.monotonic()
            runs[name] = _train(_write(folder, name, prepared, layout, steps=options.steps), ranks)
            print(
                f"{name:<12} {ranks} processes  loss {runs[name][-1]['loss']:.6f}  {time.monotonic() - began:6.1f} s",
                flush=True,
            )
        resumed = _killed_and_resumed(
            _write(folder, "killed", prepared, {"tensor": 2}, steps=options.steps), steps=options.steps
        )
        learned = _train(_write(folder, "learn", prepared, {"tensor": 2}, steps=options.learn), 2)
        entropy = unigram_entropy(prepared / "shards")
    one = runs["TP1 PP1 DP1"]
    last = [line["loss"] for line in learned[-10:]]
    print(
        json.dumps(
            {
                "steps": options.steps,
                "max_loss_difference": max(_difference(one, run, "loss") for run in runs.values()),
                "max_grad_norm_difference": max(_difference(one, run, "grad_norm") for run in runs.values()),
                "same_samples": all(
                    [a["samples_xxh3"] for a in run] == [b["samples_xxh3"] for b in one] for run in runs.values()
                ),
                "killed_and_resumed_difference": _difference(runs["TP2"], resumed, "loss"),
                "learned_steps": options.learn,
                "learned_loss": round(sum(last) / len(last), 4),
                "unigram_entropy": round(entropy, 4),
                "tokens_per_s_tp2": round(sum(line["tokens_per_second"] for line in learned) / len(learned)),
            }
        )
    )


def _prepare(folder: Path) -> Path:
    command = ["prep", str(HERE / "dev_corpus.yaml"), "--out", str(folder / "prepared"), "--json"]
    subprocess.run([sys.executable, "-m", "gristmill", *command], check=True, stdout=subprocess.DEVNULL)
    return folder / "prepared"


def _write(folder: Path, name: str, prepared: Path, layout: dict[str, int], *, steps: int) -> Path:
    manifest = {
        "kind": "run",
        "version": 1,
        "name": name,
        "seed": 7,
        "data": str(prepared),
        "out": str(folder / "runs" / name),
        "model": "tiny",
        "layout": layout,
        "optimizer": {"peak_lr": 3e-3},
        "schedule": {"warmup_steps": 10},
        "sequence": SEQUENCE,
        "global_batch": GLOBAL_BATCH,
        "micro_batch": 2,
        "tokens": steps * SEQUENCE * GLOBAL_BATCH,
        "checkpoint": {"every_steps": max(1, steps // 4)},
    }
    path = folder / f"{name.replace(' ', '-')}.yaml"
    path.write_text(yaml.safe_dump(manifest))
    return path


def _command(run: Path, ranks: int) -> list[str]:
    return [sys.executable, "-m", "gristmill", "train", str(run), "--processes", str(ranks), "--json"]


def _train(run: Path, ranks: int) -> list[dict[str, Any]]:
    subprocess.run(_command(run, ranks), check=True, stdout=subprocess.DEVNULL)
    return _metrics(run)


def _metrics(run: Path) -> list[dict[str, Any]]:
    path = Path(yaml.safe_load(run.read_text())["out"]) / "metrics.jsonl"
    # A line that is being written has no line feed yet.
    return [json.loads(line) for line in path.read_text().split("\n")[:-1]] if path.exists() else []


def _killed_and_resumed(run: Path, *, steps: int) -> list[dict[str, Any]]:
    process = subprocess.Popen(_command(run, 2), stdout=subprocess.DEVNULL, start_new_session=True)
    while process.poll() is None and len(_metrics(run)) < steps // 2 + 1:
        time.sleep(0.01)
    if process.poll() is not None:
        raise SystemExit("the run ended before it could be killed: give it more steps")
    # The ranks are in sessions of their own: killing the launcher alone would let them save a checkpoint and stop in
    # order.
    command = psutil.Process(process.pid)
    victims = [*command.children(recursive=True), command]
    for victim in victims:
        with contextlib.suppress(psutil.NoSuchProcess):
            victim.kill()
    process.wait()
    psutil.wait_procs(victims, timeout=30)
    return _train(run, 2)


def _difference(one: list[dict[str, Any]], other: list[dict[str, Any]], key: str) -> float:
    if [line["step"] for line in one] != [line["step"] for line in other]:
        raise SystemExit("two runs logged different steps")
    return max(abs(a[key] - b[key]) for a, b in zip(one, other, strict=True))


if __name__ == "__main__":
    main()
