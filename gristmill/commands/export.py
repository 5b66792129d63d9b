"""`gristmill export`: what was prepared, in the formats of others."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Annotated, Any

import typer

from gristmill.options import CORES, Folder, Json, Workers
from gristmill.output import console, print_json, say_note, table
from gristmill.progress import amount_progress, step_progress
from gristmill.stopping import stops_on_sigterm
from manifests.step import StepManifest
from storage.files import absolute, join

app = typer.Typer(no_args_is_help=True, help="Write what was prepared in the formats of others.")

Destination = Annotated[str, typer.Option("--out", metavar="OUT", help="an empty folder")]
# A table of more files helps nobody; --json prints all.
_MOST_FILES = 40


@app.command("megatron")
def megatron(
    folder: Folder,
    out: Destination,
    file_tokens: Annotated[
        int | None,
        typer.Option("--file-tokens", min=1, help="begin another pair of files after so many; default: one per bucket"),
    ] = None,
    json: Json = False,
) -> None:
    """Token shards as Megatron-LM's .bin and .idx, with a side table that says where each document comes from."""
    from shards.export_megatron import export_megatron

    with stops_on_sigterm(), amount_progress("export", unit="tokens", shown=shown(json)) as progress:
        done = export_megatron(
            join(absolute(folder), "shards"),
            out=absolute(out),
            file_tokens=file_tokens,
            expect=progress.expect,
            advance=progress.advance,
            say=say_note,
        )
    _print(done, absolute(out), ".bin", json)


@app.command("parquet")
def parquet(
    folder: Folder,
    out: Destination,
    file_mb: Annotated[
        float, typer.Option("--file-mb", min=0, help="text per file, in 10^6 bytes; 0: a file per part of extract")
    ] = 512.0,
    workers: Workers = CORES,
    json: Json = False,
) -> None:
    """Text and metadata of the documents that decide keeps, as Parquet files."""
    from pipeline.engines.runners import Runner
    from pipeline.export.parquet import export_parquet

    place = absolute(out)
    with stops_on_sigterm(), step_progress(place, shown=shown(json)) as progress:
        done = export_parquet(
            absolute(folder),
            out=place,
            runner=Runner(workers=workers, say=say_note, expect=progress.expect),
            file_text_bytes=round(file_mb * 1e6),
            on_step=lambda step: progress.begin("export", folder=place),
        )
    _print(done, place, ".parquet", json)


def shown(as_json: bool) -> Any:
    """How progress is shown."""
    return "nothing" if as_json else "bar" if sys.stdout.isatty() else "lines"


def _print(done: StepManifest, out: str, suffix: str, as_json: bool) -> None:
    if as_json:
        files = [output.model_dump() for output in done.outputs]
        print_json(
            {"out": out, "digest": done.digest, "ledger": done.ledger.model_dump(), "files": files, "notes": done.notes}
        )
        return
    files_of = [output for output in done.outputs if output.path.endswith(suffix)]
    rows: Sequence[Sequence[object]] = [
        (output.path, output.rows, round(output.bytes / 1e6, 1)) for output in files_of[:_MOST_FILES]
    ]
    console.print(table("Files", ("file", "documents", "MB"), rows, numeric=("documents", "MB")))
    if len(files_of) > _MOST_FILES:
        console.print(f"… and {len(files_of) - _MOST_FILES:,} more; --json prints all")
    for note in done.notes:
        console.print(f"note: {note}")
    console.print(f"{done.ledger.kept:,} documents in {len(files_of):,} files\ndigest  {done.digest}\nout     {out}")
