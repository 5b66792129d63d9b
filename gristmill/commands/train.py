"""`gristmill train`."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gristmill.options import Json
from gristmill.output import clock, console, print_json, print_line, rewrite_line, say_line
from gristmill.stopping import says_stopped
from manifests.run import Run, load_run
from storage.processes import check_working_folder

if TYPE_CHECKING:
    from training.metrics import StepMetrics


def train(
    run: Annotated[Path, typer.Argument(metavar="RUN.yaml", help="run manifest")],
    processes: Annotated[
        int | None,
        typer.Option(
            "--processes",
            min=1,
            help="ranks to start here; default: what the layout needs at least; ignored under torchrun",
        ),
    ] = None,
    stop_after: Annotated[
        int | None, typer.Option("--stop-after", min=1, help="save a checkpoint and stop after this step")
    ] = None,
    change_mixture: Annotated[
        bool,
        typer.Option(
            "--change-mixture",
            help="go on with a mixture, or added buckets, that the run did not begin with: from the newest checkpoint"
            " on, and on record",
        ),
    ] = False,
    json: Json = False,
) -> None:
    """Train a model; resumes from the newest checkpoint. Under torchrun, or by itself on one machine."""
    check_working_folder()  # MKL, which torch loads, ends the process without one
    loaded = load_run(run)
    from training.launch import STOPPED
    from training.start import is_first, ranks_to_start, start_ranks, train_here

    if ranks := ranks_to_start(loaded, processes):
        sys.stdout.flush()
        with says_stopped():
            start_ranks(loaded, "gristmill", sys.argv[1:], ranks=ranks)
        return
    say = say_line if json else print_line
    result = train_here(
        loaded,
        stop_after=stop_after,
        change_mixture=change_mixture,
        on_step=None if json else _progress_line(loaded),
        say=say,
    )
    if is_first() and json:
        print_json(
            {
                "out": loaded.out,
                "steps": result.step,
                "loss": result.loss,
                "checkpoint": result.checkpoint,
                "stopped": result.stopped,
            }
        )
    elif is_first():
        console.print(
            f"\nstep {result.step} of {loaded.manifest.steps}, loss {result.loss:.4f}; checkpoint {result.checkpoint}"
        )
    if result.stopped:
        console.file.flush()
        sys.exit(STOPPED)


def _progress_line(run: Run) -> Callable[[StepMetrics], None]:
    """One line per logged step: loss, tokens/s, ETA; rewritten in place on a terminal."""

    def show(step: StepMetrics) -> None:
        left = (run.manifest.steps - step.step - 1) * step.seconds
        line = (
            f"step {step.step + 1:>7,}/{run.manifest.steps:,}  loss {step.loss:8.4f}  grad norm {step.grad_norm:8.3f}  "
            f"lr {step.lr:.2e}  {step.tokens_per_second:>10,.0f} tokens/s  ETA {clock(left)}"
        )
        rewrite_line(line, last=step.step + 1 == run.manifest.steps)

    return show
