"""`gristmill verify`."""

from __future__ import annotations

from gristmill.options import Folder, Json
from gristmill.output import console, print_json
from shards.run_record import RECORD
from storage.files import exists, join
from storage.processes import check_working_folder
from storage.verify import exported_step, verify_export


def verify(folder: Folder, json: Json = False) -> None:
    """Read every file against its manifests: hashes, ledgers, rows, shards, checkpoints; says how to mend what it
    finds.
    """
    notes: list[str] = []
    if exists(join(folder, RECORD)):
        check_working_folder()  # MKL, which torch loads, ends the process without one
        from training.verify import verify_run

        checked, found = verify_run(folder)
    elif (exported := exported_step(folder)) is not None:
        checked, found = verify_export(folder, step=exported)
    else:
        from shards.verify_corpus import verify_corpus

        checked, found = verify_corpus(folder, say=notes.append)
    if json:
        problems = [str(finding) for finding in found]
        print_json({"folder": folder, "files": checked, "problems": problems, "notes": notes})
    else:
        for note in notes:
            console.print(f"note: {note}")
        for finding in found:
            console.print(f"problem: {finding.where}: {finding.message}\n  remedy: {finding.remedy}")
        console.print(f"{checked:,} files checked, {len(found)} problems")
    if found:
        raise SystemExit(1)
