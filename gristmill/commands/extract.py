"""`gristmill extract`, and with `--sample` a rehearsal of it: a table of what the full run will need."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from gristmill.options import CORES, Cluster, Corpus, Detach, Json, Out, RunnerName, Workers
from gristmill.output import console, print_json, table
from gristmill.running import choose, run_step, shown
from manifests.corpus import load_corpus
from manifests.errors import GristmillError
from storage.files import absolute


def extract(
    corpus: Corpus,
    out: Out,
    workers: Workers = CORES,
    runner: RunnerName = None,
    cluster: Cluster = None,
    sample: Annotated[
        float | None,
        typer.Option(
            "--sample", metavar="SHARE", help="only this share of the records, as 0.01; predicts the full run"
        ),
    ] = None,
    detach: Detach = False,
    json: Json = False,
) -> None:
    """Read raw files once: documents, signals, signatures."""
    if sample is None:
        run_step("extract", corpus, out, runner, workers, cluster, detach=detach, as_json=json)
    elif detach:
        raise GristmillError("a sample is run here", where="--sample", remedy="leave --detach out")
    else:
        _rehearse(corpus, out, sample, runner, workers, cluster, as_json=json)


def _rehearse(
    corpus: Path, out: str, share: float, runner: str | None, workers: int, cluster: Path | None, *, as_json: bool
) -> None:
    from pipeline.extract.sample import FEW_DOCUMENTS
    from pipeline.folders import SAMPLE
    from pipeline.prep import rehearse

    manifest, folder = load_corpus(corpus), absolute(out)
    place = f"{folder}/{SAMPLE}"
    with shown(place, choose(runner, workers, cluster), as_json=as_json) as (progress, chosen):
        progress.begin("extract")
        predicted = rehearse(manifest, out=folder, share=share, runner=chosen)
    if as_json:
        print_json({"out": place, **asdict(predicted)})
        return
    columns = ("source", "files", "raw MB", "sampled documents", "documents", "text MB", "output MB", "CPU s")
    rows = [
        (
            s.source,
            s.files,
            s.raw_bytes / 1e6,
            s.sampled_documents,
            s.documents,
            s.text_bytes / 1e6,
            s.output_bytes / 1e6,
            s.cpu_s,
        )
        for s in predicted.sources
    ]
    total = ("all", sum(s.files for s in predicted.sources), sum(s.raw_bytes for s in predicted.sources) / 1e6)
    sampled = sum(s.sampled_documents for s in predicted.sources)
    rows.append(
        (
            *total,
            sampled,
            predicted.documents,
            predicted.text_bytes / 1e6,
            predicted.output_bytes / 1e6,
            predicted.cpu_s,
        )
    )
    console.print(table(f"The full run, by {100 * share:g} % of its records", columns, rows, numeric=columns[1:]))
    memory = predicted.worker_bytes / 1e6
    console.print(
        f"\nCPU time      {_duration(predicted.cpu_s)}\n"
        f"wall time     {_duration(predicted.wall_s)} with {predicted.workers} workers\n"
        f"memory        {memory:,.0f} MB per worker, {predicted.workers * memory:,.0f} MB together\n"
        f"output        {predicted.output_bytes / 1e6:,.1f} MB\n"
        f"the sample    {place}",
    )
    if predicted.guesses:
        console.print(
            f"note: fewer than {FEW_DOCUMENTS} documents sampled, a larger --sample says more:"
            f" {', '.join(predicted.guesses)}"
        )


def _duration(seconds: float) -> str:
    for size, unit in ((86400.0, "days"), (3600.0, "h"), (60.0, "min")):
        if seconds >= 2 * size:
            return f"{seconds / size:,.1f} {unit}"
    return f"{seconds:,.1f} s"
