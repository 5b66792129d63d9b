"""What the outputs of tokenize depend on, and what its tasks are handed.

In: a corpus manifest. Out: `TokenizeSettings`, which the shards' manifest and the tasks' keys hash; `TokenizeJob`, these and where things
lie, which crosses to the workers once; `TokenizeTask`, consecutive parts of one source.
"""

from __future__ import annotations

from typing import Literal

from manifests.base import Strict
from manifests.corpus import CorpusManifest
from manifests.filters import Filters
from pipeline.engines.tasks import Task
from pipeline.parts import Part

VERSION = 1


class TokenizeSettings(Strict):
    """What the output of the step depends on, beside the outputs of the steps before."""

    version: int = VERSION
    shard_tokens: int
    bos: bool
    eos: bool
    encoder: Literal["gigatoken", "sentencepiece"]


class TokenizeJob(Strict):
    """What all tasks share.

    Attributes:
        filters: of each source, by name: texts are cleaned by them.
        out: the folder of all steps.
        tokenizer: digest of the tokenizer step.
    """

    settings: TokenizeSettings
    filters: dict[str, Filters]
    out: str
    tokenizer: str


class TokenizeTask(Task):
    """Consecutive parts of one source.

    Attributes:
        rank: of the task within its source.
    """

    rank: int
    parts: tuple[Part, ...]


def tokenize_settings(manifest: CorpusManifest) -> TokenizeSettings:
    """What the output depends on."""
    tokenizer = manifest.tokenizer
    return TokenizeSettings(shard_tokens=manifest.shard_tokens, bos=tokenizer.bos, eos=tokenizer.eos, encoder=tokenizer.encoder)
