"""The second pass of tokenize: shards without the runs that go.

In: shards of `OUT/tokens`, and `OUT/substrings/removed`. Out: `OUT/shards`, in the format of `shards.format`: the same
shards under the same names, without these tokens and documents; a shard of which nothing is left is not written.
Documents keep their order, BOS and EOS, and what stands on both sides of a cut follows on each other. One task copies
the shards that one task of tokenize wrote, and has its name and inputs.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

import numpy as np
import pyarrow as pa

from dedup.substrings import count_covered, covered_tokens
from dedup.winnowing import Tokens
from kernels.arrays import Bools, Int64s
from manifests.base import Strict, sha256_of
from manifests.errors import GristmillError
from manifests.step import Ledger, StepManifest, TaskManifest
from pipeline.engines.tasks import Task
from pipeline.schemas import read_ipc
from pipeline.substrings.settings import Shard, SubstringsJob
from pipeline.substrings.spans import REASON, removed_file
from pipeline.substrings.texts import Texts, read_texts
from shards.format import TokenizerInfo
from shards.shard_files import read_side_table
from shards.shard_list import ShardEntry
from shards.writer import shard_outputs, write_shard
from storage.files import join
from storage.steps import read_task


class CutJob(Strict):
    """What all tasks share.

    Attributes:
        out: the folder of the new shards.
    """

    substrings: SubstringsJob
    tokenizer: TokenizerInfo
    out: str


class CutTask(Task):
    """The shards that one task of tokenize wrote.

    Attributes:
        inputs: of that task.
        details: of that task, but for its shards.
    """

    shards: tuple[Shard, ...]
    inputs: dict[str, str]
    details: dict[str, int]


def cut_tasks(shards: Sequence[Shard], job: SubstringsJob, done: StepManifest) -> list[CutTask]:
    """The tasks for all shards.

    Raises:
        GristmillError: the manifest of a task of tokenize is gone.
    """
    tasks = []
    for name, group in groupby(sorted(shards, key=_task), key=_task):
        members = tuple(group)
        made = read_task(job.tokens, name)
        if made is None:
            raise GristmillError(
                f"the manifest of task {name} is gone",
                where=job.tokens,
                remedy="run the same command again",
            )
        tasks.append(
            CutTask(
                name=name,
                key=sha256_of([done.digest, made.key, [shard.model_dump(mode="json") for shard in members]]),
                weight=sum(shard.entry.tokens for shard in members),
                shards=members,
                inputs=made.inputs,
                details={key: value for key, value in made.details.items() if key != "shards"},
            )
        )
    return tasks


def _task(shard: Shard) -> str:
    """Name of the task of tokenize that wrote a shard: source and number."""
    return f"{shard.entry.bucket.split('/')[0]}/{shard.entry.name.rpartition('-')[0]}"


def cut_shards(task: CutTask, job: CutJob) -> TaskManifest:
    """Copy the shards of one task without what goes."""
    entries = [entry for shard in task.shards if (entry := _cut_shard(shard, job)) is not None]
    documents, kept = (sum(shard.entry.documents for shard in task.shards), sum(entry.documents for entry in entries))
    return TaskManifest(
        task=task.name,
        key=task.key,
        inputs=task.inputs,
        outputs=[output for entry in entries for output in shard_outputs(entry)],
        ledger=Ledger(records_in=documents, kept=kept, dropped={REASON: documents - kept} if documents > kept else {}),
        details={**task.details, "shards": [entry.model_dump(mode="json") for entry in entries]},
    )


def _cut_shard(shard: Shard, job: CutJob) -> ShardEntry | None:
    substrings = job.substrings
    texts = read_texts(shard, substrings)
    removed = read_ipc(join(substrings.folder, removed_file(shard.name)))
    tokens, lengths, stays = cut_tokens(
        texts,
        removed["document"].to_numpy(),
        removed["offset"].to_numpy(),
        removed["length"].to_numpy(),
        removed["whole"].to_numpy(),
        bounds=(substrings.bos, substrings.eos),
    )
    if not stays.any():
        return None
    offsets = np.concatenate([np.zeros(1, np.int64), np.cumsum(lengths)])
    side = read_side_table(substrings.tokens, shard.entry).filter(pa.array(stays))
    for name, values in (("offset", offsets[:-1]), ("length", lengths)):
        side = side.set_column(side.schema.get_field_index(name), name, pa.array(values))
    return write_shard(
        job.out,
        bucket=shard.entry.bucket,
        name=shard.entry.name,
        tokens=tokens,
        offsets=offsets,
        documents=side,
        tokenizer=job.tokenizer,
        inputs=shard.entry.inputs,
    )


def cut_tokens(
    texts: Texts,
    documents: Int64s,
    offsets: Int64s,
    lengths: Int64s,
    whole: Bools,
    *,
    bounds: tuple[bool, bool],
) -> tuple[Tokens, Int64s, Bools]:
    """The tokens of a shard without the runs that go.

    Args:
        documents, offsets, lengths, whole: of each run, [n]: its row, where it begins in its text, its tokens, and
            whether its document goes with it.
        bounds: whether documents begin with BOS, and end with EOS.

    Returns:
        Tokens, lengths int64[documents that stay] with BOS and EOS, and which documents stay, bool[documents].
    """
    stays = np.ones(len(texts.begins), bool)
    stays[documents[whole]] = False
    bos, eos = bounds
    begins, ends = texts.begins - bos, texts.ends + eos
    gone = covered_tokens(
        np.concatenate([texts.begins[documents] + offsets, begins[~stays]]),
        np.concatenate([lengths, (ends - begins)[~stays]]),
        total=len(texts.tokens),
    )
    left = ends - begins - count_covered(gone, begins, ends)
    return texts.tokens[~gone], left[stays], stays
