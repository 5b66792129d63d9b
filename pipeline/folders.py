"""Names of folders and files below the output folder of `gristmill prep`, each defined once."""

from __future__ import annotations

from typing import Literal

EXTRACT = "extract"
DECIDE = "decide"
TOKENIZER = "tokenizer"
SHARDS = "shards"
# Shards before repeated runs of tokens are cut out of them, and what is cut out; with `dedup.substrings` only.
TOKENS = "tokens"
SUBSTRINGS = "substrings"
# The most frequent lines that decide removed because several documents have them, below its folder.
FREQUENT_LINES = "lines/frequent.arrow"
# What went as duplicates and what became of the candidates, a file a run each, below decide's folder.
DUPLICATE_FATES, DUPLICATE_COUNTS = "duplicates/fates", "duplicates/counts"
# Output of `gristmill extract --sample`, separate from the output of the run itself.
SAMPLE = "sample"

# Kinds of a part's files, one folder per kind below the step's folder: those of extract, then those of decide.
ExtractKind = Literal["documents", "signals", "signatures", "lines", "quarantine"]
DecideKind = Literal["decisions", "dropped", "lines"]
_SUFFIX = ".arrow"


def part_file(kind: ExtractKind | DecideKind, name: str) -> str:
    """Path of a part's file below its step's folder.

    Args:
        name: the part's name, `source/file.k`.
    """
    return f"{kind}/{name}{_SUFFIX}"


def kind_and_name(path: str) -> tuple[str, str]:
    """The inverse of `part_file`."""
    kind, _, name = path.removesuffix(_SUFFIX).partition("/")
    return kind, name
