"""The shuffles between shards: first which anchors they share, then the texts around these.

In: shards, and what repeats within each (`pipeline.substrings.texts`). Out, below `OUT/substrings`, by partition:

    shared/<p>.arrow     tables.SHARED: keys that several shards have, by shard and key
    answers/<p>.arrow    tables.ANSWERS: grams whose first occurrence is in another shard, by document and start

The first shuffle carries 10 bytes for each distinct key of a shard, about one for every 13 tokens. Only shared keys go
on: the second one carries the text around each, once a shard: about 170 bytes, 13 for each token that another shard has
as well. A key of a text that is in every shard has one record from each of them. A key with many different
texts around it (`HOT` of them in all shards) would still be too much for one partition: its grams go one by one, to
partitions by their own hashes. On the embedded runner, which holds a shuffle in memory, each is split into passes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import pyarrow as pa

from dedup.stretches import MAX_ELEMENT_BYTES, answers_of, pack_stretches, wanted_stretches
from dedup.winnowing import window
from manifests.step import Ledger, TaskManifest
from pipeline.engines.partitions import SHUFFLE_BYTES, finish_partition, partitions_for, run_grouped
from pipeline.engines.runners import Runner
from pipeline.engines.tasks import Task, collect
from pipeline.schemas import publish_ipc, read_ipc
from pipeline.substrings.settings import Shard, SubstringsJob, workers_for_tokens
from pipeline.substrings.tables import ANSWERS, SHARED, answers_batch
from pipeline.substrings.texts import places_of, read_texts, segments_of, within_of
from storage.files import join
from storage.steps import write_task

# Different texts around one key: with more, a partition would hold more than 3 MB for it.
HOT = 16_384
# How many of one key a shard says at most that it has.
_MOST = 65_535
# Of a stretch, besides its tokens.
_STRETCH_BYTES = 48
_KEY_BYTES = 10


def run_shared(shards: Sequence[Shard], job: SubstringsJob, *, runner: Runner) -> list[TaskManifest]:
    """Publish which keys shards share."""
    tokens = sum(shard.entry.tokens for shard in shards)
    # An expected 2 of window + 1 grams begin a segment.
    total = tokens * 2 * _KEY_BYTES // (window(job.settings.min_tokens) + 1)
    elements = [
        shard.model_dump_json() for shard in sorted(shards, key=lambda shard: (-shard.entry.tokens, shard.name))
    ]

    def packed(pipeline: Any, pending: frozenset[int], partitions: int) -> Any:
        import apache_beam as beam

        from pipeline.engines.dofns import EmitPacked

        emit = EmitPacked(partial(emit_keys, partitions=partitions, pending=pending), job)
        return pipeline | "Shards" >> beam.Create(elements) | "Keys" >> beam.ParDo(emit)

    return _run("shared", total, packed, reduce_keys, shards, job, runner=runner)


def run_answers(
    shards: Sequence[Shard], shared: Sequence[TaskManifest], job: SubstringsJob, *, runner: Runner
) -> list[TaskManifest]:
    """Publish the answers to what shards share."""
    width = np.dtype(job.dtype).itemsize
    most = _STRETCH_BYTES + width * (window(job.settings.min_tokens) // 2 + job.settings.min_tokens)
    total = sum(task.details["stretches"] for task in shared) * most
    files = paths_of(shared)

    def packed(pipeline: Any, pending: frozenset[int], partitions: int) -> Any:
        import apache_beam as beam

        from pipeline.engines.dofns import EmitPacked

        joined = joined_by_shard(pipeline, shards, files, emit_shared, job)
        emit = EmitPacked(partial(emit_stretches, partitions=partitions, pending=pending), job)
        return joined | "Stretches" >> beam.ParDo(emit)

    return _run("answers", total, packed, reduce_stretches, shards, job, runner=runner)


def _run(
    folder: str,
    total: int,
    packed: Callable[[Any, frozenset[int], int], Any],
    reduce: Callable[[int, list[bytes], SubstringsJob], str],
    shards: Sequence[Shard],
    job: SubstringsJob,
    *,
    runner: Runner,
) -> list[TaskManifest]:
    """Run a shuffle of about `total` bytes, in passes where the runner holds it in memory."""
    partitions = partitions_for(total)
    passes = min(partitions, max(1, -(-total // SHUFFLE_BYTES))) if runner.kind == "embedded" else 1
    names = {partition: f"{folder}/{partition:06d}" for partition in range(partitions)}
    for number in range(passes):
        run_grouped(
            {partition: name for partition, name in names.items() if partition % passes == number},
            lambda pipeline, pending: packed(pipeline, pending, partitions),
            reduce,
            job,
            label=folder,
            runner=runner.at_most(workers_for_tokens(list(shards))),
        )
    return collect([Task(name=name, key=job.key) for name in names.values()], folder=job.folder)


def paths_of(tasks: Iterable[TaskManifest]) -> list[str]:
    """The files of tasks that are not empty, below the step's folder."""
    return [output.path for task in tasks for output in task.outputs if output.rows]


def joined_by_shard(
    pipeline: Any,
    shards: Sequence[Shard],
    files: Sequence[str],
    emit: Callable[[str, SubstringsJob], Iterable[tuple[int, bytes]]],
    job: SubstringsJob,
) -> Any:
    """Each shard as JSON, with what `emit` makes of the files for its number: a PCollection of the number and both, by
    name. Shards that are not given have the latter only.
    """
    import apache_beam as beam

    from pipeline.engines.dofns import EmitPacked

    numbered = [(shard.number, shard.model_dump_json().encode()) for shard in shards]
    found = pipeline | "Files" >> beam.Create(list(files)) | "Found" >> beam.ParDo(EmitPacked(emit, job))
    # Both sides of the join are bytes, so that the shuffle has one deterministic coder.
    return {"shard": pipeline | "Shards" >> beam.Create(numbered), "found": found} | "Join" >> beam.CoGroupByKey()


def emit_keys(
    element: str, job: SubstringsJob, *, partitions: int, pending: frozenset[int]
) -> Iterator[tuple[int, bytes]]:
    """The distinct keys of one shard, by partition: its number, keys uint64[n], and of how many stretches each."""
    shard = Shard.model_validate_json(element)
    texts = read_texts(shard, job)
    found = segments_of(shard, texts, job)
    firsts = wanted_stretches(found, within_of(shard, job), np.unique(found.keys))
    keys, counts = np.unique(firsts.keys, return_counts=True)
    counts = np.minimum(counts, _MOST).astype(np.uint16)
    partition = ((keys >> np.uint64(32)) % np.uint64(partitions)).astype(np.int64)
    order = np.argsort(partition, kind="stable")
    bounds = np.searchsorted(partition[order], np.arange(partitions + 1))
    limit = MAX_ELEMENT_BYTES // (2 * _KEY_BYTES)
    for number in sorted(pending):
        for start in range(bounds[number], bounds[number + 1], limit):
            rows = order[start : min(start + limit, bounds[number + 1])]
            yield number, np.uint64(shard.number).tobytes() + keys[rows].tobytes() + counts[rows].tobytes()


def reduce_keys(partition: int, elements: list[bytes], job: SubstringsJob) -> str:
    """Publish the keys of a partition that several shards have; the details say of how many stretches."""
    shards, keys, counts = [np.empty(0, np.int64)], [np.empty(0, np.uint64)], [np.empty(0, np.uint16)]
    for element in elements:
        length = (len(element) - 8) // _KEY_BYTES
        keys.append(np.frombuffer(element, np.uint64, length, offset=8))
        counts.append(np.frombuffer(element, np.uint16, length, offset=8 + 8 * length))
        shards.append(np.full(length, np.frombuffer(element, np.uint64, 1)[0], np.int64))
    every, shard, count = np.concatenate(keys), np.concatenate(shards), np.concatenate(counts).astype(np.int64)
    _, number, holders = np.unique(every, return_inverse=True, return_counts=True)
    stretches = np.bincount(number, weights=count, minlength=len(holders)).astype(np.int64)
    rows = np.flatnonzero(holders[number] > 1)
    rows = rows[np.lexsort((every[rows], shard[rows]))]
    batch = pa.RecordBatch.from_arrays(
        [pa.array(shard[rows]), pa.array(every[rows]), pa.array(stretches[number[rows]] > HOT)], schema=SHARED
    )
    name = f"shared/{partition:06d}"
    output = publish_ipc(job.folder, f"{name}.arrow", [batch], SHARED)
    details = {"stretches": int(count[rows].sum())}
    write_task(
        job.folder,
        TaskManifest(task=name, key=job.key, inputs={}, outputs=[output], ledger=Ledger(), details=details),
    )
    return name


def emit_shared(path: str, job: SubstringsJob) -> Iterator[tuple[int, bytes]]:
    """The keys of a partition that each shard shares, by its number: keys uint64[n], and whether they are hot."""
    table = read_ipc(join(job.folder, path))
    shards, keys, hot = (table[name].to_numpy() for name in SHARED.names)
    bounds = np.flatnonzero(np.diff(shards, prepend=-1, append=-1)).tolist()
    for start, stop in zip(bounds[:-1], bounds[1:], strict=True):
        yield int(shards[start]), keys[start:stop].tobytes() + hot[start:stop].astype(np.uint8).tobytes()


def emit_stretches(
    element: tuple[int, Mapping[str, Iterable[bytes]]], job: SubstringsJob, *, partitions: int, pending: frozenset[int]
) -> Iterator[tuple[int, bytes]]:
    """The stretches of one shard that other shards may have as well, for the pending partitions."""
    _, grouped = element
    keys, hot = [np.empty(0, np.uint64)], [np.empty(0, bool)]
    for packed in grouped["found"]:
        length = len(packed) // 9
        keys.append(np.frombuffer(packed, np.uint64, length))
        hot.append(np.frombuffer(packed, np.uint8, length, offset=8 * length).astype(bool))
    shared, is_hot = np.concatenate(keys), np.concatenate(hot)
    for packed in grouped["shard"] if len(shared) else ():
        shard = Shard.model_validate_json(packed)
        texts = read_texts(shard, job)
        for partition, stretches in pack_stretches(
            texts.tokens,
            texts.begins,
            wanted_stretches(segments_of(shard, texts, job), within_of(shard, job), np.sort(shared)),
            places_of(shard, texts),
            hot=np.sort(shared[is_hot]),
            scope=shard.scope,
            min_tokens=job.settings.min_tokens,
            partitions=partitions,
        ):
            if partition in pending:
                yield partition, stretches


def reduce_stretches(partition: int, elements: list[bytes], job: SubstringsJob) -> str:
    """Publish the answers of one partition."""
    answers = answers_of(elements, dtype=job.dtype, min_tokens=job.settings.min_tokens)
    name = f"answers/{partition:06d}"
    output = publish_ipc(job.folder, f"{name}.arrow", [answers_batch(answers)], ANSWERS)
    return finish_partition(name, job, [output])
