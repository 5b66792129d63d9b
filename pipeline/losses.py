"""What is lost or changed inside documents: the inside ledger.

In: losses within one document, as counts by kind and name, reported by the code that caused them (a reader, an
extractor, the text pass). Out: `manifests.step.Inside` of a task, and of a step by source. The ledger of records can
balance while whole lists vanish from pages; this ledger says what vanished. Sums do not depend on the order of
documents. If there are too many names to keep, the names that are kept depend on the order of the file, and on nothing
else.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from kernels.newer_characters import without_stand_ins
from manifests.step import Inside, KindOfLoss, Loss

Kind = Literal[
    "replaced_characters",  # replaced by U+FFFD; by the charset of the bytes, or by what else was not a character
    "cut_bodies",  # pages whose transfer or content encoding breaks off; only the beginning is read; by the encoding
    "dropped_elements",  # of HTML, wikitext, LaTeX or posts, with their contents; by the name of the tag or environment
    "templates_not_expanded",  # of wikitext; by the name of the template
    "dropped_commands",  # of LaTeX; by the name of the command
    "masked_spans",  # of personal information; by its kind
    "duplicate_lines",  # lines that go because other documents have them; without names, as are their words and letters
    "duplicate_line_words",
    "duplicate_line_characters",
]
# What one document lost: counts by kind and name. Names come from the data: the tags and templates that people write.
Lost = Mapping[tuple[Kind, str], int]
NOTHING: Lost = {}

# Names come from the text: a hostile file can have millions of them.
MOST_NAMES_HELD = 10_000
MOST_NAMES_KEPT = 100
LONGEST_NAME = 60
OTHERS = "(others)"


def extracted_without_stand_ins(extracted: Extracted) -> Extracted:
    """Put the newer characters back in place of their stand-ins, in a text and in the names of what it lost."""
    lost: Lost = {(kind, without_stand_ins(name)): count for (kind, name), count in extracted.lost.items()}
    return Extracted(without_stand_ins(extracted.text), lost)


@dataclass(frozen=True)
class Extracted:
    """The text extracted from one document's source, and what was lost."""

    text: str
    lost: Lost = field(default_factory=dict)


class Tally:
    """Losses of many documents.

    For each kind, and for each name of a kind, `[documents, count]`: the number of documents with such a loss, and of
    losses.
    """

    def __init__(self) -> None:
        self._kinds: dict[str, list[int]] = {}
        self._names: dict[str, dict[str, list[int]]] = {}

    def __bool__(self) -> bool:
        return bool(self._kinds)

    def add(self, lost: Lost) -> None:
        """Add what one document lost."""
        if not lost:
            return
        for kind, count in _by_kind(lost).items():
            self._add(self._kinds.setdefault(kind, [0, 0]), 1, count)
        for (kind, name), count in lost.items():
            if count:
                self._named(kind, name, 1, count)

    def add_columns(self, kind: Kind, counts: Mapping[str, npt.NDArray[np.integer[Any]]]) -> None:
        """Add losses of one kind in n documents: for each name the counts by document, int[n]."""
        total = sum(column.astype(np.int64) for column in counts.values())
        if not np.any(total):
            return
        self._add(self._kinds.setdefault(kind, [0, 0]), int(np.count_nonzero(total)), int(np.sum(total)))
        for name, column in counts.items():
            if np.any(column):
                self._named(kind, name, int(np.count_nonzero(column)), int(np.sum(column)))

    def merge(self, other: Tally) -> None:
        """Add the losses of other documents."""
        for kind, (documents, count) in other._kinds.items():
            self._add(self._kinds.setdefault(kind, [0, 0]), documents, count)
        for kind, names in other._names.items():
            for name, (documents, count) in names.items():
                self._named(kind, name, documents, count)

    def inside(self) -> Inside:
        """The tally as manifests store it: the `MOST_NAMES_KEPT` most common names of each kind, the others summed."""
        return {
            kind: KindOfLoss(documents=documents, count=count, names=_commonest(self._names.get(kind, {})))
            for kind, (documents, count) in sorted(self._kinds.items())
        }

    def _named(self, kind: str, name: str, documents: int, count: int) -> None:
        if not name:
            return
        names = self._names.setdefault(kind, {})
        name = name[:LONGEST_NAME]
        if name not in names and len(names) >= MOST_NAMES_HELD:
            name = OTHERS
        self._add(names.setdefault(name, [0, 0]), documents, count)

    @staticmethod
    def _add(total: list[int], documents: int, count: int) -> None:
        total[0] += documents
        total[1] += count


def merge_inside(several: Iterable[Inside]) -> Inside:
    """The losses of several tasks, summed. Names that a task did not keep stay in its `OTHERS`."""
    total = Tally()
    for inside in several:
        for kind, loss in inside.items():
            total._add(total._kinds.setdefault(kind, [0, 0]), loss.documents, loss.count)
            for name, named in loss.names.items():
                total._named(kind, name, named.documents, named.count)
    return total.inside()


def _by_kind(lost: Lost) -> Counter[str]:
    kinds: Counter[str] = Counter()
    for (kind, _), count in lost.items():
        kinds[kind] += count
    return +kinds


def _commonest(names: Mapping[str, list[int]]) -> dict[str, Loss]:
    """The most common names, sorted by name.

    The others are summed under `OTHERS`; a document counts there once per name.
    """
    ordered = sorted((name for name in names if name != OTHERS), key=lambda name: (-names[name][1], name))
    kept = {name: Loss(documents=names[name][0], count=names[name][1]) for name in sorted(ordered[:MOST_NAMES_KEPT])}
    others = [names[name] for name in ordered[MOST_NAMES_KEPT:]] + [names[name] for name in names if name == OTHERS]
    if others:
        kept[OTHERS] = Loss(documents=sum(counts[0] for counts in others), count=sum(counts[1] for counts in others))
    return kept
