"""`export parquet`: the text and metadata of the documents that decide keeps, for those who go on elsewhere.

In: a folder with the finished steps extract and decide. Out, in a folder of its own:

    <source>/<rank>.parquet     schema `EXPORTED`, zstd; documents in the order of the parts of extract
    tasks/…, _MANIFEST.json     as every step has them (`storage.steps`)

Texts are those that tokenize encodes: without the lines that decide removes (`pipeline.tokenize.kept_text`). One task
reads consecutive parts of one source until they hold `file_text_bytes` bytes of text, and writes one file; a part holds
about 64 MiB. Names are made of the task's rank in its source; a task without kept documents writes none. The bytes
depend on the two steps, this size and the version of Arrow.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pyarrow as pa
import pyarrow.parquet as pq

from manifests.base import Strict, sha256_of
from manifests.errors import GristmillError
from manifests.filters import Filters
from manifests.step import Ledger, StepManifest, TaskManifest
from pipeline.decide.settings import DecideSettings
from pipeline.engines.runners import Runner, with_helpers
from pipeline.engines.tasks import Task, pending_tasks, run_tasks
from pipeline.folders import DECIDE, EXTRACT, SUBSTRINGS, kind_and_name, part_file
from pipeline.parts import Part, group_parts, kept_bytes
from pipeline.schemas import ipc_metadata, publish_buffer, read_ipc
from pipeline.text.normalise import text_buffers
from pipeline.tokenize.kept_text import kept_documents
from storage.destination import begin_destination, check_apart, check_destination
from storage.files import exists, join
from storage.lock import only_writer
from storage.steps import MANIFEST, begin_step, finish_step, require_step

STEP = "export parquet"
VERSION = 1
FILE_TEXT_BYTES = 512_000_000
# A row group: what a reader decompresses at once.
_GROUP_TEXT_BYTES = 32 << 20

EXPORTED = pa.schema(
    [
        pa.field("id", pa.string(), nullable=False),  # document id, hexadecimal
        pa.field("text", pa.large_string(), nullable=False),
        pa.field("url", pa.string()),
        pa.field("site", pa.string()),  # registered domain of the URL
        pa.field("source", pa.string(), nullable=False),
        pa.field("band", pa.string(), nullable=False),
        pa.field("language", pa.string(), nullable=False),  # code of fastText's lid.176
        pa.field("file", pa.string(), nullable=False),  # raw file, relative to the source's root
        pa.field("record", pa.int64(), nullable=False),  # where in the raw file; format-specific
        pa.field("record_name", pa.string()),  # the record's own id
    ]
)
_FEW_VALUES = ["site", "source", "band", "language", "file"]


class ExportJob(Strict):
    """What all tasks share.

    Attributes:
        filters: by source name, the filters that clean the source's texts.
        prepared: the folder of the steps.
        out: where files go.
    """

    filters: dict[str, Filters]
    prepared: str
    out: str


class ExportTask(Task):
    """Consecutive parts of one source, written to one file."""

    file: str
    parts: tuple[Part, ...]


def export_parquet(
    prepared: str,
    *,
    out: str,
    runner: Runner,
    file_text_bytes: int = FILE_TEXT_BYTES,
    on_step: Callable[[str], object] = lambda step: None,
) -> StepManifest:
    """Write the kept documents of a prepared corpus as Parquet files. Finished files are not written again.

    Args:
        prepared: the --out of `gristmill prep`, with at least extract and decide.
        out: an empty folder, or the one in which this export was interrupted.
        file_text_bytes: text after which another file begins; 0: one file per part of extract.
        on_step: called when the work begins.

    Raises:
        GristmillError: a step is not complete, `out` holds something else, or a task failed.
    """
    check_apart(out, [join(prepared, EXTRACT), join(prepared, DECIDE)])
    extracted = require_step(join(prepared, EXTRACT), command="gristmill extract")
    decided = require_step(join(prepared, DECIDE), command="gristmill decide")
    if decided.inputs[EXTRACT] != extracted.digest:
        raise GristmillError(
            "the decisions belong to another extract",
            where=join(prepared, DECIDE),
            remedy="run `gristmill decide` again",
        )
    settings = {"version": VERSION, "file_text_bytes": file_text_bytes}
    inputs = {EXTRACT: extracted.digest, DECIDE: decided.digest}
    purpose = {"command": STEP, "settings": settings, "inputs": inputs}
    check_destination(out, purpose=purpose)
    sources = DecideSettings.model_validate(decided.settings).sources
    job = ExportJob(filters={name: source.filters for name, source in sources.items()}, prepared=prepared, out=out)
    with only_writer(out, say=runner.say), with_helpers(runner) as helped:
        begin_destination(out, purpose=purpose)
        on_step(STEP)
        if exists(join(prepared, SUBSTRINGS, MANIFEST)):
            runner.say("texts are whole: repeated runs are cut out of tokens, not of texts")
        tasks = _tasks(
            group_parts(_parts(extracted), kept=kept_bytes(decided), text_bytes=file_text_bytes), sha256_of(purpose)
        )
        if pending_tasks(tasks, folder=out):
            begin_step(out)
        done = run_tasks(tasks, export_group, job, folder=out, label="Export", runner=helped)
        written = sum(task.ledger.kept for task in done)
        if written != decided.ledger.kept:
            raise GristmillError(
                f"{decided.ledger.kept} documents were kept, {written} are in files",
                where=out,
                remedy="this is a fault of Gristmill: please report it with the folder's task manifests",
            )
        empty = sorted(set(sources) - {task.task.split("/", 1)[0] for task in done if task.ledger.kept})
        notes = [f"{source}: no document is kept, and there is no file" for source in empty]
        return finish_step(out, step=STEP, settings={**settings}, inputs=inputs, tasks=done, notes=notes)


def _parts(extracted: StepManifest) -> list[Part]:
    """The parts of extract by name. Priorities and buckets are in the decisions, which have been made."""
    documents = {
        name: output
        for output in extracted.outputs
        for kind, name in [kind_and_name(output.path)]
        if kind == "documents"
    }
    return [
        Part(
            name=name,
            number=number,
            source=name.split("/", 1)[0],
            sha256=output.sha256,
            rows=output.rows,
            text_bytes=output.text_bytes,
            priority=0,
            bucket="",
        )
        for number, (name, output) in enumerate(sorted(documents.items()))
    ]


def _tasks(groups: list[list[Part]], key: str) -> list[ExportTask]:
    ranks: dict[str, int] = {}
    tasks = []
    for group in groups:
        source = group[0].source
        rank = ranks.get(source, 0)
        ranks[source] = rank + 1
        tasks.append(
            ExportTask(
                name=f"{source}/{rank:05d}",
                key=sha256_of([key, [part.name for part in group]]),
                weight=sum(part.text_bytes for part in group),
                file=f"{source}/{rank:05d}.parquet",
                parts=tuple(group),
            )
        )
    return tasks


def export_group(task: ExportTask, job: ExportJob) -> TaskManifest:
    """Write the kept documents of consecutive parts to one file, which memory holds until it is whole."""
    sink = pa.BufferOutputStream()
    rows = text_bytes = held_bytes = 0
    held: list[pa.RecordBatch] = []
    with pq.ParquetWriter(sink, EXPORTED, compression="zstd", use_dictionary=_FEW_VALUES) as writer:

        def flush() -> None:
            nonlocal held, held_bytes
            table = pa.Table.from_batches(held, EXPORTED)
            if table.num_rows:
                writer.write_table(table, row_group_size=table.num_rows)
            held, held_bytes = [], 0

        for part in task.parts:
            for batch, size in exported(part, filters=job.filters[part.source], prepared=job.prepared):
                held.append(batch)
                rows, text_bytes, held_bytes = rows + batch.num_rows, text_bytes + size, held_bytes + size
                if held_bytes >= _GROUP_TEXT_BYTES:
                    flush()
        flush()
    outputs = []
    if rows:
        outputs.append(publish_buffer(job.out, task.file, sink.getvalue(), rows=rows, text_bytes=text_bytes))
    return TaskManifest(
        task=task.name,
        key=task.key,
        inputs={part.name: part.sha256 for part in task.parts},
        outputs=outputs,
        ledger=Ledger(records_in=rows, kept=rows),
    )


def exported(part: Part, *, filters: Filters, prepared: str) -> Iterator[tuple[pa.RecordBatch, int]]:
    """The kept documents of a part as rows of `EXPORTED`, and their bytes of text."""
    file = ipc_metadata(join(prepared, EXTRACT, part_file("documents", part.name)))["file"]
    decisions = read_ipc(join(prepared, DECIDE, part_file("decisions", part.name)), columns=["reason", "bucket"])
    kept = pa.array(decisions["reason"].to_numpy() == 0)
    buckets = decisions["bucket"].filter(kept).cast(pa.string()).to_pylist()
    bands = pa.array([bucket.rpartition("/")[2] for bucket in buckets], pa.string())
    signals = read_ipc(join(prepared, EXTRACT, part_file("signals", part.name)), columns=["language"])
    languages = signals["language"].filter(kept).cast(pa.string()).combine_chunks()
    at = 0
    for batch in kept_documents(part, filters=filters, out=prepared):
        documents, count = batch.documents, batch.documents.num_rows
        columns = {
            "id": pa.array([identity.hex() for identity in documents.column("id").to_pylist()], pa.string()),
            "text": documents.column("text"),
            "url": documents.column("url"),
            "site": documents.column("site"),
            "source": pa.array([part.source] * count, pa.string()),
            "band": bands.slice(at, count),
            "language": languages.slice(at, count),
            "file": pa.array([file] * count, pa.string()),
            "record": documents.column("record"),
            "record_name": documents.column("name"),
        }
        at += count
        _, offsets = text_buffers(documents.column("text"))
        yield pa.RecordBatch.from_arrays(list(columns.values()), schema=EXPORTED), int(offsets[-1] - offsets[0])
