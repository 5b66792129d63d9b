"""The words of an import's options: buckets and boundaries, checked."""

from __future__ import annotations

import re
from collections.abc import Sequence

from manifests.errors import GristmillError
from shards.import_bounds import BOUNDARIES, Boundaries

# As the names of sources in a corpus manifest: they are names of folders.
_NAME = r"[a-z0-9](?:[a-z0-9._-]*[a-z0-9])?"
_BUCKET = re.compile(f"{_NAME}/{_NAME}")


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
