"""The last stage before shards are cut: the runs that go from each shard, with where the same text stays.

In: what repeats within each shard, and the answers of others. Out: `OUT/substrings/removed/<bucket>/<name>.arrow`
(`tables.REMOVED`), by document and offset, one file a shard of `OUT/tokens`. The answers to a shard, and what it is
asked to keep, come through a shuffle with its number as key: 56 and up to 24 bytes for each segment of 13 tokens that
repeats elsewhere, so that a shard of 64 million tokens of which a tenth goes has about 30 MB on its key.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from dedup.stretches import all_answers
from dedup.substrings import Removed, count_covered, documents_that_go, removed_runs, removed_tokens
from kernels.arrays import Bools, Int64s, Uint64s
from manifests.step import KindOfLoss, Ledger, TaskManifest
from pipeline.engines.runners import Runner, run_pipeline
from pipeline.engines.tasks import Task, collect, pending_tasks
from pipeline.schemas import id_column, publish_ipc
from pipeline.substrings.settings import Shard, SubstringsJob, workers_for_tokens
from pipeline.substrings.shared import joined_by_shard, paths_of
from pipeline.substrings.tables import (
    REMOVED,
    pack_answers,
    pack_kept,
    read_answers,
    unpack_answers,
    unpack_kept,
)
from pipeline.substrings.texts import Texts, read_texts, within_of
from storage.files import join
from storage.steps import write_task

FOLDER = "removed"
# Of documents that go as a whole, in the ledger.
REASON = "repeated_text"
# Of tokens that go from documents that stay, in the ledger of what is lost inside.
KIND = "repeated_tokens"


class Cut(NamedTuple):
    """What goes from a shard: runs, tokens bool[t], whole documents bool[documents]."""

    runs: Removed
    tokens: Bools
    documents: Bools


def removed_file(shard: str) -> str:
    """The file of a shard, `bucket/name`, below the step's folder."""
    return f"{FOLDER}/{shard}.arrow"


def run_spans(
    shards: Sequence[Shard], answers: Sequence[TaskManifest], job: SubstringsJob, *, runner: Runner
) -> list[TaskManifest]:
    """Publish what goes from the shards that have no such file yet."""
    tasks = [Task(name=_task(shard), key=job.key) for shard in shards]
    runner.expect(len(tasks))
    waiting = {task.name for task in pending_tasks(tasks, folder=job.folder)}
    pending = [shard for shard in shards if _task(shard) in waiting]
    files = paths_of(answers)
    if pending:

        def build(pipeline: Any) -> object:
            import apache_beam as beam

            from pipeline.engines.dofns import EmitNames

            joined = joined_by_shard(pipeline, pending, files, emit_answers, job)
            return joined | "Removed" >> beam.ParDo(EmitNames(publish_removed, job))

        run_pipeline(build, runner=runner.at_most(workers_for_tokens(pending)), label="removed")
    return collect(tasks, folder=job.folder)


def _task(shard: Shard) -> str:
    return f"{FOLDER}/{shard.name}"


def emit_answers(path: str, job: SubstringsJob) -> Iterator[tuple[int, bytes]]:
    """The answers of one partition to each shard (`a` and bytes), and the grams that each has to keep (`k` and bytes),
    by the shard's number.
    """
    answers = read_answers(join(job.folder, path))
    for number, rows in _by_shard(answers.documents):
        yield number, b"a" + pack_answers(answers.taken(rows))
    for number, rows in _by_shard(answers.first_documents):
        kept = answers.taken(rows)
        yield number, b"k" + pack_kept(kept.first_documents, kept.first_starts, kept.counts)


def _by_shard(documents: Uint64s) -> Iterator[tuple[int, Int64s]]:
    numbers = (documents >> np.uint64(32)).astype(np.int64)
    order = np.argsort(numbers, kind="stable")
    bounds = np.flatnonzero(np.diff(numbers[order], prepend=-1, append=-1)).tolist()
    for start, stop in zip(bounds[:-1], bounds[1:], strict=True):
        yield int(numbers[order[start]]), order[start:stop]


def publish_removed(element: tuple[int, Mapping[str, Iterable[bytes]]], job: SubstringsJob) -> list[str]:
    """Publish what goes from one shard; a shard that was finished before has answers only, and nothing is published."""
    _, grouped = element
    found = list(grouped["found"])
    return [_publish(Shard.model_validate_json(shard), found, job) for shard in grouped["shard"]]


def _publish(shard: Shard, found: Sequence[bytes], job: SubstringsJob) -> str:
    texts = read_texts(shard, job)
    cut = _cut(shard, texts, found, job)
    runs = cut.runs
    batch = pa.RecordBatch.from_arrays(
        [
            pa.array(runs.documents),
            id_column(texts.ids[runs.documents]),
            pa.array(runs.starts),
            pa.array(runs.counts + job.settings.min_tokens - 1),
            id_column(runs.kept_ids),
            pa.array(runs.kept_starts),
            pa.array(cut.documents[runs.documents]),
        ],
        schema=REMOVED,
    )
    output = publish_ipc(job.folder, removed_file(shard.name), [batch], REMOVED)
    total, dropped = len(texts.begins), int(cut.documents.sum())
    inside = count_covered(cut.tokens, texts.begins, texts.ends)[~cut.documents]
    lengths = texts.ends - texts.begins
    write_task(
        job.folder,
        TaskManifest(
            task=_task(shard),
            key=job.key,
            inputs={shard.entry.file: shard.entry.sha256},
            outputs=[output],
            ledger=Ledger(records_in=total, kept=total - dropped, dropped={REASON: dropped} if dropped else {}),
            inside={KIND: KindOfLoss(documents=int((inside > 0).sum()), count=int(inside.sum()))}
            if inside.any()
            else {},
            details={
                "source": shard.entry.bucket.split("/")[0],
                "tokens": int(lengths.sum()),
                "removed": int(inside.sum()) + int(lengths[cut.documents].sum()),
            },
        ),
    )
    return _task(shard)


def _cut(shard: Shard, texts: Texts, found: Sequence[bytes], job: SubstringsJob) -> Cut:
    least = job.settings.min_tokens
    answers = all_answers([unpack_answers(packed[1:]) for packed in found if packed[:1] == b"a"])
    runs = removed_runs(within_of(shard, job), answers, texts.ids, min_tokens=least)
    tokens = removed_tokens(texts.begins, len(texts.tokens), runs, min_tokens=least)
    here = runs.kept_documents >= 0
    asked = [unpack_kept(packed[1:]) for packed in found if packed[:1] == b"k"]
    kept = [(runs.kept_documents[here], runs.kept_starts[here], runs.counts[here]), *asked]
    rows, starts, counts = (np.concatenate(column) for column in zip(*kept, strict=True))
    documents = documents_that_go(
        texts.begins,
        texts.ends,
        tokens,
        (rows, starts, counts),
        min_tokens=least,
        min_left_share=job.settings.min_left_share,
    )
    return Cut(runs, tokens, documents)
