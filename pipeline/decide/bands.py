"""Factual bands: cuts a source by the scores of its kept documents into bands of about equal text.

In: the parts of extract (columns `factual`, `characters`), the fates of duplicates. Out, below `OUT/decide/bands`,
if the manifest cuts any source:

    <r>.arrow          pipeline.schemas.SCORES: kept documents and their characters by source and score, of one run
    thresholds.arrow   pipeline.schemas.BANDS: each band's lowest score, documents and characters

Scores are counted in steps of 1/1024, so that counts of parts add up to counts of the corpus, whatever was added first,
and a threshold is the lowest score of a step. Bands are equal in characters, not in documents: a mixture's shares are
shares of tokens, and tokens are made later, by a tokenizer that may itself be trained on what is kept; the text itself
is not read here. All kept documents of a source count, none is sampled. Documents of one step are never divided: a
source in which nearly all have one score has fewer bands, and a note says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from kernels.arrays import Float32s, Int32s, Int64s
from manifests.errors import GristmillError
from manifests.step import Output, TaskManifest
from pipeline.decide.duplicates.fates import joined_reasons
from pipeline.decide.line_verdicts import without_repeated_lines
from pipeline.decide.runs import RunJob, parts_of
from pipeline.decide.settings import DecideJob
from pipeline.decide.stages import Stage, numbered, run_stages, tasks_in
from pipeline.decide.verdicts import judge_part
from pipeline.engines.runners import Runner
from pipeline.engines.tasks import collect
from pipeline.folders import part_file
from pipeline.parts import Part
from pipeline.schemas import BANDS, SCORES, ipc_names, publish_ipc, read_ipc
from pipeline.text.signal_columns import FACTUAL
from storage.files import join

FOLDER = "bands"
_THRESHOLDS_FILE = f"{FOLDER}/thresholds.arrow"
# Steps per unit of log-odds, and the lowest and highest step: what lies beyond counts as these.
STEPS = 1_024
_LOWEST, _HIGHEST = -32_768, 32_767


class Counts(NamedTuple):
    """Kept documents and their characters by step of score; int64[n], steps ascending."""

    steps: Int64s
    documents: Int64s
    characters: Int64s


def run_bands(job: RunJob, *, runner: Runner) -> list[TaskManifest]:
    """Publish the counts and thresholds. Does nothing if no source is cut.

    Args:
        runner: with as many workers as the stages can use.
    """
    if all(source.bands is None for source in job.settings.sources.values()):
        return []
    stages = [
        Stage("Bands", publish_counts, partial(numbered, stage=FOLDER), job.runs),
        Stage("Bands: thresholds", publish_thresholds, _thresholds_task, 1),
    ]
    run_stages(stages, job, runner=runner)
    return collect([task for stage in stages for task in tasks_in(stage, job)], folder=job.folder)


def _thresholds_task(_: int) -> str:
    return _THRESHOLDS_FILE.removesuffix(".arrow")


def publish_counts(run: int, job: RunJob) -> list[Output]:
    """Publish the counts of one run, by source and step."""
    found: dict[str, Counts] = {}
    for part in parts_of(run, job):
        if job.settings.sources[part.source].bands is not None:
            counts = part_counts(part, job)
            found[part.source] = add_counts([found[part.source], counts]) if part.source in found else counts
    batches = [
        pa.RecordBatch.from_arrays(
            [
                pa.array([source] * len(counts.steps), pa.string()),
                pa.array(counts.steps, pa.int32()),
                pa.array(counts.documents),
                pa.array(counts.characters),
            ],
            schema=SCORES,
        )
        for source, counts in sorted(found.items())
    ]
    return [publish_ipc(job.folder, f"{numbered(run, stage=FOLDER)}.arrow", batches, SCORES)]


def part_counts(part: Part, job: RunJob) -> Counts:
    """The counts of one part's documents that are kept."""
    verdicts = judge_part(part, job)
    reasons = joined_reasons(part, verdicts.reasons, job).reasons
    kept = without_repeated_lines(part, verdicts, reasons, job).reasons == 0
    signals = read_ipc(join(job.extract, part_file("signals", part.name)), columns=["characters", FACTUAL.name])
    return count_scores(signals[FACTUAL.name].to_numpy()[kept], signals["characters"].to_numpy().astype(np.int64)[kept])


def steps_of(scores: Float32s) -> Int64s:
    """The step of each score: int64[n]. A product with a power of two is exact."""
    return np.clip(np.floor(scores.astype(np.float64) * STEPS), _LOWEST, _HIGHEST).astype(np.int64)


def count_scores(scores: Float32s, characters: Int64s) -> Counts:
    """The counts of documents with these scores and characters."""
    ones = np.ones(len(scores), np.int64)
    return add_counts([Counts(steps_of(scores), ones, characters)])


def add_counts(counts: Sequence[Counts]) -> Counts:
    """The sum of counts; their order does not matter."""
    steps, place = np.unique(np.concatenate([each.steps for each in counts]), return_inverse=True)
    sums = []
    for column in (1, 2):
        total = np.zeros(len(steps), np.int64)
        np.add.at(total, place, np.concatenate([each[column] for each in counts]))
        sums.append(total)
    return Counts(steps, *sums)


def thresholds_of(counts: Counts, bands: int) -> Int64s:
    """The lowest step of each band but the first, ascending: int64[bands - 1].

    Threshold k is where the characters below come nearest to k parts of `bands`, the lower one of two that are as near.
    Two thresholds are the same where one step holds more than a band.
    """
    below = np.concatenate([np.zeros(1, np.int64), np.cumsum(counts.characters)])
    total = int(below[-1])
    edges = np.append(counts.steps, counts.steps[-1] + 1 if len(counts.steps) else 0)
    # In whole numbers: a corpus has more characters than a float64 tells apart once they are multiplied.
    found = []
    for number in range(1, bands):
        place = int(np.searchsorted(below, -(-number * total // bands)))
        if place and number * total - int(below[place - 1]) * bands <= int(below[place]) * bands - number * total:
            place -= 1
        found.append(int(edges[place]))
    return np.array(found, np.int64)


def band_numbers(scores: Float32s, thresholds: Int64s) -> Int32s:
    """The band of each score from 0, int32[n]."""
    return np.searchsorted(thresholds, steps_of(scores), side="right").astype(np.int32)


def band_names(bands: int) -> list[str]:
    """`q01` to `q20`, the last one the most factual."""
    return [f"q{number:02d}" for number in range(1, bands + 1)]


def buckets(part: Part, job: DecideJob) -> pa.DictionaryArray:
    """The bucket of each row of a part: `source/band`."""
    bands = job.settings.sources[part.source].bands
    if bands is None:
        return pa.DictionaryArray.from_arrays(pa.array(np.zeros(part.rows, np.int32)), pa.array([part.bucket]))
    scores = read_ipc(join(job.extract, part_file("signals", part.name)), columns=[FACTUAL.name])[FACTUAL.name]
    table = read_ipc(join(job.folder, _THRESHOLDS_FILE))
    own = table.filter(pc.equal(table["source"], part.source))["threshold"].to_numpy()[1:]
    numbers = band_numbers(scores.to_numpy(), steps_of(own))
    return pa.DictionaryArray.from_arrays(
        pa.array(numbers), pa.array([f"{part.source}/{name}" for name in band_names(bands)])
    )


def band_notes(job: DecideJob) -> list[str]:
    """Notes on sources with fewer bands than were asked for."""
    if all(source.bands is None for source in job.settings.sources.values()):
        return []
    notes = []
    table = read_ipc(join(job.folder, _THRESHOLDS_FILE))
    for source, settings in sorted(job.settings.sources.items()):
        own = table.filter(pc.equal(table["source"], source))
        filled = int(pc.sum(pc.greater(own["documents"], 0)).as_py() or 0)
        if settings.bands is not None and filled < settings.bands:
            notes.append(
                f"factual bands: source `{source}` fills {filled} of {settings.bands}: too few documents are kept, or"
                " their scores are too equal"
            )
    return notes


def check_scores(parts: Sequence[Part], job: DecideJob) -> None:
    """Check that extract stored scores for the sources that are cut.

    Raises:
        GristmillError: it did not.
    """
    seen: set[str] = set()
    for part in parts:
        if part.source in seen or job.settings.sources[part.source].bands is None:
            continue
        seen.add(part.source)
        path = join(job.extract, part_file("signals", part.name))
        if FACTUAL.name not in ipc_names(path):
            raise GristmillError(
                "`factual.bands` needs scores, which extract did not store",
                where=path,
                remedy="run `gristmill extract` again, with `factual.model` in the manifest",
            )


def publish_thresholds(_: int, job: RunJob) -> list[Output]:
    """Publish the thresholds of all sources that are cut."""
    # Sums by step, however many runs there are: at most `_HIGHEST - _LOWEST + 1` for each source.
    found = {
        source: Counts(*np.zeros((3, 0), np.int64))
        for source, settings in sorted(job.settings.sources.items())
        if settings.bands is not None
    }
    for run in range(job.runs):
        table = read_ipc(join(job.folder, f"{numbered(run, stage=FOLDER)}.arrow"))
        for source in pc.unique(table["source"]).to_pylist():
            own = table.filter(pc.equal(table["source"], source))
            counts = Counts(
                *(own[column].to_numpy().astype(np.int64) for column in ("step", "documents", "characters"))
            )
            found[source] = add_counts([found[source], counts])
    rows = [
        row
        for source, counts in found.items()
        for row in band_rows(source, counts, job.settings.sources[source].bands or 1)
    ]
    return [publish_ipc(job.folder, _THRESHOLDS_FILE, [pa.RecordBatch.from_pylist(rows, schema=BANDS)], BANDS)]


def band_rows(source: str, counts: Counts, bands: int) -> list[dict[str, object]]:
    """One row of `BANDS` per band of a source, in order."""
    thresholds = thresholds_of(counts, bands)
    band = np.searchsorted(thresholds, counts.steps, side="right")
    documents, characters = (
        [int(column[band == number].sum()) for number in range(bands)]
        for column in (counts.documents, counts.characters)
    )
    lowest = [None, *(step / STEPS for step in thresholds.tolist())]
    return [
        {"source": source, "band": name, "threshold": low, "documents": of, "characters": size}
        for name, low, of, size in zip(band_names(bands), lowest, documents, characters, strict=True)
    ]
