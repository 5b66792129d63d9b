"""Verification of a run's folder: its record, its order, its metrics, every byte of its checkpoints.

In: the folder that `gristmill train` wrote. Out: how many files it has, and what is wrong, each finding with the file
and how to repair it.
"""

from __future__ import annotations

from collections.abc import Iterator

from manifests.base import load_json, sha256_of
from manifests.errors import GristmillError
from shards.run_record import METRICS, RECORD, load_order, load_record, metrics_in
from storage.files import exists, join, read_bytes
from storage.verify import Finding
from training.checkpoint import check_checkpoints
from training.record import binding


def verify_run(folder: str) -> tuple[int, list[Finding]]:
    """Read every byte of a run's folder and check it.

    Returns:
        The number of files that were read, and what is wrong.
    """
    found: list[Finding] = []
    restore = "restore it from a copy, or choose another `out` and begin anew"
    path = join(folder, RECORD)
    try:
        written = load_json(read_bytes(path), where=path)
        record = load_record(folder)
        if record.sha256 != sha256_of({key: value for key, value in written.items() if key != "sha256"}):
            found.append(Finding(path, "was changed: its sha256 is not that of its content", restore))
        elif record.settings_sha256 != sha256_of(binding(record.run)):
            found.append(Finding(path, "its settings_sha256 is not that of its settings", restore))
        load_order(folder, record)
    except GristmillError as error:
        found.append(Finding(str(error.where), error.message, restore))
    metrics = join(folder, METRICS)
    found += [
        Finding(metrics, message, "`gristmill train` goes on all the same") for message in _metric_messages(metrics)
    ]
    checked, problems = check_checkpoints(folder)
    remedy = (
        "`gristmill train` and `generate` use the newest checkpoint that is whole; restore this one, or remove its"
        " folder"
    )
    found += [Finding(problem.folder, problem.message, remedy) for problem in problems]
    return checked + 2, found


def _metric_messages(path: str) -> Iterator[str]:
    last = -1
    for number, line in enumerate(read_bytes(path).splitlines() if exists(path) else [], 1):
        metrics = metrics_in(line, where=path)
        if metrics is None or metrics["step"] <= last:
            yield f"line {number} is not the line of a later step"
            return
        last = metrics["step"]
