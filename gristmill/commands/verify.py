"""`gristmill verify`: every byte that `prep` or `train` wrote against what the manifests say, and the manifests against each other.

In: the folder of a prepared corpus or of a run. Out: what is wrong, each problem with the file and how to mend it. Nothing is remembered:
files are read whether or not they were checked before.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pyarrow as pa

from gristmill.output import console, print_json
from manifests.base import load_json, sha256_of
from manifests.errors import GristmillError
from manifests.step import Ledger, Output, StepManifest, TaskManifest, digest_of, merge_ledgers
from shards.format import ShardManifest
from shards.run_record import METRICS, RECORD, load_order, load_record, metrics_in
from shards.verify import verify_shards
from shards.writer import load_manifest
from storage.checked import MISSING, file_problem
from storage.files import exists, join, list_files, map_file, read_bytes
from storage.processes import check_working_folder
from storage.steps import MANIFEST, TASKS, read_step, read_task

_STEPS = ("extract", "decide", "tokenizer")
_AGAIN = "run `gristmill prep` again: it writes the manifest anew from what is finished"
_ANEW = "delete this file and run `gristmill prep` again: it makes what is missing, and nothing else"


@dataclass(frozen=True)
class Finding:
    """Something wrong with one file, and what to do about it."""

    where: str
    message: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.where}: {self.message}; remedy: {self.remedy}"


def verify(folder: str, *, as_json: bool) -> None:
    """Check everything; exit status 1 when something is wrong."""
    checked, found = _verify_run(folder) if exists(join(folder, RECORD)) else _verify_corpus(folder)
    if as_json:
        print_json({"folder": folder, "files": checked, "problems": [str(finding) for finding in found]})
    else:
        for finding in found:
            console.print(f"problem: {finding.where}: {finding.message}\n  remedy: {finding.remedy}")
        console.print(f"{checked:,} files checked, {len(found)} problems")
    if found:
        raise SystemExit(1)


def _verify_corpus(folder: str) -> tuple[int, list[Finding]]:
    found: list[Finding] = []
    steps: dict[str, StepManifest] = {}
    checked = 0
    for name in _STEPS:
        place = join(folder, name)
        try:
            step = read_step(place)
        except GristmillError as error:
            found.append(Finding(str(error.where), error.message, _ANEW))
            continue
        if step is None:
            found.append(Finding(place, "the step is not complete", "run `gristmill prep`"))
            continue
        steps[name] = step
        checked += len(step.outputs)
        found += _step_findings(place, step)
    shards = None
    if exists(join(folder, "shards", MANIFEST)):
        count, shards, more = _shard_findings(join(folder, "shards"))
        checked += count
        found += more
    else:
        found.append(Finding(join(folder, "shards"), "the step is not complete", "run `gristmill prep`"))
    return checked, found + _chain_findings(folder, steps, shards)


def _step_findings(folder: str, step: StepManifest) -> list[Finding]:
    """One step: its manifest against itself, its files, its tasks, the rows in its files."""
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
    found = [Finding(join(folder, MANIFEST), message, _AGAIN) for message in messages]
    with ThreadPoolExecutor(os.cpu_count()) as pool:  # hashing leaves the interpreter's lock
        for findings in pool.map(lambda output: _output_findings(folder, output), step.outputs):
            found += findings
    return found + _task_findings(folder, step.outputs, step.ledger, inputs=step.inputs if step.step == "extract" else None)


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
        messages.append(f"its ledger takes in {ledger.records_in:,} documents, its files decide on {rows('decisions'):,}")
    if step.step == "tokenizer" and [output.path for output in step.outputs] != ["tokenizer.model"]:
        messages.append("does not list tokenizer.model alone")
    if step.step == "decide" and rows("dropped") != dropped:
        messages.append(f"its ledger drops {dropped:,} documents, its files list {rows('dropped'):,}")
    return messages


def _output_findings(folder: str, output: Output) -> list[Finding]:
    path = join(folder, output.path)
    problem = file_problem(path, size=output.bytes, sha256=output.sha256)
    if problem is not None:
        return [Finding(path, problem, "run `gristmill prep` again: it makes it anew" if problem == MISSING else _ANEW)]
    try:
        if path.endswith(".arrow") and (rows := _rows_in(path)) != output.rows:
            return [Finding(path, f"holds {rows} rows, the manifest says {output.rows}", _ANEW)]
    except (GristmillError, pa.ArrowException) as error:
        return [Finding(path, f"cannot be read: {error}", _ANEW)]
    return []


def _rows_in(path: str) -> int:
    with map_file(path) as file:
        reader = pa.ipc.open_file(file, options=pa.ipc.IpcReadOptions(included_fields=[0]))
        return sum(reader.get_batch(index).num_rows for index in range(reader.num_record_batches))


def _task_findings(folder: str, outputs: list[Output], ledger: Ledger, *, inputs: dict[str, str] | None = None) -> list[Finding]:
    """The tasks of a step: each as it was written, together what the step says. The tokenizer has none.

    Args:
        inputs: of the step, where they are those of its tasks.
    """
    found: list[Finding] = []
    tasks: list[TaskManifest] = []
    for name in list_files(join(folder, TASKS), "**/*.json"):
        task = read_task(folder, name.removesuffix(".json"))
        if task is None:
            found.append(
                Finding(join(folder, TASKS, name), "was changed, or cannot be read", "run `gristmill prep` again: it repeats the task")
            )
        else:
            tasks.append(task)
    if found or not tasks:
        return found
    if merge_ledgers(task.ledger for task in tasks) != ledger:
        found.append(Finding(join(folder, MANIFEST), "its ledger is not the sum of its tasks'", _AGAIN))
    if inputs is not None and {name: digest for task in tasks for name, digest in task.inputs.items()} != inputs:
        found.append(Finding(join(folder, MANIFEST), "its inputs are not those of its tasks", _AGAIN))
    listed = {output.path: output.sha256 for output in outputs}
    made = {output.path: output.sha256 for task in tasks for output in task.outputs}
    for path in sorted(path for path in listed.keys() | made.keys() if listed.get(path) != made.get(path)):
        found.append(Finding(join(folder, path), "its task and the step's manifest disagree about it", _AGAIN))
    return found


def _shard_findings(folder: str) -> tuple[int, ShardManifest | None, list[Finding]]:
    try:
        manifest = load_manifest(folder, changed=True)
        problems = verify_shards(folder)
    except GristmillError as error:
        return 0, None, [Finding(str(error.where), error.message, _AGAIN)]
    files = [pair for entry in manifest.shards for pair in ((entry.file, entry.sha256), (entry.documents_file, entry.documents_sha256))]
    outputs = [Output(path=file, sha256=sha256, bytes=0, rows=0) for file, sha256 in files]
    found = [Finding(join(folder, problem.file), problem.message, _AGAIN if problem.file == MANIFEST else _ANEW) for problem in problems]
    tasks = _task_findings(folder, outputs, manifest.ledger) if manifest.ledger != Ledger() else []
    return len(files), manifest, found + tasks


def _chain_findings(folder: str, steps: dict[str, StepManifest], shards: ShardManifest | None) -> list[Finding]:
    """Each step against the one before: it read what that one wrote, all of it."""
    found: list[Finding] = []

    def differ(step: str, what: str, theirs: object, ours: object) -> None:
        if theirs != ours:
            found.append(Finding(join(folder, step, MANIFEST), f"{what}: {ours} here, {theirs} there", "run `gristmill prep` again"))

    extracted, decided, tokenizer = (steps.get(name) for name in _STEPS)
    if extracted is not None and decided is not None:
        differ("decide", "its inputs are not this extract", {"extract": extracted.digest}, decided.inputs)
        differ("decide", "documents of extract", extracted.ledger.kept, decided.ledger.records_in)
    if decided is not None and tokenizer is not None and "decide" in tokenizer.inputs:
        differ("tokenizer", "its input is another decide", decided.digest, tokenizer.inputs["decide"])
    if shards is not None and shards.inputs and decided is not None and tokenizer is not None:
        differ("shards", "its inputs are not these steps", {"decide": decided.digest, "tokenizer": tokenizer.digest}, shards.inputs)
        differ("shards", "documents of decide", decided.ledger.kept, shards.ledger.records_in)
        models = [(output.sha256, output.rows) for output in tokenizer.outputs]
        differ("shards", "tokenizer", models, [(shards.tokenizer.sha256, shards.tokenizer.vocab_size)])
    return found


def _verify_run(folder: str) -> tuple[int, list[Finding]]:
    """A run's folder: its record, its order, its metrics, every byte of its checkpoints."""
    check_working_folder()
    from training.checkpoint import check_checkpoints
    from training.record import binding

    found: list[Finding] = []
    restore = "restore it from a copy, or choose another `out` and begin anew"
    path = join(folder, RECORD)
    try:
        written = load_json(read_bytes(path), where=path)
        record = load_record(folder)
        if record.sha256 != sha256_of({key: value for key, value in written.items() if key != "sha256"}):
            found.append(Finding(path, "was changed: its sha256 is not that of its content", restore))
        elif record.settings_sha256 != sha256_of(binding(record.run)):
            found.append(Finding(path, "its settings_sha256 is not that of its settings", restore))
        load_order(folder, record)
    except GristmillError as error:
        found.append(Finding(str(error.where), error.message, restore))
    metrics = join(folder, METRICS)
    found += [Finding(metrics, message, "`gristmill train` goes on all the same") for message in _metric_messages(metrics)]
    checked, problems = check_checkpoints(folder)
    remedy = "`gristmill train` and `generate` use the newest checkpoint that is whole; restore this one, or remove its folder"
    found += [Finding(problem.folder, problem.message, remedy) for problem in problems]
    return checked + 2, found


def _metric_messages(path: str) -> Iterator[str]:
    last = -1
    for number, line in enumerate(read_bytes(path).splitlines() if exists(path) else [], 1):
        metrics = metrics_in(line, where=path)
        if metrics is None or metrics["step"] <= last:
            yield f"line {number} is not the line of a later step"
            return
        last = metrics["step"]
