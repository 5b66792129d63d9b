"""The loss curve of a run as text, beside the unigram entropy of its data: what a model reaches that knows only how
frequent each token is.

In: `metrics.jsonl` of a run, the shards of a prepared corpus. Out: lines of ASCII.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from shards.reader import open_shards


def read_losses(metrics: Path) -> list[tuple[int, float]]:
    """(step, loss) of a metrics file, by step; of a step that was logged twice, before and after a resume, the later
    line counts.
    """
    lines = metrics.read_text(encoding="utf-8").splitlines()
    return sorted({int(line["step"]): float(line["loss"]) for line in map(json.loads, lines)}.items())


def entropy(counts: npt.NDArray[np.int64]) -> float:
    """Entropy of the distribution that the counts describe, in nats."""
    shares = counts[counts > 0] / counts.sum()
    return float(-(shares * np.log(shares)).sum())


def unigram_entropy(folder: Path) -> float:
    """Nats per token over all shards of a folder; buckets count by their size, whatever a mixture makes of them."""
    shards = open_shards(str(folder))
    counts = np.zeros(shards.manifest.tokenizer.vocab_size, np.int64)
    for bucket in shards.buckets.values():
        for shard in range(len(bucket.entries)):
            counts += np.bincount(bucket.map_tokens(shard), minlength=len(counts))
    return entropy(counts)


def draw(points: Sequence[tuple[int, float]], *, level: float, label: str, width: int = 72, height: int = 16) -> str:
    """A chart: `*` for the mean of the points in each column, `-` for a level with its label.

    Args:
        points: (step, loss), at least one, sorted by step.
        level: drawn as a line over the whole width.
        width, height: of the plot, without its axis, in characters.
    """
    first, last = points[0][0], points[-1][0]
    columns: dict[int, list[float]] = {}
    for step, loss in points:
        columns.setdefault((step - first) * (width - 1) // max(1, last - first), []).append(loss)
    means = {column: sum(losses) / len(losses) for column, losses in columns.items()}
    top, bottom = max(*means.values(), level), min(*means.values(), level)
    rows = [[" "] * width for _ in range(height)]

    def row_of(value: float) -> int:
        return round((top - value) / (top - bottom or 1.0) * (height - 1))

    rows[row_of(level)] = ["-"] * width
    for column, mean in means.items():
        rows[row_of(mean)][column] = "*"
    lines = [
        f"{top - (top - bottom) * index / (height - 1):7.2f} |{''.join(row).rstrip()}" for index, row in enumerate(rows)
    ]
    lines[row_of(level)] += f" {label}"
    ends = str(first) + str(last).rjust(width - len(str(first)))
    return "\n".join([*lines, f"        +{'-' * width}", f"         {ends} step"])
