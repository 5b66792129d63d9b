"""What decide kept and dropped of each source, as the manifests of its tasks have it.

In: the folder of a decide step. Out: per source the kept documents, the dropped ones by reason, and words. A task that
decides several parts says so for each of their sources (`pipeline.decide.step`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypedDict

from manifests.errors import GristmillError
from manifests.step import Inside, KindOfLoss
from pipeline.losses import merge_inside
from storage.files import join, list_files
from storage.steps import TASKS, read_task

DECISIONS = "decisions"


class SourceLosses(TypedDict):
    """What became of the documents of one source.

    Attributes:
        kept: documents.
        dropped: documents, by reason.
        words: of `all` documents, of those `kept`, and of those that went with their sites (`of_dropped_sites`).
        inside: `manifests.step.Inside` as JSON: what documents that stay lost to others.
    """

    kept: int
    dropped: dict[str, int]
    words: dict[str, int]
    inside: dict[str, Any]


def dumped(inside: Inside) -> dict[str, Any]:
    """What was lost inside documents, as JSON has it."""
    return {kind: loss.model_dump(mode="json") for kind, loss in inside.items()}


def loaded(inside: Mapping[str, Any]) -> Inside:
    """The inverse of `dumped`."""
    return {kind: KindOfLoss.model_validate(loss) for kind, loss in inside.items()}


def source_losses(folder: str) -> dict[str, SourceLosses]:
    """The sums over all tasks of a finished decide step, sources sorted by name.

    Raises:
        GristmillError: the manifest of a task is damaged.
    """
    found: dict[str, SourceLosses] = {}
    for name in sorted(list_files(join(folder, TASKS, DECISIONS), "*.json")):
        task = read_task(folder, f"{DECISIONS}/{name.removesuffix('.json')}")
        if task is None:
            raise GristmillError(
                f"the manifest of the task {DECISIONS}/{name} is damaged",
                where=folder,
                remedy="run `gristmill decide` again",
            )
        for source, losses in task.details["sources"].items():
            known = found.get(source)
            found[source] = losses if known is None else add_losses(known, losses)
    return dict(sorted(found.items()))


def add_losses(one: SourceLosses, other: SourceLosses) -> SourceLosses:
    """The sum of both."""
    return SourceLosses(
        kept=one["kept"] + other["kept"],
        dropped=_add(one["dropped"], other["dropped"]),
        words=_add(one["words"], other["words"]),
        inside=dumped(merge_inside([loaded(one["inside"]), loaded(other["inside"])])),
    )


def _add(one: dict[str, int], other: dict[str, int]) -> dict[str, int]:
    return {name: one.get(name, 0) + other.get(name, 0) for name in sorted({*one, *other})}
