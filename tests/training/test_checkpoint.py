"""Checkpoints: resuming is exact.

Half-written ones and those of other runs are not used; a full disk leaves the last one.
"""

from __future__ import annotations

import errno
import json
import os
import shutil
import signal
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from manifests.errors import GristmillError
from manifests.run import Run
from storage.files import sha256_file
from storage.lock import only_writer
from tests.training.data import MODEL, make_corpus, make_run, metrics
from training import checkpoint
from training.loop import train
from training.metrics import StepMetrics

# The corpus of these tests is made of numbers, not of texts.
NOT_ENCODED = "note: no document was encoded again: there is no tokenizer.model beside the shards"
EVERY_5 = {"every_steps": 5, "keep": 2}


@pytest.fixture
def stopped(tmp_path: Path, corpus: tuple[Path, np.ndarray]) -> Run:
    """A run of 20 steps that was stopped after step 12: checkpoints of steps 10 and 12 are there."""
    run = make_run(tmp_path, name="run", data=corpus[0], checkpoint=EVERY_5)
    result = train(run, stop_after=12)
    assert (result.step, result.checkpoint, result.stopped) == (12, f"{run.out}/checkpoints/step-00000012", False)
    assert steps_of(run) == [10, 12]
    return run


def losses(run: Run | Path) -> list[float]:
    lines = metrics(Path(run.out if isinstance(run, Run) else run))
    assert [line["step"] for line in lines] == list(range(len(lines)))
    return [line["loss"] for line in lines]


def steps_of(run: Run) -> list[int]:
    """Of whatever lies in the folder of checkpoints; anything else there is an error."""
    return sorted(int(path.name.removeprefix("step-")) for path in Path(run.out, "checkpoints").iterdir())


def hashes(folder: Path) -> dict[str, str]:
    return {str(path): sha256_file(str(path)) for path in folder.rglob("*") if path.is_file() and path.name != ".lock"}


def without(run: Run, step: int) -> None:
    shutil.rmtree(checkpoint.folder_of(run.out, step))


def test_resumed_is_uninterrupted(stopped: Run, alone: Path) -> None:
    said: list[str] = []
    result = train(stopped, say=said.append)
    assert said == [NOT_ENCODED, "resumed after step 12 of 20 (written by tensor 1, pipeline 1, context 1, data 1)"]
    assert losses(stopped) == losses(alone)
    assert result.loss == losses(alone)[-1]
    assert steps_of(stopped) == [15, 20]


def test_steps_after_the_checkpoint_are_repeated_and_stand_once(stopped: Run, alone: Path) -> None:
    without(stopped, 12)
    with open(f"{stopped.out}/metrics.jsonl", "a") as file:
        file.write('{"step": 12, "lo')  # a killed run's last line
    train(stopped)
    assert losses(stopped) == losses(alone)
    board = _scalars(Path(stopped.out) / "tensorboard")
    assert board == pytest.approx(dict(enumerate(losses(alone))), rel=1e-6)


@pytest.mark.parametrize(("precision", "distributed"), [("bf16", False), ("bf16", True), ("fp32", True)])
def test_exact_under_every_optimizer(
    tmp_path: Path, corpus: tuple[Path, np.ndarray], precision: str, distributed: bool
) -> None:
    settings: dict[str, Any] = {
        "precision": precision,
        "optimizer": {"distributed": distributed, "overlap": distributed},
        "tokens": 8 * 8 * 32,
    }
    whole, parts = (make_run(tmp_path, name=name, data=corpus[0], **settings) for name in ("whole", "parts"))
    train(whole)
    train(parts, stop_after=3)
    train(parts)
    assert losses(whole) == losses(parts)
    assert losses(whole)[-1] < losses(whole)[0] - 0.2


def test_a_finished_run_is_left_as_it_is(alone: Path, folder: Path, corpus: tuple[Path, np.ndarray]) -> None:
    before = hashes(alone)
    steps: list[StepMetrics] = []
    result = train(make_run(folder, name="alone", data=corpus[0]), on_step=steps.append)
    assert (result.step, result.loss, steps) == (20, losses(alone)[-1], [])
    assert hashes(alone) == before


def test_half_written_checkpoints_do_not_count(stopped: Run, alone: Path) -> None:
    folder = Path(checkpoint.folder_of(stopped.out, 12))
    (folder / "_MANIFEST.json").unlink()
    leftover = folder.parent / ".tmp-step-00000013"
    shutil.copytree(folder, leftover)
    said: list[str] = []
    train(stopped, say=said.append)
    assert said[1] == f"note: {folder} has no readable _MANIFEST.json: it is not used"
    assert said[2].startswith("resumed after step 10 ")
    assert losses(stopped) == losses(alone)
    assert not leftover.exists()


def test_damaged_checkpoints_do_not_count(stopped: Run) -> None:
    folder = Path(checkpoint.folder_of(stopped.out, 12))
    with open(folder / "__0_0.distcp", "r+b") as file:
        file.truncate(100)
    good, problems = checkpoint.complete(stopped.out)
    assert [manifest.step for manifest in good] == [10]
    assert [str(problem) for problem in problems] == [f"{folder} is damaged (__0_0.distcp): it is not used"]


def test_another_models_checkpoint_is_refused(stopped: Run, tmp_path: Path, corpus: tuple[Path, np.ndarray]) -> None:
    other = make_run(tmp_path, name="other", data=corpus[0], model={**MODEL, "ffn": 96})
    shutil.copytree(f"{stopped.out}/checkpoints", f"{other.out}/checkpoints")
    with pytest.raises(GristmillError, match="belongs to another run: model differ"):
        train(other)
    seeded = make_run(tmp_path, name="seeded", data=corpus[0], seed=8)
    shutil.copytree(f"{stopped.out}/checkpoints", f"{seeded.out}/checkpoints")
    with pytest.raises(GristmillError, match="belongs to another run: order differ"):
        train(seeded)


def test_changed_settings_are_named(stopped: Run, tmp_path: Path, corpus: tuple[Path, np.ndarray]) -> None:
    changed = make_run(
        tmp_path,
        name="run",
        data=corpus[0],
        model={**MODEL, "ffn": 96},
        optimizer={"peak_lr": 0.02},
        tokens=30 * 8 * 32,
    )
    before = (Path(stopped.out) / "run.json").read_bytes()
    with pytest.raises(GristmillError) as caught:
        train(changed)
    for line in (
        "model.ffn: 88 before, 96 now",
        "optimizer.peak_lr: 0.01 before, 0.02 now",
        "tokens: 5120 before, 7680 now",
    ):
        assert line in str(caught.value)
    assert (Path(stopped.out) / "run.json").read_bytes() == before


def test_other_shards_are_refused(stopped: Run, tmp_path: Path) -> None:
    make_corpus(tmp_path / "other", seed=1)
    with pytest.raises(GristmillError, match="shards are not those that the run began with"):
        train(make_run(tmp_path, name="run", data=tmp_path / "other", checkpoint=EVERY_5))


def test_what_may_change(stopped: Run, tmp_path: Path, corpus: tuple[Path, np.ndarray], alone: Path) -> None:
    """Micro-batch, logging and checkpointing; and the data may have moved."""
    shutil.copytree(corpus[0], tmp_path / "moved")
    changed = make_run(
        tmp_path,
        name="run",
        data=tmp_path / "moved",
        micro_batch=4,
        log_every=8,
        checkpoint={"every_steps": 7, "keep": 1},
    )
    result = train(changed)
    assert result.loss == pytest.approx(losses(alone)[-1], abs=1e-5)
    assert [line["step"] for line in metrics(Path(changed.out))] == [*range(12), 15, 19]
    assert steps_of(changed) == [20]


def test_a_full_disk_leaves_the_last_checkpoint(stopped: Run, monkeypatch: pytest.MonkeyPatch, alone: Path) -> None:
    class Full:
        path = os.path

        @staticmethod
        def fsync(_: int) -> None:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patched:
        patched.setattr("training.tensor_files.os", Full)
        with pytest.raises(GristmillError, match="the checkpoint cannot be written: the disk is full"):
            train(stopped)
    assert steps_of(stopped) == [10, 12]
    train(stopped)
    assert losses(stopped) == losses(alone)


def test_a_signal_saves_and_stops(tmp_path: Path, corpus: tuple[Path, np.ndarray], alone: Path) -> None:
    run = make_run(tmp_path, name="run", data=corpus[0])

    def on_step(step: StepMetrics) -> None:
        if step.step == 6:
            os.kill(os.getpid(), signal.SIGTERM)

    said: list[str] = []
    before = signal.getsignal(signal.SIGTERM)
    result = train(run, on_step=on_step, say=said.append)
    assert (result.step, result.stopped) == (8, True)
    assert "stopped by a signal after step 8 of 20" in said[-1]
    assert json.loads((Path(result.checkpoint) / "_MANIFEST.json").read_text())["step"] == 8
    train(run)
    assert losses(run) == losses(alone)
    assert signal.getsignal(signal.SIGTERM) is before


def test_one_writer(stopped: Run) -> None:
    with only_writer(stopped.out), pytest.raises(GristmillError, match="another command is writing"):
        train(stopped)


def test_a_loss_that_is_not_finite_is_an_error(tmp_path: Path, corpus: tuple[Path, np.ndarray]) -> None:
    run = make_run(tmp_path, name="run", data=corpus[0], optimizer={"peak_lr": 1e30})
    with pytest.raises(GristmillError, match=r"the (loss|gradient norm) of step \d is (nan|inf)"):
        train(run)
    assert checkpoint.complete(run.out) == ([], [])


def _scalars(folder: Path) -> dict[int, float]:
    """Losses by step, as TensorBoard shows them."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    accumulator = EventAccumulator(str(folder), purge_orphaned_data=True)
    accumulator.Reload()
    return {event.step: event.value for event in accumulator.Scalars("loss")}
