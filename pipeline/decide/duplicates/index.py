"""Indexes of earlier snapshots: their documents in the search for duplicates, without their texts or parts.

In: folders of `gristmill dedup index`, oldest first (`pipeline.decide.duplicates.indexing` says what lies in one). Out:
what the stages ask of a run of parts, for a run of an index: ids, band keys, preferences and sketches, sets of
shingles, and which documents went.

A document of an earlier snapshot is preferred to all of later ones, and keeps its fate. So the documents of a new
snapshot get the fates that they would get if all snapshots were prepared at once, each as sources of a smaller
`priority` number than those of the next.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pyarrow as pa

from dedup.buckets import RunKeys, group_keys
from dedup.preference import GENERATION_BITS
from dedup.signature_settings import SignatureSettings, check_comparable, signature_settings
from kernels.arrays import Bools, Bytes, Float32s, Int64s, Uint64s
from manifests.corpus import CorpusManifest
from manifests.errors import GristmillError
from manifests.step import StepManifest
from pipeline.decide.runs import RunJob
from pipeline.parts import row_base, split_row_ids
from pipeline.schemas import DOCUMENT_ID, id_halves, read_ipc
from storage.files import join
from storage.steps import check_outputs, require_manifest
from storage.verify import DEDUP_INDEX

STEP = DEDUP_INDEX
VERSION = 1
NODES = pa.schema(
    [
        pa.field("id", DOCUMENT_ID, nullable=False),
        pa.field("preference", pa.uint64(), nullable=False),  # `dedup.preference`, within its snapshot
        pa.field("goes", pa.bool_(), nullable=False),
        # For a document that went, the one that stayed for it, and their similarity.
        pa.field("duplicate_of", DOCUMENT_ID),
        pa.field("similarity", pa.float32()),
    ]
)
KEYS = pa.schema([pa.field("key", pa.uint64(), nullable=False), pa.field("node", pa.uint32(), nullable=False)])
SETS = pa.schema([pa.field("hashes", pa.large_list(pa.field("item", pa.uint64(), nullable=False)), nullable=False)])


def sketches_schema(places: int) -> pa.Schema:
    """Schema of the sketches of documents, `dedup.leaders`."""
    return pa.schema([pa.field("sketch", pa.binary(places), nullable=False)])


class IndexRun(NamedTuple):
    """A run of an index: its folder, its number there, and the number of its snapshot among the indexes."""

    folder: str
    number: int
    generation: int


class IndexNodes(NamedTuple):
    """The documents of a run of an index, row-aligned.

    Attributes:
        rows: uint64[n], ascending.
        ids, kept_ids: uint64[n, 2]; of those that went, the ids of those that stayed for them.
        preferences: uint64[n], in the order of snapshots.
        goes: bool[n].
        similarity: float32[n].
    """

    rows: Uint64s
    ids: Uint64s
    preferences: Uint64s
    goes: Bools
    kept_ids: Uint64s
    similarity: Float32s


def index_file(kind: str, run: int) -> str:
    """One file of a run, below the index's folder."""
    return f"{kind}/{run:06d}.arrow"


def open_index(folder: str) -> StepManifest:
    """The manifest of an index whose files are all there and whole.

    Raises:
        GristmillError: the folder holds none, or a file is missing or has other bytes.
    """
    step = require_manifest(folder, command=f"gristmill {STEP}")
    if step.step != STEP:
        raise GristmillError(
            f"was written by `{step.step}`, and is no index of documents",
            where=folder,
            remedy=f"name a folder of `gristmill {STEP}`",
        )
    check_outputs(folder, step)
    return step


def index_settings(manifest: CorpusManifest) -> tuple[str, ...]:
    """The digests of the indexes that a manifest names, on which the decisions depend.

    Raises:
        GristmillError: a folder holds no index, a file of it is damaged, two are the same, or one was made with other
            settings than the manifest's.
    """
    digests: list[str] = []
    minhash = manifest.dedup.minhash
    for folder in manifest.dedup.index:
        if minhash is None:
            raise GristmillError(
                "an index is of no use without `dedup.minhash`", where=folder, remedy="leave out `dedup.index`"
            )
        step = open_index(folder)
        if step.digest in digests:
            raise GristmillError("the same index is named twice", where=folder, remedy="leave one of them out")
        digests.append(step.digest)
        theirs = SignatureSettings.model_validate(step.settings["signatures"])
        ours = signature_settings(minhash, seed=manifest.seed)
        check_comparable(theirs, ours, where=folder, other_where="the manifest")
        written = {"version": VERSION, **minhash.model_dump(mode="json")}
        differing = sorted(name for name, value in written.items() if value != _written(step).get(name))
        if differing:
            raise GristmillError(
                f"this index was made with other settings: {', '.join(differing)}",
                where=folder,
                remedy="restore them in `dedup.minhash`, or make the index anew",
            )
    return tuple(digests)


def _written(step: StepManifest) -> dict[str, object]:
    section = step.settings["minhash"]
    assert isinstance(section, dict)
    return {"version": step.settings["version"], **section}


def with_indexes(job: RunJob) -> RunJob:
    """The job of the search for duplicates, in which each run of each index is one more run."""
    counts = []
    for folder in job.indexes:
        runs = require_manifest(folder, command=f"gristmill {STEP}").settings["runs"]
        assert isinstance(runs, int)
        counts.append(runs)
    return job.model_copy(update={"runs": job.runs + sum(counts), "index_runs": tuple(counts)})


def index_run(run: int, job: RunJob) -> IndexRun | None:
    """Which run of which index a run is; None for a run of parts."""
    number = run - job.own_runs
    if number < 0:
        return None
    for generation, count in enumerate(job.index_runs):
        if number < count:
            return IndexRun(job.indexes[generation], number, generation)
        number -= count
    raise ValueError(f"run {run} of {job.runs}")


def generation_of(run: int, job: RunJob) -> int:
    """The number of the snapshot that a run belongs to, from 0 for the oldest; the corpus's own is the last."""
    place = index_run(run, job)
    return len(job.index_runs) if place is None else place.generation


def _base(run: int, job: RunJob) -> np.uint64:
    """Row id of the first document of a run of an index: such a run counts as one part."""
    return np.uint64(row_base(job.parts + run - job.own_runs))


def _read(kind: str, run: int, job: RunJob) -> pa.Table:
    place = index_run(run, job)
    if place is None:
        raise ValueError(f"run {run} is none of an index")
    return read_ipc(join(place.folder, index_file(kind, place.number)))


def read_index_nodes(run: int, job: RunJob) -> IndexNodes:
    """The documents of a run of an index."""
    table = _read("nodes", run, job)
    none = pa.scalar(bytes(16), DOCUMENT_ID)
    return IndexNodes(
        rows=_base(run, job) + np.arange(table.num_rows, dtype=np.uint64),
        ids=id_halves(table["id"]),
        preferences=table["preference"].to_numpy() | np.uint64(generation_of(run, job) << GENERATION_BITS),
        goes=table["goes"].to_numpy(zero_copy_only=False),
        kept_ids=id_halves(table["duplicate_of"].fill_null(none)),
        similarity=table["similarity"].fill_null(0.0).to_numpy(),
    )


def index_keys(run: int, job: RunJob, rows: Uint64s) -> RunKeys:
    """The band keys of some rows of a run of an index; `rows` is ascending."""
    table = _read("keys", run, job)
    owners = _base(run, job) + table["node"].to_numpy().astype(np.uint64)
    wanted = np.isin(owners, rows)
    return group_keys(table["key"].to_numpy()[wanted], owners[wanted])


def index_sketches(run: int, job: RunJob, rows: Uint64s) -> Bytes:
    """The sketches of some rows of a run of an index: uint8[n, k]."""
    chunks = _read("sketches", run, job)["sketch"].chunks
    packed = pa.concat_arrays(chunks)
    every = np.frombuffer(packed.buffers()[1], np.uint8).reshape(-1, packed.type.byte_width)
    found: Bytes = every[split_row_ids(rows)[1]]
    return found


def index_sets(run: int, job: RunJob, rows: Uint64s) -> tuple[Uint64s, Int64s]:
    """The sets of shingles of some rows of a run of an index, after each other, and where each begins."""
    taken = _read("sets", run, job)["hashes"].take(pa.array(split_row_ids(rows)[1]))
    if not len(rows):
        return np.empty(0, np.uint64), np.zeros(1, np.int64)
    chosen = pa.concat_arrays(taken.chunks)
    offsets = chosen.offsets.to_numpy()
    return chosen.flatten().to_numpy(), (offsets - offsets[0]).astype(np.int64)
