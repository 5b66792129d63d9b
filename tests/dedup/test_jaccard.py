"""Exact similarity of texts, against sets of tuples of words."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dedup.jaccard import common, commons, shingle_sets, similarity
from tests.property.test_signatures import reference_words
from tests.property.texts import buffers, texts, thorough


def reference_set(text: str, ngram: int) -> set[tuple[str, ...]]:
    words = reference_words(text)
    size = min(ngram, len(words))
    return {tuple(words[start : start + size]) for start in range(len(words) - size + 1)} if words else set()


@thorough
@given(texts, st.integers(1, 4))
def test_sets_have_the_sizes_and_common_shingles_of_sets_of_words(documents, ngram) -> None:
    values, starts = shingle_sets(*buffers(documents), unit="words", ngram=ngram)
    expected = [reference_set(text, ngram) for text in documents]
    assert np.diff(starts).tolist() == [len(each) for each in expected]
    ones, others = (np.array(each, np.int64) for each in np.indices((len(documents),) * 2).reshape(2, -1))
    shared = np.empty(len(ones), np.int64)
    commons(values, starts, ones, others, shared)
    assert shared.tolist() == [len(one & other) for one in expected for other in expected]
    if len(documents) > 1:
        first, second = values[: starts[1]], values[starts[1] : starts[2]]
        assert common(first, second) == len(expected[0] & expected[1])


@thorough
@given(texts, st.data())
def test_sets_of_chosen_documents_are_theirs(documents, draw) -> None:
    chosen = draw.draw(st.lists(st.integers(0, len(documents) - 1), max_size=6) if documents else st.just([]))
    values, starts = shingle_sets(*buffers(documents), unit="words", ngram=2)
    found, bounds = shingle_sets(*buffers(documents), unit="words", ngram=2, chosen=np.array(chosen, np.int64))
    sets, wanted = (np.split(each, places[1:-1]) for each, places in ((values, starts), (found, bounds)))
    assert [each.tolist() for each in wanted][: len(chosen)] == [sets[number].tolist() for number in chosen]


def test_characters() -> None:
    _, starts = shingle_sets(*buffers(["abc", "a, b", "", "aaaaa"]), unit="characters", ngram=2)
    assert np.diff(starts).tolist() == [2, 2, 0, 1]


@pytest.mark.parametrize(("measure", "expected"), [("jaccard", [0.5, 0.0]), ("containment", [0.8, 0.0])])
def test_measures(measure, expected) -> None:
    found = similarity(np.array([4, 0]), np.array([7, 0]), np.array([5, 0]), measure=measure)
    assert found.tolist() == expected
