"""Verification of a step's folder: every byte against the manifest, the manifest against itself and against its tasks.

In: the folder and its manifest. Out: what is wrong, each finding with the file and how to repair it. Nothing is
remembered: files are read whether or not they were checked before.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import pyarrow as pa

from manifests.base import sha256_of
from manifests.errors import GristmillError
from manifests.step import Ledger, Output, StepManifest, TaskManifest, digest_of, merge_ledgers
from storage.checked import MISSING, file_problem
from storage.files import join, list_files, map_file
from storage.steps import MANIFEST, TASKS, read_step, read_task

AGAIN = "run `gristmill prep` again: it writes the manifest anew from what is finished"
ANEW = "delete this file and run `gristmill prep` again: it makes what is missing, and nothing else"

# How the steps are called that have a folder of their own: exports, merged sites, indexes of documents.
EXPORT = "export "
MERGE_SITES = "merge-sites"
DEDUP_INDEX = "dedup index"


@dataclass(frozen=True)
class Finding:
    """Something wrong with one file, and what to do about it."""

    where: str
    message: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.where}: {self.message}; remedy: {self.remedy}"


def verify_step(folder: str, step: StepManifest) -> list[Finding]:
    """Check one step: its manifest against itself, its files, its tasks, and the rows in its files."""
    messages = []
    if step.digest != digest_of(step):
        messages.append("was changed: its digest is not that of its content")
    if step.settings_sha256 != sha256_of(step.settings):
        messages.append("its settings_sha256 is not that of its settings")
    if step.inputs_sha256 not in (sha256_of(step.inputs), step.inputs.get("extract")):
        messages.append("its inputs_sha256 is not that of its inputs")
    if step.ledger.balance():
        messages.append(f"its ledger does not balance by {step.ledger.balance()}")
    messages += _row_messages(step)
    found = [Finding(join(folder, MANIFEST), message, AGAIN) for message in messages]
    with ThreadPoolExecutor(os.cpu_count()) as pool:  # hashing leaves the interpreter's lock
        for findings in pool.map(lambda output: _output_findings(folder, output), step.outputs):
            found += findings
    return found + verify_tasks(
        folder, step.outputs, step.ledger, inputs=step.inputs if step.step == "extract" else None
    )


def exported_step(folder: str) -> StepManifest | None:
    """The manifest of an export, of merged sites or of an index, that a folder holds; None when it holds none, or
    something else.
    """
    try:
        step = read_step(folder)
    except GristmillError:
        return None
    return (
        step if step is not None and (step.step.startswith(EXPORT) or step.step in (MERGE_SITES, DEDUP_INDEX)) else None
    )


def verify_export(folder: str, step: StepManifest) -> tuple[int, list[Finding]]:
    """Read every byte of an export and check it.

    Returns:
        The number of files that its manifest lists, and what is wrong.
    """
    remedy = f"repeat `gristmill {step.step}` with the same options: it makes anew what is not whole"
    return len(step.outputs), [replace(finding, remedy=remedy) for finding in verify_step(folder, step)]


def _row_messages(step: StepManifest) -> list[str]:
    """The ledger against the rows that the manifest gives for the files, which `_output_findings` counts."""

    def rows(kind: str) -> int:
        return sum(output.rows for output in step.outputs if output.path.startswith(f"{kind}/"))

    ledger = step.ledger
    dropped, quarantined = sum(ledger.dropped.values()), sum(ledger.quarantined.values())
    messages = []
    if step.step == "extract" and rows("documents") != ledger.kept:
        messages.append(f"its ledger keeps {ledger.kept:,} documents, its files hold {rows('documents'):,}")
    if step.step == "extract" and rows("quarantine") > quarantined:
        messages.append(f"its ledger counts {quarantined:,} broken records, its files hold {rows('quarantine'):,}")
    if step.step == "decide" and rows("decisions") != ledger.records_in:
        messages.append(
            f"its ledger takes in {ledger.records_in:,} documents, its files decide on {rows('decisions'):,}"
        )
    if step.step == "tokenizer" and [output.path for output in step.outputs] != ["tokenizer.model"]:
        messages.append("does not list tokenizer.model alone")
    if step.step == "decide" and rows("dropped") != dropped:
        messages.append(f"its ledger drops {dropped:,} documents, its files list {rows('dropped'):,}")
    return messages


def _output_findings(folder: str, output: Output) -> list[Finding]:
    path = join(folder, output.path)
    problem = file_problem(path, size=output.bytes, sha256=output.sha256)
    if problem is not None:
        return [Finding(path, problem, "run `gristmill prep` again: it makes it anew" if problem == MISSING else ANEW)]
    try:
        if path.endswith(".arrow") and (rows := _rows_in(path)) != output.rows:
            return [Finding(path, f"holds {rows} rows, the manifest says {output.rows}", ANEW)]
    except (GristmillError, pa.ArrowException) as error:
        return [Finding(path, f"cannot be read: {error}", ANEW)]
    return []


def _rows_in(path: str) -> int:
    with map_file(path) as file:
        reader = pa.ipc.open_file(file, options=pa.ipc.IpcReadOptions(included_fields=[0]))
        return sum(reader.get_batch(index).num_rows for index in range(reader.num_record_batches))


def verify_tasks(
    folder: str, outputs: list[Output], ledger: Ledger, *, inputs: dict[str, str] | None = None
) -> list[Finding]:
    """The tasks of a step: each must be as it was written, and together they must be what the step says. A tokenizer
    has none.

    Args:
        inputs: of the step, where they are those of its tasks.
    """
    found: list[Finding] = []
    tasks: list[TaskManifest] = []
    for name in list_files(join(folder, TASKS), "**/*.json"):
        task = read_task(folder, name.removesuffix(".json"))
        if task is None:
            found.append(
                Finding(
                    join(folder, TASKS, name),
                    "was changed, or cannot be read",
                    "run `gristmill prep` again: it repeats the task",
                )
            )
        else:
            tasks.append(task)
    if found or not tasks:
        return found
    if merge_ledgers(task.ledger for task in tasks) != ledger:
        found.append(Finding(join(folder, MANIFEST), "its ledger is not the sum of its tasks'", AGAIN))
    if inputs is not None and {name: digest for task in tasks for name, digest in task.inputs.items()} != inputs:
        found.append(Finding(join(folder, MANIFEST), "its inputs are not those of its tasks", AGAIN))
    listed = {output.path: output.sha256 for output in outputs}
    made = {output.path: output.sha256 for task in tasks for output in task.outputs}
    for path in sorted(path for path in listed.keys() | made.keys() if listed.get(path) != made.get(path)):
        found.append(Finding(join(folder, path), "its task and the step's manifest disagree about it", AGAIN))
    return found
