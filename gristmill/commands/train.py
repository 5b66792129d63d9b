"""The commands of the training half: the mixture, training, sampling, lineage."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

from gristmill.output import console, print_json, print_line, rewrite_line, say_error, say_line, table
from manifests.errors import GristmillError
from manifests.run import Run, load_run
from mixing.plan import plan_run
from mixing.show import mixture_rows, mixture_table
from shards.lineage import documents_of
from shards.order import order_from_json
from shards.reader import open_shards
from shards.run_record import load_order, load_record
from storage.files import is_url, join
from storage.processes import check_working_folder


def mix_show(path: Path, *, as_json: bool) -> None:
    """Shares wanted and obtained."""
    run = load_run(path)
    plan = plan_run(run, open_shards(join(run.data, "shards")))
    if as_json:
        print_json({"buckets": mixture_rows(plan), "notes": list(plan.notes)})
        return
    console.print(mixture_table(plan))
    for note in plan.notes:
        console.print(f"note: {note}")


def train(path: Path, *, processes: int | None, stop_after: int | None, as_json: bool) -> None:
    """Train in this process when it is a rank of torchrun or the only rank; otherwise start the ranks."""
    check_working_folder()  # MKL, which torch loads, ends the process without one
    run = load_run(path)
    layout = run.manifest.layout
    ranks = processes or layout.tensor * layout.pipeline * layout.context
    if "RANK" not in os.environ and ranks > 1:
        _launch(run, ranks)
        return
    from training.launch import LAUNCHED, STOPPED, follow_launcher, leave_error

    follow_launcher()
    from training.loop import train as run_training
    from training.parallel import RankError

    first = os.environ.get("RANK", "0") == "0"
    try:
        result = run_training(
            run,
            stop_after=stop_after,
            on_step=_progress_line(run) if first and not as_json else None,
            say=say_line if as_json else print_line,
        )
    except Exception as error:
        leave_error(error)
        # Said once: by the command that started the ranks, or by rank 0 when all ranks have the same error.
        told_elsewhere = LAUNCHED in os.environ or (not first and isinstance(error, GristmillError) and not isinstance(error, RankError))
        if told_elsewhere and not os.environ.get("GRISTMILL_DEBUG"):
            sys.exit(1)
        raise
    if first and as_json:
        print_json({"out": run.out, "steps": result.step, "loss": result.loss, "checkpoint": result.checkpoint, "stopped": result.stopped})
    elif first:
        console.print(f"\nstep {result.step} of {run.manifest.steps}, loss {result.loss:.4f}; checkpoint {result.checkpoint}")
    if result.stopped:
        console.file.flush()
        sys.exit(STOPPED)


def _launch(run: Run, ranks: int) -> None:
    """Run the same command in `ranks` processes of this machine; a layout that does not fit is said before they start."""
    from training.launch import STOPPED, launch
    from training.layout import data_parallel

    data_parallel(run, ranks)
    sys.stdout.flush()
    try:
        launch("gristmill", sys.argv[1:], ranks=ranks)
    except KeyboardInterrupt:
        say_error("stopped; run the same command again to go on")
        sys.exit(STOPPED)


def _progress_line(run: Run) -> Any:
    """One line per logged step: loss, tokens/s, ETA; rewritten in place on a terminal."""

    def show(step: Any) -> None:
        left = (run.manifest.steps - step.step - 1) * step.seconds
        line = (
            f"step {step.step + 1:>7,}/{run.manifest.steps:,}  loss {step.loss:8.4f}  grad norm {step.grad_norm:8.3f}  "
            f"lr {step.lr:.2e}  {step.tokens_per_second:>10,.0f} tokens/s  ETA {_duration(left)}"
        )
        rewrite_line(line, last=step.step + 1 == run.manifest.steps)

    return show


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}"


def generate(
    folder: str, *, prompt: str, tokens: int, temperature: float, top_k: int | None, seed: int, checkpoint: int | None, as_json: bool
) -> None:
    """Sample from a checkpoint."""
    check_working_folder()
    from training.generate import generate as sample

    text = sample(
        _folder(folder), prompt, checkpoint=checkpoint, tokens=tokens, temperature=temperature, top_k=top_k, seed=seed, say=say_line
    )
    if as_json:
        print_json({"prompt": prompt, "text": text})
    else:
        console.print(text)


def trace(folder: str, *, step: int, limit: int, as_json: bool) -> None:
    """The documents of one step."""
    rows = trace_rows(folder, step=step)
    if as_json:
        print_json({"run": folder, "step": step, "documents": rows})
        return
    columns = ("sample", "document_id", "source", "url", "file", "record", "tokens")
    console.print(
        table(
            f"Step {step}: {len(rows)} documents",
            columns,
            [[row[column] for column in columns] for row in rows[:limit]],
            numeric=("sample", "record", "tokens"),
        )
    )
    if len(rows) > limit:
        console.print(f"… and {len(rows) - limit} more: raise --limit, or use --json")


def trace_rows(folder: str, *, step: int) -> list[dict[str, Any]]:
    """Documents that a step saw, from the run folder and the shards alone.

    Raises:
        GristmillError: not a run folder, a step outside the run, or other shards than the run was trained on.
    """
    record = load_record(_folder(folder))
    run = record.run
    if step >= run.manifest.steps:
        raise GristmillError(f"the run has steps 0 to {run.manifest.steps - 1}", where="--step")
    shards = open_shards(join(run.data, "shards"))
    if shards.manifest.digest != record.data_digest:
        raise GristmillError("the shards are not those that the run was trained on", where=run.data, remedy="restore the prepared corpus")
    order = order_from_json(load_order(_folder(folder), record, named=False))
    table_ = documents_of(shards, order, step * run.manifest.global_batch, run.manifest.global_batch)
    return list(table_.to_pylist())


def _folder(folder: str) -> str:
    return folder if is_url(folder) else os.path.abspath(folder)
