"""How good a factual classifier is, beside what the name of a document's source already says.

In: out-of-fold scores of labelled documents, that is, of a model that saw nothing of their group. Out: `Report`.

Sources differ more than pages do: of a published classifier's AUC of .875, the name of the source alone gave .852
(marin, issues 6739 and 6849). So whole groups are held out, and the classifier is compared with the name: the AUC that
the name gives, the AUC among documents of one source, where the name says nothing, and the share of sources in which
nearly all documents get one score. A classifier that does not beat the name says so.

AUC is the probability that a factual document scores higher than a general one, equal scores being a half (Mann and
Whitney 1947). Every measure weighs documents as training did: both labels alike, and within a label each source by the
square root of its documents, so that neither a large source nor a handful of pages decides.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import xxhash

from kernels.arrays import Bools, Float64s, Int64s
from manifests.base import Strict

MOST_FOLDS = 10
QUANTILES = 20
# A source is nearly constant if the middle nine tenths of its scores lie within a twentieth of that of all scores.
_NEARLY = 0.05
_DIGITS = 4


class SourceQuality(Strict):
    """One source.

    Attributes:
        factual, general: documents of each label.
        auc: its documents against those of the other label in all sources; None if it has both labels.
        auc_within: its factual documents against its general ones; None if it has one label.
        low, median, high: 5, 50 and 95 % of its scores.
    """

    name: str
    factual: int
    general: int
    auc: float | None
    auc_within: float | None
    low: float
    median: float
    high: float
    nearly_constant: bool


class Band(Strict):
    """One of 20 equal parts of the documents by score: the mean probability that was said, and the share that is."""

    documents: int
    said: float
    is_factual: float


class Report(Strict):
    """What `gristmill factual train` found.

    Attributes:
        held_out: what the groups are, by label: `sources`, or `sites` or `documents` where a label has one source only.
        folds: how many models were fitted to score what each had not seen.
        auc: of the scores of held-out documents, by the rate of learning for which it is highest.
        rates: that AUC by each rate that was tried.
        auc_source: of the source's name alone, its share of factual documents taken from one half and used for the
            other.
        auc_within: mean over sources with both labels; None if there is none.
        verdict: all that in words.
    """

    held_out: dict[str, str]
    folds: int
    auc: float
    auc_source: float
    auc_within: float | None
    nearly_constant_sources: int
    beats_source: bool
    rates: dict[str, float] = {}
    verdict: list[str]
    sources: list[SourceQuality]
    calibration: list[Band]


class Labelled(NamedTuple):
    """Documents with their labels, n of each.

    Attributes:
        ids: document ids.
        sources: names.
        labels: bool[n], factual or not.
        importance: float64[n], how much each document counts.
    """

    ids: Sequence[bytes]
    sources: Sequence[str]
    labels: Bools
    importance: Float64s


def importances(sources: Sequence[str], labels: Bools, weights: dict[str, float]) -> Float64s:
    """How much each document counts, of mean 1: both labels alike, within a label each source by its weight and the
    square root of its documents, and within a source and label each document alike.
    """
    keys = [(bool(label), source) for source, label in zip(sources, labels.tolist(), strict=True)]
    counts: dict[tuple[bool, str], int] = {}
    for key in keys:
        counts[key] = counts.get(key, 0) + 1
    shares = {(label, source): weights[source] * math.sqrt(count) for (label, source), count in counts.items()}
    totals = {
        label: sum(share for (own, _), share in sorted(shares.items()) if own == label) for label in (True, False)
    }
    each = {key: len(keys) * 0.5 * share / totals[key[0]] / counts[key] for key, share in shares.items()}
    return np.array([each[key] for key in keys])


def folds(groups: Sequence[str], labels: Bools, *, seed: int) -> tuple[Int64s, int]:
    """The fold of each document, int64[n], and the number of folds; a group is in one fold.

    Groups are dealt out in the order of a hash, those with a factual document apart from the others, so that a fold has
    both where that is possible.
    """
    factual = {group for group, label in zip(groups, labels.tolist(), strict=True) if label}
    sides = [sorted(factual), sorted(set(groups) - factual)]
    count = max(1, min(MOST_FOLDS, max(map(len, sides))))
    fold: dict[str, int] = {}
    for side in sides:
        dealt = sorted(side, key=lambda group: (xxhash.xxh3_64_intdigest(group.encode(), seed), group))
        fold.update((group, place % count) for place, group in enumerate(dealt))
    return np.array([fold[group] for group in groups], np.int64), count


def auc(scores: Float64s, labels: Bools, importance: Float64s) -> float | None:
    """The weighted AUC; None without documents of both labels."""
    values, place = np.unique(scores, return_inverse=True)
    factual = np.bincount(place[labels], importance[labels], len(values))
    general = np.bincount(place[~labels], importance[~labels], len(values))
    pairs = float(factual.sum() * general.sum())
    if not pairs:
        return None
    below = np.cumsum(general) - general
    return float((factual * (below + general / 2)).sum() / pairs)


def source_scores(documents: Labelled) -> Float64s:
    """What a source's name says of each document, float64[n]: how much is factual in the other half of its source.

    The halves are by id. Without a document in the other half it is the share among all.
    """
    half = np.array([xxhash.xxh3_64_intdigest(identity) & 1 for identity in documents.ids], np.int64)
    names, place = np.unique(np.array(documents.sources, dtype=str), return_inverse=True)
    out = np.empty(len(half))
    everywhere = float(np.average(documents.labels, weights=documents.importance))
    for own in (0, 1):
        other = half != own
        total = np.bincount(place[other], documents.importance[other], len(names))
        share = np.bincount(place[other], (documents.importance * documents.labels)[other], len(names))
        shares = np.divide(share, total, out=np.full(len(names), everywhere), where=total > 0)
        out[~other] = shares[place[~other]]
    return out


def calibration(scores: Float64s, labels: Bools, importance: Float64s) -> list[Band]:
    """The documents in order of their scores, in 20 parts of equal importance."""
    order = np.argsort(scores, kind="stable")
    reached = np.cumsum(importance[order]) - importance[order] / 2
    part = np.minimum((reached / importance.sum() * QUANTILES).astype(np.int64), QUANTILES - 1)
    bands = []
    for number in range(QUANTILES):
        chosen = order[part == number]
        if len(chosen):
            said = 1 / (1 + np.exp(-scores[chosen]))
            weights = importance[chosen]
            bands.append(
                Band(
                    documents=len(chosen),
                    said=round(float(np.average(said, weights=weights)), _DIGITS),
                    is_factual=round(float(np.average(labels[chosen], weights=weights)), _DIGITS),
                )
            )
    return bands


def report(documents: Labelled, scores: Float64s, *, held_out: dict[str, str], folds: int) -> Report:
    """The report on out-of-fold scores, float64[n]."""
    labels, importance = documents.labels, documents.importance
    names = np.array(documents.sources, dtype=str)
    spread = _middle(scores)[2] - _middle(scores)[0]
    sources, within = [], []
    for name in sorted(set(documents.sources)):
        own = names == name
        both = labels[own].any() and not labels[own].all()
        against = own | (labels != labels[own][0])
        inside = auc(scores[own], labels[own], importance[own]) if both else None
        low, median, high = _middle(scores[own])
        sources.append(
            SourceQuality(
                name=name,
                factual=int(labels[own].sum()),
                general=int((~labels[own]).sum()),
                auc=None if both else _rounded(auc(scores[against], labels[against], importance[against])),
                auc_within=_rounded(inside),
                low=round(low, _DIGITS),
                median=round(median, _DIGITS),
                high=round(high, _DIGITS),
                nearly_constant=high - low <= _NEARLY * spread,
            )
        )
        if inside is not None:
            within.append((inside, float(importance[own].sum())))
    overall = auc(scores, labels, importance) or 0.0
    by_name = auc(source_scores(documents), labels, importance) or 0.0
    inside_mean = sum(value * weight for value, weight in within) / sum(w for _, w in within) if within else None
    constant = sum(source.nearly_constant for source in sources)
    return Report(
        held_out=held_out,
        folds=folds,
        auc=round(overall, _DIGITS),
        auc_source=round(by_name, _DIGITS),
        auc_within=_rounded(inside_mean),
        nearly_constant_sources=constant,
        beats_source=overall > by_name,
        verdict=_verdict(overall, by_name, inside_mean, constant, sources, held_out),
        sources=sources,
        calibration=calibration(scores, labels, importance),
    )


def _verdict(
    overall: float,
    by_name: float,
    inside: float | None,
    constant: int,
    sources: Sequence[SourceQuality],
    held_out: dict[str, str],
) -> list[str]:
    beats = overall > by_name
    lines = [
        f"it {'beats' if beats else 'does NOT beat'} the name of the source: AUC {overall:.3f} on what was held out,"
        f" {by_name:.3f} by the name alone"
    ]
    if not beats:
        lines.append(
            "for sources like these, a flag per source (`factual: true`) says as much; use bands only within sources"
            " whose name says nothing, such as a crawl"
        )
    if inside is None:
        lines.append(
            "each source has one label, so that its name says everything here; whether the classifier tells factual"
            " from general within a source was not measured"
        )
    else:
        lines.append(f"within a source, where the name says nothing, its AUC is {inside:.3f}")
    for label, unit in sorted(held_out.items()):
        if unit != "sources":
            lines.append(
                f"{label} documents come from one source: {unit} of it were held out, which says nothing of other"
                " sources"
            )
    if constant:
        names = ", ".join(source.name for source in sources if source.nearly_constant)
        lines.append(f"nearly one score for all documents in {constant} of {len(sources)} sources: {names}")
    return lines


def _middle(scores: Float64s) -> tuple[float, float, float]:
    low, median, high = np.quantile(scores, [0.05, 0.5, 0.95])
    return float(low), float(median), float(high)


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, _DIGITS)
