"""What a tool's removals are worth against the truth, as counts, as tables, and as the figures of the last line.

In: a corpus, its `Truth`, and the `Outcome` of a tool. Out: a `Score` of counts, which add up over corpora.

- A *removal* is a document that the tool drops as a duplicate. Its J is the exact Jaccard similarity to the document
  that the tool keeps in its place, 1 for the same text, so exact duplicates count as removals with J = 1. If that
  document does not stay itself, nobody answers for the removal: its J is 0.
- A *pair* is any two documents, each once. It is *left in* when both stay; whatever was removed, it was found.
- `precision`: removals with J >= 0.7, of all removals. `wrong_below_half`: removals with J < 0.5.
  `pairs_left_above_0.8`: pairs with J >= 0.8 that are left in, of all pairs with J >= 0.8.
- The share removed of a planted case: documents removed, of those that could go if each family kept one. For a family of
  two it is the share of pairs of which one went.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from bench.dedup_corpora import Corpus
from bench.dedup_ours import Outcome
from bench.dedup_truth import Truth, jaccard
from kernels.arrays import Float64s

# Where the intervals of J begin: of removals, and of pairs.
REMOVAL_STARTS = (0.0, 0.3, 0.5, 0.7, 0.8)
PAIR_STARTS = (0.7, 0.8, 0.9, 0.95)
_WRONG_BELOW = 0.5
_RIGHT_FROM = 0.7
_PAIRS_FROM = 0.8


@dataclass(frozen=True)
class Score:
    """Counts of one tool on one corpus, or on several.

    Attributes:
        removals: by the interval of `REMOVAL_STARTS` that their J is in.
        unanswered: removals whose kept copy does not stay; they are in the first interval.
        pairs: of the corpus, by the interval of `PAIR_STARTS`.
        left: those of which both documents stay.
    """

    documents: int
    removals: tuple[int, ...]
    unanswered: int
    pairs: tuple[int, ...]
    left: tuple[int, ...]
    cpu_s: float


def score(corpus: Corpus, truth: Truth, outcome: Outcome) -> Score:
    """What the tool's removals are worth.

    Raises:
        SystemExit: it names a document that the corpus does not have.
    """
    rows = {document.id: row for row, document in enumerate(corpus.documents)}
    unknown = [name for pair in outcome.kept.items() for name in pair if name not in rows]
    if unknown:
        raise SystemExit(f"{corpus.name}: {len(unknown)} ids are of no document, as {unknown[0]!r}")
    removed = np.array([rows[name] for name in outcome.kept], np.int64)
    kept = np.array([rows[name] for name in outcome.kept.values()], np.int64)
    gone = np.zeros(len(rows), np.bool_)
    gone[removed] = True
    similarities = np.where(gone[kept], 0.0, jaccard(truth, removed, kept))
    stay = ~gone[truth.pairs].any(axis=1)
    return Score(
        documents=len(rows),
        removals=_counts(similarities, REMOVAL_STARTS),
        unanswered=int(gone[kept].sum()),
        pairs=_counts(truth.similarities, PAIR_STARTS),
        left=_counts(truth.similarities[stay], PAIR_STARTS),
        cpu_s=outcome.cpu_s,
    )


def pooled(scores: Sequence[Score]) -> Score:
    """The sums of the counts of several corpora."""
    return Score(
        documents=sum(one.documents for one in scores),
        removals=tuple(map(sum, zip(*(one.removals for one in scores), strict=True))),
        unanswered=sum(one.unanswered for one in scores),
        pairs=tuple(map(sum, zip(*(one.pairs for one in scores), strict=True))),
        left=tuple(map(sum, zip(*(one.left for one in scores), strict=True))),
        cpu_s=sum(one.cpu_s for one in scores),
    )


def figures(one: Score) -> dict[str, Any]:
    """The figures of the last line; a share of nothing is null."""
    removed = sum(one.removals)
    right = _from(one.removals, REMOVAL_STARTS, _RIGHT_FROM)
    pairs, left = (_from(counts, PAIR_STARTS, _PAIRS_FROM) for counts in (one.pairs, one.left))
    return {
        "precision": round(right / removed, 4) if removed else None,
        "wrong_below_half": removed - _from(one.removals, REMOVAL_STARTS, _WRONG_BELOW),
        "pairs_left_above_0.8": round(left / pairs, 5) if pairs else None,
        "documents": one.documents,
        "removed": removed,
        "cpu_s": round(one.cpu_s, 1),
    }


def case_shares(corpus: Corpus, outcome: Outcome) -> dict[str, float]:
    """The share removed of each planted case, in the order in which they were planted."""
    could: dict[str, int] = {}
    went: dict[str, int] = {}
    for family in corpus.families:
        most = len(family.members) - 1
        removed = sum(member in outcome.kept for member in family.members)
        could[family.case] = could.get(family.case, 0) + most
        went[family.case] = went.get(family.case, 0) + min(removed, most)
    return {case: went[case] / could[case] for case in could}


def case_similarities(corpus: Corpus, truth: Truth) -> dict[str, tuple[int, float]]:
    """Families of each planted case, and the mean J of neighbours in them: of a copy and what it was made of."""
    rows = {document.id: row for row, document in enumerate(corpus.documents)}
    found: dict[str, list[Float64s]] = {}
    for family in corpus.families:
        members = np.array([rows[member] for member in family.members], np.int64)
        found.setdefault(family.case, []).append(jaccard(truth, members[:-1], members[1:]))
    return {case: (len(values), float(np.concatenate(values).mean())) for case, values in found.items()}


def score_table(scores: Mapping[str, Score]) -> str:
    """A line for each tool: what it removed by J, the share of pairs it found by J, and the pairs that it left in."""
    heads = ["tool", "removed", "J>=.8", ".7-.8", ".5-.7", "<.5", "<.3", "precision"]
    heads += ["found .7-.8", ".8-.9", ".9-.95", ".95-1", "left >=.8", "of pairs", "CPU s"]
    lines = []
    for tool, one in scores.items():
        lowest, low, middle, high, highest = one.removals
        found = [f"{1 - left / pairs:.4f}" if pairs else "-" for left, pairs in zip(one.left, one.pairs, strict=True)]
        wanted = figures(one)
        lines.append(
            [
                tool,
                *(f"{count:,}" for count in (wanted["removed"], highest, high, middle, lowest + low, lowest)),
                "-" if wanted["precision"] is None else f"{wanted['precision']:.4f}",
                *found,
                *(f"{_from(counts, PAIR_STARTS, _PAIRS_FROM):,}" for counts in (one.left, one.pairs)),
                f"{one.cpu_s:.1f}",
            ]
        )
    return lined_up([heads, *lines])


def case_table(cases: Mapping[str, tuple[int, float]], shares: Mapping[str, Mapping[str, float]]) -> str:
    """A line for each planted case: families, mean J, and the share that each tool removes."""
    heads = ["share removed", "families", "mean J", *shares]
    lines = [
        [case, str(families), f"{mean:.2f}", *(f"{share[case]:.2f}" for share in shares.values())]
        for case, (families, mean) in cases.items()
    ]
    return lined_up([heads, *lines])


def lined_up(lines: Sequence[Sequence[str]]) -> str:
    """Cells in columns, the first to the left, the others to the right."""
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join(
            [line[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(line[1:], widths[1:], strict=True))]
        )
        for line in lines
    )


def _counts(similarities: Float64s, starts: Sequence[float]) -> tuple[int, ...]:
    places = np.searchsorted(np.array(starts), similarities, side="right") - 1
    return tuple(np.bincount(places[places >= 0], minlength=len(starts)).tolist())


def _from(counts: Sequence[int], starts: Sequence[float], least: float) -> int:
    return sum(count for count, start in zip(counts, starts, strict=True) if start >= least)
