"""Exact similarity of texts, against sets of tuples of words."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dedup.jaccard import common, commons, shingle_set, similarity
from pipeline.text.words.shingle_words import word_hashes
from tests.property.test_signatures import reference_words
from tests.property.texts import texts, thorough


def found_set(text: str, ngram: int) -> np.ndarray:
    data = np.frombuffer(text.encode(), np.uint8)
    return shingle_set(word_hashes(data, 0, len(data)), ngram=ngram)


def reference_set(text: str, ngram: int) -> set[tuple[str, ...]]:
    words = reference_words(text)
    size = min(ngram, len(words))
    return {tuple(words[start : start + size]) for start in range(len(words) - size + 1)} if words else set()


@thorough
@given(texts, st.integers(1, 4))
def test_sets_have_the_sizes_and_common_shingles_of_sets_of_words(documents, ngram) -> None:
    found = [found_set(text, ngram) for text in documents]
    expected = [reference_set(text, ngram) for text in documents]
    assert [len(each) for each in found] == [len(each) for each in expected]
    values = np.concatenate([np.empty(0, np.uint64), *found])
    starts = np.cumsum([0, *map(len, found)])
    ones, others = (np.array(each, np.int64) for each in np.indices((len(found), len(found))).reshape(2, -1))
    shared = np.empty(len(ones), np.int64)
    commons(values, starts, ones, others, shared)
    assert shared.tolist() == [len(one & other) for one in expected for other in expected]
    if len(found) > 1:
        assert common(found[0], found[1]) == len(expected[0] & expected[1])


def test_a_part_of_a_buffer_has_its_own_words() -> None:
    data = np.frombuffer("one two three漢字 four".encode(), np.uint8)
    assert word_hashes(data, 4, 13).tolist() == word_hashes(data[4:13], 0, 9).tolist()
    assert len(word_hashes(data, 0, len(data))) == 6


@pytest.mark.parametrize(("measure", "expected"), [("jaccard", [0.5, 0.0]), ("containment", [0.8, 0.0])])
def test_measures(measure, expected) -> None:
    found = similarity(np.array([4, 0]), np.array([7, 0]), np.array([5, 0]), measure=measure)
    assert found.tolist() == expected
