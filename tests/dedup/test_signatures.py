"""Signatures: which texts count as the same, and values on which stored signatures depend."""

from __future__ import annotations

import pytest

from dedup.signatures import EMPTY, make_permutations
from tests.signing import signatures

PERMUTATIONS = make_permutations(112, seed=0)


def same(left: str, right: str, *, ngram: int = 5) -> bool:
    values, _ = signatures([left, right], permutations=PERMUTATIONS, ngram=ngram)
    return bool((values[0] == values[1]).all())


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [
        ("The quick brown fox jumps.", "the QUICK -- brown\nfox, jumps", True),
        ("one two three", "one two four", False),
        ("one two three", "three two one", False),
        ("a b", "ab", False),
        ("Éa b c d e", "éa b c d e", False),  # only A to Z are lower-cased
        ("中文 字", "中文, 字", True),
        ("a_b c", "a b c", False),
        ("x y z", "x y z x y z", False),
    ],
)
def test_what_is_the_same(left: str, right: str, expected: bool) -> None:
    assert same(left, right) is expected


def test_repeated_shingles_count_once() -> None:
    assert same("x y x y x y", "x y x y x", ngram=2)


def test_documents_without_words_take_no_part() -> None:
    values, shingles = signatures(["", "?!", "word"], permutations=PERMUTATIONS, ngram=5)
    assert shingles.tolist() == [0, 0, 1]
    assert (values[:2] == EMPTY).all()
    assert (values[2] != EMPTY).any()


def test_shingles_are_counted() -> None:
    _, shingles = signatures(["a b c d", "a b c d e", "a b c d e f"], permutations=PERMUTATIONS, ngram=5)
    assert shingles.tolist() == [1, 1, 2]


def test_permutations_are_published_values() -> None:
    """splitmix64 of seed 0 begins e220a8397b1dcdaf 6e789e6aa1b965f4 06c45d188009454f (its authors' reference); upper
    halves, odd.
    """
    permutations = make_permutations(2, seed=0)
    assert permutations.multipliers.tolist() == [0xE220A839, 0x06C45D18 | 1]
    assert permutations.addends.tolist()[0] == 0x6E789E6A


def test_permutations_depend_on_the_seed_and_fewer_are_the_first_of_more() -> None:
    many, few, others = make_permutations(112, seed=5), make_permutations(10, seed=5), make_permutations(112, seed=6)
    assert (many.multipliers[:10] == few.multipliers).all()
    assert (many.addends[:10] == few.addends).all()
    assert (many.multipliers != others.multipliers).mean() > 0.99
    assert (many.multipliers % 2 == 1).all()


def test_signature_of_a_known_text() -> None:
    """Signatures are stored and compared across releases: this changes only together with the format's version."""
    values, _ = signatures(
        ["The miller grinds the grain of the valley."], permutations=make_permutations(4, seed=1), ngram=5
    )
    assert values.tolist() == [[534111613, 1994620212, 1282198744, 156940401]]


def test_a_shingle_has_a_word() -> None:
    with pytest.raises(ValueError, match="0 words"):
        signatures(["a"], permutations=PERMUTATIONS, ngram=0)
