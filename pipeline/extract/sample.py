"""A rehearsal of extract: runs the step on a hash sample of the corpus and predicts what the full run will need.

In: raw files of a corpus manifest and the share of the records to read. Out: the step's outputs for the sample below
`OUT/sample/extract`, and a `Prediction`. Outputs of the full run are not touched.

The sample is drawn twice, both times by a hash of names: first files of each source (pieces of large files), at least
`LEAST_FILES`; then records of each drawn file, so that both draws together give the share. HTML of records that are not
drawn is not parsed. Predictions scale by raw bytes (for files) and by the share of records, per source.

The sample's documents are the same wherever and whenever it runs. CPU time and memory are measured and differ from run
to run.
"""

from __future__ import annotations

import math
import resource
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import xxhash

from manifests.base import sha256_of
from manifests.corpus import FORMATS, CorpusManifest, Source
from manifests.errors import GristmillError
from manifests.step import TaskManifest
from pipeline.engines.runners import Runner
from pipeline.engines.tasks import pending_tasks, run_tasks
from pipeline.extract.inputs import RawPiece, check_files, list_raw_pieces
from pipeline.extract.sample_output import full_output_bytes
from pipeline.extract.settings import PART_TEXT_BYTES, ExtractJob, ReadTask, extract_job, read_tasks
from pipeline.extract.step import extract_records, raw_records
from pipeline.extract.text_pass import TextPass, make_text_pass, run_text_pass
from pipeline.folders import EXTRACT, SAMPLE
from pipeline.readers.records import BATCH_TEXT_BYTES, NOT_SAMPLED, RAW, Draw, Record, Records, raw_batch
from pipeline.readers.web.html import html_to_text
from pipeline.text.signals import SIGNALS
from storage.files import join
from storage.steps import begin_step, remove_stale

# Files differ from each other: the mean of fewer files says little about a source.
LEAST_FILES = 16
# CPU seconds to start a process, a worker or the command itself: Python, Beam, kernels, models (measured).
_START_CPU_S = 2.7
# With fewer documents than this, a source's prediction is a guess: the standard error of the mean exceeds a tenth of
# the spread.
FEW_DOCUMENTS = 100
# Memory per document besides its text: signals, a signature of 112 values, id, URL, site, name, offsets.
_ROW_BYTES = sum(field.type.bit_width // 8 for field in SIGNALS if pa.types.is_integer(field.type)) + 112 * 4 + 256


@dataclass(frozen=True)
class SourcePrediction:
    """What one source will give, and what it costs.

    Attributes:
        raw_bytes: total size of its files on disk.
        sampled_documents: number of documents on which the prediction is based.
        output_bytes: total size of the files that the step writes.
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
        cpu_s: CPU seconds of all workers, including their start.
        wall_s: seconds with as many workers as the sample ran with, all busy.
        worker_bytes: peak resident memory of one worker; on Linux without memory that it shares with others, elsewhere
            with it.
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

    @property
    def guesses(self) -> list[str]:
        """Sources of which fewer than `FEW_DOCUMENTS` were sampled."""
        return [source.source for source in self.sources if source.sampled_documents < FEW_DOCUMENTS]


class SampleJob(ExtractJob):
    """What all tasks of the sample share.

    Attributes:
        record_share: by source, the share of a drawn file's records that is drawn.
    """

    record_share: dict[str, float]


def sample_extract(manifest: CorpusManifest, *, out: str, share: float, runner: Runner) -> Prediction:
    """Run extract on a sample and predict the full run.

    Args:
        share: the share of the records to read, above 0 and at most 1.

    Raises:
        GristmillError: an invalid share, a missing input, a failed task, or a sample without any document.
    """
    if not 0 < share <= 1:
        raise GristmillError(
            f"a sample of {share} of the records",
            where="--sample",
            remedy="give a share above 0 and at most 1, such as 0.01",
        )
    folder = join(out, SAMPLE, EXTRACT)
    pieces = list_raw_pieces(manifest.sources)
    check_files([piece.file for piece in pieces], out=out)
    drawn = draw_pieces(pieces, share=share, seed=manifest.seed)
    record_share = {source.name: _record_share(source.name, pieces, drawn, share) for source in manifest.sources}
    job = SampleJob(**dict(extract_job(manifest, folder=folder)), record_share=record_share)
    described = {**job.settings.model_dump(mode="json"), "record_share": record_share}
    # The tasks have keys of their own, because the sample also depends on the shares.
    tasks = [
        task.model_copy(update={"key": sha256_of([task.key, "sample", described])})
        for task in read_tasks(drawn, job.settings)
    ]
    if pending_tasks(tasks, folder=folder):
        begin_step(folder)
    manifests = run_tasks(tasks, sample_file, job, folder=folder, label="Sample", runner=runner)
    remove_stale(folder, [output for task in manifests for output in task.outputs], [task.task for task in manifests])
    predicted = [
        _predict(
            name,
            pieces,
            drawn,
            record_share[name],
            [task for task in manifests if task.task.startswith(f"{name}/")],
            folder,
        )
        for name in record_share
    ]
    if not sum(source.sampled_documents for source in predicted):
        raise GristmillError("the sample holds no document", where=folder, remedy="use a larger --sample")
    workers = max(1, min(runner.workers, len(pieces)))
    # One worker of the embedded runner is the command itself.
    processes = 1 if workers == 1 and runner.kind == "embedded" else workers + 1
    cpu_s = sum(source.cpu_s for source in predicted) + processes * _START_CPU_S
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
    """The files, or pieces, of each source with the smallest hashes; at least `LEAST_FILES`; in the given order."""
    drawn: set[str] = set()
    for source in {raw.file.source for raw in pieces}:
        hashed = sorted((_hash(seed, raw.label), raw.label) for raw in pieces if raw.file.source == source)
        count = min(len(hashed), max(LEAST_FILES, math.ceil(share * len(hashed))))
        drawn |= {label for _, label in hashed[:count]}
    return [raw for raw in pieces if raw.label in drawn]


def sample_file(task: ReadTask, job: SampleJob) -> TaskManifest:
    """Turn the sampled records of one raw file into parts; the manifest's details hold CPU seconds and peak memory."""
    batch_cpu_s = _warm(job.sources[task.source], make_text_pass(job))
    draw = _draw(share=job.record_share[task.source], seed=job.settings.seed, source=task.source, file=task.file)
    meter = _Meter()
    selected = _selected(meter.read(raw_records(task, job, draw=draw)), draw)
    manifest = extract_records(meter.passing(selected), task, job)
    return manifest.model_copy(update={"details": {**meter.details(draw), "batch_cpu_s": batch_cpu_s}})


class _Meter:
    """CPU seconds of reading, of work on drawn records only (making texts, the text pass), and of the rest."""

    def __init__(self) -> None:
        self._began = time.process_time()
        self._reading = self._passing = 0.0
        self._batches = 0

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
            began = time.process_time()
            yield batch
            self._passing += time.process_time() - began
            self._batches += batch.documents.num_rows > 0

    def details(self, draw: Draw) -> dict[str, Any]:
        """The measurements, for the task's manifest."""
        peak = (
            resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
            - _shared_bytes()
        )
        rest = time.process_time() - self._began - self._reading - self._passing
        return {
            "read_cpu_s": self._reading - draw.text_cpu_s,
            "make_cpu_s": draw.text_cpu_s,
            "asked_size": draw.asked_size,
            "drawn_size": draw.drawn_size,
            "pass_cpu_s": self._passing,
            "file_cpu_s": rest,
            "batches": self._batches,
            "peak_bytes": peak,
        }


def _shared_bytes() -> int:
    """Bytes of memory shared with other processes: libraries and memory-mapped files."""
    try:
        return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[2]) * resource.getpagesize()
    except OSError:
        return 0


def _warm(source: Source, text_pass: TextPass) -> float:
    """Load kernels, models, tables and extractors. A worker does this once; the sample must not count it per record.

    Returns:
        CPU seconds of a batch that holds nearly nothing.
    """
    if FORMATS[source.format].html and source.extraction is not None:
        # A page without paragraphs makes `adaptive` call both extractors.
        html_to_text("<html><body><div>One page, of a few words.</div></body></html>", extraction=source.extraction)
    run_text_pass(
        _one(
            "One document, of a few words: mail me@example.com or call +1 202 555 0175. It\u00e2\u20ac\u2122s"
            " brok\u00e9n."
        ),
        text_pass,
    )
    costs = []
    for _ in range(3):
        began = time.process_time()
        run_text_pass(_one("One document, of a few words."), text_pass)
        costs.append(time.process_time() - began)
    return min(costs)


def _one(text: str) -> pa.RecordBatch:
    return raw_batch([Record(0, None, "http://example.com/", text)])


def _draw(*, share: float, seed: int, source: str, file: str) -> Draw:
    """A draw of records by a hash of their offset; the same for all formats."""
    limit = share * 2.0**64
    return Draw(lambda offset: _hash(seed, source, file, offset) < limit)


def _selected(batches: Iterator[Records], draw: Draw) -> Iterator[Records]:
    """The drawn records, in batches as large as those of a full run; others are skipped as `not_sampled`.

    Some readers have already applied the draw, to all records, including those that would be skipped or broken. Other
    readers pass all records on.
    """
    chosen: list[pa.RecordBatch] = []
    for batch in batches:
        keep = [draw.wanted(offset) for offset in batch.documents["offset"].to_pylist()]
        left_out = len(keep) - sum(keep)
        skipped = (
            {**batch.skipped, NOT_SAMPLED: batch.skipped.get(NOT_SAMPLED, 0) + left_out} if left_out else batch.skipped
        )
        chosen.append(batch.documents.filter(pa.array(keep, pa.bool_())))
        documents = raw_batch([])
        if sum(kept.nbytes for kept in chosen) >= BATCH_TEXT_BYTES:
            documents, chosen = _joined(chosen), []
        yield Records(documents, batch.broken, skipped, batch.lost)
    yield Records(_joined(chosen), [], {})


def _joined(batches: Sequence[pa.RecordBatch]) -> pa.RecordBatch:
    table = pa.Table.from_batches(batches, schema=RAW).combine_chunks()
    return table.to_batches()[0] if table.num_rows else raw_batch([])


def _hash(*parts: object) -> int:
    return xxhash.xxh3_64_intdigest("\0".join(map(str, parts)).encode())


def _record_share(source: str, pieces: Sequence[RawPiece], drawn: Sequence[RawPiece], share: float) -> float:
    """The share of records to draw from the drawn files, so that both draws together give `share`."""
    drawn_count, total_count = (sum(raw.file.source == source for raw in group) for group in (drawn, pieces))
    return min(1.0, share * total_count / drawn_count)


def _predict(
    source: str,
    pieces: Sequence[RawPiece],
    drawn: Sequence[RawPiece],
    record_share: float,
    manifests: Sequence[TaskManifest],
    folder: str,
) -> SourcePrediction:
    raw_bytes, read_bytes = (sum(raw.size for raw in group if raw.file.source == source) for group in (pieces, drawn))
    by_files = raw_bytes / read_bytes if read_bytes else 0.0
    whole = by_files / record_share
    kept = sum(manifest.ledger.kept for manifest in manifests)
    return SourcePrediction(
        source=source,
        files=len({raw.file.name for raw in pieces if raw.file.source == source}),
        raw_bytes=raw_bytes,
        sampled_documents=kept,
        documents=round(kept * whole),
        text_bytes=round(sum(map(_text_bytes, manifests)) * whole),
        output_bytes=full_output_bytes(manifests, folder=folder, record_share=record_share, by_files=by_files),
        cpu_s=by_files * _cpu_s(manifests, record_share),
    )


def _cpu_s(manifests: Sequence[TaskManifest], record_share: float) -> float:
    """CPU seconds of the sampled files in the full run.

    Reading costs the same in both runs. The cost of making texts grows with the total size of the records, because a
    few large pages are much of it. The cost of the text pass grows with the number of records; the fixed cost per batch
    is counted for as many batches as the text fills, at least one.
    """
    made, asked, drawn = (
        sum(manifest.details[name] for manifest in manifests) for name in ("make_cpu_s", "asked_size", "drawn_size")
    )
    total = made * asked / drawn if drawn else 0.0
    for manifest in manifests:
        details = manifest.details
        fixed = min(details["batches"] * details["batch_cpu_s"], details["pass_cpu_s"])
        batches = max(1.0, details["batches"], _text_bytes(manifest) / record_share / BATCH_TEXT_BYTES)
        total += (details["pass_cpu_s"] - fixed) / record_share + batches * details["batch_cpu_s"]
        total += details["read_cpu_s"] + details["file_cpu_s"]
    return total


def _text_bytes(manifest: TaskManifest) -> int:
    return sum(output.text_bytes for output in manifest.outputs)


def _worker_bytes(
    manifests: Sequence[TaskManifest],
    pieces: Sequence[RawPiece],
    drawn: Sequence[RawPiece],
    record_share: Mapping[str, float],
) -> int:
    """The peak of the sample's workers, plus the growth of a part in the full run.

    A part is held until it has `PART_TEXT_BYTES` of text. With its text, a worker holds the columns of its rows and one
    file at a time.
    """
    peak: int = max(manifest.details["peak_bytes"] for manifest in manifests)
    grown = 0.0
    for manifest in manifests:
        text = _text_bytes(manifest)
        if not text:
            continue
        source = manifest.task.split("/", 1)[0]
        largest, read = (max(raw.size for raw in group if raw.file.source == source) for group in (pieces, drawn))
        # The text of the source's largest file, if it is like this one.
        expected = min(PART_TEXT_BYTES, text / record_share[source] * max(1.0, largest / read))
        held = text + manifest.ledger.kept * _ROW_BYTES + sum(output.bytes for output in manifest.outputs)
        grown = max(grown, max(0.0, expected - text) * held / text)
    return peak + round(grown)
