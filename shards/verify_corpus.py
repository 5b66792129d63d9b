"""Verification of a prepared corpus: its steps, its shards, and each step against the one before.

In: the folder that `gristmill prep` wrote. Out: how many files it has, and what is wrong, each finding with the file
and how to repair it.
"""

from __future__ import annotations

from collections.abc import Callable

from manifests.errors import GristmillError
from manifests.step import Ledger, Output, StepManifest
from shards.contents import IMPORT, STEPS, SUBSTRINGS, steps_of
from shards.format import MANIFEST, ShardManifest
from shards.verify import verify_shards
from shards.writer import load_manifest
from storage.files import exists, join
from storage.steps import read_step
from storage.verify import AGAIN, ANEW, Finding, verify_step, verify_tasks


def verify_corpus(folder: str, *, say: Callable[[str], object] = lambda note: None) -> tuple[int, list[Finding]]:
    """Read every byte of a prepared corpus and check it.

    Args:
        say: told what could not be checked.

    Returns:
        The number of files that its manifests list, and what is wrong.
    """
    found: list[Finding] = []
    steps: dict[str, StepManifest] = {}
    checked = 0
    for name in steps_of(folder):
        place = join(folder, name)
        try:
            step = read_step(place)
        except GristmillError as error:
            found.append(Finding(str(error.where), error.message, ANEW))
            continue
        if step is None:
            found.append(Finding(place, "the step is not complete", "run `gristmill prep`"))
            continue
        steps[name] = step
        checked += len(step.outputs)
        found += verify_step(place, step)
    shards = None
    if exists(join(folder, "shards", MANIFEST)):
        count, shards, more = _shard_findings(join(folder, "shards"), say)
        checked += count
        found += more
    else:
        found.append(Finding(join(folder, "shards"), "the step is not complete", "run `gristmill prep`"))
    if shards is not None and SUBSTRINGS in shards.inputs and exists(join(folder, "tokens", MANIFEST)):
        # What shards were before repeated runs were cut out of them; it may be deleted.
        count, _, more = _shard_findings(join(folder, "tokens"), say)
        checked += count
        found += more
    return checked, found + _chain_findings(folder, steps, shards)


def _shard_findings(folder: str, say: Callable[[str], object]) -> tuple[int, ShardManifest | None, list[Finding]]:
    try:
        manifest = load_manifest(folder, changed=True)
        problems = verify_shards(folder, say=say)
    except GristmillError as error:
        return 0, None, [Finding(str(error.where), error.message, AGAIN)]
    shards = manifest.shards
    files = [*zip(shards.files, shards.sha256s, strict=True)]
    files += zip(shards.documents_files, shards.documents_sha256s, strict=True)
    outputs = [Output(path=file, sha256=sha256, bytes=0, rows=0) for file, sha256 in files]
    found = [
        Finding(join(folder, problem.file), problem.message, AGAIN if problem.file == MANIFEST else ANEW)
        for problem in problems
    ]
    tasks = verify_tasks(folder, outputs, manifest.ledger) if manifest.ledger != Ledger() else []
    return len(files), manifest, found + tasks


def _chain_findings(folder: str, steps: dict[str, StepManifest], shards: ShardManifest | None) -> list[Finding]:
    """Each step against the one before: it must have read all that the earlier one wrote."""
    found: list[Finding] = []

    def differ(step: str, what: str, theirs: object, ours: object) -> None:
        if theirs != ours:
            found.append(
                Finding(
                    join(folder, step, MANIFEST), f"{what}: {ours} here, {theirs} there", "run `gristmill prep` again"
                )
            )

    extracted, decided, tokenizer = (steps.get(name) for name in STEPS)
    if extracted is not None and decided is not None:
        differ("decide", "its inputs are not this extract", {"extract": extracted.digest}, decided.inputs)
        differ("decide", "documents of extract", extracted.ledger.kept, decided.ledger.records_in)
    if decided is not None and tokenizer is not None and "decide" in tokenizer.inputs:
        differ("tokenizer", "its input is another decide", decided.digest, tokenizer.inputs["decide"])
    if shards is not None and shards.inputs and decided is not None and tokenizer is not None:
        made = {"decide": decided.digest, "tokenizer": tokenizer.digest}
        substrings = steps.get(SUBSTRINGS)
        # An earlier manifest may have asked for this step, and the one of these shards not.
        if substrings is not None and SUBSTRINGS in shards.inputs:
            made[SUBSTRINGS] = substrings.digest
            differ("shards", "what substrings keeps and drops", substrings.ledger, shards.ledger)
        differ("shards", "its inputs are not these steps", made, shards.inputs)
        differ("shards", "documents of decide", decided.ledger.kept, shards.ledger.records_in)
    if shards is not None and IMPORT in steps and tokenizer is not None:
        made = {IMPORT: steps[IMPORT].digest, "tokenizer": tokenizer.digest}
        differ("shards", "its inputs are not these steps", made, shards.inputs)
        differ("shards", "documents of import", steps[IMPORT].ledger.kept, shards.ledger.kept)
    if shards is not None and tokenizer is not None and (decided is not None or IMPORT in steps):
        models = [(output.sha256, output.rows) for output in tokenizer.outputs]
        differ("shards", "tokenizer", models, [(shards.tokenizer.sha256, shards.tokenizer.vocab_size)])
    return found
