"""Band keys: equal rows of a band give equal keys in that band and in no other."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dedup.bands import band_keys, found_with
from tests.property.texts import thorough


def test_keys_tell_which_bands_agree() -> None:
    signatures = np.arange(24, dtype=np.uint32).reshape(2, 12)
    signatures[1, 4:8] = signatures[0, 4:8]
    keys = band_keys(signatures, bands=3, rows=4)
    assert keys.dtype == np.uint64
    assert (keys[0] == keys[1]).tolist() == [False, True, False]


def test_equal_values_in_different_bands_do_not_meet() -> None:
    keys = band_keys(np.full((1, 6), 7, np.uint32), bands=3, rows=2)
    assert len(set(keys[0].tolist())) == 3


def test_the_order_of_rows_matters() -> None:
    keys = band_keys(np.array([[1, 2], [2, 1]], np.uint32), bands=1, rows=2)
    assert keys[0] != keys[1]


def test_other_lengths_are_refused() -> None:
    with pytest.raises(ValueError, match="length 7"):
        band_keys(np.zeros((1, 7), np.uint32), bands=2, rows=4)
    assert band_keys(np.zeros((0, 8), np.uint32), bands=2, rows=4).shape == (0, 2)


def test_the_probability_of_the_published_bands() -> None:
    assert found_with(1.0, bands=14, rows=8) == 1.0
    assert found_with(0.0, bands=14, rows=8) == 0.0
    # FineWeb (arXiv 2406.17557, section 3.4): 77 % at 0.75, 92 % at 0.8.
    assert found_with(0.75, bands=14, rows=8) == pytest.approx(0.772, abs=5e-4)
    assert found_with(0.8, bands=14, rows=8) == pytest.approx(0.924, abs=5e-4)


@thorough
@given(st.integers(0, 7), st.lists(st.integers(0, 6), max_size=9))
def test_keys_of_chosen_documents_are_theirs(seed, chosen) -> None:
    signatures = np.random.default_rng(seed).integers(0, 2**32, (7, 6), dtype=np.uint32)
    found = band_keys(signatures, bands=3, rows=2, chosen=np.array(chosen, np.int64))
    assert (found == band_keys(signatures, bands=3, rows=2)[chosen]).all()
