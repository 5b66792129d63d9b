"""Repeated runs of tokens: what `dedup` removes is what the definition says, by brute force over every gram."""

from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import dedup.repeats
import dedup.stretches
from dedup.winnowing import segments, window
from tests.property.repeated_tokens import Corpus, Text, brute_force, find, order_of
from tests.property.texts import thorough


@st.composite
def corpora(draw: st.DrawFn) -> tuple[Corpus, int]:
    """Texts of few phrases, runs and periods, so that all kinds of repeats meet and overlap; and tokens of a gram."""
    n = draw(st.integers(2, 9))
    phrase = st.one_of(
        st.lists(st.integers(3, 6), min_size=1, max_size=2 * n),
        st.tuples(st.lists(st.integers(3, 6), min_size=1, max_size=n + 1), st.integers(2, 5)).map(
            lambda pair: pair[0] * pair[1]
        ),
    )
    phrases = draw(st.lists(phrase, min_size=1, max_size=4))
    text = st.lists(st.one_of(st.sampled_from(phrases), phrase), max_size=4).map(
        lambda parts: tuple(token for part in parts for token in part)
    )
    corpus: Corpus = []
    for _ in range(draw(st.integers(1, 4))):
        priority, scope = draw(st.integers(0, 1)), draw(st.integers(0, 1))
        corpus.append(
            [
                Text(tokens, identity, priority, scope)
                for tokens, identity in draw(
                    st.lists(st.tuples(text, st.sampled_from([0, 1, 2, 2**64, 2**128 - 1])), max_size=4)
                )
            ]
        )
    return corpus, n


@thorough
@given(corpora(), st.integers(1, 3), st.booleans(), st.sampled_from([0.0, 0.2, 0.5, 1.0]), st.randoms())
def test_what_goes_is_what_the_definition_says(drawn, partitions, hot, share, shuffle) -> None:
    corpus, n = drawn
    found = find(corpus, n=n, share=share, partitions=partitions, hot=hot, draw=shuffle)
    expected = brute_force(corpus, n=n, share=share)
    assert found.tokens == expected.tokens
    assert found.documents == expected.documents


@thorough
@given(corpora(), st.sampled_from([0.0, 0.3, 1.0]))
def test_runs_name_an_equal_text_and_what_goes_stays_elsewhere(drawn, share) -> None:
    """Each run is that of its first occurrence, and from each token that goes a chain of them ends at one that stays in
    a document that stays.
    """
    corpus, n = drawn
    found = find(corpus, n=n, share=share, partitions=2)
    order = order_of(corpus)
    steps: dict[tuple[tuple[int, int], int], tuple[tuple[int, int], int]] = {}
    for document, start, length, identity, kept_start in found.runs:
        text = corpus[document[0]][document[1]]
        assert length >= n
        homes = [
            place
            for place in sorted(order, key=order.__getitem__)
            if corpus[place[0]][place[1]].identity == identity
            and corpus[place[0]][place[1]].scope == text.scope
            and corpus[place[0]][place[1]].tokens[kept_start : kept_start + length]
            == text.tokens[start : start + length]
        ]
        assert homes, "the first occurrence has these tokens"
        assert (order[homes[0]], kept_start) < (order[document], start)
        for token in range(length):
            steps[document, start + token] = homes[0], kept_start + token
    assert {(document, token) for document, tokens in found.tokens.items() for token in tokens} == set(steps)
    for place in steps:
        while place in steps:
            place = steps[place]
        assert place[0] not in found.documents


@thorough
@given(st.lists(st.lists(st.integers(0, 3), max_size=30), max_size=4), st.integers(2, 9), st.integers(0, 2))
def test_each_gram_is_in_one_segment_whose_key_depends_on_its_tokens(texts, n, seed) -> None:
    tokens = np.array([token for text in texts for token in text], np.uint32)
    ends = np.cumsum([len(text) for text in texts]).astype(np.int64)
    begins = ends - np.array([len(text) for text in texts], np.int64)
    found = segments(tokens, begins, ends, min_tokens=n, seed=seed)
    keys: dict[tuple[int, ...], int] = {}
    grams = []
    for key, document, start, count in zip(*(column.tolist() for column in found), strict=True):
        assert 1 <= count <= window(n)
        for place in range(start, start + count):
            grams.append((document, place))
            gram = tuple(texts[document][place : place + n])
            assert len(gram) == n
            assert keys.setdefault(gram, key) == key
    assert grams == [(d, s) for d, text in enumerate(texts) for s in range(len(text) - n + 1)]


def test_a_run_of_one_token_has_few_segments() -> None:
    """Not one a token, as with the rightmost minimum of each window alone."""
    tokens = np.full(100_000, 7, np.uint16)
    bounds = np.array([0], np.int64), np.array([len(tokens)], np.int64)
    assert len(segments(tokens, *bounds, min_tokens=50).keys) <= len(tokens) // window(50) + 1
    rare = np.random.default_rng(5).integers(0, 30_000, len(tokens)).astype(np.uint16)
    density = len(segments(rare, *bounds, min_tokens=50).keys) / len(tokens)
    assert density == pytest.approx(2 / 27, rel=0.02)


def test_what_is_left_of_repetition_within_a_document() -> None:
    """Of a run without gaps the first `n` tokens, and up to a period more."""
    for period, left in ((1, 50), (2, 50), (30, 60), (50, 50), (70, 70)):
        (gone,) = find([[Text(tuple(range(3, 3 + period)) * 300, 1)]], n=50, share=0.0, partitions=1).tokens.values()
        assert gone == set(range(left, period * 300)), period


def test_a_text_in_many_documents_with_other_words_around_it() -> None:
    """Also in chunks of few grams, small elements, and with keys whose grams go one by one."""
    draw = random.Random(3)
    notice = tuple(draw.randrange(3, 1000) for _ in range(60))
    words = iter(range(1000, 60_000))
    corpus = [
        [
            Text(tuple(next(words) for _ in range(20)) + notice[row % 9 :] + (next(words),) * 9, shard * 100 + row)
            for row in range(90)
        ]
        for shard in range(4)
    ]
    expected = brute_force(corpus, n=50, share=0.2)
    assert sum(map(bool, expected.tokens.values())) == 359
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dedup.repeats, "MOST_GRAMS", 50)
        patch.setattr(dedup.stretches, "MAX_ELEMENT_BYTES", 1_000)
        for hot in (False, True):
            found = find(corpus, n=50, share=0.2, partitions=3, hot=hot)
            assert found.tokens == expected.tokens
            assert found.documents == expected.documents


def test_grams_with_one_hash_are_told_apart(monkeypatch) -> None:
    """Were all hashes equal, tokens alone would decide."""
    corpus = [[Text((3, 4, 5, 6), 1), Text((4, 5, 6, 7), 2)], [Text((9, 5, 6, 7, 8), 3), Text((1, 2), 4)]]
    monkeypatch.setattr(
        dedup.repeats, "hash_grams", lambda tokens, places, counts, min_tokens: np.zeros(int(counts.sum()), np.uint64)
    )
    assert find(corpus, n=3, share=0.0, partitions=1).tokens == brute_force(corpus, n=3, share=0.0).tokens


def test_runs_of_one_token_are_refused() -> None:
    nothing = np.empty(0, np.int64)
    with pytest.raises(ValueError, match="at least 2"):
        segments(np.empty(0, np.uint16), nothing, nothing, min_tokens=1)
