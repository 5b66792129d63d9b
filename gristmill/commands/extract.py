"""`gristmill extract --sample`: a rehearsal on a hash sample, and a table of what the full run will need."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path

from gristmill.output import console, print_json, table
from gristmill.progress import step_progress
from gristmill.running import folder_of, runner_from, shown, stops_on_sigterm
from manifests.corpus import load_corpus
from manifests.errors import GristmillError


def sample(
    corpus: Path, out: str, share: float, kind: str | None, workers: int, cluster: Path | None, *, detached: bool, as_json: bool
) -> None:
    """Run extract on `share` of the records and say what all of them will need."""
    from pipeline.extract.sample import FEW_DOCUMENTS, sample_extract
    from pipeline.folders import SAMPLE
    from pipeline.prep import claimed

    if detached:
        raise GristmillError("a sample is run here", where="--sample", remedy="leave --detach out")
    manifest = load_corpus(corpus)
    runner, folder = runner_from(kind, workers, cluster), folder_of(out)
    place = f"{folder}/{SAMPLE}"
    with stops_on_sigterm(), step_progress(place, shown=shown(as_json)) as progress:
        progress.begin("extract")
        with claimed(manifest, out=folder, runner=replace(runner, expect=progress.expect)) as runner:
            predicted = sample_extract(manifest, out=folder, share=share, runner=runner)
    if as_json:
        print_json({"out": place, **asdict(predicted)})
        return
    columns = ("source", "files", "raw MB", "sampled documents", "documents", "text MB", "output MB", "CPU s")
    rows = [
        (s.source, s.files, s.raw_bytes / 1e6, s.sampled_documents, s.documents, s.text_bytes / 1e6, s.output_bytes / 1e6, s.cpu_s)
        for s in predicted.sources
    ]
    total = ("all", sum(s.files for s in predicted.sources), sum(s.raw_bytes for s in predicted.sources) / 1e6)
    sampled = sum(s.sampled_documents for s in predicted.sources)
    rows.append((*total, sampled, predicted.documents, predicted.text_bytes / 1e6, predicted.output_bytes / 1e6, predicted.cpu_s))
    console.print(table(f"The full run, by {100 * share:g} % of its records", columns, rows, numeric=columns[1:]))
    few = [source.source for source in predicted.sources if source.sampled_documents < FEW_DOCUMENTS]
    memory = predicted.worker_bytes / 1e6
    console.print(
        f"\nCPU time      {_duration(predicted.cpu_s)}\n"
        f"wall time     {_duration(predicted.wall_s)} with {predicted.workers} workers\n"
        f"memory        {memory:,.0f} MB per worker, {predicted.workers * memory:,.0f} MB together\n"
        f"output        {predicted.output_bytes / 1e6:,.1f} MB\n"
        f"the sample    {place}",
    )
    if few:
        console.print(f"note: fewer than {FEW_DOCUMENTS} documents sampled, a larger --sample says more: {', '.join(few)}")


def _duration(seconds: float) -> str:
    for size, unit in ((86400.0, "days"), (3600.0, "h"), (60.0, "min")):
        if seconds >= 2 * size:
            return f"{seconds / size:,.1f} {unit}"
    return f"{seconds:,.1f} s"
