"""Progress of a step on any runner, from the task manifests that it publishes: a bar on a terminal, a line now and then
elsewhere.

In: the output folder, on disk or in a store, and how many tasks a step will have. Polling reads names (and, on local
disk, sizes of text), and never fails the step.
"""

from __future__ import annotations

import contextlib
import json
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from gristmill.output import clock, console, say_line
from manifests.errors import GristmillError
from storage.files import is_url, join, list_files, read_bytes
from storage.steps import TASKS

Shown = Literal["bar", "lines", "nothing"]
_LOCAL_POLL_S = 0.5
_STORE_POLL_S = 3.0
_LINE_S = 10.0


@dataclass
class _Count:
    """What a step has done so far. `text_bytes` stays 0 where only names are looked at."""

    total: int = 0
    done: int = 0
    text_bytes: int = 0

    def rate(self, elapsed_s: float) -> str:
        if not self.done or elapsed_s <= 0:
            return ""
        return (
            f"{self.text_bytes / 1e6 / elapsed_s:.1f} MB/s"
            if self.text_bytes
            else f"{self.done / elapsed_s:.2f} tasks/s"
        )

    def eta(self, elapsed_s: float) -> str:
        if not self.done or self.done > self.total:
            return "-:--:--"
        return clock(elapsed_s * (self.total - self.done) / self.done)


@contextlib.contextmanager
def step_progress(out: str, *, shown: Shown) -> Iterator[StepProgress]:
    """Show progress while the block runs; call `begin(step)` as each step starts and `expect(tasks)` when it knows its
    tasks.
    """
    progress = Progress(
        TextColumn("{task.description:<10}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}", markup=False),
        TimeElapsedColumn(),
        TextColumn("ETA {task.fields[eta]}", markup=False),
        console=console,
        disable=shown != "bar",
    )
    with progress:
        watcher = StepProgress(progress, out, shown)
        try:
            yield watcher
        finally:
            watcher.stop()


class StepProgress:
    """Polls the task manifests of the current step in a thread."""

    def __init__(self, progress: Progress, out: str, shown: Shown) -> None:
        self._progress = progress
        self._out = out
        self._shown = shown
        self._count = _Count()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def begin(self, step: str, *, folder: str | None = None) -> None:
        """A new step begins; the one before is complete.

        Args:
            folder: of the step, if it is not the one of its name.
        """
        self.stop()
        if self._shown == "nothing":
            return
        self._stop, self._count = threading.Event(), _Count()
        bar = self._progress.add_task(step, total=None, rate="", eta="")
        tasks = join(folder or join(self._out, "shards" if step == "tokenize" else step), TASKS)
        self._thread = threading.Thread(
            target=self._watch, args=(step, tasks, bar, self._count, self._stop), daemon=True
        )
        self._thread.start()

    def expect(self, tasks: int) -> None:
        """The current step will have this many more tasks."""
        self._count.total += tasks

    def stop(self) -> None:
        """End polling, after one last look at the manifests."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def _watch(self, step: str, folder: str, bar: TaskID, count: _Count, stop: threading.Event) -> None:
        began = line = time.monotonic()
        earlier: int | None = None
        seen: set[str] = set()
        while True:
            last = stop.wait(_STORE_POLL_S if is_url(folder) else _LOCAL_POLL_S)
            with contextlib.suppress(GristmillError, OSError):
                new = set(list_files(folder, "**/*.json")) - seen
                count.text_bytes += 0 if is_url(folder) else sum(_text_bytes(join(folder, name)) for name in new)
                seen |= new
            if earlier is None:
                # Tasks that an earlier command finished do not count for this one's speed.
                earlier, count.text_bytes = len(seen), 0
            count.done = len(seen)
            elapsed = time.monotonic() - began
            now = _Count(max(count.total - earlier, 0), count.done - earlier, count.text_bytes)
            rate, eta = now.rate(elapsed), now.eta(elapsed)
            total = max(count.total, count.done) if last else count.total
            self._progress.update(
                bar, total=total or None, completed=count.done, rate=rate, eta="0:00:00" if last else eta
            )
            if self._shown == "lines" and (last or time.monotonic() - line >= _LINE_S):
                line = time.monotonic()
                done = f"done in {elapsed:.0f} s" if last else f"ETA {eta}"
                say_line("  ".join(filter(None, [f"{step:<10}", f"{count.done}/{total or '?'} tasks", rate, done])))
            if last:
                return


@contextlib.contextmanager
def amount_progress(label: str, *, unit: str, shown: Shown) -> Iterator[AmountProgress]:
    """Show progress while the block runs, in an amount that its work reports: `expect(amount)`, `advance(amount)`."""
    progress = Progress(
        TextColumn("{task.description:<10}", markup=False),
        BarColumn(),
        TextColumn("{task.fields[amount]}", markup=False),
        TimeElapsedColumn(),
        TextColumn("ETA {task.fields[eta]}", markup=False),
        console=console,
        disable=shown != "bar",
    )
    with progress:
        made = AmountProgress(progress, label, unit, shown)
        yield made
        made.show(last=True)


class AmountProgress:
    """Counts an amount up to what is expected."""

    def __init__(self, progress: Progress, label: str, unit: str, shown: Shown) -> None:
        self._progress, self._label, self._unit, self._shown = progress, label, unit, shown
        self._bar = progress.add_task(label, total=None, amount="", eta="")
        self._total = self._done = 0
        self._began = self._line = time.monotonic()

    def expect(self, amount: int) -> None:
        """So much more will come."""
        self._total += amount

    def advance(self, amount: int) -> None:
        """So much more is done."""
        self._done += amount
        self.show(last=False)

    def show(self, *, last: bool) -> None:
        """Draw the bar, or say a line, unless one was said just now."""
        elapsed = time.monotonic() - self._began
        eta = _Count(self._total, self._done).eta(elapsed)
        amount = f"{self._done / 1e6:,.1f} of {self._total / 1e6:,.1f} M {self._unit}"
        self._progress.update(
            self._bar, total=self._total or None, completed=self._done, amount=amount, eta="0:00:00" if last else eta
        )
        if self._shown == "lines" and (last or time.monotonic() - self._line >= _LINE_S):
            self._line = time.monotonic()
            say_line(f"{self._label:<10}  {amount}  " + (f"done in {elapsed:.0f} s" if last else f"ETA {eta}"))


def _text_bytes(path: str) -> int:
    with contextlib.suppress(GristmillError, OSError, ValueError, KeyError):
        return sum(output["text_bytes"] for output in json.loads(read_bytes(path))["outputs"])
    return 0
