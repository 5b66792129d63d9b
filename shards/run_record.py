"""What a run's folder says about itself: `run.json`, `order.json`, which defines its samples, and `metrics.jsonl`, a
line per logged step. While a mixture is being changed there is also `order.next.json`.

In: the folder of a run, which training writes. Out: its record and its order, checked against each other, and its
metrics. `gristmill verify` checks whether all is as it was written.
"""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError

from manifests.base import Strict, first_problem, load_json, sha256_of
from manifests.errors import GristmillError
from manifests.mixture import MixtureManifest
from manifests.run import Run
from shards.format import TokenizerInfo
from storage.files import exists, join, read_bytes

RECORD = "run.json"
ORDER = "order.json"
NEXT_ORDER = "order.next.json"
METRICS = "metrics.jsonl"


class MixtureChange(Strict):
    """A change of a run's mixture, or of its data by buckets that were added.

    Attributes:
        step: the first step under the new mixture; those before are what they were.
        added: the buckets that were added.
        data_before, data_after: digests of the shards' manifest.
        order_before, order_after: sha256 of `order.json`.
        notes: what the new mixture asks for and does not get.
    """

    step: int
    before: MixtureManifest
    after: MixtureManifest
    added: list[str]
    data_before: str
    data_after: str
    order_before: str | None
    order_after: str
    notes: list[str]


class RunRecord(Strict):
    """What is in `run.json`. What an earlier version did not write is None: lineage does without it, training does not.

    Attributes:
        data_digest: of the shards' manifest.
        order_sha256: of `order.json`.
        settings_sha256: of the settings that bind.
        changes: of the mixture, the oldest first.
        sha256: over all the rest.
    """

    run: Run
    data_digest: str
    order_sha256: str | None = None
    settings_sha256: str | None = None
    tokenizer: TokenizerInfo | None = None
    versions: dict[str, str] = {}
    changes: list[MixtureChange] = []
    sha256: str | None = None


def load_record(folder: str) -> RunRecord:
    """The record of a run.

    Raises:
        GristmillError: the folder is not a run's, or the record is damaged or was written by another version.
    """
    path = join(folder, RECORD)
    if not exists(path):
        raise GristmillError("is not a run folder", where=folder, remedy="name the `out` folder of a run manifest")
    try:
        return RunRecord.model_validate(load_json(read_bytes(path), where=path))
    except ValidationError as error:
        raise GristmillError(
            f"is not a run record of this version: {first_problem(error)}",
            where=path,
            remedy="restore it from a copy, use the version that began the run, or choose another `out`",
        ) from None


def load_order(folder: str, record: RunRecord, *, named: bool = True) -> str:
    """The text of a run's order.

    Args:
        named: refuse also an order that the record does not name at all.

    Raises:
        GristmillError: there is no order, or it is not the one that the record names.
    """
    path, following = join(folder, ORDER), join(folder, NEXT_ORDER)
    text = read_bytes(path).decode(errors="replace")
    if record.order_sha256 == sha256_of(text) or (record.order_sha256 is None and not named):
        return text
    # A change of the mixture was killed after the record named its order and before `order.json` was that one.
    if exists(following):
        text = read_bytes(following).decode(errors="replace")
        if record.order_sha256 == sha256_of(text):
            return text
    raise GristmillError(
        "is not the order that the run began with",
        where=path,
        remedy="restore it from a copy, or choose another `out`",
    )


def load_metrics(folder: str) -> list[dict[str, Any]]:
    """The metrics of a run, a step each; a line that was torn by a kill, or damaged, is left out."""
    path = join(folder, METRICS)
    lines = read_bytes(path).split(b"\n") if exists(path) else []
    return [step for line in lines if (step := metrics_in(line, where=path)) is not None]


def metrics_in(line: bytes, *, where: str) -> dict[str, Any] | None:
    """One line of metrics; None when it is not one."""
    try:
        value = load_json(line, where=where)
    except GristmillError:
        return None
    return value if isinstance(value, dict) and type(value.get("step")) is int else None
