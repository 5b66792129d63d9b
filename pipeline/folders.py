"""Names of folders and files below the output folder of `gristmill prep`, each said once."""

from __future__ import annotations

from typing import Literal

EXTRACT = "extract"
DECIDE = "decide"
TOKENIZER = "tokenizer"
SHARDS = "shards"
# What `gristmill extract --sample` leaves, apart from the run itself.
SAMPLE = "sample"

# Files of a part, a folder of each kind below the step's: extract's, then decide's.
ExtractKind = Literal["documents", "signals", "signatures", "quarantine"]
DecideKind = Literal["decisions", "dropped"]
_SUFFIX = ".arrow"


def part_file(kind: ExtractKind | DecideKind, name: str) -> str:
    """Path of a part's file below its step's folder.

    Args:
        name: the part's, `source/file.k`.
    """
    return f"{kind}/{name}{_SUFFIX}"


def kind_and_name(path: str) -> tuple[str, str]:
    """The inverse of `part_file`."""
    kind, _, name = path.removesuffix(_SUFFIX).partition("/")
    return kind, name
