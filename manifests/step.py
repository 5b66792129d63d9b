"""The manifests of finished tasks and steps: their inputs and outputs, where each record went, losses inside documents.

In: JSON that Gristmill wrote. Out: frozen models. `storage.steps` writes and reads them in the folder of a step.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal, NamedTuple

from pydantic import JsonValue

from manifests.base import RelativePath, Strict, sha256_of


class Output(Strict):
    """One published file of a step.

    Attributes:
        path: relative to the step's folder.
        rows: number of records in the file.
        text_bytes: bytes of UTF-8 text in those records; of decisions, about how many of them are kept; 0 of files that
            have nothing to do with text.
    """

    path: RelativePath
    sha256: str
    bytes: int
    rows: int
    text_bytes: int = 0


class Ledger(Strict):
    """The number of records read, and where each went: kept, or dropped or quarantined for a reason.

    It must balance.
    """

    records_in: int = 0
    kept: int = 0
    dropped: dict[str, int] = {}
    quarantined: dict[str, int] = {}

    def balance(self) -> int:
        """Records read minus records accounted for; 0 if the ledger balances."""
        return self.records_in - self.kept - sum(self.dropped.values()) - sum(self.quarantined.values())


class Problem(NamedTuple):
    """Why a record is quarantined.

    Attributes:
        kind: what the ledger counts, in a few words.
        detail: the particulars of this record.
    """

    kind: str
    detail: str = ""

    def __str__(self) -> str:
        return f"{self.kind}: {self.detail}" if self.detail else self.kind


class Loss(Strict):
    """The number of documents in which something was lost, and the number of losses."""

    documents: int
    count: int


class KindOfLoss(Loss):
    """All losses of one kind, and the most common ones by name."""

    names: dict[str, Loss] = {}


# What was lost or changed inside documents, by kind (see `pipeline.losses`).
Inside = dict[str, KindOfLoss]


class TaskManifest(Strict):
    """One finished task.

    Attributes:
        key: sha256 over the task's settings and input stamps; if it differs, a resumed run repeats the task.
        inputs: names of what was read, with content hashes.
        inside: what was lost inside kept documents.
        details: values that only the step itself uses.
        stamps: path of an output to its stamp, as reported by the file system or the store when the file was known to
            be whole.
        digest: sha256 over all other fields.
    """

    task: str
    key: str
    inputs: dict[str, str]
    outputs: list[Output]
    ledger: Ledger
    inside: Inside = {}
    notes: list[str] = []
    details: dict[str, Any] = {}
    stamps: dict[str, str] = {}
    digest: str = ""


class StepManifest(Strict):
    """One finished step.

    Attributes:
        inside: what was lost inside kept documents, by source.
    """

    format: Literal["gristmill-step/1"] = "gristmill-step/1"
    step: str
    settings_sha256: str
    inputs_sha256: str
    settings: dict[str, JsonValue]
    inputs: dict[str, str]
    outputs: list[Output]
    ledger: Ledger
    inside: dict[str, Inside] = {}
    notes: list[str] = []
    digest: str = ""


def merge_ledgers(ledgers: Iterable[Ledger]) -> Ledger:
    """The sum of ledgers, with reasons in alphabetical order."""
    records_in = kept = 0
    dropped: dict[str, int] = {}
    quarantined: dict[str, int] = {}
    for ledger in ledgers:
        records_in += ledger.records_in
        kept += ledger.kept
        for total, part in ((dropped, ledger.dropped), (quarantined, ledger.quarantined)):
            for reason, count in part.items():
                total[reason] = total.get(reason, 0) + count
    return Ledger(
        records_in=records_in,
        kept=kept,
        dropped=dict(sorted(dropped.items())),
        quarantined=dict(sorted(quarantined.items())),
    )


def digest_of(manifest: TaskManifest | StepManifest) -> str:
    """Hex sha256 over all fields of a manifest except its digest."""
    return sha256_of(manifest.model_dump(mode="json", exclude={"digest"}))
