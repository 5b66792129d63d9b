"""Metrics of a run: one line per logged step in `metrics.jsonl`, and the same values for TensorBoard.

A resumed run first removes the lines of steps that it will repeat, so that no step occurs twice; the same for
TensorBoard.
"""

from __future__ import annotations

import contextlib
import json
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import TextIO

from manifests.errors import GristmillError
from shards.run_record import METRICS, load_metrics
from storage.files import is_url, join, publish, read_bytes
from training.staging import staging_folder

_STORE_SECONDS = 60.0


@dataclass(frozen=True)
class StepMetrics:
    """One logged step.

    Attributes:
        step: number of the step, from 0.
        loss: mean over all tokens of the step's global batch, in nats per token.
        grad_norm: global gradient norm before clipping.
        tokens: tokens trained on so far, including this step.
        tokens_per_second, seconds: mean over the steps since the last logged one, of all ranks together; seconds are
            per step.
        samples_xxh3: sum modulo 2^64 of the xxh3 hashes of the samples that the ranks gave to the model, in hex.
    """

    step: int
    loss: float
    lr: float
    grad_norm: float
    tokens: int
    tokens_per_second: float
    seconds: float
    samples_xxh3: str


def _await_next_second(folder: Path) -> None:
    """TensorBoard reads its files in the order of their names, which hold the second in which a file was begun.

    Of two files of one second the later one may come first; the steps that it repeats would then be dropped.
    """
    begun = [int(path.name.split(".")[3]) for path in folder.glob("events.out.tfevents.[0-9]*.*")]
    while begun and time.time() < max(begun) + 1 <= time.time() + 1:
        time.sleep(0.05)


class MetricsWriter:
    """Appends metrics; each line has been handed to the operating system when `write` returns.

    Objects in a store cannot be appended to. For a run in a store, lines are collected in a local folder and stored at
    every checkpoint, once a minute, and at the end. TensorBoard's files stay in `local`.

    Attributes:
        local: the folder that is written to: the run's own folder, or a local folder for a run in a store.
    """

    def __init__(self, folder: str, *, resume_at: int) -> None:
        # Imported here because it takes a second, and only one rank writes.
        from torch.utils.tensorboard import SummaryWriter

        self._folder = folder
        self.local = str(staging_folder(folder)) if is_url(folder) else folder
        kept = [line for line in load_metrics(folder) if line["step"] < resume_at]
        publish(join(self.local, METRICS), "".join(json.dumps(line) + "\n" for line in kept).encode())
        self._file: TextIO = open(join(self.local, METRICS), "a", encoding="utf-8")  # noqa: SIM115  (closed by __exit__)
        _await_next_second(Path(self.local) / "tensorboard")
        self._board = SummaryWriter(join(self.local, "tensorboard"), purge_step=resume_at)
        self._stored = time.monotonic()

    def write(self, metrics: StepMetrics) -> None:
        """Append one step."""
        self._file.write(json.dumps(asdict(metrics)) + "\n")
        self._file.flush()
        for name in ("loss", "lr", "grad_norm", "tokens", "tokens_per_second"):
            self._board.add_scalar(name, getattr(metrics, name), metrics.step)
        if time.monotonic() - self._stored > _STORE_SECONDS:
            # An error must not end one rank alone; the next checkpoint stores the lines or reports why not.
            with contextlib.suppress(GristmillError):
                self.store()

    def store(self) -> None:
        """For a run in a store: store all lines so far."""
        if self.local != self._folder:
            publish(join(self._folder, METRICS), read_bytes(join(self.local, METRICS)))
            self._stored = time.monotonic()

    def __enter__(self) -> MetricsWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._file.close()
        self._board.close()
        try:
            self.store()
        except GristmillError:
            if error is None:  # otherwise the error of the block is the one to report
                raise
