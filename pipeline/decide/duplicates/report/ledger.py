"""The ledger of the search for duplicates by source: what went, and how many pairs were looked at for it.

In: the manifest of decide, what its tasks say of sources, and `duplicates/counts`, one file a run. Out: a row for each
source, by name. Shares are of the documents that entered the search: those that no rule before it dropped.
"""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa

from manifests.filters import Reason
from manifests.step import StepManifest
from pipeline.decide.source_losses import source_losses
from pipeline.folders import DECIDE, DUPLICATE_COUNTS, DUPLICATE_FATES
from pipeline.schemas import read_ipc
from storage.files import join

# Reasons that are given after the search: their documents entered it.
LATER: tuple[Reason, ...] = ("duplicate_lines", "duplicate_lines_sentences")
_SHOWN = ("compared", "candidates", "checked_by_shingles", "confirmed", "rejected")


@dataclass(frozen=True)
class SourceDuplicates:
    """What the search did with the documents of one source.

    Attributes:
        documents: all that were extracted.
        searched: those that entered the search.
        exact, near: those of them that went as duplicates.
        share: (exact + near) / searched; 0 if none entered it.
        compared: with leaders of buckets, once for each band; 0 without MinHash, as are the next.
        candidates: different pairs that may be similar by their signatures.
        checked_by_shingles: of those, pairs that signatures did not decide.
        confirmed, rejected: of the candidates.
    """

    source: str
    documents: int
    searched: int
    exact: int
    near: int
    share: float
    compared: int
    candidates: int
    checked_by_shingles: int
    confirmed: int
    rejected: int


def duplicate_ledger(out: str, decided: StepManifest) -> list[SourceDuplicates]:
    """A row for each source; none if duplicates were not searched for.

    Args:
        out: the folder of all steps.
        decided: the manifest of decide.

    Raises:
        GristmillError: the manifest of a task is damaged, or a file is missing.
    """
    if not any(output.path.startswith(f"{DUPLICATE_FATES}/") for output in decided.outputs):
        return []
    counts = _counts(out, decided)
    rows = []
    for source, losses in source_losses(join(out, DECIDE)).items():
        dropped = losses["dropped"]
        exact, near = (dropped.get(reason, 0) for reason in ("exact_duplicate", "near_duplicate"))
        searched = losses["kept"] + exact + near + sum(dropped.get(reason, 0) for reason in LATER)
        pairs = {name: counts.get(source, {}).get(name, 0) for name in _SHOWN}
        rows.append(
            SourceDuplicates(
                source=source,
                documents=losses["kept"] + sum(dropped.values()),
                searched=searched,
                exact=exact,
                near=near,
                share=(exact + near) / max(searched, 1),
                **pairs,
            )
        )
    return rows


def _counts(out: str, decided: StepManifest) -> dict[str, dict[str, int]]:
    """The sums over all runs, by source."""
    tables = [
        read_ipc(join(out, DECIDE, output.path))
        for output in decided.outputs
        if output.path.startswith(f"{DUPLICATE_COUNTS}/")
    ]
    if not tables:
        return {}
    summed = pa.concat_tables(tables).group_by("source").aggregate([(n, "sum") for n in _SHOWN])
    return {row["source"]: {name: row[f"{name}_sum"] for name in _SHOWN} for row in summed.to_pylist()}
