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
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import xxhash

from dedup.signatures import Permutations, make_permutations, signatures
from manifests.base import sha256_of
from manifests.corpus import CorpusManifest, MinHash, Source
from manifests.errors import GristmillError
from manifests.steps import Ledger, Output, StepManifest, TaskManifest, begin_step, merge_ledgers, remove_stale, write_step
from manifests.storage import join, open_stream
from pipeline.folders import EXTRACT
from pipeline.inputs import RawFile, list_raw_files, task_name
from pipeline.language import identify
from pipeline.normalise import document_ids, normalise, text_buffers
from pipeline.personal_information import KINDS, count_spans
from pipeline.readers import read_records
from pipeline.readers.records import Broken
from pipeline.runners import Runner
from pipeline.schemas import DOCUMENTS, QUARANTINE, publish_ipc
from pipeline.signals import SIGNALS, compute_signals
from pipeline.sites import sites
from pipeline.tasks import Task, pending_tasks, run_tasks

# Goes into every task's key: raise it whenever the same input would give other bytes.
VERSION = 1
# A part's text is held in memory until it is published whole; parts are also the unit of the later steps.
PART_TEXT_BYTES = 64 << 20
# Language identification looks at a document's first characters only: cost is proportional to them (peers' practice).
LANGUAGE_CHARACTERS = 1_000

ALL_SIGNALS = pa.schema(
    [
        *SIGNALS,
        pa.field("language", pa.dictionary(pa.int16(), pa.string()), nullable=False),
        pa.field("language_score", pa.float32(), nullable=False),
        *[pa.field(f"spans_{kind}", pa.int32(), nullable=False) for kind in KINDS],
    ]
)


def signature_schema(length: int) -> pa.Schema:
    """Schema of a signatures part for signatures of `length` 32-bit values."""
    return pa.schema(
        [
            pa.field("signature", pa.list_(pa.field("item", pa.uint32(), nullable=False), length), nullable=False),
            pa.field("shingles", pa.int32(), nullable=False),
        ]
    )


def extract(manifest: CorpusManifest, *, out: str, runner: Runner) -> StepManifest:
    """Run the step for all files of the corpus; finished files are not read again.

    Raises:
        GristmillError: a missing input, a full disk, a failed task; finished tasks stay finished.
    """
    folder = join(out, EXTRACT)
    settings = extract_settings(manifest)
    sources = {source.name: source for source in manifest.sources}
    files = list_raw_files(manifest.sources)
    tasks = [_task(file, sources[file.source], settings) for file in files]
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


def _task(file: RawFile, source: Source, settings: Mapping[str, Any]) -> Task:
    own = {**settings, "sources": settings["sources"][source.name]}
    return Task(
        name=task_name(file),
        key=sha256_of([own, file.name, file.stamp]),
        weight=file.size,
        payload={"source": source.model_dump(mode="json"), "file": file.name, "path": file.path},
    )


@dataclass
class _Part:
    """Row-aligned batches waiting to be published."""

    documents: list[pa.RecordBatch] = field(default_factory=list)
    signals: list[pa.RecordBatch] = field(default_factory=list)
    signatures: list[pa.RecordBatch] = field(default_factory=list)
    text_bytes: int = 0


def extract_file(payload: dict[str, Any], settings: dict[str, Any]) -> TaskManifest:
    """One raw file to its parts. Payload: name, key, source, file, path."""
    source = Source.model_validate(payload["source"])
    folder, task = settings["folder"], payload["name"]
    permutations = _permutations(settings)
    metadata = {"format": "gristmill-documents/1", "source": source.name, "file": payload["file"]}
    outputs: list[Output] = []
    broken: list[Broken] = []
    skipped: Counter[str] = Counter()
    part, count, rows = _Part(), 0, 0
    for records in read_records(payload["path"], name=payload["file"], source=source):
        broken.extend(records.broken)
        skipped.update(records.skipped)
        if records.documents.num_rows:
            empty, text_bytes = _append(part, records.documents, permutations, settings)
            skipped["empty_text"] += empty
            part.text_bytes += text_bytes
        if part.text_bytes >= settings["part_text_bytes"]:
            outputs += _publish_part(folder, f"{task}.{count:04d}", part, metadata, permutations)
            rows += outputs[-1].rows
            part, count = _Part(), count + 1
    if part.documents:
        outputs += _publish_part(folder, f"{task}.{count:04d}", part, metadata, permutations)
        rows += outputs[-1].rows
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


def _append(part: _Part, records: pa.RecordBatch, permutations: Permutations | None, settings: Mapping[str, Any]) -> tuple[int, int]:
    """Normalise one batch of records and compute all that later steps need. Returns (empty documents, bytes of text)."""
    texts = normalise(records["text"])
    filled = pc.greater(pc.binary_length(texts), 0)
    empty = records.num_rows - int(pc.sum(filled).as_py() or 0)
    if empty:
        records, texts = records.filter(filled), texts.filter(filled)
    if not len(texts):
        return empty, 0
    data, offsets = text_buffers(texts)
    part.documents.append(
        pa.RecordBatch.from_arrays(
            [
                document_ids(texts),
                texts,
                records["url"],
                pa.array(sites(records["url"].to_pylist()), pa.string()),
                records["name"],
                records["offset"],
            ],
            schema=DOCUMENTS,
        )
    )
    part.signals.append(_signals(texts, data, offsets, settings))
    if permutations is not None:
        minhash = MinHash.model_validate(settings["minhash"])
        values, shingles = signatures(data, offsets, permutations=permutations, ngram=minhash.ngram)
        schema = signature_schema(values.shape[1])
        packed = pa.FixedSizeListArray.from_arrays(pa.array(values.reshape(-1)), type=schema.field("signature").type)
        part.signatures.append(pa.RecordBatch.from_arrays([packed, pa.array(shingles, pa.int32())], schema=schema))
    return empty, int(offsets[-1] - offsets[0])


def _signals(texts: pa.Array, data: np.ndarray, offsets: np.ndarray, settings: Mapping[str, Any]) -> pa.RecordBatch:
    signals = compute_signals(data, offsets)
    codes, scores = identify(pc.utf8_slice_codeunits(texts, 0, settings["language_characters"]).to_pylist())
    spans = count_spans(data, offsets)
    return pa.RecordBatch.from_arrays(
        [
            *signals.columns,
            pa.array(codes, pa.string()).dictionary_encode().cast(ALL_SIGNALS.field("language").type),
            pa.array(scores, pa.float32()),
            *[pa.array(spans[kind], pa.int32()) for kind in KINDS],
        ],
        schema=ALL_SIGNALS,
    )


def _publish_part(folder: str, name: str, part: _Part, metadata: Mapping[str, str], permutations: Permutations | None) -> list[Output]:
    """Publish one part; the documents output comes last in the list and carries the row count."""
    outputs = [publish_ipc(folder, f"signals/{name}.arrow", _one_dictionary(part.signals), ALL_SIGNALS.with_metadata(metadata))]
    if permutations is not None:
        schema = part.signatures[0].schema
        outputs.append(publish_ipc(folder, f"signatures/{name}.arrow", part.signatures, schema.with_metadata(metadata), compress=False))
    outputs.append(
        publish_ipc(folder, f"documents/{name}.arrow", part.documents, DOCUMENTS.with_metadata(metadata), text_bytes=part.text_bytes)
    )
    return outputs


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


def _permutations(settings: Mapping[str, Any]) -> Permutations | None:
    if settings["minhash"] is None:
        return None
    minhash = MinHash.model_validate(settings["minhash"])
    return make_permutations(minhash.bands * minhash.rows, seed=settings["seed"])
