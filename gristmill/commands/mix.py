"""`gristmill mix`: mixtures of buckets."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gristmill.options import Json
from gristmill.output import console, print_json
from manifests.run import load_run
from mixing.plan import plan_run
from mixing.show import mixture_rows, mixture_table
from shards.reader import open_shards
from storage.files import join

app = typer.Typer(no_args_is_help=True, help="Mixtures of buckets.")


@app.command("show")
def show(run: Annotated[Path, typer.Argument(metavar="RUN.yaml")], json: Json = False) -> None:
    """Shares wanted and obtained, tokens and epochs of every bucket in a run."""
    loaded = load_run(run)
    plan = plan_run(loaded, open_shards(join(loaded.data, "shards")))
    if json:
        print_json({"buckets": mixture_rows(plan), "notes": list(plan.notes)})
        return
    console.print(mixture_table(plan))
    for note in plan.notes:
        console.print(f"note: {note}")
