"""`gristmill trace`."""

from __future__ import annotations

from typing import Annotated

import typer

from gristmill.options import Json, RunFolder
from gristmill.output import console, print_json, table
from shards.lineage import documents_of_step
from storage.files import absolute


def trace(
    folder: RunFolder,
    step: Annotated[int, typer.Option("--step", min=0, help="training step, from 0")],
    limit: Annotated[int, typer.Option("--limit", min=1, help="rows of the table; --json prints all")] = 50,
    json: Json = False,
) -> None:
    """The documents (id, source, URL) that a training step saw."""
    rows = documents_of_step(absolute(folder), step)
    if json:
        print_json({"run": folder, "step": step, "documents": rows})
        return
    columns = ("sample", "document_id", "source", "url", "file", "record", "tokens")
    shown = [[row[column] for column in columns] for row in rows[:limit]]
    console.print(table(f"Step {step}: {len(rows)} documents", columns, shown, numeric=("sample", "record", "tokens")))
    if len(rows) > limit:
        console.print(f"… and {len(rows) - limit} more: raise --limit, or use --json")
