"""Exact copies: the row that stays for each id depends on content."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from dedup.exact import keepers
from dedup.preference import Strings, origins, preference_order, preferences
from tests.property.texts import buffers, thorough

record = st.tuples(st.integers(0, 2), st.integers(0, 2), st.integers(0, 2), st.integers(0, 2))


@thorough
@given(st.lists(record, max_size=30))
def test_keepers_equal_the_definition(records) -> None:
    ids = np.array([[high, low] for high, low, _, _ in records], np.uint64).reshape(-1, 2)
    priorities, origin = (np.array([each[index] for each in records], np.uint64) for index in (2, 3))
    rows = np.arange(len(records), dtype=np.uint64) * np.uint64(7)
    found = keepers(ids, priorities, origin, rows).tolist()
    for (high, low, _, _), keeper in zip(records, found, strict=True):
        same = [(each[2], each[3], 7 * index) for index, each in enumerate(records) if each[:2] == (high, low)]
        assert keeper == min(same)[2]


def test_lower_priorities_come_first_then_more_words_then_smaller_ids() -> None:
    one, two = (preferences(np.array([5, 9, 9, 2**40]), priority=priority) for priority in (1, 2))
    ids = np.array([[3, 0], [2, 9], [2, 8], [1, 1]], np.uint64)
    assert preference_order(one, ids).tolist() == [3, 2, 1, 0]
    assert one.max() < two.min()


@given(st.lists(st.tuples(st.text(max_size=9), st.text(max_size=3)), max_size=9))
def test_origins_are_those_of_the_records(records) -> None:
    found = origins(*(Strings(*buffers([record[index] for record in records])) for index in range(2))).tolist()
    assert [found[records.index(record)] for record in records] == found
    assert len(set(found)) == len(set(records))


def test_a_shorter_url_comes_first_and_none_last() -> None:
    urls = ["https://a.example/print/1", "", "https://b.example/1", "https://a.example/" + "x" * 70_000]
    found = origins(Strings(*buffers(urls)), Strings(*buffers(["", "", "", ""])))
    assert np.argsort(found).tolist() == [2, 0, 3, 1]
