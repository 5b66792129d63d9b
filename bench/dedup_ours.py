"""What Gristmill removes from a corpus as near or exact duplicates, and in favour of whom.

In: a JSONL file of documents. Out: an `Outcome`, from `gristmill extract` and `gristmill decide` with a manifest that
drops nothing for any other reason (filters none, all languages, no personal-information rule) and otherwise has the
defaults. Start-up counts in its CPU seconds, as it does in those of peers.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from manifests.corpus import load_corpus
from manifests.filters import REASONS
from pipeline.folders import DECIDE, EXTRACT, part_file
from pipeline.parts import list_parts, split_row_ids
from pipeline.schemas import read_ipc
from storage.steps import require_step

_DUPLICATES = ("exact_duplicate", "near_duplicate")


class Outcome(NamedTuple):
    """What a tool made of a corpus.

    Attributes:
        kept: by the id of each removed document, the id of the document that the tool keeps in its place.
        cpu_s: CPU seconds of all its processes, start-up included.
        note: what a reader must know of the run besides, in a few words.
    """

    kept: dict[str, str]
    cpu_s: float
    note: str = ""


class Failed(Exception):
    """A command ended with an error; the message holds the end of what it wrote."""


def run_gristmill(documents: Path, folder: Path) -> Outcome:
    """Extract and decide a file of documents in an empty folder.

    Raises:
        Failed: a command failed.
        SystemExit: documents are missing, or were dropped for another reason.
    """
    folder.mkdir(parents=True)
    manifest = folder / "corpus.yaml"
    # The tokenizer is not used by these steps; a manifest has one.
    manifest.write_text(
        "kind: corpus\nversion: 1\nname: quality\nfilters: none\nlanguages: {keep: all}\npersonal_information: null\n"
        f"sources:\n  - {{name: all, format: jsonl, root: {json.dumps(str(documents.parent))}, files: [{documents.name}],"
        " licence: test, expected_duplicates: 1.0}\n"
        "tokenizer: {train: {}}\n"
    )
    out = folder / "prepared"
    cpu_s = 0.0
    for step in (EXTRACT, DECIDE):
        command = [sys.executable, "-m", "gristmill", step, str(manifest), "--out", str(out), "--workers", "1"]
        cpu_s += cpu_seconds(command, log=folder / f"{step}.log")
    return Outcome(read_removals(manifest, out), cpu_s)


def read_removals(manifest: Path, out: Path) -> dict[str, str]:
    """By the id of each removed document, the id of the one that is kept for it: ids are the records' own.

    Raises:
        SystemExit: a document was dropped for another reason than being a duplicate, or nobody is named for it.
    """
    parts = list_parts(require_step(f"{out}/{EXTRACT}", command="gristmill extract"), load_corpus(str(manifest)))
    names = [
        read_ipc(f"{out}/{EXTRACT}/{part_file('documents', part.name)}", columns=["name"])["name"].to_pylist()
        for part in parts
    ]
    removed: dict[str, str] = {}
    for part, ids in zip(parts, names, strict=True):
        path = f"{out}/{DECIDE}/{part_file('decisions', part.name)}"
        removed.update(removals_of_part(read_ipc(path, columns=["reason", "duplicate_row"]), ids=ids, names=names))
    return removed


def removals_of_part(decisions: pa.Table, *, ids: Sequence[str], names: Sequence[Sequence[str]]) -> dict[str, str]:
    """The same for the rows of one part.

    Args:
        ids: of the part's documents, by row.
        names: ids of the documents of all parts, by the part's number and by row.
    """
    reasons = decisions["reason"].to_numpy()
    rows = np.flatnonzero(reasons)
    others = sorted({REASONS[reason] for reason in reasons[rows].tolist()} - set(_DUPLICATES))
    if others:
        raise SystemExit(f"documents were dropped for other reasons: {', '.join(others)}")
    kept = decisions["duplicate_row"].take(pa.array(rows))
    if kept.null_count:
        raise SystemExit(f"{kept.null_count} duplicates have no row: nobody is kept for them")
    numbers, places = split_row_ids(kept.to_numpy().astype(np.uint64))
    return {
        ids[row]: names[number][place]
        for row, number, place in zip(rows.tolist(), numbers.tolist(), places.tolist(), strict=True)
    }


def cpu_seconds(command: Sequence[str], *, log: Path, environment: Mapping[str, str] | None = None) -> float:
    """Run a command to its end in the project's root; the CPU seconds of it and of its processes.

    Raises:
        Failed: it ended with another status than 0.
    """
    before = os.times()
    with open(log, "wb") as output:
        status = subprocess.run(
            command,
            stdout=output,
            stderr=subprocess.STDOUT,
            check=False,
            env=environment,
            cwd=Path(__file__).parent.parent,
        ).returncode
    after = os.times()
    if status:
        lines = log.read_text(errors="replace").strip().splitlines()[-3:]
        raise Failed(f"{' '.join(command[:4])} ended with status {status}: {' | '.join(lines)}")
    return (after.children_user - before.children_user) + (after.children_system - before.children_system)
