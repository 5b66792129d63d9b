"""The extract step: raw files to documents, signals and signatures, reading each text once.

In: raw files of a corpus manifest. Out, below `OUT/extract`, for each raw file one or more parts of about
`PART_TEXT_BYTES` of text:

    documents/<task>.<k>.arrow    pipeline.schemas.DOCUMENTS
    signals/<task>.<k>.arrow      pipeline.text.signals.SIGNALS, language, personal-information counts
    signatures/<task>.<k>.arrow   MinHash signature and number of shingles
    lines/<task>.<k>.arrow        pipeline.text.line_hashes.LINES, only if lines are compared
    quarantine/<task>.arrow       broken records, if there are any; many continue in <task>.0001.arrow, ...

All kinds but the last are row-aligned, with rows in the order of the raw file. One task reads one file, or one piece of
a large file (`pipeline.readers.pieces`). Names are made of the file's name and the piece's number.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

import pyarrow as pa
import xxhash

from manifests.corpus import CorpusManifest
from manifests.credentials import redacted
from manifests.errors import GristmillError
from manifests.step import Inside, Ledger, Output, StepManifest, TaskManifest
from pipeline.engines.runners import Runner
from pipeline.engines.tasks import pending_tasks, run_tasks
from pipeline.extract.inputs import check_files, list_raw_pieces
from pipeline.extract.settings import ExtractJob, ReadTask, extract_job, read_tasks
from pipeline.extract.text_pass import PassedBatch, make_text_pass, run_text_pass
from pipeline.folders import EXTRACT, part_file
from pipeline.losses import Tally, merge_inside
from pipeline.readers import read_records
from pipeline.readers.pieces import Piece
from pipeline.readers.records import Broken, Draw, Records
from pipeline.schemas import DOCUMENTS, QUARANTINE, GrowingFile, publish_buffer, publish_ipc
from pipeline.text.urls import excerpt_without_credentials, without_url_credentials
from storage.compressed import window_bytes
from storage.files import find, is_url, join, open_input
from storage.steps import begin_step, finish_step

# Nobody wants to read a million notes about a million empty files.
_MOST_NOTES = 20
# Compressed size of a file of broken records, which is held in memory until it is published.
QUARANTINE_BYTES = 8 << 20
_QUARANTINE_ROWS = 10_000
# The largest window that the zstd tool decompresses by default.
_USUAL_WINDOW = 128 << 20
_ZSTD = (".zst", ".zstd")


def extract(manifest: CorpusManifest, *, out: str, runner: Runner) -> StepManifest:
    """Run the step for all files of the corpus; finished files are not read again.

    Raises:
        GristmillError: a missing input, a full disk or a failed task; finished tasks stay finished.
    """
    folder = join(out, EXTRACT)
    job = extract_job(manifest, folder=folder)
    pieces = list_raw_pieces(manifest.sources)
    check_files([piece.file for piece in pieces], out=out)
    tasks = read_tasks(pieces, job.settings)
    if pending_tasks(tasks, folder=folder):
        begin_step(folder)
    manifests = run_tasks(tasks, extract_file, job, folder=folder, label="Extract", runner=runner)
    inputs = {name: digest for task in manifests for name, digest in task.inputs.items()}
    empty = [_note(task) for task in manifests if not task.ledger.kept]
    if len(empty) > _MOST_NOTES:
        empty[_MOST_NOTES:] = [f"{len(empty) - _MOST_NOTES:,} more tasks gave no document"]
    windows = [note for task in manifests for note in task.notes][:_MOST_NOTES]
    return finish_step(
        folder,
        step=EXTRACT,
        settings=job.settings.model_dump(mode="json"),
        inputs=inputs,
        tasks=manifests,
        inside=_by_source(manifests),
        notes=empty + windows,
    )


def _by_source(manifests: Iterable[TaskManifest]) -> dict[str, Inside]:
    """What was lost within the documents of each source; sources that lost nothing are left out."""
    tasks: dict[str, list[Inside]] = {}
    for task in manifests:
        if task.inside:
            tasks.setdefault(task.task.split("/", 1)[0], []).append(task.inside)
    return {source: merge_inside(inside) for source, inside in sorted(tasks.items())}


def _note(task: TaskManifest) -> str:
    """A note that a task gave no document, with the kind of error if all its records failed in the same way."""
    kinds = list(task.ledger.quarantined)
    return f"{task.task} gave no document" + (f": {kinds[0]}" if len(kinds) == 1 and not task.ledger.dropped else "")


class _Part:
    """Row-aligned files that grow together until they are published.

    All but signals are held as growing files. Signals are held as batches, because a file has one dictionary per
    column.
    """

    def __init__(self, metadata: Mapping[str, str]) -> None:
        self.text_bytes = 0
        self._metadata = metadata
        self._documents = GrowingFile(DOCUMENTS.with_metadata(metadata))
        self._signals: list[pa.RecordBatch] = []
        self._signatures: GrowingFile | None = None
        self._lines: GrowingFile | None = None

    def add(self, passed: PassedBatch) -> None:
        """Add one batch."""
        if not passed.documents.num_rows:
            return
        self.text_bytes += passed.text_bytes
        self._documents.add(passed.documents)
        self._signals.append(passed.signals)
        if passed.signatures is not None:
            if self._signatures is None:
                schema = passed.signatures.schema
                schema = schema.with_metadata({**schema.metadata, **self._metadata})
                self._signatures = GrowingFile(schema, compress=False)  # to be memory-mapped
            self._signatures.add(passed.signatures)
        if passed.lines is not None:
            if self._lines is None:
                self._lines = GrowingFile(passed.lines.schema.with_metadata(self._metadata))
            self._lines.add(passed.lines)

    def publish(self, folder: str, name: str) -> list[Output]:
        """Publish the part under `name`.

        Documents are the last output and carry the row count. Without rows, nothing is published.
        """
        rows = self._documents.rows
        if not rows:
            return []
        signals = _one_dictionary(self._signals)
        outputs = [
            publish_ipc(folder, part_file("signals", name), signals, signals[0].schema.with_metadata(self._metadata))
        ]
        if self._signatures is not None:
            outputs.append(publish_buffer(folder, part_file("signatures", name), self._signatures.finish(), rows=rows))
        if self._lines is not None:
            outputs.append(publish_buffer(folder, part_file("lines", name), self._lines.finish(), rows=rows))
        documents = self._documents.finish()
        return [
            *outputs,
            publish_buffer(folder, part_file("documents", name), documents, rows=rows, text_bytes=self.text_bytes),
        ]


class _Quarantine:
    """Counts broken records and writes them to files in memory, each published when it reaches `QUARANTINE_BYTES`."""

    def __init__(self, folder: str, task: str, metadata: Mapping[str, str]) -> None:
        self.kinds: Counter[str] = Counter()
        self.outputs: list[Output] = []
        self._folder, self._task = folder, task
        self._schema = QUARANTINE.with_metadata(metadata)
        self._file = GrowingFile(self._schema)
        self._waiting: list[Broken] = []

    def add(self, broken: Sequence[Broken]) -> None:
        """Add broken records.

        Batches are cut by the number of records alone, so files do not depend on how records were grouped.
        """
        self.kinds.update(record.problem.kind for record in broken)
        self._waiting += broken
        while len(self._waiting) >= _QUARANTINE_ROWS:
            self._file.add(_quarantine(self._waiting[:_QUARANTINE_ROWS]))
            del self._waiting[:_QUARANTINE_ROWS]
            if self._file.size > QUARANTINE_BYTES:
                self._publish()

    def finish(self) -> list[Output]:
        """Publish the rest. Returns all files; an empty list if there were no broken records."""
        if self._waiting:
            self._file.add(_quarantine(self._waiting))
        if self._file.rows:
            self._publish()
        return self.outputs

    def _publish(self) -> None:
        number = f".{len(self.outputs):04d}" if self.outputs else ""
        file, self._file = self._file, GrowingFile(self._schema)
        self.outputs.append(
            publish_buffer(self._folder, part_file("quarantine", self._task + number), file.finish(), rows=file.rows)
        )


def extract_file(task: ReadTask, job: ExtractJob) -> TaskManifest:
    """Turn one raw file, or a piece of it, into parts."""
    manifest = extract_records(raw_records(task, job), task, job)
    window = window_bytes(task.path) if task.path.endswith(_ZSTD) else 0
    if window <= _USUAL_WINDOW:
        return manifest
    note = (
        f"{task.label} has a zstd window of {window >> 20:,} MiB: a worker that reads it takes up to so much memory"
        " more"
    )
    return manifest.model_copy(update={"notes": [note]})


def raw_records(task: ReadTask, job: ExtractJob, *, draw: Draw | None = None) -> Iterator[Records]:
    """The records that a task reads; `draw` as in `pipeline.readers.read_records`."""
    return read_records(task.path, name=task.file, source=job.sources[task.source], piece=task.piece, draw=draw)


def extract_records(batches: Iterable[Records], task: ReadTask, job: ExtractJob) -> TaskManifest:
    """Turn batches of records of one raw file into parts and publish them."""
    text_pass = make_text_pass(job)
    metadata = {"format": "gristmill-documents/1", "source": task.source, "file": task.file}
    outputs: list[Output] = []
    broken = _Quarantine(job.folder, task.name, metadata)
    skipped: Counter[str] = Counter()
    lost = Tally()
    part, parts, rows = _Part(metadata), 0, 0
    for records in batches:
        broken.add(records.broken)
        skipped.update(records.skipped)
        lost.merge(records.lost)
        if records.documents.num_rows:
            passed = run_text_pass(records.documents, text_pass)
            skipped["empty_text"] += passed.empty
            lost.merge(passed.lost)
            part.add(passed)
        if part.text_bytes >= job.settings.part_text_bytes:
            outputs += part.publish(job.folder, f"{task.name}.{parts:04d}")
            rows += outputs[-1].rows
            part, parts = _Part(metadata), parts + 1
    if last := part.publish(job.folder, f"{task.name}.{parts:04d}"):
        outputs += last
        rows += last[-1].rows
    outputs += broken.finish()
    dropped = {reason: number for reason, number in sorted(skipped.items()) if number}
    ledger = Ledger(
        records_in=rows + sum(dropped.values()) + broken.kinds.total(),
        kept=rows,
        dropped=dropped,
        quarantined=dict(sorted(broken.kinds.items())),
    )
    digest = content_hash(task.path, task.piece)
    _check_unchanged(task.path, task.stamp)
    return TaskManifest(
        task=task.name,
        key=task.key,
        inputs={task.label: digest},
        outputs=outputs,
        ledger=ledger,
        inside=lost.inside(),
    )


def _check_unchanged(path: str, stamp: str) -> None:
    """Check that the file has not changed since the run listed it: its text and its hash come from two reads."""
    now = find(path)
    size = int(stamp.split(":")[0])
    # Object stores report the time of an object more precisely in a listing than for the object alone.
    same = now is not None and now.size == size and (is_url(path) or f"{now.size}:{now.changed}" == stamp)
    if not same:
        raise GristmillError(
            "the file changed while it was read",
            where=path,
            remedy="run again, and leave inputs alone until the run has ended",
        )


def _one_dictionary(batches: Sequence[pa.RecordBatch]) -> list[pa.RecordBatch]:
    """Unify the dictionaries of the batches: an IPC file has one dictionary per column."""
    table = pa.Table.from_batches(batches).unify_dictionaries().combine_chunks()
    return list(table.to_batches())


def _quarantine(broken: Sequence[Broken]) -> pa.RecordBatch:
    return pa.RecordBatch.from_arrays(
        [
            pa.array([record.offset for record in broken], pa.int64()),
            without_url_credentials(pa.array([record.name for record in broken], pa.string())),
            pa.array([redacted(record.error) for record in broken], pa.string()),
            pa.array([excerpt_without_credentials(record.excerpt) for record in broken], pa.binary()),
        ],
        schema=QUARANTINE,
    )


def content_hash(path: str, piece: Piece) -> str:
    """Hex 128-bit xxh3 of the bytes on disk of a raw file, or of a piece of it."""
    digest = xxhash.xxh3_128()
    remaining = piece.stop - piece.start
    try:
        with open_input(path) as file:
            file.seek(piece.start)
            while remaining and (chunk := file.read(min(4 << 20, remaining))):
                digest.update(chunk)
                remaining -= len(chunk)
    except FileNotFoundError:
        raise GristmillError(
            "no such file", where=path, remedy="it was there when the run began: do not change inputs during a run"
        ) from None
    return digest.hexdigest()
