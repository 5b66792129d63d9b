"""`gristmill merge-sites`."""

from __future__ import annotations

from typing import Annotated

import typer

from gristmill.commands.export import shown
from gristmill.options import CORES, Json, Workers
from gristmill.output import console, print_json, say_note
from gristmill.progress import step_progress
from gristmill.stopping import stops_on_sigterm
from storage.files import absolute


def merge_sites(
    folders: Annotated[
        list[str], typer.Argument(metavar="DIR", help="folders that `prep` or `decide` wrote, one a snapshot")
    ],
    out: Annotated[str, typer.Option("--out", metavar="FOLDER", help="an empty folder")],
    workers: Workers = CORES,
    json: Json = False,
) -> None:
    """Judge the sites of several snapshots as if they were one corpus; `gristmill sites FOLDER` shows them."""
    from pipeline.decide.site_merge import NAMES, merge_sites, verdict_totals
    from pipeline.engines.runners import Runner

    place = absolute(out)
    with stops_on_sigterm(), step_progress(place, shown=shown(json)) as progress:
        done = merge_sites(
            [absolute(folder) for folder in folders],
            out=place,
            runner=Runner(workers=workers, say=say_note, expect=progress.expect),
            on_step=lambda step: progress.begin(step, folder=place),
        )
    totals = verdict_totals(done, place)
    if json:
        print_json({"out": place, "digest": done.digest, **totals._asdict()})
        return
    console.print(
        f"{totals.sites:,} sites with {totals.documents:,} documents in {len(folders):,} snapshots;"
        f" {totals.dropped:,} sites with {totals.dropped_documents:,} documents are dropped"
    )
    console.print(f"digest  {done.digest}\nout     {place}\nnames   {place}/{NAMES}")
    console.print("decide by these verdicts: `personal_information: {sites: {merged: FOLDER}}` in each corpus manifest")
