"""The report on a classifier: measures against brute force, and a verdict that says what the figures say."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.text.factual.quality import (
    QUANTILES,
    Labelled,
    auc,
    calibration,
    folds,
    importances,
    report,
    source_scores,
)

HELD_OUT = {"factual": "sources", "general": "sources"}


@given(
    st.lists(st.tuples(st.integers(-3, 3), st.booleans(), st.sampled_from([0.5, 1.0, 2.0])), max_size=30),
)
def test_auc_is_the_share_of_pairs_in_order(documents: list[tuple[int, bool, float]]) -> None:
    scores = np.array([score for score, _, _ in documents], np.float64)
    labels = np.array([label for _, label, _ in documents], np.bool_)
    weights = np.array([weight for _, _, weight in documents], np.float64)
    pairs = won = 0.0
    for score, label, weight in documents:
        for other, other_label, other_weight in documents:
            if label and not other_label:
                pairs += weight * other_weight
                won += weight * other_weight * (1.0 if score > other else 0.5 if score == other else 0.0)
    found = auc(scores, labels, weights)
    assert found == (pytest.approx(won / pairs) if pairs else None)


def labelled(rows: list[tuple[str, bool]]) -> Labelled:
    sources, labels = [source for source, _ in rows], np.array([label for _, label in rows], np.bool_)
    importance = importances(sources, labels, dict.fromkeys(sources, 1.0))
    return Labelled([number.to_bytes(16, "big") for number in range(len(rows))], sources, labels, importance)


def test_labels_count_alike_and_sources_within_a_label() -> None:
    documents = labelled([("a", True)] * 36 + [("b", True)] * 4 + [("c", False)] * 5)
    importance = documents.importance
    assert importance.sum() == pytest.approx(45)
    # By the square roots of 36 and 4.
    assert importance[:36].sum() == pytest.approx(3 * importance[36:40].sum())
    assert importance[:40].sum() == pytest.approx(importance[40:].sum())
    heavier = importances(documents.sources, documents.labels, {"a": 3.0, "b": 1.0, "c": 1.0})
    assert heavier[:36].sum() == pytest.approx(9 * heavier[36:40].sum())


def test_the_name_says_everything_of_sources_with_one_label() -> None:
    documents = labelled([("a", True)] * 40 + [("b", False)] * 40)
    assert auc(source_scores(documents), documents.labels, documents.importance) == 1.0


def test_the_name_says_nothing_of_one_source() -> None:
    """The other half's share is the same for all documents of a half: no document's own label leaks into its score."""
    documents = labelled([("crawl", number % 3 == 0) for number in range(300)])
    assert auc(source_scores(documents), documents.labels, documents.importance) == pytest.approx(0.5, abs=0.1)


def test_a_classifier_that_only_knows_sources_says_so() -> None:
    documents = labelled([("a", True)] * 40 + [("b", False)] * 40)
    scores = np.where(documents.labels, 0.5, -0.5) + np.random.default_rng(1).normal(size=80)
    found = report(documents, scores, held_out=HELD_OUT, folds=2)
    assert not found.beats_source
    assert found.auc < found.auc_source == 1.0
    assert found.auc_within is None
    assert "does NOT beat the name of the source" in found.verdict[0]
    assert "flag per source" in found.verdict[1]
    assert "was not measured" in found.verdict[2]


def test_a_classifier_that_tells_pages_of_one_crawl_apart_says_so() -> None:
    documents = labelled([("crawl", number % 2 == 0) for number in range(200)])
    scores = np.where(documents.labels, 1.0, -1.0) + np.random.default_rng(1).normal(size=200)
    found = report(documents, scores, held_out={"factual": "sites", "general": "sites"}, folds=10)
    assert found.beats_source
    assert found.auc_within == found.auc > 0.85
    assert found.verdict[0].startswith("it beats the name of the source")
    assert sum("sites of it were held out" in line for line in found.verdict) == 2


def test_sources_with_nearly_one_score_are_named() -> None:
    documents = labelled([("flat", True)] * 40 + [("wide", False)] * 40)
    scores = np.concatenate([np.full(40, 0.25), np.linspace(-5, 5, 40)])
    found = report(documents, scores, held_out=HELD_OUT, folds=2)
    assert found.nearly_constant_sources == 1
    assert any("1 of 2 sources: flat" in line for line in found.verdict)


def test_calibration_has_20_parts_of_equal_importance() -> None:
    documents = labelled([("a", True)] * 400 + [("b", False)] * 100)
    scores = np.where(documents.labels, 2.0, -2.0) + np.random.default_rng(1).normal(size=500)
    bands = calibration(scores, documents.labels, documents.importance)
    assert len(bands) == QUANTILES
    assert sum(band.documents for band in bands) == 500
    said = [band.said for band in bands]
    assert said == sorted(said)
    assert bands[0].is_factual < 0.1 < 0.9 < bands[-1].is_factual


def test_a_group_is_in_one_fold_and_folds_have_both_labels() -> None:
    groups = [f"factual {number // 5}" for number in range(60)] + [f"general {number // 5}" for number in range(40)]
    labels = np.arange(100) < 60
    fold, count = folds(groups, labels, seed=3)
    assert count == 10
    assert len({(group, number) for group, number in zip(groups, fold.tolist(), strict=True)}) == len(set(groups))
    assert all(labels[fold == number].any() for number in range(count))
    assert sum(not labels[fold == number].all() for number in range(count)) == 8
    assert np.array_equal(fold, folds(groups, labels, seed=3)[0])
    assert not np.array_equal(fold, folds(groups, labels, seed=4)[0])
