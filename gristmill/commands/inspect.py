"""`gristmill inspect`."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from gristmill.options import Folder, Json
from gristmill.output import bucket_table, console, duplicates_table, inside_table, ledger_table, print_json, table
from manifests.step import StepManifest
from shards.contents import contents_of
from storage.files import join

# Names of each kind of loss; the manifest and --json have more.
_MOST_LOSSES = 10
# Lines that decide removed because several documents have them; --json has all that decide listed.
_MOST_LINES, _MOST_LINES_IN_JSON = 10, 100


def inspect(folder: Folder, json: Json = False) -> None:
    """What a folder holds: steps, ledgers, buckets, checkpoints."""
    found = contents_of(folder)
    steps, shards = found.steps, found.shards
    broken: list[dict[str, Any]] = []
    left = 0
    if "extract" in steps:
        from pipeline.extract.quarantine import broken_records

        broken, left = broken_records(join(folder, "extract"), steps["extract"])
    frequent: list[dict[str, Any]] = []
    duplicates: list[dict[str, Any]] = []
    if "decide" in steps:
        from pipeline.decide.duplicates.report.ledger import duplicate_ledger
        from pipeline.decide.frequent_lines import frequent_lines

        duplicates = [asdict(row) for row in duplicate_ledger(folder, steps["decide"])]
        frequent = frequent_lines(folder, steps["decide"], most=_MOST_LINES_IN_JSON if json else _MOST_LINES)
    if json:
        buckets = {} if shards is None else {name: asdict(size) for name, size in shards.bucket_sizes().items()}
        print_json(
            {
                "folder": folder,
                "steps": {name: step.model_dump(exclude={"outputs"}) for name, step in steps.items()},
                "shards": None if shards is None else {"digest": shards.digest, "buckets": buckets},
                "broken": broken,
                "broken_left_out": left,
                "duplicates": duplicates,
                "frequent_lines": frequent,
                "checkpoints": found.checkpoints,
            }
        )
        return
    if steps:
        console.print(ledger_table({name: step.ledger for name, step in steps.items() if step.ledger.records_in}))
        for name, step in steps.items():
            if step.inside:
                console.print(inside_table(name, step.inside, most=_MOST_LOSSES))
        rows = [_step_row(name, step) for name, step in steps.items()]
        console.print(table("Steps", ("step", "files", "MB", "digest"), rows, numeric=("files", "MB")))
    if duplicates:
        console.print(duplicates_table(duplicates))
    if broken:
        columns = ("source", "file", "record", "name", "error")
        console.print(table("Broken records", columns, [tuple(row.values()) for row in broken], numeric=("record",)))
        if left:
            console.print(f"and {left:,} more, in {join(folder, 'extract', 'quarantine')}")
    if frequent:
        names = ("removed", "documents", "part", "row", "line", "text")
        lines = [tuple(row[name] for name in names) for row in frequent]
        numeric = ("removed", "documents", "row", "line")
        console.print(table("Most frequent lines that went", names, lines, numeric=numeric))
    if shards is not None:
        console.print(bucket_table(shards))
        console.print(f"digest  {shards.digest}")
    if found.metrics is not None:
        console.print(
            table("Run", ("key", "value"), [("checkpoints", ", ".join(found.checkpoints)), *found.metrics.items()])
        )


def _step_row(name: str, step: StepManifest) -> tuple[object, ...]:
    return name, len(step.outputs), round(sum(output.bytes for output in step.outputs) / 1e6, 1), step.digest[:16]
