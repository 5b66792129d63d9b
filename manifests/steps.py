"""What a step leaves behind: task manifests while it runs, one step manifest when it is done.

A step's folder looks like this; the step manifest is written last and makes the folder complete:

    STEP/<kind>/<task or part>.arrow    outputs, named by the input alone
    STEP/tasks/<task>.json              one per finished task: what it read (for resuming), what it wrote
    STEP/_MANIFEST.json                 settings, inputs, outputs, ledger; depends on content only

Task manifests carry stamps of raw files (size and modification time), so that a resumed run need not read finished inputs
again; step manifests do not, so that equal inputs and settings give equal bytes anywhere.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, Literal

from pydantic import ValidationError

from manifests.base import Strict, canonical_json, sha256_of
from manifests.errors import GristmillError
from manifests.objects import Stat
from manifests.storage import (
    find,
    is_url,
    join,
    list_files,
    list_stats,
    publish,
    read_if_there,
    remove_file,
    sweep_temporaries,
)

MANIFEST = "_MANIFEST.json"
TASKS = "tasks"


class Output(Strict):
    """One published file of a step.

    Attributes:
        path: relative to the step's folder.
        rows: records in the file.
        text_bytes: bytes of UTF-8 text in those records; 0 where the file holds no text.
    """

    path: str
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
    """

    task: str
    key: str
    inputs: dict[str, str]
    outputs: list[Output]
    ledger: Ledger
    inside: Inside = {}
    notes: list[str] = []
    details: dict[str, Any] = {}


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


def check_balance(ledger: Ledger, *, step: str) -> None:
    """Law 3: a step whose ledger does not balance has failed."""
    if ledger.balance():
        raise GristmillError(
            f"the ledger does not balance: {ledger.records_in} records in, {ledger.balance()} not accounted for",
            where=step,
            remedy="this is a fault of Gristmill: please report it with the step's folder",
        )


def write_task(folder: str, manifest: TaskManifest) -> None:
    """Publish a task manifest; call it after all outputs of the task are published."""
    publish(join(folder, TASKS, manifest.task + ".json"), canonical_json(manifest.model_dump(mode="json")).encode())


def read_task(folder: str, task: str) -> TaskManifest | None:
    """The manifest of a finished task; None when there is none or it cannot be used (the task then runs again)."""
    path = join(folder, TASKS, task + ".json")
    data = read_if_there(path)
    if data is None:
        return None
    try:
        return TaskManifest.model_validate(json.loads(data))
    except (ValueError, ValidationError):
        return None


def finished_task(folder: str, task: str, key: str) -> TaskManifest | None:
    """The manifest of a finished task with this key whose outputs are all there and whole; None when the task has to run."""
    manifest = read_task(folder, task)
    if manifest is None or manifest.key != key:
        return None
    stats = {output.path: stat for output in manifest.outputs if (stat := find(join(folder, output.path))) is not None}
    return None if any(_problem(output, stats) for output in manifest.outputs) else manifest


def check_outputs(folder: str, manifest: StepManifest) -> None:
    """Check that every output of a finished step is there with the size that its manifest gives.

    Raises:
        GristmillError: one is missing or has another size, as a truncated or replaced object has; names the first.
    """
    if is_url(folder):
        stats = list_stats(folder)
    else:
        stats = {output.path: stat for output in manifest.outputs if (stat := find(join(folder, output.path))) is not None}
    problems = [(output.path, problem) for output in manifest.outputs if (problem := _problem(output, stats))]
    if problems:
        path, problem = problems[0]
        more = f" (and {len(problems) - 1} more files of this step)" if len(problems) > 1 else ""
        raise GristmillError(
            problem + more,
            where=join(folder, path),
            remedy=f"run `gristmill {manifest.step}` (or `prep`) again: it repeats the tasks whose files are not whole",
        )


def _problem(output: Output, stats: Mapping[str, Stat]) -> str | None:
    stat = stats.get(output.path)
    if stat is None:
        return "is missing, its step's manifest lists it"
    return None if stat.size == output.bytes else f"has {stat.size} bytes, its step's manifest says {output.bytes}"


def begin_step(folder: str) -> None:
    """Before outputs change: from here until the new manifest the folder is not complete, and says so by having none."""
    remove_file(join(folder, MANIFEST))
    sweep_temporaries(folder)


def remove_stale(folder: str, outputs: Iterable[Output], tasks: Iterable[str]) -> list[str]:
    """Delete what an earlier run with other settings or inputs left in the folder; returns the deleted paths.

    The old step manifest goes first: from the first deletion on it would name files that are not there.
    """
    wanted = {output.path for output in outputs} | {f"{TASKS}/{task}.json" for task in tasks} | {MANIFEST}
    stale = [path for path in list_files(folder) if path not in wanted]
    if stale:
        remove_file(join(folder, MANIFEST))
    for path in stale:
        remove_file(join(folder, path))
    return stale


def write_step(folder: str, manifest: StepManifest) -> StepManifest:
    """Check the ledger, fill in the digest and publish the step manifest: the commit mark of the folder."""
    check_balance(manifest.ledger, step=folder)
    content = manifest.model_dump(mode="json", exclude={"digest"})
    complete = manifest.model_copy(update={"digest": sha256_of(content)})
    publish(
        join(folder, MANIFEST), (json.dumps(complete.model_dump(mode="json"), indent=1, sort_keys=True, ensure_ascii=False) + "\n").encode()
    )
    return complete


def read_step(folder: str) -> StepManifest | None:
    """The manifest of a finished step, or None."""
    path = join(folder, MANIFEST)
    data = read_if_there(path)
    if data is None:
        return None
    try:
        return StepManifest.model_validate(json.loads(data))
    except (ValueError, ValidationError) as error:
        raise GristmillError(f"is not a step manifest: {error}", where=path, remedy="delete the folder and run the step again") from None


def require_step(folder: str, *, command: str) -> StepManifest:
    """The manifest of a finished step whose outputs are all there and whole.

    Raises:
        GristmillError: the step has not been run to its end (the remedy names `command`), or an output is missing or has another size.
    """
    manifest = read_step(folder)
    if manifest is None:
        raise GristmillError("the step is not complete", where=folder, remedy=f"run `{command}` first")
    check_outputs(folder, manifest)
    return manifest
