"""Trains the factual model and tests it: labelled documents to a model file.

In: a factual manifest. Out: one file (`pipeline.text.factual.model`), the same bytes for the same files and manifest.
The model is fitted to all documents; its report is of models of the same kind, each fitted without a tenth of the
groups and scoring those (`pipeline.text.factual.quality`). Four rates of learning are tried so, and the best is taken.
One process reads and fits; documents are held as slots of n-grams, at most 16 KB each with the defaults.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from pydantic import JsonValue

from kernels.arrays import Bools, Float64s
from manifests.base import sha256_of
from manifests.factual import FactualManifest
from pipeline.factual.documents import Documents, read_documents
from pipeline.text.factual.fit import RATES, ROUNDS, Examples, examples_of, fit, log_odds
from pipeline.text.factual.model import Model, make_model, model_bytes
from pipeline.text.factual.quality import Labelled, Report, folds, importances, report
from storage.files import publish


def train_factual(
    manifest: FactualManifest, *, out: str, on_fold: Callable[[int, int], object] = lambda done, count: None
) -> tuple[Model, Report]:
    """Read, test, fit and publish.

    Args:
        on_fold: called after each fold of the test with how many are done and how many there are.

    Raises:
        GristmillError: as `read_documents`, or `out` cannot be written; nothing is published then.
    """
    documents = read_documents(manifest)
    examples = examples_of(documents.slots, documents.bounds)
    weights = {source.name: source.weight for source in manifest.sources}
    reports = []
    for number, rate in enumerate(RATES):

        def on_fold_of_rate(done: int, count: int, number: int = number) -> None:
            on_fold(number * count + done, len(RATES) * count)

        reports.append(
            cross_validate(documents, examples, manifest, weights=weights, rate=rate, on_fold=on_fold_of_rate)
        )
    # Of equal ones the lowest rate.
    rate, found = max(zip(RATES, reports, strict=True), key=lambda tried: tried[1].auc)
    found = found.model_copy(
        update={"rates": {f"{tried:g}": each.auc for tried, each in zip(RATES, reports, strict=True)}}
    )
    importance = importances(documents.sources, documents.labels, weights)
    fitted = fit(
        examples, documents.labels, importance, documents.ids, bits=manifest.hash_bits, seed=manifest.seed, rate=rate
    )
    # Without paths, which differ from machine to machine.
    described = manifest.model_dump(mode="json", exclude={"sources": {"__all__": {"root", "factual_urls"}}})
    training: dict[str, JsonValue] = {
        "manifest_sha256": sha256_of(described),
        "seed": manifest.seed,
        "rounds": ROUNDS,
        "rate": rate,
        "max_words": manifest.max_words,
        "sources": dict(documents.origins),
    }
    model = make_model(
        fitted.weights,
        fitted.bias,
        name=manifest.name,
        pairs=manifest.ngrams == 2,
        training=training,
        report=found.model_dump(mode="json"),
    )
    publish(out, model_bytes(model))
    return model, found


def cross_validate(
    documents: Documents,
    examples: Examples,
    manifest: FactualManifest,
    *,
    weights: dict[str, float],
    rate: float,
    rounds: int = ROUNDS,
    on_fold: Callable[[int, int], object] = lambda done, count: None,
) -> Report:
    """The report on models that have not seen what they score."""
    fold, count = folds(documents.groups, documents.labels, seed=manifest.seed)
    scores = np.zeros(len(fold))
    for number in range(count):
        held = fold == number
        rest = ~held
        scores[held] = _scored(documents, examples, rest, held, manifest, weights, rate, rounds)
        on_fold(number + 1, count)
    importance = importances(documents.sources, documents.labels, weights)
    labelled = Labelled(documents.ids, documents.sources, documents.labels, importance)
    return report(labelled, scores, held_out=documents.held_out, folds=count)


def _scored(
    documents: Documents,
    examples: Examples,
    rest: Bools,
    held: Bools,
    manifest: FactualManifest,
    weights: dict[str, float],
    rate: float,
    rounds: int,
) -> Float64s:
    """Log-odds of the `held` documents by a model of the `rest`; 0 where that has one label only."""
    labels = documents.labels[rest]
    if labels.all() or not labels.any():
        return np.zeros(int(held.sum()))
    chosen = np.flatnonzero(rest).tolist()
    importance = importances([documents.sources[row] for row in chosen], labels, weights)
    ids = [documents.ids[row] for row in chosen]
    fitted = fit(
        _taken(examples, rest),
        labels,
        importance,
        ids,
        bits=manifest.hash_bits,
        seed=manifest.seed,
        rate=rate,
        rounds=rounds,
    )
    return log_odds(_taken(examples, held), fitted)


def _taken(examples: Examples, chosen: Bools) -> Examples:
    lengths = np.diff(examples.bounds)
    every = np.repeat(chosen, lengths)
    bounds = np.concatenate([np.zeros(1, np.int64), np.cumsum(lengths[chosen])])
    return Examples(examples.slots[every], examples.shares[every], bounds)
