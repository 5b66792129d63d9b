"""Apportionment, against cases computed by hand."""

from __future__ import annotations

from fractions import Fraction

import pytest

from mixing.apportion import apportion, fill_in_proportion


def fractions(**numbers: float) -> dict[str, Fraction]:
    return {name: Fraction(str(number)) for name, number in numbers.items()}


def test_what_a_full_one_cannot_take_goes_to_the_others_in_proportion() -> None:
    weights, roomy = fractions(a=0.5, b=0.3, c=0.2), fractions(a=100, b=100, c=100)
    assert fill_in_proportion(Fraction(10), weights, roomy) == fractions(a=5, b=3, c=2)
    assert fill_in_proportion(Fraction(10), weights, {**roomy, "a": Fraction(1)}) == fractions(a=1, b=5.4, c=3.6)
    # b is full only because a was.
    assert fill_in_proportion(Fraction(10), weights, fractions(a=1, b=4, c=100)) == fractions(a=1, b=4, c=5)
    assert fill_in_proportion(Fraction(10), weights, fractions(a=1, b=4, c=2)) == fractions(a=1, b=4, c=2)
    assert fill_in_proportion(Fraction(0), {}, {}) == {}


def test_largest_remainders_get_the_rest_and_ties_go_by_name() -> None:
    free = {"a": 100, "b": 100, "c": 100}
    assert apportion(10, fractions(a=1, b=1, c=1), free) == {"a": 4, "b": 3, "c": 3}
    assert apportion(11, fractions(c=1, b=1, a=1), free) == {"a": 4, "b": 4, "c": 3}
    # Hamilton's own case: quotas 5.25, 2.6, 2.15.
    assert apportion(10, fractions(a=5.25, b=2.6, c=2.15), free) == {"a": 5, "b": 3, "c": 2}
    assert apportion(4, fractions(a=1, b=0.000001), free) == {"a": 4, "b": 0}


def test_limits_are_kept_and_must_suffice() -> None:
    assert apportion(10, fractions(a=1, b=1, c=1), {"a": 1, "b": 0, "c": 100}) == {"a": 1, "b": 0, "c": 9}
    assert apportion(3, fractions(a=1, b=1), {"a": 1, "b": 2}) == {"a": 1, "b": 2}
    with pytest.raises(ValueError, match="less than 4"):
        apportion(4, fractions(a=1, b=1), {"a": 1, "b": 2})
