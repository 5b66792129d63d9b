"""`gristmill mix`: mixtures of buckets."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gristmill.options import Json
from gristmill.output import console, print_json

app = typer.Typer(no_args_is_help=True, help="Mixtures of buckets.")


@app.command("show")
def show(
    run: Annotated[Path, typer.Argument(metavar="RUN.yaml")],
    sources: Annotated[
        bool, typer.Option("--sources", help="one row per source instead of one per bucket; --json has all buckets")
    ] = False,
    json: Json = False,
) -> None:
    """Shares wanted and obtained, epochs and sizes of every bucket in a run, stage by stage.

    Of a run that has begun: its stages so far, and those that its manifest's mixture makes of the rest.
    """
    from manifests.run import load_run
    from mixing.history import mixture_of
    from mixing.show import disk_sizes, mixture_json, mixture_tables
    from shards.reader import open_shards
    from storage.files import join

    loaded = load_run(run)
    shards = open_shards(join(loaded.data, "shards"))
    history, sizes, batch = mixture_of(loaded, shards), disk_sizes(shards), loaded.manifest.global_batch
    if json:
        print_json(mixture_json(history, sizes, step_samples=batch))
        return
    for number, table in enumerate(mixture_tables(history, sizes, step_samples=batch, sources=sources)):
        console.print(*(["\n"] if number else []), table, sep="", end="")
    for note in (*history.plan.notes, *history.notes):
        console.print(f"note: {note}")
