"""Makes an index of a prepared snapshot, against which later snapshots are deduplicated.

In: the --out of `gristmill prep` or `decide`. Out, in a folder of its own, for each run of its parts:

    nodes/<run>.arrow      `index.NODES`: the documents that entered the search for duplicates, but for exact copies
    sketches/<run>.arrow   their sketches (`dedup.leaders`), row-aligned with nodes
    sets/<run>.arrow       `index.SETS`: their sets of shingles as hashes, row-aligned with nodes
    keys/<run>.arrow       `index.KEYS`: the band keys of those with words, ascending, each with the row of its document
    tasks/…, _MANIFEST.json

Rows are in the order of parts. With this folder neither texts nor parts of the snapshot are needed any more; the sets
are what pairs in doubt are decided by, and most of its bytes: eight for each different shingle, before compression.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa

from dedup.bands import band_keys
from dedup.hash_order import sorted_by_key
from dedup.jaccard import shingle_sets
from dedup.leaders import sketches
from dedup.preference import preferences
from dedup.signature_settings import signature_settings
from kernels.arrays import Bools, Int64s
from manifests.base import Strict, sha256_of
from manifests.errors import GristmillError
from manifests.step import Ledger, Output, StepManifest, TaskManifest
from pipeline.decide.duplicates.candidates import places_of
from pipeline.decide.duplicates.index import KEYS, NODES, SETS, STEP, VERSION, index_file, sketches_schema
from pipeline.decide.duplicates.report.ledger import LATER
from pipeline.decide.runs import group_runs
from pipeline.decide.settings import VERSION as DECIDE_VERSION
from pipeline.decide.settings import DecideSettings
from pipeline.engines.runners import Runner, with_helpers
from pipeline.engines.tasks import Task, run_tasks
from pipeline.filters.reasons import code_of
from pipeline.folders import DECIDE, EXTRACT, part_file
from pipeline.parts import Part, list_parts_of
from pipeline.schemas import publish_ipc, read_ipc
from pipeline.text.normalise import text_buffers
from storage.destination import begin_destination, check_apart, check_destination
from storage.files import join
from storage.lock import only_writer
from storage.steps import begin_step, finish_step, require_step

# Documents with these reasons are left in the search for duplicates, and stay in it.
_STAY = tuple(code_of(name) for name in LATER)


class IndexJob(Strict):
    """What all tasks share.

    Attributes:
        prepared: the folder of the snapshot.
        settings: of its decide step.
    """

    folder: str
    prepared: str
    settings: DecideSettings


class IndexTask(Task):
    """The parts of one run."""

    number: int
    parts: tuple[Part, ...]


def make_index(
    prepared: str, *, out: str, runner: Runner, on_step: Callable[[str], object] = lambda step: None
) -> StepManifest:
    """Make the index of a prepared snapshot. Finished runs are not made again.

    Args:
        prepared: the --out of `gristmill prep` or `decide`.
        out: an empty folder, or the one in which this was interrupted.

    Raises:
        GristmillError: the snapshot is not complete, was decided by another version or without MinHash; `out` holds
            something else; or a task failed.
    """
    extract = require_step(join(prepared, EXTRACT), command="gristmill extract")
    decide = require_step(join(prepared, DECIDE), command="gristmill decide")
    if decide.settings.get("version") != DECIDE_VERSION or decide.inputs[EXTRACT] != extract.digest:
        raise GristmillError(
            "was decided by another version of Gristmill, or of other documents",
            where=join(prepared, DECIDE),
            remedy="run `gristmill decide` again",
        )
    settings = DecideSettings.model_validate(decide.settings)
    minhash = settings.dedup.minhash
    if minhash is None:
        raise GristmillError(
            "no near duplicates were searched for",
            where=prepared,
            remedy="set `dedup.minhash`, and run `gristmill prep`",
        )
    parts = list_parts_of(extract, {name: (each.priority, each.factual) for name, each in settings.sources.items()})
    runs = group_runs(parts, document_bytes=16 * minhash.bands, sent={})
    described: dict[str, Any] = {
        "version": VERSION,
        "minhash": minhash.model_dump(mode="json"),
        "signatures": signature_settings(minhash, seed=settings.seed).model_dump(mode="json"),
        "runs": len(runs),
    }
    inputs = {EXTRACT: extract.digest, DECIDE: decide.digest}
    purpose = {"command": STEP, "settings": described, "inputs": inputs}
    check_apart(out, [join(prepared, EXTRACT), join(prepared, DECIDE)])
    check_destination(out, purpose=purpose)
    job = IndexJob(folder=out, prepared=prepared, settings=settings)
    tasks = [
        IndexTask(name=f"nodes/{number:06d}", key=sha256_of([purpose, number]), number=number, parts=tuple(run))
        for number, run in enumerate(runs)
    ]
    with only_writer(out, say=runner.say), with_helpers(runner) as helped:
        begin_destination(out, purpose=purpose)
        on_step(STEP)
        begin_step(out)
        done = run_tasks(tasks, make_run, job, folder=out, label="Index", runner=helped)
        return finish_step(out, step=STEP, settings=described, inputs=inputs, tasks=done)


def make_run(task: IndexTask, job: IndexJob) -> TaskManifest:
    """Publish the index of one run."""
    minhash = job.settings.dedup.minhash
    assert minhash is not None
    nodes: list[pa.Table] = []
    hashes, starts, keys, owners = [np.empty(0, np.uint64)], [0], [np.empty((0, minhash.bands), np.uint64)], []
    sketched = [np.empty((0, places_of(minhash)), np.uint8)]
    first = 0
    for part in task.parts:
        rows, table = _nodes(part, job)
        documents = read_ipc(join(job.prepared, EXTRACT, part_file("documents", part.name)), columns=["text"])
        texts = documents["text"].take(pa.array(rows)).combine_chunks()
        found, own = shingle_sets(*text_buffers(texts), unit=minhash.unit, ngram=minhash.ngram)
        starts += (starts[-1] + own[1:]).tolist()
        hashes.append(found)
        signed = read_ipc(join(job.prepared, EXTRACT, part_file("signatures", part.name)))
        values = signed["signature"].combine_chunks().flatten().to_numpy().reshape(part.rows, -1)[rows]
        with_words = signed["shingles"].to_numpy()[rows] > 0
        chosen = np.ascontiguousarray(values[with_words])
        keys.append(band_keys(chosen, bands=minhash.bands, rows=minhash.rows))
        owners.append(first + np.flatnonzero(with_words))
        sketched.append(sketches(values))
        nodes.append(table)
        first += len(rows)
    outputs = _publish(task.number, job, nodes, np.concatenate(sketched))
    sets = pa.LargeListArray.from_arrays(pa.array(starts, pa.int64()), pa.array(np.concatenate(hashes)))
    batch = pa.RecordBatch.from_arrays([sets.cast(SETS.field("hashes").type)], schema=SETS)
    outputs.append(publish_ipc(job.folder, index_file("sets", task.number), [batch], SETS))
    every = np.concatenate([np.empty(0, np.int64), *owners]).astype(np.uint64)
    ordered, of = sorted_by_key(np.concatenate(keys).reshape(-1), np.repeat(every, minhash.bands))
    batch = pa.RecordBatch.from_arrays([pa.array(ordered), pa.array(of.astype(np.uint32))], schema=KEYS)
    outputs.append(publish_ipc(job.folder, index_file("keys", task.number), [batch], KEYS))
    return TaskManifest(
        task=task.name,
        key=task.key,
        inputs={part.name: part.sha256 for part in task.parts},
        outputs=outputs,
        ledger=Ledger(),
    )


def _nodes(part: Part, job: IndexJob) -> tuple[Int64s, pa.Table]:
    """The rows of a part that are in the index, int64[m], and their nodes."""
    decided = read_ipc(join(job.prepared, DECIDE, part_file("decisions", part.name)))
    reasons = decided["reason"].to_numpy()
    goes: Bools = reasons == code_of("near_duplicate")
    rows = np.flatnonzero((reasons == 0) | goes | np.isin(reasons, _STAY))
    ids = read_ipc(join(job.prepared, EXTRACT, part_file("documents", part.name)), columns=["id"])["id"]
    words = read_ipc(join(job.prepared, EXTRACT, part_file("signals", part.name)), columns=["words"])["words"]
    taken = pa.array(rows)
    preferred = preferences(words.to_numpy()[rows].astype(np.int64), priority=part.priority)
    columns = [ids.take(taken), pa.array(preferred), pa.array(goes[rows])]
    columns += [decided[name].take(taken) for name in ("duplicate_of", "similarity")]
    return rows, pa.table(columns, schema=NODES)


def _publish(number: int, job: IndexJob, nodes: list[pa.Table], sketched: np.ndarray) -> list[Output]:
    table = pa.concat_tables([NODES.empty_table(), *nodes]).combine_chunks()
    schema = sketches_schema(sketched.shape[1])
    packed = pa.FixedSizeBinaryArray.from_buffers(
        pa.binary(sketched.shape[1]), len(sketched), [None, pa.py_buffer(np.ascontiguousarray(sketched))]
    )
    batch = pa.RecordBatch.from_arrays([packed], schema=schema)
    return [
        publish_ipc(job.folder, index_file("nodes", number), table.to_batches(), NODES),
        publish_ipc(job.folder, index_file("sketches", number), [batch], schema),
    ]
