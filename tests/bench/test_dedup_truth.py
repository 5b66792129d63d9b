"""Exact similarities against brute force over sets, and the word rule against the classes of the kernels."""

from __future__ import annotations

import unicodedata
from itertools import combinations

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bench.dedup_truth import compare, jaccard, shingle_sets, words
from kernels.character_ranges import UNICODE
from tests.property.test_signatures import reference_words
from tests.property.texts import texts, thorough

# Few words, so that texts resemble each other.
similar = st.lists(st.lists(st.sampled_from("a b c d 漢 ก".split()), max_size=12).map(" ".join), min_size=0, max_size=8)


def plain_shingles(text: str, ngram: int) -> set[tuple[str, ...]]:
    found = reference_words(text)
    if not found:
        return set()
    return {tuple(found[start : start + ngram]) for start in range(max(1, len(found) - ngram + 1))}


def plain_jaccard(left: set, right: set) -> float:
    return len(left & right) / len(left | right) if left | right else 0.0


@pytest.mark.skipif(unicodedata.unidata_version != UNICODE, reason=f"this Python knows another Unicode than {UNICODE}")
def test_every_character_is_a_word_or_none_as_for_the_kernels():
    for point in range(0x110000):
        if 0xD800 <= point < 0xE000:
            continue
        text = f"x{chr(point)}\u0301x漢{chr(point)}漢"
        assert words(text) == reference_words(text), hex(point)


@thorough
@given(texts)
@example(
    ["The cat's mat_1, ÉTE naïve 12,5", "小明在iPhone手机上，读了3本书。", "กินข้าวแล้ว ๑๒๓ ครั้ง", "か\u3099が ｶﾞ コーヒー"]
)
def test_words_are_those_of_the_kernels(documents):
    assert [words(text) for text in documents] == [reference_words(text) for text in documents]


@thorough
@given(texts, st.integers(1, 6))
@example(["a b c", "a b", "c", "a b c d e", "b c d e f", "", "A B C"], 5)
def test_the_same_shingle_has_one_number(documents, ngram):
    numbered = shingle_sets(documents, ngram=ngram)
    plain = [plain_shingles(text, ngram) for text in documents]
    for number, one in enumerate(numbered):
        assert np.all(np.diff(one) > 0)
        assert len(one) == len(plain[number])
    for left, right in combinations(range(len(documents)), 2):
        assert len(np.intersect1d(numbered[left], numbered[right])) == len(plain[left] & plain[right])


@thorough
@given(similar, st.sampled_from([0.05, 0.4, 0.5, 1.0]), st.integers(1, 5))
@example(["a b c d", "a b c d", "b", "", "", "a b c a b c"], 0.5, 2)
def test_pairs_are_those_of_brute_force(documents, least, ngram):
    truth = compare(documents, least=least, ngram=ngram)
    plain = [plain_shingles(text, ngram) for text in documents]
    expected = {pair: plain_jaccard(plain[pair[0]], plain[pair[1]]) for pair in combinations(range(len(documents)), 2)}
    found = dict(zip(map(tuple, truth.pairs.tolist()), truth.similarities.tolist(), strict=True))
    assert found == {pair: value for pair, value in expected.items() if value >= least}
    assert list(found) == sorted(found)
    if expected:
        left, right = np.array(list(expected)).T
        assert jaccard(truth, left, right).tolist() == list(expected.values())


def test_a_document_is_itself():
    truth = compare(["a b c", ""])
    assert jaccard(truth, np.array([0, 1, 0]), np.array([0, 1, 1])).tolist() == [1.0, 1.0, 0.0]


def test_pairs_without_anything_in_common_cannot_be_asked_for():
    with pytest.raises(ValueError, match="above 0"):
        compare(["a"], least=0)
