"""How files of others are imported: the settings, and the words of the options, checked."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from manifests.errors import GristmillError
from shards.import_bounds import BOUNDARIES, Boundaries

SHARD_TOKENS = 64_000_000
# As the names of sources in a corpus manifest: they are names of folders.
_NAME = r"[a-z0-9](?:[a-z0-9._-]*[a-z0-9])?"
_BUCKET = re.compile(f"{_NAME}/{_NAME}")


@dataclass(frozen=True)
class ImportSettings:
    """How files are imported.

    Attributes:
        command: which wrote the folder.
        corpus: its name.
        model: path of the SentencePiece model that wrote the tokens.
        boundaries: what each document begins and ends with.
        shard_tokens: a shard is closed by the document that fills it.
    """

    command: str
    corpus: str
    model: str
    boundaries: Boundaries
    shard_tokens: int = SHARD_TOKENS


def buckets_of(given: Sequence[str], inputs: Sequence[str]) -> list[str]:
    """One bucket per input: the only one that is given, or each in turn.

    Raises:
        GristmillError: another number, or a word that is not `source/band`.
    """
    for bucket in given:
        if not _BUCKET.fullmatch(bucket):
            raise GristmillError(
                f"`{bucket}` is not source/band: lower-case letters, digits, '.', '_' or '-' on both sides of a slash",
                where="--bucket",
            )
    if len(given) not in (1, len(inputs)):
        raise GristmillError(
            f"{len(given)} buckets for {len(inputs)} inputs",
            where="--bucket",
            remedy="give it once for all, or once for each input in turn",
        )
    return [given[0]] * len(inputs) if len(given) == 1 else list(given)


def boundaries_of(given: str) -> Boundaries:
    """What bounds documents.

    Raises:
        GristmillError: not one of `BOUNDARIES`.
    """
    for known in BOUNDARIES:
        if given == known:
            return known
    raise GristmillError(f"`{given}` is not known", where="--boundaries", remedy=f"use one of {', '.join(BOUNDARIES)}")
