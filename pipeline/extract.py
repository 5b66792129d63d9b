"""The extract step: raw files to documents, signals and signatures, reading each text once.

In: raw files of a corpus manifest. Out, below `OUT/extract`, for each raw file one or more parts of about `PART_TEXT_BYTES` of text:

    documents/<task>.<k>.arrow    pipeline.schemas.DOCUMENTS
    signals/<task>.<k>.arrow      pipeline.signals.SIGNALS, language, personal-information counts
    signatures/<task>.<k>.arrow   MinHash signature and number of shingles
    quarantine/<task>.arrow       broken records, when there are any

The three kinds are row-aligned, rows in the order of the raw file. One task reads one file; names come from the file's name.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import pyarrow as pa
import xxhash

from manifests.base import sha256_of
from manifests.corpus import CorpusManifest, Source
from manifests.errors import GristmillError
from manifests.steps import Ledger, Output, StepManifest, TaskManifest, begin_step, merge_ledgers, remove_stale, write_step
from manifests.storage import join, open_stream
from pipeline.folders import EXTRACT
from pipeline.inputs import RawFile, list_raw_files, task_name
from pipeline.readers import read_records
from pipeline.readers.records import Broken, Records
from pipeline.runners import Runner
from pipeline.schemas import DOCUMENTS, QUARANTINE, GrowingFile, publish_buffer, publish_ipc
from pipeline.tasks import Task, pending_tasks, run_tasks
from pipeline.text_pass import ALL_SIGNALS, LANGUAGE_CHARACTERS, Measured, measure, text_pass

# Goes into every task's key: raise it whenever the same input would give other bytes.
VERSION = 1
# A part's text is held in memory until it is published whole; parts are also the unit of the later steps.
PART_TEXT_BYTES = 64 << 20


def extract(manifest: CorpusManifest, *, out: str, runner: Runner) -> StepManifest:
    """Run the step for all files of the corpus; finished files are not read again.

    Raises:
        GristmillError: a missing input, a full disk, a failed task; finished tasks stay finished.
    """
    folder = join(out, EXTRACT)
    settings = extract_settings(manifest)
    sources = {source.name: source for source in manifest.sources}
    files = list_raw_files(manifest.sources)
    tasks = [file_task(file, sources[file.source], settings) for file in files]
    if pending_tasks(tasks, folder=folder):
        begin_step(folder)
    manifests = run_tasks(tasks, extract_file, {**settings, "folder": folder}, folder=folder, label="Extract", runner=runner)
    inputs = {name: digest for task in manifests for name, digest in task.inputs.items()}
    outputs = [output for task in manifests for output in task.outputs]
    remove_stale(folder, outputs, [task.task for task in manifests])
    empty = [f"{task.task} gave no document" for task in manifests if not task.ledger.kept]
    return write_step(
        folder,
        StepManifest(
            step=EXTRACT,
            settings_sha256=sha256_of(settings),
            inputs_sha256=sha256_of(inputs),
            settings=settings,
            inputs=inputs,
            outputs=outputs,
            ledger=merge_ledgers(task.ledger for task in manifests),
            notes=empty,
        ),
    )


def extract_settings(manifest: CorpusManifest) -> dict[str, Any]:
    """What the output of this step depends on, beside the inputs. Thresholds do not: they belong to decide."""
    sources = {source.name: source.model_dump(include={"format", "text_field", "id_field", "url_field"}) for source in manifest.sources}
    minhash = manifest.dedup.minhash
    return {
        "version": VERSION,
        "sources": sources,
        "minhash": None if minhash is None else minhash.model_dump(),
        "seed": manifest.seed,
        "part_text_bytes": PART_TEXT_BYTES,
        "language_characters": LANGUAGE_CHARACTERS,
    }


def file_task(file: RawFile, source: Source, settings: Mapping[str, Any]) -> Task:
    """The task that reads one raw file."""
    own = {**settings, "sources": settings["sources"][source.name]}
    return Task(
        name=task_name(file),
        key=sha256_of([own, file.name, file.stamp]),
        weight=file.size,
        payload={"source": source.model_dump(mode="json"), "file": file.name, "path": file.path},
    )


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

    def add(self, measured: Measured) -> None:
        """One batch more."""
        if not measured.documents.num_rows:
            return
        self.text_bytes += measured.text_bytes
        self._documents.add(measured.documents)
        self._signals.append(measured.signals)
        if measured.signatures is not None:
            if self._signatures is None:
                schema = measured.signatures.schema.with_metadata(self._metadata)
                self._signatures = GrowingFile(schema, compress=False)  # to be memory-mapped
            self._signatures.add(measured.signatures)

    def publish(self, folder: str, name: str) -> list[Output]:
        """Publish what there is under `name`; the documents come last in the list and carry the row count. Nothing without rows."""
        rows = self._documents.rows
        if not rows:
            return []
        signals = _one_dictionary(self._signals)
        outputs = [publish_ipc(folder, f"signals/{name}.arrow", signals, ALL_SIGNALS.with_metadata(self._metadata))]
        if self._signatures is not None:
            outputs.append(publish_buffer(folder, f"signatures/{name}.arrow", self._signatures.finish(), rows=rows))
        documents = self._documents.finish()
        return [*outputs, publish_buffer(folder, f"documents/{name}.arrow", documents, rows=rows, text_bytes=self.text_bytes)]


def extract_file(payload: dict[str, Any], settings: dict[str, Any]) -> TaskManifest:
    """One raw file to its parts. Payload: name, key, source, file, path."""
    return extract_records(raw_records(payload), payload, settings)


def raw_records(payload: Mapping[str, Any]) -> Iterator[Records]:
    """The records of a task's raw file."""
    return read_records(payload["path"], name=payload["file"], source=Source.model_validate(payload["source"]))


def extract_records(batches: Iterable[Records], payload: Mapping[str, Any], settings: Mapping[str, Any]) -> TaskManifest:
    """Batches of one raw file to its parts, published; what `extract_file` does with all of them."""
    source = Source.model_validate(payload["source"])
    folder, task = settings["folder"], payload["name"]
    wanted = text_pass(settings)
    metadata = {"format": "gristmill-documents/1", "source": source.name, "file": payload["file"]}
    outputs: list[Output] = []
    broken: list[Broken] = []
    skipped: Counter[str] = Counter()
    part, parts, rows = _Part(metadata), 0, 0
    for records in batches:
        broken.extend(records.broken)
        skipped.update(records.skipped)
        if records.documents.num_rows:
            measured = measure(records.documents, wanted)
            skipped["empty_text"] += measured.empty
            part.add(measured)
        if part.text_bytes >= settings["part_text_bytes"]:
            outputs += part.publish(folder, f"{task}.{parts:04d}")
            rows += outputs[-1].rows
            part, parts = _Part(metadata), parts + 1
    if last := part.publish(folder, f"{task}.{parts:04d}"):
        outputs += last
        rows += last[-1].rows
    if broken:
        batch = _quarantine(broken)
        outputs.append(publish_ipc(folder, f"quarantine/{task}.arrow", [batch], QUARANTINE.with_metadata(metadata)))
    quarantined = Counter(_error_class(record.error) for record in broken)
    dropped = {reason: number for reason, number in sorted(skipped.items()) if number}
    ledger = Ledger(
        records_in=rows + sum(dropped.values()) + len(broken), kept=rows, dropped=dropped, quarantined=dict(sorted(quarantined.items()))
    )
    return TaskManifest(
        task=task,
        key=payload["key"],
        inputs={f"{source.name}/{payload['file']}": content_hash(payload["path"])},
        outputs=outputs,
        ledger=ledger,
    )


def _one_dictionary(batches: Sequence[pa.RecordBatch]) -> list[pa.RecordBatch]:
    """IPC files hold one dictionary per column: unify those of the batches."""
    table = pa.Table.from_batches(batches).unify_dictionaries().combine_chunks()
    return list(table.to_batches())


def _quarantine(broken: Sequence[Broken]) -> pa.RecordBatch:
    return pa.RecordBatch.from_arrays(
        [
            pa.array([record.offset for record in broken], pa.int64()),
            pa.array([record.name for record in broken], pa.string()),
            pa.array([record.error for record in broken], pa.string()),
            pa.array([record.excerpt for record in broken], pa.binary()),
        ],
        schema=QUARANTINE,
    )


def _error_class(error: str) -> str:
    """The kind of an error: its text before the first colon, which carries the particulars."""
    return error.split(":", 1)[0]


def content_hash(path: str) -> str:
    """Hex 128-bit xxh3 of a raw file's bytes, as found."""
    digest = xxhash.xxh3_128()
    try:
        with open_stream(path) as file:
            while chunk := file.read(4 << 20):
                digest.update(chunk)
    except FileNotFoundError:
        raise GristmillError(
            "no such file", where=path, remedy="it was there when the run began: do not change inputs during a run"
        ) from None
    return digest.hexdigest()
