"""The extract step: raw files to documents, signals and signatures, reading each text once.

In: raw files of a corpus manifest. Out, below `OUT/extract`, for each raw file one or more parts of about `PART_TEXT_BYTES` of text:

    documents/<task>.<k>.arrow    pipeline.schemas.DOCUMENTS
    signals/<task>.<k>.arrow      pipeline.text.signals.SIGNALS, language, personal-information counts
    signatures/<task>.<k>.arrow   MinHash signature and number of shingles
    quarantine/<task>.arrow       broken records, when there are any; of many of them the next ones in <task>.0001.arrow, ...

The three kinds are row-aligned, rows in the order of the raw file. One task reads one file, or one piece of a large one
(`pipeline.readers.pieces`); names come from the file's name and the piece's number.
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
from pipeline.extract.text_pass import Passed, run_text_pass, text_pass
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

# Of a million empty files no reader wants a million notes.
_MOST_NOTES = 20
# Of a file of broken records, compressed: it is held in memory until it is published.
QUARANTINE_BYTES = 8 << 20
_QUARANTINE_ROWS = 10_000
# What zstd takes without being asked twice.
_USUAL_WINDOW = 128 << 20
_ZSTD = (".zst", ".zstd")


def extract(manifest: CorpusManifest, *, out: str, runner: Runner) -> StepManifest:
    """Run the step for all files of the corpus; finished files are not read again.

    Raises:
        GristmillError: a missing input, a full disk, a failed task; finished tasks stay finished.
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
    """That a task gave no document, and what there was instead where it is one kind of error."""
    kinds = list(task.ledger.quarantined)
    return f"{task.task} gave no document" + (f": {kinds[0]}" if len(kinds) == 1 and not task.ledger.dropped else "")


class _Part:
    """Three row-aligned files that grow together until they are published.

    Documents and signatures are held as the files they will be. Signals are held as batches, for files have one dictionary per column.
    """

    def __init__(self, metadata: Mapping[str, str]) -> None:
        self.text_bytes = 0
        self._metadata = metadata
        self._documents = GrowingFile(DOCUMENTS.with_metadata(metadata))
        self._signals: list[pa.RecordBatch] = []
        self._signatures: GrowingFile | None = None

    def add(self, passed: Passed) -> None:
        """One batch more."""
        if not passed.documents.num_rows:
            return
        self.text_bytes += passed.text_bytes
        self._documents.add(passed.documents)
        self._signals.append(passed.signals)
        if passed.signatures is not None:
            if self._signatures is None:
                schema = passed.signatures.schema.with_metadata(self._metadata)
                self._signatures = GrowingFile(schema, compress=False)  # to be memory-mapped
            self._signatures.add(passed.signatures)

    def publish(self, folder: str, name: str) -> list[Output]:
        """Publish what there is under `name`; the documents come last in the list and carry the row count. Nothing without rows."""
        rows = self._documents.rows
        if not rows:
            return []
        signals = _one_dictionary(self._signals)
        outputs = [publish_ipc(folder, part_file("signals", name), signals, signals[0].schema.with_metadata(self._metadata))]
        if self._signatures is not None:
            outputs.append(publish_buffer(folder, part_file("signatures", name), self._signatures.finish(), rows=rows))
        documents = self._documents.finish()
        return [*outputs, publish_buffer(folder, part_file("documents", name), documents, rows=rows, text_bytes=self.text_bytes)]


class _Quarantine:
    """Broken records: counted, and held as the file they will be until that has `QUARANTINE_BYTES`; the next ones go to another file."""

    def __init__(self, folder: str, task: str, metadata: Mapping[str, str]) -> None:
        self.kinds: Counter[str] = Counter()
        self.outputs: list[Output] = []
        self._folder, self._task = folder, task
        self._schema = QUARANTINE.with_metadata(metadata)
        self._file = GrowingFile(self._schema)
        self._waiting: list[Broken] = []

    def add(self, broken: Sequence[Broken]) -> None:
        """Some more. Batches are cut by their number alone: files do not depend on how records come."""
        self.kinds.update(_error_class(record.error) for record in broken)
        self._waiting += broken
        while len(self._waiting) >= _QUARANTINE_ROWS:
            self._file.add(_quarantine(self._waiting[:_QUARANTINE_ROWS]))
            del self._waiting[:_QUARANTINE_ROWS]
            if self._file.size > QUARANTINE_BYTES:
                self._publish()

    def finish(self) -> list[Output]:
        """Publish what is left; the files of all, none where there was nothing."""
        if self._waiting:
            self._file.add(_quarantine(self._waiting))
        if self._file.rows:
            self._publish()
        return self.outputs

    def _publish(self) -> None:
        number = f".{len(self.outputs):04d}" if self.outputs else ""
        file, self._file = self._file, GrowingFile(self._schema)
        self.outputs.append(publish_buffer(self._folder, part_file("quarantine", self._task + number), file.finish(), rows=file.rows))


def extract_file(task: ReadTask, job: ExtractJob) -> TaskManifest:
    """One raw file, or a piece of it, to its parts."""
    manifest = extract_records(raw_records(task, job), task, job)
    window = window_bytes(task.path) if task.path.endswith(_ZSTD) else 0
    if window <= _USUAL_WINDOW:
        return manifest
    note = f"{task.label} has a zstd window of {window >> 20:,} MiB: a worker that reads it takes up to so much memory more"
    return manifest.model_copy(update={"notes": [note]})


def raw_records(task: ReadTask, job: ExtractJob, *, draw: Draw | None = None) -> Iterator[Records]:
    """The records that a task reads; `draw` as in `pipeline.readers.read_records`."""
    return read_records(task.path, name=task.file, source=job.sources[task.source], piece=task.piece, draw=draw)


def extract_records(batches: Iterable[Records], task: ReadTask, job: ExtractJob) -> TaskManifest:
    """Batches of one raw file to its parts, published; what `extract_file` does with all of them."""
    wanted = text_pass(job)
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
            passed = run_text_pass(records.documents, wanted)
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
    """Text and hash come from two passes over the file: they belong together only if it is what it was when the run listed it."""
    now = find(path)
    size = int(stamp.split(":")[0])
    # Stores tell the time of an object more exactly in a listing than alone.
    same = now is not None and now.size == size and (is_url(path) or f"{now.size}:{now.changed}" == stamp)
    if not same:
        raise GristmillError(
            "the file changed while it was read", where=path, remedy="run again, and leave inputs alone until the run has ended"
        )


def _one_dictionary(batches: Sequence[pa.RecordBatch]) -> list[pa.RecordBatch]:
    """IPC files hold one dictionary per column: unify those of the batches."""
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


def _error_class(error: str) -> str:
    """The kind of an error: its text before the first colon, which carries the particulars."""
    return error.split(":", 1)[0]


def content_hash(path: str, piece: Piece) -> str:
    """Hex 128-bit xxh3 of a raw file's bytes, or of those of a piece, as found."""
    digest = xxhash.xxh3_128()
    left = piece.stop - piece.start
    try:
        with open_input(path) as file:
            file.seek(piece.start)
            while left and (chunk := file.read(min(4 << 20, left))):
                digest.update(chunk)
                left -= len(chunk)
    except FileNotFoundError:
        raise GristmillError(
            "no such file", where=path, remedy="it was there when the run began: do not change inputs during a run"
        ) from None
    return digest.hexdigest()
