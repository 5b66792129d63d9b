"""Stages that hand records on: in order, task by task, and only what is not finished."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from manifests.step import Output
from pipeline.decide.exchange import Shape, receive, send
from pipeline.decide.runs import RunJob
from pipeline.decide.stages import Stage, numbered, run_stages, tasks_in
from pipeline.engines.runners import Helpers, Runner
from pipeline.engines.tasks import pending_tasks
from pipeline.schemas import publish_ipc, read_ipc
from tests.property.test_exchange import SETTINGS

SHAPE = Shape(5, 3)


def send_number(number: int, job: RunJob) -> list[Output]:
    """Sends its number to all destinations."""
    batch = pa.RecordBatch.from_arrays([pa.array([number] * 3)], names=["number"])
    return [send(job, "handed", number, batch, np.arange(3), shape=SHAPE)]


def publish_sum(number: int, job: RunJob) -> list[Output]:
    """Publishes the sum of what it gets."""
    total = sum(receive(job, "handed", number, shape=SHAPE)["number"].to_pylist())
    batch = pa.RecordBatch.from_arrays([pa.array([100 * number + total])], names=["sum"])
    return [publish_ipc(job.folder, f"sums/{number}.arrow", [batch], batch.schema)]


def stages() -> list[Stage]:
    return [
        Stage("Numbers", send_number, partial(numbered, stage="handed"), 5, (("handed", SHAPE),)),
        Stage("Sums", publish_sum, partial(numbered, stage="sums"), 3),
    ]


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("fan", [2, 9], ids=["two levels", "one level"])
def test_only_what_is_not_finished_is_done(tmp_path: Path, workers: int, fan: int, helpers: Helpers) -> None:
    job = RunJob(settings=SETTINGS, extract="", folder=str(tmp_path), key="k", runs=5, fan=fan, parts=5)
    runner = Runner(workers=workers, helpers=helpers)
    run_stages(stages(), job, runner=runner)
    sums = [tmp_path / "sums" / f"{number}.arrow" for number in range(3)]
    assert [read_ipc(str(path))["sum"].to_pylist() for path in sums] == [[10], [110], [210]]
    assert not pending_tasks([task for stage in stages() for task in tasks_in(stage, job)], folder=job.folder)
    times = [path.stat().st_mtime_ns for path in sums]
    run_stages(stages(), job, runner=runner)
    assert [path.stat().st_mtime_ns for path in sums] == times
    sums[1].unlink()
    (tmp_path / "handed" / "000002.arrow").unlink()
    run_stages(stages(), job, runner=runner)
    assert [path.stat().st_mtime_ns == time for path, time in zip(sums, times, strict=True)] == [True, False, True]
    assert read_ipc(str(sums[1]))["sum"].to_pylist() == [110]
