"""Progress of a step on any runner, from the task manifests that it publishes."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Iterator
from pathlib import Path

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from gristmill.output import console
from manifests.steps import TASKS

_POLL_S = 0.5


@contextlib.contextmanager
def step_progress(out: str, *, expected: dict[str, int], enabled: bool) -> Iterator[StepProgress]:
    """A bar per step while the block runs; call `begin(step)` as each step starts.

    Args:
        expected: number of tasks by step where it is known beforehand.
    """
    progress = Progress(
        TextColumn("{task.description:<10}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeElapsedColumn(),
        TextColumn("ETA"),
        TimeRemainingColumn(),
        console=console,
        disable=not enabled,
    )
    with progress:
        watcher = StepProgress(progress, out, expected)
        try:
            yield watcher
        finally:
            watcher.stop()


class StepProgress:
    """Polls the task manifests of the current step in a thread; polling reads names and never fails the step."""

    def __init__(self, progress: Progress, out: str, expected: dict[str, int]) -> None:
        self._progress = progress
        self._out = out
        self._expected = expected
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def begin(self, step: str) -> None:
        """A new step begins; the one before is complete."""
        self.stop()
        self._stop = threading.Event()
        bar = self._progress.add_task(step, total=self._expected.get(step), rate="")
        folder = Path(self._out) / ("shards" if step == "tokenize" else step) / TASKS
        self._thread = threading.Thread(target=self._watch, args=(folder, bar, self._stop), daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End polling; the last look is complete."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def _watch(self, folder: Path, bar: TaskID, stop: threading.Event) -> None:
        sizes: dict[Path, int] = {}
        while True:
            last = stop.wait(_POLL_S)
            for path in folder.glob("**/*.json"):
                if path not in sizes and not path.name.startswith("."):
                    sizes[path] = _text_bytes(path)
            elapsed = self._progress.tasks[bar].elapsed or 0.0
            text = sum(sizes.values()) / 1e6
            self._progress.update(bar, completed=len(sizes), rate=f"{text / elapsed:.1f} MB/s" if text and elapsed else "")
            if last:
                self._progress.update(bar, total=len(sizes))
                return


def _text_bytes(path: Path) -> int:
    with contextlib.suppress(OSError, ValueError, KeyError):
        return sum(output["text_bytes"] for output in json.loads(path.read_bytes())["outputs"])
    return 0
