"""What the outputs of tokenize depend on, and what its tasks are given.

In: a corpus manifest. Out: `TokenizeSettings`, which are hashed into the shards' manifest and the tasks' keys;
`TokenizeJob`, these settings and the folders to use, which is sent to each worker once; and `TokenizeTask`, consecutive
parts of one source.
"""

from __future__ import annotations

from typing import Literal

from manifests.base import Strict
from manifests.corpus import CorpusManifest
from manifests.filters import Filters
from pipeline.engines.tasks import Task
from pipeline.parts import Part

VERSION = 2


class TokenizeSettings(Strict):
    """What the output of the step depends on, besides the outputs of earlier steps."""

    version: int = VERSION
    shard_tokens: int
    bos: bool
    eos: bool
    encoder: Literal["gigatoken", "sentencepiece"]


class TokenizeJob(Strict):
    """What all tasks share.

    Attributes:
        filters: by source name, the filters that clean the source's texts.
        out: the folder of all steps.
        tokenizer: digest of the tokenizer step.
        shards: name of the folder below `out` that shards go to.
    """

    settings: TokenizeSettings
    filters: dict[str, Filters]
    out: str
    tokenizer: str
    shards: str


class TokenizeTask(Task):
    """Consecutive parts of one source.

    Attributes:
        rank: number of the task within its source.
    """

    rank: int
    parts: tuple[Part, ...]


def tokenize_settings(manifest: CorpusManifest) -> TokenizeSettings:
    """The settings of the step for a corpus manifest."""
    tokenizer = manifest.tokenizer
    return TokenizeSettings(
        shard_tokens=manifest.shard_tokens, bos=tokenizer.bos, eos=tokenizer.eos, encoder=tokenizer.encoder
    )
