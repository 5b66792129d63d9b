"""What the commands of the data half share: a step is run here, with its progress shown, or as a process that outlives
this one.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gristmill.output import bucket_table, console, duplicates_table, ledger_table, print_json, say_note
from gristmill.progress import Shown, StepProgress, step_progress
from gristmill.stopping import stops_on_sigterm
from manifests.corpus import load_corpus
from manifests.step import Ledger, StepManifest
from shards.format import ShardManifest
from storage.detached import start_detached
from storage.files import absolute

if TYPE_CHECKING:  # both import Beam's room
    from pipeline.engines.runners import Runner
    from pipeline.prep import Step

# A corpus of many files may have a note for each.
_MOST_NOTES = 30


def run_step(
    step: Step,
    corpus: Path,
    out: str,
    runner: str | None,
    workers: int,
    cluster: Path | None,
    *,
    detach: bool,
    as_json: bool,
) -> None:
    """Run one step as the options say, and print its ledger."""
    if detach:
        start(step, corpus, out, runner, workers, cluster, as_json=as_json)
        return
    chosen = choose(runner, workers, cluster)
    manifest, folder = load_corpus(corpus), absolute(out)
    from pipeline import prep

    with shown(folder, chosen, as_json=as_json) as (progress, chosen):
        done = prep.run_step(step, manifest, out=folder, runner=chosen, on_step=progress.begin)
    step_done = done if isinstance(done, StepManifest) else prep.cut_from(done, folder)
    notes = [] if step_done is None else step_done.notes
    duplicates: list[dict[str, Any]] = []
    if step_done is not None and step == "decide":
        from pipeline.decide.duplicates.report.ledger import duplicate_ledger

        duplicates = [asdict(row) for row in duplicate_ledger(folder, step_done)]
    if as_json:
        more = {"duplicates": duplicates} if step == "decide" else {}
        print_json(
            {
                "out": folder,
                "step": step,
                "digest": done.digest,
                "ledger": done.ledger.model_dump(),
                "notes": notes,
                **more,
            }
        )
        return
    print_ledgers({step: done.ledger}, notes)
    if duplicates:
        console.print(duplicates_table(duplicates))
    if isinstance(done, ShardManifest):
        console.print(bucket_table(done))


def start(
    step: str, corpus: Path, out: str, runner: str | None, workers: int, cluster: Path | None, *, as_json: bool
) -> None:
    """Start the command as a process that outlives this one, and say how to follow it."""
    words = [step, str(corpus.absolute()), "--out", absolute(out), "--workers", str(workers)]
    words += ["--runner", runner] if runner is not None else []
    words += ["--cluster", str(cluster.absolute())] if cluster is not None else []
    job = start_detached("gristmill", words, out=absolute(out))
    if as_json:
        print_json({"job": job.name, "pid": job.pid, "log": str(job.log), "out": job.out})
        return
    console.print(
        f"job     {job.name}\nlog     {job.log}\nfollow  gristmill jobs follow {job.name}\ncancel  gristmill jobs"
        f" cancel {job.name}",
    )


def choose(runner: str | None, workers: int, cluster: Path | None) -> Runner:
    """The runner that the options ask for."""
    from pipeline.engines.runners import choose_runner

    return choose_runner(runner, workers=workers, cluster=cluster, say=say_note)


@contextlib.contextmanager
def shown(folder: str, runner: Runner, *, as_json: bool) -> Iterator[tuple[StepProgress, Runner]]:
    """While the block runs, show the steps' progress in `folder`, which the runner reports; signals end the command."""
    bar_or_lines: Shown = "bar" if sys.stdout.isatty() else "lines"
    with stops_on_sigterm(), step_progress(folder, shown="nothing" if as_json else bar_or_lines) as progress:
        yield progress, replace(runner, expect=progress.expect)


def print_ledgers(ledgers: Mapping[str, Ledger], notes: Sequence[str]) -> None:
    """Print the ledger of each step, and the first of all notes."""
    console.print(ledger_table(ledgers))
    for note in notes[:_MOST_NOTES]:
        console.print(f"note: {note}")
    if len(notes) > _MOST_NOTES:
        console.print(f"note: and {len(notes) - _MOST_NOTES:,} more; --json prints all")
