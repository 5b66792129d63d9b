"""What a step leaves in its folder: task manifests while it runs, one step manifest when it is done.

A step's folder looks like this; the step manifest is written last and makes the folder complete:

    STEP/<kind>/<task or part>.arrow    outputs, named by the input alone
    STEP/tasks/<task>.json              one per finished task: what it read (for resuming), what it wrote
    STEP/_MANIFEST.json                 settings, inputs, outputs, ledger; depends on content only

Task manifests carry stamps of raw files and of outputs (size, times), so that a resumed run need not read finished
files again; step manifests do not, so that equal inputs and settings give equal bytes anywhere. An output whose stamp
is no longer the one in its task's manifest is checked against its sha256: a copied folder is read once, and a file that
was written to is detected.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence

from pydantic import JsonValue, ValidationError

from manifests.base import canonical_json, first_problem, load_json, sha256_of
from manifests.errors import GristmillError
from manifests.step import Inside, Ledger, Output, StepManifest, TaskManifest, digest_of, merge_ledgers
from storage.checked import MISSING, Remembered, stamp_of
from storage.files import (
    find,
    is_url,
    join,
    list_files,
    list_stats,
    publish,
    read_if_there,
    remove_empty_folders,
    remove_file,
    sweep_temporaries,
)
from storage.objects import Stat

MANIFEST = "_MANIFEST.json"
TASKS = "tasks"


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
    stamps = {
        output.path: stamp for output in manifest.outputs if (stamp := _stamp(join(folder, output.path))) is not None
    }
    complete = manifest.model_copy(update={"stamps": stamps})
    complete = complete.model_copy(update={"digest": digest_of(complete)})
    publish(join(folder, TASKS, manifest.task + ".json"), canonical_json(complete.model_dump(mode="json")).encode())


def read_task(folder: str, task: str) -> TaskManifest | None:
    """The manifest of a finished task; None when it is missing or cannot be used (the task then runs again)."""
    path = join(folder, TASKS, task + ".json")
    data = read_if_there(path)
    if data is None:
        return None
    try:
        manifest = TaskManifest.model_validate(load_json(data, where=path))
    except (GristmillError, ValidationError):
        return None
    if manifest.task != task or manifest.digest != digest_of(manifest):
        return None
    for output in manifest.outputs:
        if output.path in manifest.stamps:
            _whole.add(join(folder, output.path), output.sha256, stamp=manifest.stamps[output.path])
    return manifest


def finished_task(folder: str, task: str, key: str) -> TaskManifest | None:
    """The manifest of a finished task with this key whose outputs are all there and whole; None when the task has to
    run.
    """
    manifest = read_task(folder, task)
    if manifest is None or manifest.key != key:
        return None
    stamps = {output.path: _stamp(join(folder, output.path)) for output in manifest.outputs}
    if any(_problem(folder, output, stamps[output.path]) for output in manifest.outputs):
        return None
    if stamps != manifest.stamps:
        write_task(folder, manifest)  # a copy: not to be read again next time
    return manifest


def check_outputs(folder: str, manifest: StepManifest) -> None:
    """Check that every output of a finished step is there and whole.

    Raises:
        GristmillError: one is missing or has other bytes; names the first.
    """
    if is_url(folder):
        stats = list_stats(folder)
        stamps = {path: _object_stamp(stat) for path, stat in stats.items()}
    else:
        stamps = {
            output.path: stamp
            for output in manifest.outputs
            if (stamp := stamp_of(join(folder, output.path))) is not None
        }
    if not all(
        _whole.holds(join(folder, output.path), output.sha256, stamp=stamps.get(output.path))
        for output in manifest.outputs
    ):
        for name in list_files(join(folder, TASKS), "**/*.json"):
            read_task(folder, name.removesuffix(".json"))  # this remembers its outputs
    problems = [
        (output.path, problem)
        for output in manifest.outputs
        if (problem := _problem(folder, output, stamps.get(output.path)))
    ]
    if problems:
        path, problem = problems[0]
        more = f" (and {len(problems) - 1} more files of this step)" if len(problems) > 1 else ""
        raise GristmillError(
            problem + more,
            where=join(folder, path),
            remedy=f"run `gristmill {manifest.step}` (or `prep`) again: it repeats the tasks whose files are not whole",
        )


def is_whole(folder: str, manifest: StepManifest) -> bool:
    """Whether every output of a finished step is there and whole."""
    try:
        check_outputs(folder, manifest)
    except GristmillError:
        return False
    return True


# Outputs that this process knows to be whole.
_whole = Remembered(None)


def _problem(folder: str, output: Output, stamp: str | None) -> str | None:
    """What is wrong with an output, whose stamp is known; read unless it was known to be whole with this stamp."""
    if stamp is None:
        return MISSING
    return _whole.check(join(folder, output.path), size=output.bytes, sha256=output.sha256, stamp=stamp)


def _stamp(path: str) -> str | None:
    if not is_url(path):
        return stamp_of(path)
    stat = find(path)
    return None if stat is None else _object_stamp(stat)


def _object_stamp(stat: Stat) -> str:
    # Stores give the time of an object more exactly in a listing than for the object alone.
    return f"{stat.size} {stat.changed // 1_000_000_000}"


def begin_step(folder: str) -> None:
    """Call this before outputs change: from here until the new manifest the folder is not complete, and has no
    manifest.
    """
    remove_file(join(folder, MANIFEST))
    sweep_temporaries(folder)


def remove_stale(folder: str, outputs: Iterable[Output], tasks: Iterable[str]) -> list[str]:
    """Delete what an earlier run with other settings or inputs left in the folder; returns the deleted paths.

    The old step manifest is deleted first: after any other deletion it would name files that are not there.
    """
    wanted = {output.path for output in outputs} | {f"{TASKS}/{task}.json" for task in tasks} | {MANIFEST}
    stale = [path for path in list_files(folder) if path not in wanted]
    if stale:
        remove_file(join(folder, MANIFEST))
    for path in stale:
        remove_file(join(folder, path))
    if stale:
        remove_empty_folders(folder)
    return stale


def finish_step(
    folder: str,
    *,
    step: str,
    settings: dict[str, JsonValue],
    inputs: dict[str, str],
    tasks: Sequence[TaskManifest],
    published: Sequence[Output] = (),
    inputs_sha256: str | None = None,
    inside: dict[str, Inside] | None = None,
    notes: Sequence[str] = (),
) -> StepManifest:
    """End a step: delete what earlier runs left in its folder, and publish the manifest of what its tasks wrote.

    Args:
        settings, inputs: what the outputs depend on.
        published: outputs of the step itself, which no task wrote.
        inputs_sha256: if it is not that of `inputs`.

    Raises:
        GristmillError: the ledger of the tasks does not balance.
    """
    outputs = [*published, *(output for task in tasks for output in task.outputs)]
    remove_stale(folder, outputs, [task.task for task in tasks])
    return write_step(
        folder,
        StepManifest(
            step=step,
            settings_sha256=sha256_of(settings),
            inputs_sha256=sha256_of(inputs) if inputs_sha256 is None else inputs_sha256,
            settings=settings,
            inputs=inputs,
            outputs=outputs,
            ledger=merge_ledgers(task.ledger for task in tasks),
            inside=inside or {},
            notes=list(notes),
        ),
    )


def write_step(folder: str, manifest: StepManifest) -> StepManifest:
    """Check the ledger, fill in the digest and publish the step manifest: the commit mark of the folder."""
    check_balance(manifest.ledger, step=folder)
    complete = manifest.model_copy(update={"digest": digest_of(manifest)})
    publish(
        join(folder, MANIFEST),
        (json.dumps(complete.model_dump(mode="json"), indent=1, sort_keys=True, ensure_ascii=False) + "\n").encode(),
    )
    return complete


def read_step(folder: str) -> StepManifest | None:
    """The manifest of a finished step, or None. `digest_of` shows whether it is the one that was written.

    Raises:
        GristmillError: it cannot be understood.
    """
    path = join(folder, MANIFEST)
    data = read_if_there(path)
    if data is None:
        return None
    try:
        return StepManifest.model_validate(load_json(data, where=path))
    except (GristmillError, ValidationError) as error:
        message = (
            error.message if isinstance(error, GristmillError) else f"is not a step manifest: {first_problem(error)}"
        )
        raise GristmillError(
            message, where=path, remedy="delete this file and run the step again: finished tasks stay"
        ) from None


def done_step(folder: str) -> StepManifest | None:
    """The manifest of a finished step as it was written; None when there is no manifest, or when it was changed: the
    step is then done again.
    """
    try:
        manifest = read_step(folder)
    except GristmillError:
        return None
    return manifest if manifest is not None and manifest.digest == digest_of(manifest) else None


def require_step(folder: str, *, command: str) -> StepManifest:
    """The manifest of a finished step whose outputs are all there and whole.

    Raises:
        GristmillError: as `require_manifest`, or an output is missing or has other bytes.
    """
    manifest = require_manifest(folder, command=command)
    check_outputs(folder, manifest)
    return manifest


def require_manifest(folder: str, *, command: str) -> StepManifest:
    """The manifest of a finished step; its outputs are not looked at.

    Raises:
        GristmillError: the step has not been run to its end (the remedy names `command`), or its manifest was changed.
    """
    manifest = read_step(folder)
    if manifest is None:
        raise GristmillError("the step is not complete", where=folder, remedy=f"run `{command}` first")
    if manifest.digest != digest_of(manifest):
        raise GristmillError(
            "was changed: its digest is not that of its content",
            where=join(folder, MANIFEST),
            remedy=f"run `{command}` again: it writes it anew",
        )
    return manifest
