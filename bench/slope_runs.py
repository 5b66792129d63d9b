"""Runs commands for bench/slopes.py and records what they cost.

In: commands and counts. Out: points of series and single numbers, in a `Saved`.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.end_to_end import Cost, measure
from bench.power_law import Series

HERE = Path(__file__).resolve().parent
STEPS = ("extract", "decide", "tokenizer", "tokenize")
_COMMANDS = {
    "extract": ["extract"],
    "decide": ["decide"],
    "tokenizer": ["tokenizer", "train"],
    "tokenize": ["tokenize"],
}


@dataclass
class Saved:
    """All series by name, and single figures."""

    series: dict[str, Series] = field(default_factory=dict)
    facts: dict[str, float] = field(default_factory=dict)

    def add(self, name: str, x: float, y: float, *, of: str, unit: str, command: str) -> None:
        """One point of a series; the first point at x = 0 or at the smallest possible input is
        given by `zero` instead.
        """
        series = self.series.setdefault(name, Series(of=of, unit=unit, command=command))
        series.x.append(x)
        series.y.append(y)

    def zero(self, name: str, y: float, *, of: str, unit: str, command: str, x: float = 0.0) -> None:
        """The value `y` of the smallest possible input, and its size where that is not nothing."""
        series = self.series.setdefault(name, Series(of=of, unit=unit, command=command))
        series.zero, series.origin = y, x


@dataclass(frozen=True)
class Bench:
    """Where the corpus is and where to work."""

    corpus: Path
    tokenizer: str
    scratch: Path

    def folder(self, name: str) -> Path:
        path = self.scratch / name
        path.mkdir(parents=True, exist_ok=True)
        return path


def add_series(
    bench: Bench,
    saved: Saved,
    work: str,
    counts: Sequence[int],
    names: dict[str, str],
    *,
    of: str,
    group: str,
    folder: bool = True,
    factor: int = 1,
) -> None:
    """A work of bench/traced.py at four counts and, for the zero, at one."""
    for count in (1, *counts):
        where = bench.folder(f"{work}-{count}")
        result = run_traced(work, count, *([where] if folder else []))
        shutil.rmtree(where)
        for key, name in names.items():
            unit = "CPU s" if key.endswith("cpu_s") else "bytes"
            if count == 1:
                saved.zero(name, result[key], of=of, unit=unit, command=f"--only {group}")
            else:
                saved.add(name, count * factor, result[key], of=of, unit=unit, command=f"--only {group}")
        print(f"{work} {count:9,}  " + "  ".join(f"{key} {value:,.4g}" for key, value in result.items()), flush=True)


def run_steps(corpus: Path, out: Path) -> dict[str, Cost]:
    """All steps as commands of their own."""
    return {step: run_step(step, corpus, out) for step in STEPS}


def run_step(step: str, corpus: Path, out: Path) -> Cost:
    workers = [] if step == "tokenizer" else ["--workers", "1"]
    return measure([sys.executable, "-m", "gristmill", *_COMMANDS[step], str(corpus), "--out", str(out), *workers])


def run_traced(work: str, *arguments: object) -> dict[str, Any]:
    with tempfile.NamedTemporaryFile(suffix=".json") as result:
        command = [sys.executable, str(HERE / "traced.py"), result.name, work, *map(str, arguments)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise SystemExit(f"{' '.join(command)} failed:\n{done.stderr}")
        value: dict[str, Any] = json.loads(Path(result.name).read_text())
        return value


def median_of(runs: list[dict[str, Cost]]) -> dict[str, Cost]:
    """Per step the run with the median of CPU seconds."""
    return {step: sorted((run[step] for run in runs), key=lambda cost: cost.cpu_s)[len(runs) // 2] for step in STEPS}


def line_of(costs: dict[str, Cost]) -> str:
    return "  ".join(f"{step} {cost.cpu_s:.2f} CPU s {cost.peak_mb:.0f} MB" for step, cost in costs.items())
