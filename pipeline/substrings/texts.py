"""The texts of one shard as arrays, and the first stage: what repeats within it.

In: a shard of `OUT/tokens`. Out: `OUT/substrings/within/<bucket>/<name>.arrow` (`tables.WITHIN`), by document and
start. One task a shard, which holds its tokens as a map and about 30 bytes for each of its segments, one for every 13
tokens.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from dedup.repeats import Repeats, repeats_within
from dedup.stretches import place_words, ranks_of
from dedup.winnowing import Segments, Tokens, segments
from kernels.arrays import Int64s, Uint64s
from manifests.step import Ledger, TaskManifest
from pipeline.engines.tasks import Task
from pipeline.schemas import id_halves, publish_ipc
from pipeline.substrings.settings import Shard, SubstringsJob
from pipeline.substrings.tables import WITHIN, read_within, within_batch
from shards.cache import shard_cache
from shards.shard_files import arrays_of, read_side_table
from storage.files import is_url, join

FOLDER = "within"


class Texts(NamedTuple):
    """The documents of a shard.

    Attributes:
        tokens: uint16 or uint32 [t], BOS and EOS included.
        begins, ends: int64[documents], where each text lies in `tokens`, without BOS and EOS.
        ids: uint64[documents, 2], halves of the ids.
    """

    tokens: Tokens
    begins: Int64s
    ends: Int64s
    ids: Uint64s


class ShardTask(Task):
    """One shard."""

    shard: Shard


def read_texts(shard: Shard, job: SubstringsJob) -> Texts:
    """Map a shard; one of a store comes through the local cache."""
    path = join(job.tokens, shard.entry.file)
    if is_url(path):
        path = shard_cache().fetch(path, shard.entry)
    tokens, offsets = arrays_of(path, shard.entry, job.dtype)
    ids = id_halves(read_side_table(job.tokens, shard.entry, ["document_id"])["document_id"])
    return Texts(tokens, offsets[:-1] + job.bos, offsets[1:] - job.eos, ids)


def segments_of(shard: Shard, texts: Texts, job: SubstringsJob) -> Segments:
    """All segments of a shard."""
    return segments(texts.tokens, texts.begins, texts.ends, min_tokens=job.settings.min_tokens, seed=shard.scope)


def places_of(shard: Shard, texts: Texts) -> Uint64s:
    """What orders the documents of a shard among all: see `dedup.stretches.place_words`."""
    return place_words(texts.ids, texts.ends - texts.begins, priority=shard.priority, shard=shard.number)


def within_of(shard: Shard, job: SubstringsJob) -> Repeats:
    """What the first stage found in a shard."""
    return read_within(join(job.folder, _file(shard)))


def within_task(shard: Shard, job: SubstringsJob) -> ShardTask:
    """The task of the first stage for a shard."""
    return ShardTask(name=f"{FOLDER}/{shard.name}", key=job.key, weight=shard.entry.tokens, shard=shard)


def find_within(task: ShardTask, job: SubstringsJob) -> TaskManifest:
    """Publish what repeats within one shard."""
    shard = task.shard
    texts = read_texts(shard, job)
    repeats = repeats_within(
        texts.tokens,
        texts.begins,
        segments_of(shard, texts, job),
        ranks_of(places_of(shard, texts)),
        min_tokens=job.settings.min_tokens,
    )
    output = publish_ipc(job.folder, _file(shard), [within_batch(repeats)], WITHIN)
    return TaskManifest(
        task=task.name,
        key=task.key,
        inputs={shard.entry.file: shard.entry.sha256},
        outputs=[output],
        ledger=Ledger(),
        details={"grams": int(np.sum(repeats.counts))},
    )


def _file(shard: Shard) -> str:
    return f"{FOLDER}/{shard.name}.arrow"
