"""The parts that extract published, as later steps see them.

Out: one `Part` per documents part, sorted by name. A part's number is its rank in that order. A row id packs number and
row into 64 bits: it says where a row lies, and nothing about whether it is preferred (`dedup.preference`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from manifests.base import Strict
from manifests.corpus import CorpusManifest
from manifests.errors import GristmillError
from manifests.step import Output, StepManifest
from pipeline.folders import kind_and_name

_ROW_BITS = 32
_NUMBER_BITS = 31


class Part(Strict):
    """One part of one source. As JSON it is an element of a pipeline.

    Attributes:
        name: `source/file.k`, without folder and suffix.
        number: rank among all parts, by name.
        sha256: hashes of all files of the part (documents, signals, signatures, lines), shortened and joined.
        priority: the source's priority; among duplicates, the smallest is kept.
        bucket: `source/band`.
    """

    name: str
    number: int
    source: str
    sha256: str
    rows: int
    text_bytes: int
    priority: int
    bucket: str

    @property
    def base(self) -> int:
        """Row id of the part's row 0."""
        return row_id(self.number, 0)


def row_id(number: int, row: int) -> int:
    """The id of a row of the part with this number."""
    return (number << _ROW_BITS) | row


def split_row_ids(row_ids: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Split row ids uint64[n] into part numbers int64[n] and rows int64[n]."""
    numbers = row_ids >> np.uint64(_ROW_BITS)
    return numbers.astype(np.int64), (row_ids & np.uint64((1 << _ROW_BITS) - 1)).astype(np.int64)


def part_names(step: StepManifest) -> list[str]:
    """The names of all parts of a finished extract step, in the order of their numbers."""
    return sorted(
        {name for kind, name in (kind_and_name(output.path) for output in step.outputs) if kind == "documents"}
    )


def first_rows(numbers: np.ndarray) -> np.ndarray:
    """The row ids of the first rows of parts, uint64[n], from the parts' numbers, int64[n]."""
    return numbers.astype(np.uint64) << np.uint64(_ROW_BITS)


def list_parts(step: StepManifest, manifest: CorpusManifest) -> list[Part]:
    """All parts of a finished extract step.

    Raises:
        GristmillError: there are more parts than row ids can number.
    """
    return list_parts_of(step, {source.name: (source.priority, source.factual) for source in manifest.sources})


def list_parts_of(step: StepManifest, sources: Mapping[str, tuple[int, bool]]) -> list[Part]:
    """The same for sources given by their names: their priority, and whether they are factual."""
    files: dict[str, dict[str, Output]] = {}
    for output in step.outputs:
        kind, name = kind_and_name(output.path)
        if kind != "quarantine":
            files.setdefault(name, {})[kind] = output
    if len(files) >= 1 << _NUMBER_BITS:
        raise GristmillError(
            f"{len(files)} parts are more than row ids can number", remedy="prepare the corpus in several runs"
        )
    parts: list[Part] = []
    for number, (name, kinds) in enumerate(sorted(files.items())):
        source = name.split("/", 1)[0]
        priority, factual = sources[source]
        documents = kinds["documents"]
        parts.append(
            Part(
                name=name,
                number=number,
                source=source,
                sha256=".".join(kinds[kind].sha256[:32] for kind in sorted(kinds)),
                rows=documents.rows,
                text_bytes=documents.text_bytes,
                priority=priority,
                bucket=f"{source}/{'factual' if factual else 'general'}",
            )
        )
    return parts


def kept_bytes(step: StepManifest) -> dict[str, int]:
    """Bytes of text that a finished decide step keeps of each part, by the part's name."""
    kept: dict[str, int] = {}
    for output in step.outputs:
        kind, name = kind_and_name(output.path)
        if kind == "decisions":
            kept[name] = output.text_bytes
    return kept


def group_parts(parts: Sequence[Part], *, kept: Mapping[str, int], text_bytes: int) -> list[list[Part]]:
    """Group consecutive parts of one source, at least `text_bytes` of kept text a group.

    What is left at the end of a source joins the group before it if it is less than half of that; so only a source that
    keeps less than half has a group with less.

    Args:
        kept: bytes of text that are kept of each part, by its name.
    """
    groups: list[list[Part]] = []
    filled: list[int] = []
    for part in parts:
        if not groups or groups[-1][-1].source != part.source or filled[-1] >= text_bytes:
            groups.append([])
            filled.append(0)
        groups[-1].append(part)
        filled[-1] += kept[part.name]
    merged: list[list[Part]] = []
    for group, size in zip(groups, filled, strict=True):
        if merged and merged[-1][-1].source == group[0].source and 2 * size < text_bytes:
            merged[-1].extend(group)
        else:
            merged.append(group)
    return merged
