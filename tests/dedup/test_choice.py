"""Who stays, against the definition in plain Python."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dedup.choice import Known, best_pairs, find, join_known, settle
from tests.property.texts import thorough

# Rows in any order of preference: the first number of a pair is preferred.
pairs_of_rows = st.lists(
    st.tuples(st.integers(0, 14), st.integers(0, 14)).filter(lambda pair: pair[0] < pair[1]), max_size=40
)


def array(values: list[int]) -> np.ndarray:
    return np.array(values, np.uint64)


def reference(pairs: list[tuple[int, int]]) -> dict[int, bool]:
    """Whether each row goes: a row goes if one that is preferred to it, and stays, is its neighbour."""
    goes: dict[int, bool] = {}
    for row in sorted({row for pair in pairs for row in pair}):
        goes[row] = any(other == row and not goes[one] for one, other in pairs)
    return goes


def settled(pairs: list[tuple[int, int]], *, first: list[int], known: dict[int, bool]) -> dict[int, bool]:
    told = Known(array(sorted(known)), np.array([known[row] for row in sorted(known)], bool))
    found = settle(
        array([one for one, _ in pairs]), array([other for _, other in pairs]), first=array(first), known=told
    )
    assert found.rows.tolist() == sorted(found.rows.tolist())
    return dict(zip(found.rows.tolist(), found.goes.tolist(), strict=True))


def sources(pairs: list[tuple[int, int]]) -> list[int]:
    return sorted({one for one, _ in pairs} - {other for _, other in pairs})


@thorough
@given(pairs_of_rows, st.permutations(range(15)), st.randoms())
def test_the_choice_equals_the_definition(pairs, names, random) -> None:
    """Whatever rows are called, and in whatever order pairs come, some of them twice."""
    named = [(names[one], names[other]) for one, other in pairs] + [
        (names[one], names[other]) for one, other in pairs[:3]
    ]
    random.shuffle(named)
    expected = {names[row]: goes for row, goes in reference(pairs).items()}
    assert settled(named, first=sources(named), known={}) == expected


@thorough
@given(pairs_of_rows, st.data())
def test_parts_of_the_graph_decide_the_same(pairs, draw) -> None:
    """Each of three owners decides what it can and tells the others, until all is decided."""
    owner = {row: draw.draw(st.integers(0, 2)) for row in range(15)}
    expected, starts = reference(pairs), sources(pairs)
    known: dict[int, bool] = {}
    for _ in range(16):
        told: dict[int, bool] = {}
        for number in range(3):
            own = [pair for pair in pairs if owner[pair[1]] == number]
            first = [row for row in starts if owner[row] == number]
            found = settled(own, first=first, known={row: goes for row, goes in known.items() if owner[row] != number})
            told |= {row: goes for row, goes in found.items() if owner[row] == number}
        assert all(expected[row] == goes for row, goes in told.items())
        known |= told
    assert known == expected


def test_a_chain_of_a_thousand_versions() -> None:
    pairs = [(row, row + 1) for row in range(999)]
    assert settled(pairs, first=[0], known={}) == {row: row % 2 == 1 for row in range(1000)}


def test_what_hangs_on_the_unknown_is_not_decided() -> None:
    assert settled([(1, 2), (2, 3)], first=[], known={}) == {}
    assert settled([(1, 2), (2, 3)], first=[], known={1: True}) == {1: True, 2: False, 3: True}
    assert settled([(1, 2), (5, 2)], first=[5], known={}) == {2: True, 5: False}
    assert settled([], first=[4], known={}) == {4: False}


def test_what_is_known_is_joined_in_order() -> None:
    joined = join_known([Known(array([5, 9]), np.array([True, False])), Known(array([7]), np.array([True]))])
    assert (joined.rows.tolist(), joined.goes.tolist()) == ([5, 7, 9], [True, True, False])
    place, found = find(joined.rows, array([9, 6, 5, 11]))
    assert (place[found].tolist(), found.tolist()) == ([2, 0], [True, False, True, False])
    assert find(array([]), array([1]))[1].tolist() == [False]


@pytest.mark.parametrize(
    ("stays", "expected"),
    [
        ([True, True, True, True], [2, 3]),  # the most similar one
        ([True, True, False, True], [1, 3]),  # then the smallest id
        ([False, False, False, False], []),
    ],
)
def test_the_best_of_those_that_stay(stays, expected) -> None:
    ids = np.array([[5, 1], [4, 9], [6, 0], [1, 1]], np.uint64)
    similarity = np.array([0.8, 0.8, 0.9, 0.7], np.float32)
    found = best_pairs(array([30, 30, 30, 40]), np.array(stays), similarity, ids)
    assert found.tolist() == expected
