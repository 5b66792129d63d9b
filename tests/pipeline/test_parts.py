"""Parts: numbers, row ids, groups."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.parts import Part, group_parts, split_row_ids


def part(name="s/a.0000", number=0, *, priority=0, text_bytes=10, source="s"):
    return Part(
        name=name,
        number=number,
        source=source,
        sha256="",
        rows=1,
        text_bytes=text_bytes,
        priority=priority,
        bucket=f"{source}/general",
    )


@given(st.integers(0, 255), st.integers(0, 2**24 - 1), st.integers(0, 2**32 - 1))
def test_row_ids_order_by_priority_part_and_row_and_split_again(priority, number, row) -> None:
    row_id = part(number=number, priority=priority).base + row
    assert row_id < 2**64
    numbers, rows = split_row_ids(np.array([row_id], np.uint64))
    assert (numbers.tolist(), rows.tolist()) == ([number], [row])
    if priority < 255:
        assert row_id < part(number=0, priority=priority + 1).base


def test_an_element_comes_back() -> None:
    assert Part.model_validate_json(part(number=7).model_dump_json()) == part(number=7)


@pytest.mark.parametrize(
    ("sizes", "wanted", "groups"),
    [([], 10, []), ([5, 5, 5], 10, [2, 1]), ([20, 1], 10, [1, 1]), ([1, 1, 1], 100, [3])],
)
def test_groups_fill_up_in_order(sizes, wanted, groups) -> None:
    parts = [part(number=number, text_bytes=size) for number, size in enumerate(sizes)]
    grouped = group_parts(parts, text_bytes=wanted)
    assert [len(group) for group in grouped] == groups
    assert [p.number for group in grouped for p in group] == list(range(len(sizes)))


def test_groups_do_not_cross_sources() -> None:
    parts = [part(source="a"), part(source="a"), part(source="b")]
    assert [[p.source for p in group] for group in group_parts(parts, text_bytes=1_000)] == [["a", "a"], ["b"]]
