"""The most frequent lines that `dedup.lines` removed, with their text, for people to look at.

In: what decide listed (`lines/frequent.arrow`) and the documents of extract. Out: rows in the order of the list. Only
the documents that are named are read; lines are found as `pipeline.text.line_hashes` counts them.
"""

from __future__ import annotations

from typing import Any

from manifests.step import StepManifest
from pipeline.folders import DECIDE, EXTRACT, FREQUENT_LINES, part_file
from pipeline.schemas import iterate_ipc, read_ipc
from storage.files import exists, join

_LONGEST = 80


def frequent_lines(out: str, decided: StepManifest, *, most: int) -> list[dict[str, Any]]:
    """The first `most` lines of the list: how many copies go, of how many, from how many documents, a place, the text.

    A line's text is cut to 80 characters; it is None where the documents are no longer there. Without a list, which is
    made only if lines are compared, there are no rows.

    Args:
        out: the folder of all steps.
        decided: the manifest of decide.
    """
    if all(output.path != FREQUENT_LINES for output in decided.outputs):
        return []
    rows = read_ipc(join(out, DECIDE, FREQUENT_LINES)).slice(0, most).to_pylist()
    wanted: dict[str, set[int]] = {}
    for row in rows:
        wanted.setdefault(row["part"], set()).add(row["row"])
    texts = {
        (part, row): text
        for part, numbers in sorted(wanted.items())
        for row, text in _texts(join(out, EXTRACT, part_file("documents", part)), numbers).items()
    }
    names = ("removed", "copies", "documents", "part", "row", "line")
    return [
        {name: row[name] for name in names} | {"text": _line(texts.get((row["part"], row["row"])), row["line"])}
        for row in rows
    ]


def _texts(path: str, rows: set[int]) -> dict[int, str]:
    found: dict[int, str] = {}
    start = 0
    for batch in iterate_ipc(path) if exists(path) else ():
        found |= {
            row: batch.column("text")[row - start].as_py() for row in rows if start <= row < start + batch.num_rows
        }
        start += batch.num_rows
    return found


def _line(text: str | None, number: int) -> str | None:
    if text is None:
        return None
    lines = [line.strip() for line in text.split("\n") if line.strip()]
    line = lines[number]
    return line if len(line) <= _LONGEST else line[: _LONGEST - 1] + "…"
