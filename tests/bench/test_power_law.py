"""Fitted exponents and their ranges, against known power laws."""

import math

import pytest

from bench.power_law import Series, fit_power


def _series(x, y, zero=0.0):
    return Series(of="documents", unit="CPU s", command="", x=x, y=y, zero=zero)


def test_an_exact_power_law_is_found_with_no_range():
    sizes = [1.0, 2.5, 6.3, 16.0]
    fit = fit_power(_series(sizes, [5 + 3 * size**1.5 for size in sizes], zero=5.0))
    assert fit is not None
    assert (fit.exponent, fit.factor) == pytest.approx((1.5, 3.0))
    assert fit.high - fit.low == pytest.approx(0, abs=1e-6)


def test_the_range_is_students():
    """Sizes 1, e, e², e³ and logarithms 0, 1, 2, 4: the slope is 6.5 / 5; t is 4.303 for two degrees of freedom."""
    sizes = [math.exp(i) for i in range(4)]
    fit = fit_power(_series(sizes, [math.exp(value) for value in (0, 1, 2, 4)]))
    assert fit is not None
    residuals = [0.2, -0.1, -0.4, 0.3]  # of 0, 1, 2, 4 less -0.2 + 1.3 i
    half = 4.303 * math.sqrt(sum(r * r for r in residuals) / 2 / 5)
    assert (fit.exponent, fit.low, fit.high) == pytest.approx((1.3, 1.3 - half, 1.3 + half))


def test_values_that_do_not_exceed_the_zero_are_not_fitted():
    assert fit_power(_series([1.0, 2.0, 4.0], [5.0, 4.9, 9.0], zero=5.0)) is None
    assert fit_power(_series([1.0, 2.0], [1.0, 2.0])) is None


def test_equal_sizes_are_refused():
    with pytest.raises(ValueError, match="equal"):
        fit_power(_series([2.0, 2.0, 2.0], [1.0, 2.0, 3.0]))


def test_the_slope_is_that_of_the_largest_size_without_the_zero():
    assert _series([1.0, 10.0], [7.0, 25.0], zero=5.0).slope() == 2.0


def test_the_size_of_the_zero_is_taken_off_the_sizes():
    series = _series([3.0, 4.0, 6.0, 18.0], [5 + 2 * (size - 2) for size in (3, 4, 6, 18)], zero=5.0)
    series.origin = 2.0
    fit = fit_power(series)
    assert fit is not None
    assert (series.slope(), fit.exponent) == pytest.approx((2.0, 1.0))
