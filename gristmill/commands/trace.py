"""`gristmill trace`."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from gristmill.options import Json, RunFolder
from gristmill.output import console, print_json, table
from manifests.errors import GristmillError
from storage.files import absolute


def trace(
    folder: RunFolder,
    step: Annotated[int | None, typer.Option("--step", min=0, help="training step, from 0")] = None,
    document: Annotated[str | None, typer.Option("--document", help="id of a document, as --step shows it")] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, help="rows of the table; --json prints all")] = 50,
    json: Json = False,
) -> None:
    """The documents (id, source, URL) that a training step saw; or the steps that see a document."""
    if (step is None) == (document is None):
        raise GristmillError("give either --step or --document", where="trace")
    if step is not None:
        _step(folder, step, limit, json)
    elif document is not None:
        _document(folder, document, limit, json)


def _step(folder: str, step: int, limit: int, json: bool) -> None:
    from shards.lineage import documents_of_step

    rows = documents_of_step(absolute(folder), step)
    if json:
        print_json({"run": folder, "step": step, "documents": rows})
        return
    columns = ("sample", "document_id", "source", "url", "file", "record", "tokens")
    shown = [[row[column] for column in columns] for row in rows[:limit]]
    console.print(table(f"Step {step}: {len(rows)} documents", columns, shown, numeric=("sample", "record", "tokens")))
    _more(len(rows) - limit)


def _document(folder: str, document: str, limit: int, json: bool) -> None:
    from shards.lineage import steps_of_document

    rows = [asdict(sighting) for sighting in steps_of_document(absolute(folder), document)]
    if json:
        print_json({"run": folder, "document": document, "samples": rows})
        return
    trained = sum(row["trained"] for row in rows)
    title = f"Document {document}: in {len(rows)} samples of the run, {trained} of them trained on"
    columns = ("step", "sample", "bucket", "epoch", "tokens", "trained")
    shown = [[*(row[column] for column in columns[:-1]), "yes" if row["trained"] else "no"] for row in rows[:limit]]
    console.print(table(title, columns, shown, numeric=("step", "sample", "epoch", "tokens")))
    _more(len(rows) - limit)


def _more(left: int) -> None:
    if left > 0:
        console.print(f"… and {left} more: raise --limit, or use --json")
