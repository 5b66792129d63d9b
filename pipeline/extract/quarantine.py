"""The records that extract could not read, as people want to see them: the first of some files, each with its file and
error.
"""

from __future__ import annotations

from typing import Any

from manifests.step import StepManifest
from pipeline.schemas import ipc_metadata, read_ipc
from storage.files import join

_MOST = 20
_MOST_OF_FILE = 3


def broken_records(folder: str, extracted: StepManifest) -> tuple[list[dict[str, Any]], int]:
    """The first broken records of some files: source, file, record, name and error; and how many more there are.

    Args:
        folder: of the step.
        extracted: its manifest.
    """
    shown: list[dict[str, Any]] = []
    for output in extracted.outputs:
        if output.path.startswith("quarantine/") and len(shown) < _MOST:
            path = join(folder, output.path)
            of = ipc_metadata(path)
            for row in read_ipc(path).slice(0, min(_MOST_OF_FILE, _MOST - len(shown))).to_pylist():
                shown.append(
                    {
                        "source": of["source"],
                        "file": of["file"],
                        "record": row["record"],
                        "name": row["name"],
                        "error": row["error"],
                    }
                )
    return shown, sum(extracted.ledger.quarantined.values()) - len(shown)
