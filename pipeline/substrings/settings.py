"""What the outputs of substrings depend on, and what its tasks are given.

In: a corpus manifest and the shards that tokenize wrote. Out: `SubstringsSettings`, which are hashed into the step's
manifest; `SubstringsJob`, these and the folders to use, which is sent to each worker once; and `Shard`, one shard of
`OUT/tokens`, which as JSON is an element of a pipeline.
"""

from __future__ import annotations

from typing import Literal

from manifests.base import Strict
from manifests.corpus import CorpusManifest, Substrings
from pipeline.engines.partitions import PartitionJob
from shards.format import ShardManifest
from shards.shard_list import ShardEntry

VERSION = 1
# Winnowing and comparing so many tokens takes one process about as long as starting another one.
TOKENS_PER_WORKER = 20_000_000


class SubstringsSettings(Strict):
    """What the output of the step depends on, besides the shards.

    Attributes:
        priorities: of the sources, by name.
    """

    version: int = VERSION
    min_tokens: int
    scope: Literal["corpus", "bucket"]
    min_left_share: float
    priorities: dict[str, int]


class SubstringsJob(PartitionJob):
    """What all elements of all stages share.

    Attributes:
        tokens: the folder of the shards.
        dtype: of their tokens.
        bos, eos: whether documents are bounded by these tokens, which are no part of their texts.
    """

    settings: SubstringsSettings
    tokens: str
    dtype: Literal["uint16", "uint32"]
    bos: bool
    eos: bool


class Shard(Strict):
    """One shard of the folder `tokens`.

    Attributes:
        number: rank among all shards, by bucket and name.
        priority: of its source.
        scope: number of what its texts are compared within: that of its bucket, or 0 for the whole corpus.
    """

    number: int
    priority: int
    scope: int
    entry: ShardEntry

    @property
    def name(self) -> str:
        """`bucket/name`, which names its files."""
        return f"{self.entry.bucket}/{self.entry.name}"


def substrings_settings(manifest: CorpusManifest, section: Substrings) -> SubstringsSettings:
    """The settings of the step for a corpus manifest and its section `dedup.substrings`."""
    return SubstringsSettings(
        min_tokens=section.min_tokens,
        scope=section.scope,
        min_left_share=section.min_left_share,
        priorities={source.name: source.priority for source in manifest.sources},
    )


def list_shards(manifest: ShardManifest, settings: SubstringsSettings) -> list[Shard]:
    """All shards of the folder `tokens`, in order."""
    scopes = {bucket: number for number, bucket in enumerate(sorted(set(manifest.shards.buckets)), start=1)}
    return [
        Shard(
            number=number,
            priority=settings.priorities[entry.bucket.split("/")[0]],
            scope=scopes[entry.bucket] if settings.scope == "bucket" else 0,
            entry=entry,
        )
        for number, entry in enumerate(manifest.shards.in_order())
    ]


def workers_for_tokens(shards: list[Shard]) -> int:
    """How many workers a pipeline over these shards can use."""
    return -(-sum(shard.entry.tokens for shard in shards) // TOKENS_PER_WORKER)
