"""A rehearsal of extract: the step on a hash sample of the corpus, and what the full run will need by its measure.

In: raw files of a corpus manifest and the share of them to read. Out: the step's outputs for the sample below `OUT/sample/extract`, and a
`Prediction`. Nothing of the full run is touched.

Two draws make the sample, both by hash of names: of each source the files (of large ones the pieces), never fewer than `LEAST_FILES`; then
of each the records, such that both together give the share. Predictions are ratios to raw bytes (of files) and to the share of records,
per source.
The sample's documents are the same wherever and whenever it runs. CPU time and memory are measured: they differ from run to run.
"""

from __future__ import annotations

import math
import resource
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import pyarrow as pa
import xxhash

from manifests.base import sha256_of
from manifests.corpus import CorpusManifest
from manifests.errors import GristmillError
from manifests.steps import TaskManifest, begin_step, remove_stale
from manifests.storage import join
from pipeline.engines.runners import Runner
from pipeline.extract import PART_TEXT_BYTES, extract_records, extract_settings, piece_task, places, raw_records
from pipeline.folders import EXTRACT, SAMPLE
from pipeline.inputs import RawPiece, list_raw_pieces
from pipeline.readers.records import BATCH_TEXT_BYTES, RAW, Record, Records, raw_batch
from pipeline.schemas import DOCUMENTS, ipc_bytes
from pipeline.signals import SIGNALS
from pipeline.tasks import Task, pending_tasks, run_tasks
from pipeline.text_pass import ALL_SIGNALS, run_text_pass, signature_schema, text_pass

# Files differ among themselves: with fewer of them a source's mean says little.
LEAST_FILES = 16
# A process that has done nothing yet, a worker or the command itself: Python, Beam, kernels, models (measured: 3.4 CPU s).
_START_CPU_S = 3.4
# Below this many documents of a source its prediction is a guess: the standard error of a mean is above a tenth of the spread.
FEW_DOCUMENTS = 100
# What a document takes in memory beside its text: signals, a signature of 112 values, id, URL, site, name, offsets.
_ROW_BYTES = sum(field.type.bit_width // 8 for field in SIGNALS if pa.types.is_integer(field.type)) + 112 * 4 + 256


@dataclass(frozen=True)
class SourcePrediction:
    """What one source will give, and what it costs.

    Attributes:
        raw_bytes: of its files, as found.
        sampled_documents: how many documents the prediction rests on.
        output_bytes: all files of the step.
    """

    source: str
    files: int
    raw_bytes: int
    sampled_documents: int
    documents: int
    text_bytes: int
    output_bytes: int
    cpu_s: float


@dataclass(frozen=True)
class Prediction:
    """What the full run of extract will need.

    Attributes:
        cpu_s: of all workers, their start included.
        wall_s: with the workers that the sample ran with, all busy.
        worker_bytes: resident memory of one worker at its peak.
    """

    sources: tuple[SourcePrediction, ...]
    share: float
    workers: int
    documents: int
    text_bytes: int
    output_bytes: int
    cpu_s: float
    wall_s: float
    worker_bytes: int


def sample_extract(manifest: CorpusManifest, *, out: str, share: float, runner: Runner) -> Prediction:
    """Run extract on a sample and predict the full run.

    Args:
        share: of the records, above 0 and at most 1.

    Raises:
        GristmillError: a share that is none, a missing input, a failed task, or a sample without any document.
    """
    if not 0 < share <= 1:
        raise GristmillError(
            f"a sample of {share} of the records", where="--sample", remedy="give a share above 0 and at most 1, such as 0.01"
        )
    folder = join(out, SAMPLE, EXTRACT)
    settings = extract_settings(manifest)
    sources = {source.name: source for source in manifest.sources}
    pieces = list_raw_pieces(manifest.sources)
    drawn = draw_pieces(pieces, share=share, seed=manifest.seed)
    record_share = {name: _record_share(name, pieces, drawn, share) for name in sources}
    key = {**settings, "record_share": record_share}
    own = {**key, **places(manifest), "folder": folder}
    tasks = [_sampled(piece_task(piece, sources[piece.file.source], settings), key) for piece in drawn]
    if pending_tasks(tasks, folder=folder):
        begin_step(folder)
    manifests = run_tasks(tasks, sample_file, own, folder=folder, label="Sample", runner=runner)
    remove_stale(folder, [output for task in manifests for output in task.outputs], [task.task for task in manifests])
    predicted = [
        _predict(name, pieces, drawn, record_share[name], [task for task in manifests if task.task.startswith(f"{name}/")])
        for name in sources
    ]
    if not sum(source.sampled_documents for source in predicted):
        raise GristmillError("the sample holds no document", where=folder, remedy="use a larger --sample")
    workers = max(1, min(runner.workers, len(pieces)))
    cpu_s = sum(source.cpu_s for source in predicted) + (workers + 1) * _START_CPU_S
    return Prediction(
        sources=tuple(predicted),
        share=share,
        workers=workers,
        documents=sum(source.documents for source in predicted),
        text_bytes=sum(source.text_bytes for source in predicted),
        output_bytes=sum(source.output_bytes for source in predicted),
        cpu_s=cpu_s,
        wall_s=cpu_s / workers,
        worker_bytes=_worker_bytes(manifests, pieces, drawn, record_share),
    )


def draw_pieces(pieces: Sequence[RawPiece], *, share: float, seed: int) -> list[RawPiece]:
    """Of each source the files, or pieces, with the smallest hashes: `share` of them, at least `LEAST_FILES`; in the order of `pieces`."""
    drawn: set[str] = set()
    for source in {raw.file.source for raw in pieces}:
        own = sorted((_hash(seed, raw.label), raw.label) for raw in pieces if raw.file.source == source)
        count = min(len(own), max(LEAST_FILES, math.ceil(share * len(own))))
        drawn |= {label for _, label in own[:count]}
    return [raw for raw in pieces if raw.label in drawn]


def sample_file(payload: dict[str, Any], settings: dict[str, Any]) -> TaskManifest:
    """One raw file's sampled records to parts; the manifest's details say what that took."""
    _warm(settings)
    meter = _Meter()
    source = payload["name"].split("/", 1)[0]
    share = settings["record_share"][source]
    selected = _selected(meter.read(raw_records(payload)), share=share, seed=settings["seed"], source=source, file=payload["file"])
    manifest = extract_records(meter.passing(selected), payload, settings)
    return manifest.model_copy(update={"details": meter.details()})


class _Meter:
    """CPU seconds of reading, of the text pass, and of the rest, which is per file."""

    def __init__(self) -> None:
        self._began = time.process_time()
        self._reading = self._passing = 0.0

    def read(self, batches: Iterator[Records]) -> Iterator[Records]:
        while True:
            began = time.process_time()
            batch = next(batches, None)
            read = time.process_time()
            self._reading += read - began
            if batch is None:
                return
            yield batch

    def passing(self, batches: Iterator[Records]) -> Iterator[Records]:
        for batch in batches:
            handed = time.process_time()
            yield batch
            self._passing += time.process_time() - handed

    def details(self) -> dict[str, Any]:
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
        rest = time.process_time() - self._began - self._reading - self._passing
        return {"read_cpu_s": self._reading, "text_cpu_s": self._passing, "file_cpu_s": rest, "peak_bytes": peak}


def _warm(settings: Mapping[str, Any]) -> None:
    """Load kernels, models and tables: paid once per worker, not once per record as a sample would have it."""
    wanted = text_pass(settings)
    run_text_pass(raw_batch([Record(0, None, "http://example.com/", "One document, of a few words: mail me@example.com.")]), wanted)


def _selected(batches: Iterator[Records], *, share: float, seed: int, source: str, file: str) -> Iterator[Records]:
    """The sampled records, in batches as large as those of a full run; others are skipped as `not_sampled`, broken ones are all there."""
    limit = share * 2.0**64
    chosen: list[pa.RecordBatch] = []
    for batch in batches:
        keep = [_hash(seed, source, file, offset) < limit for offset in batch.documents["offset"].to_pylist()]
        left_out = len(keep) - sum(keep)
        skipped = {**batch.skipped, "not_sampled": left_out} if left_out else batch.skipped
        chosen.append(batch.documents.filter(pa.array(keep, pa.bool_())))
        documents = raw_batch([])
        if sum(some.nbytes for some in chosen) >= BATCH_TEXT_BYTES:
            documents, chosen = _joined(chosen), []
        yield Records(documents, batch.broken, skipped)
    yield Records(_joined(chosen), [], {})


def _joined(batches: Sequence[pa.RecordBatch]) -> pa.RecordBatch:
    table = pa.Table.from_batches(batches, schema=RAW).combine_chunks()
    return table.to_batches()[0] if table.num_rows else raw_batch([])


def _hash(*of: object) -> int:
    return xxhash.xxh3_64_intdigest("\0".join(map(str, of)).encode())


def _sampled(task: Task, settings: Mapping[str, Any]) -> Task:
    """The task with a key of its own: what is sampled depends on the shares too."""
    return Task(name=task.name, key=sha256_of([task.key, "sample", settings]), payload=task.payload, weight=task.weight)


def _record_share(source: str, pieces: Sequence[RawPiece], drawn: Sequence[RawPiece], share: float) -> float:
    """What is left of `share` once the files are drawn."""
    here, there = (sum(raw.file.source == source for raw in some) for some in (drawn, pieces))
    return min(1.0, share * there / here)


def _predict(
    source: str, pieces: Sequence[RawPiece], drawn: Sequence[RawPiece], record_share: float, manifests: Sequence[TaskManifest]
) -> SourcePrediction:
    raw_bytes, read_bytes = (sum(raw.size for raw in some if raw.file.source == source) for some in (pieces, drawn))
    by_files = raw_bytes / read_bytes if read_bytes else 0.0
    whole = by_files / record_share
    kept = sum(manifest.ledger.kept for manifest in manifests)
    outputs = [output for manifest in manifests for output in manifest.outputs]
    # Schemas and footers do not grow with the rows.
    frames = len(outputs) * _frame_bytes()
    reading, text, rest = (sum(manifest.details[f"{name}_cpu_s"] for manifest in manifests) for name in ("read", "text", "file"))
    return SourcePrediction(
        source=source,
        files=len({raw.file.name for raw in pieces if raw.file.source == source}),
        raw_bytes=raw_bytes,
        sampled_documents=kept,
        documents=round(kept * whole),
        text_bytes=round(sum(output.text_bytes for output in outputs) * whole),
        output_bytes=round(frames * by_files + (sum(output.bytes for output in outputs) - frames) * whole),
        cpu_s=(reading + rest) * by_files + text * whole,
    )


@cache
def _frame_bytes() -> int:
    """Bytes of an Arrow file of no rows, of the three kinds of a part on average."""
    sizes: list[int] = [ipc_bytes([], schema).size for schema in (DOCUMENTS, ALL_SIGNALS, signature_schema(1))]
    return sum(sizes) // len(sizes)


def _worker_bytes(
    manifests: Sequence[TaskManifest], pieces: Sequence[RawPiece], drawn: Sequence[RawPiece], record_share: Mapping[str, float]
) -> int:
    """The peak of the sample's workers, and what a part still grows by in the full run.

    A part is held until it has `PART_TEXT_BYTES` of text; per byte of text it holds the columns of its rows and one file at a time.
    """
    peak: int = max(manifest.details["peak_bytes"] for manifest in manifests)
    grown = 0.0
    for manifest in manifests:
        text = sum(output.text_bytes for output in manifest.outputs)
        if not text:
            continue
        source = manifest.task.split("/", 1)[0]
        largest, read = (max(raw.size for raw in some if raw.file.source == source) for some in (pieces, drawn))
        # The text of the source's largest file, were it like this one.
        expected = min(PART_TEXT_BYTES, text / record_share[source] * max(1.0, largest / read))
        held = text + manifest.ledger.kept * _ROW_BYTES + sum(output.bytes for output in manifest.outputs)
        grown = max(grown, max(0.0, expected - text) * held / text)
    return peak + round(grown)
