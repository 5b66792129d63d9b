"""The search for duplicates: which rows are copies of which, from ids and signatures alone.

In: the parts of extract, and the reasons of rows that are already dropped. Dropped rows are left out, so that they
never displace a good copy. Out, below `OUT/decide/edges`: `near-<p>.arrow` and `exact-<p>.arrow`
(pipeline.schemas.EDGES), star edges (hub, row) found in one partition, sorted and unique. The shuffle carries 16 bytes
per document and band and 24 per id. The embedded runner holds a shuffle in memory, so there it is split into passes.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from dedup.bands import band_keys
from dedup.components import components
from dedup.pairs import band_edges, bytes_per_document, id_edges, pack_bands, pack_ids, partitions_for
from manifests.step import TaskManifest
from pipeline.decide.settings import DecideJob
from pipeline.decide.verdicts import judge_part
from pipeline.engines.partitions import finish_partition, run_partitions
from pipeline.engines.runners import Runner
from pipeline.engines.tasks import Task, collect
from pipeline.filters.reasons import Reasons, code_of
from pipeline.folders import part_file
from pipeline.parts import Part, split_row_ids
from pipeline.schemas import EDGES, id_halves, publish_ipc, read_ipc
from storage.files import join

FOLDER = "edges"
# The embedded runner needs 5 to 9 bytes of memory per byte of a shuffle: this limit keeps it near 1 GB.
SHUFFLE_BYTES = 160 << 20
# Partition numbers of document ids start here, partition numbers of bands at 0.
_ID_KEYS = 1 << 30


def run_duplicates(parts: Sequence[Part], job: DecideJob, *, runner: Runner) -> list[TaskManifest]:
    """Publish the edges of all partitions."""
    exact, minhash = job.settings.dedup.exact, job.settings.dedup.minhash
    if not exact and minhash is None:
        return []
    total = sum(part.rows for part in parts) * bytes_per_document(minhash.bands if minhash else 0, exact=exact)
    partitions = partitions_for(total)
    passes = min(partitions, max(1, -(-total // SHUFFLE_BYTES))) if runner.kind == "embedded" else 1
    starts = ([0] if minhash else []) + ([_ID_KEYS] if exact else [])
    names = {start + partition: _name(start + partition) for start in starts for partition in range(partitions)}
    for number in range(passes):
        names_of_pass = {key: name for key, name in names.items() if key % _ID_KEYS % passes == number}
        run_partitions(
            names_of_pass,
            parts,
            partial(emit_keys, partitions=partitions),
            reduce_keys,
            job,
            label="Duplicates",
            runner=runner,
        )
    return collect([Task(name=name, key=job.key) for name in names.values()], folder=job.folder)


def _name(key: int) -> str:
    return f"{FOLDER}/exact-{key - _ID_KEYS:06d}" if key >= _ID_KEYS else f"{FOLDER}/near-{key:06d}"


def emit_keys(part: Part, job: DecideJob, *, partitions: int) -> Iterable[tuple[int, bytes]]:
    """Packed ids and band keys of one part's surviving rows."""
    verdicts = judge_part(part, job)
    kept = np.flatnonzero(verdicts.reasons == 0)
    rows = np.uint64(part.base) + kept.astype(np.uint64)
    if job.settings.dedup.exact:
        ids = id_halves(verdicts.documents["id"])
        for partition, packed in pack_ids(ids[kept], rows, partitions=partitions):
            yield _ID_KEYS + partition, packed
    if (minhash := job.settings.dedup.minhash) is not None:
        table = read_ipc(join(job.extract, part_file("signatures", part.name)))
        shingles = table["shingles"].to_numpy()[kept]
        values = table["signature"].combine_chunks().flatten().to_numpy().reshape(part.rows, -1)
        keys = band_keys(np.ascontiguousarray(values[kept[shingles > 0]]), bands=minhash.bands, rows=minhash.rows)
        yield from pack_bands(keys, rows[shingles > 0], partitions=partitions)


def reduce_keys(key: int, elements: list[bytes], job: DecideJob) -> str:
    """Publish the edges of one partition."""
    edges = id_edges(elements) if key >= _ID_KEYS else band_edges(elements)
    batch = pa.RecordBatch.from_arrays([pa.array(edges[:, 0]), pa.array(edges[:, 1])], schema=EDGES)
    name = _name(key)
    return finish_partition(name, job, [publish_ipc(job.folder, name + ".arrow", [batch], EDGES)])


def emit_clusters(_element: str, job: DecideJob, *, edges: Sequence[str]) -> Iterable[tuple[int, bytes]]:
    """All rows that have duplicates, packed per part number.

    The packed rows are uint64[3, n]: row id, id of the kept row, 1 if the row repeats a document id and else 0.

    Args:
        edges: the paths of all edge files, below the step's folder. One worker holds all edges of the corpus, about 100
            bytes each.
    """
    near, exact = (
        _load_edges(job.folder, [path for path in edges if path.startswith(f"{FOLDER}/{kind}-")])
        for kind in ("near", "exact")
    )
    nodes, roots = components(np.concatenate([near, exact]))
    repeated = np.isin(nodes, exact[:, 1]).astype(np.uint64)
    numbers, _ = split_row_ids(nodes)
    order = np.argsort(numbers, kind="stable")
    bounds = np.flatnonzero(np.diff(numbers[order], prepend=-1, append=-1))
    for start, stop in zip(bounds[:-1], bounds[1:], strict=True):
        chosen = order[start:stop]
        yield int(numbers[chosen[0]]), np.stack([nodes[chosen], roots[chosen], repeated[chosen]]).tobytes()


def parts_with_clusters(pipeline: Any, parts: Sequence[Part], job: DecideJob, *, edges: Sequence[str]) -> Any:
    """Each part as JSON, with its rows from `emit_clusters`: a PCollection of the part's number and both, by name.

    One worker computes the clusters of all edges and reads nothing else; parts that are not given have rows only.
    """
    import apache_beam as beam

    from pipeline.engines.dofns import EmitPacked

    emit = EmitPacked(partial(emit_clusters, edges=edges), job)
    clusters = pipeline | "All edges" >> beam.Create(["edges"]) | "Clusters" >> beam.ParDo(emit)
    numbered = [(part.number, part.model_dump_json().encode()) for part in parts]
    # Both sides of the join are bytes, so that the shuffle has one deterministic coder.
    joined = {"part": pipeline | "Parts" >> beam.Create(numbered), "rows": clusters}
    return joined | "Join" >> beam.CoGroupByKey()


class Joined(NamedTuple):
    """A part's rows with what `emit_clusters` says of them.

    Attributes:
        reasons: uint8[n], with those of duplicates.
        cluster: uint64[n], row id of the copy that is kept; null without duplicates.
    """

    reasons: Reasons
    cluster: pa.Array


def joined_reasons(reasons: Reasons, rows: Iterable[bytes]) -> Joined:
    """The reasons of a part's rows, uint8[n], with those of its packed rows from `emit_clusters`."""
    joined = reasons.copy()
    clusters, clustered = np.zeros(len(reasons), np.uint64), np.zeros(len(reasons), bool)
    for packed in rows:
        nodes, roots, repeated = np.frombuffer(packed, np.uint64).reshape(3, -1)
        _, index = split_row_ids(nodes)
        clusters[index], clustered[index] = roots, True
        joined[index[nodes != roots]] = code_of("near_duplicate")
        joined[index[repeated == 1]] = code_of("exact_duplicate")
    return Joined(joined, pa.array(clusters, mask=~clustered))


def _load_edges(folder: str, paths: Sequence[str]) -> npt.NDArray[np.uint64]:
    if not paths:
        return np.empty((0, 2), np.uint64)
    table = pa.concat_tables([read_ipc(join(folder, path)) for path in paths])
    return np.stack([table["hub"].to_numpy(), table["row"].to_numpy()], axis=1)
