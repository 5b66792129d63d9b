"""What a finished task and a finished step say: what they read and wrote, where each record went, what was lost within documents.

In: JSON that Gristmill wrote. Out: frozen models. `storage.steps` writes and reads them, in the folder of a step.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal

from manifests.base import RelativePath, Strict, sha256_of


class Output(Strict):
    """One published file of a step.

    Attributes:
        path: relative to the step's folder.
        rows: records in the file.
        text_bytes: bytes of UTF-8 text in those records; 0 where the file holds no text.
    """

    path: RelativePath
    sha256: str
    bytes: int
    rows: int
    text_bytes: int = 0


class Ledger(Strict):
    """Records in and where each of them went: `kept`, or dropped or quarantined under a reason. It must balance."""

    records_in: int = 0
    kept: int = 0
    dropped: dict[str, int] = {}
    quarantined: dict[str, int] = {}

    def balance(self) -> int:
        """Records in minus records accounted for; 0 when the ledger balances."""
        return self.records_in - self.kept - sum(self.dropped.values()) - sum(self.quarantined.values())


class Loss(Strict):
    """Documents in which something was lost, and how often it was."""

    documents: int
    count: int


class KindOfLoss(Loss):
    """All losses of one kind, and the commonest of them by name."""

    names: dict[str, Loss] = {}


# What was lost or changed within documents, by kind: `pipeline.losses`.
Inside = dict[str, KindOfLoss]


class TaskManifest(Strict):
    """One finished task.

    Attributes:
        key: sha256 over the task's settings and input stamps; a resumed run repeats the task when it differs.
        inputs: names of what was read, with content hashes.
        inside: what was lost within the documents that were kept.
        details: what only the step itself understands.
        stamps: path of an output to what the file system, or the store, said of it when it was known to be whole.
        digest: sha256 over all the rest.
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
        inside: what was lost within the documents that were kept, by source.
    """

    format: Literal["gristmill-step/1"] = "gristmill-step/1"
    step: str
    settings_sha256: str
    inputs_sha256: str
    settings: dict[str, Any]
    inputs: dict[str, str]
    outputs: list[Output]
    ledger: Ledger
    inside: dict[str, Inside] = {}
    notes: list[str] = []
    digest: str = ""


def merge_ledgers(ledgers: Iterable[Ledger]) -> Ledger:
    """The sum, with reasons in alphabetical order."""
    records_in = kept = 0
    dropped: dict[str, int] = {}
    quarantined: dict[str, int] = {}
    for ledger in ledgers:
        records_in += ledger.records_in
        kept += ledger.kept
        for total, part in ((dropped, ledger.dropped), (quarantined, ledger.quarantined)):
            for reason, count in part.items():
                total[reason] = total.get(reason, 0) + count
    return Ledger(records_in=records_in, kept=kept, dropped=dict(sorted(dropped.items())), quarantined=dict(sorted(quarantined.items())))


def digest_of(manifest: TaskManifest | StepManifest) -> str:
    """Hex sha256 over all of a manifest but its digest."""
    return sha256_of(manifest.model_dump(mode="json", exclude={"digest"}))
