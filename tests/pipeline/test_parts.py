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


@given(st.integers(0, 2**31 - 1), st.integers(0, 2**32 - 1))
def test_row_ids_are_split_again(number, row) -> None:
    numbers, rows = split_row_ids(np.array([part(number=number, priority=255).base + row], np.uint64))
    assert (numbers.tolist(), rows.tolist()) == ([number], [row])


def test_an_element_comes_back() -> None:
    assert Part.model_validate_json(part(number=7).model_dump_json()) == part(number=7)


@pytest.mark.parametrize(
    ("sizes", "wanted", "groups"),
    [
        ([], 10, []),
        ([5, 5, 5], 10, [2, 1]),
        ([5, 5, 4], 10, [3]),  # what is left is less than half
        ([20, 1], 10, [2]),
        ([20, 1, 9], 10, [1, 2]),
        ([1, 1, 1], 100, [3]),
        ([0, 0, 10, 0, 0], 10, [5]),
    ],
)
def test_groups_fill_up_in_order_with_what_is_kept(sizes, wanted, groups) -> None:
    parts = [part(f"s/{number:04d}", number, text_bytes=1_000) for number in range(len(sizes))]
    kept = {each.name: size for each, size in zip(parts, sizes, strict=True)}
    grouped = group_parts(parts, kept=kept, text_bytes=wanted)
    assert [len(group) for group in grouped] == groups
    assert [p.number for group in grouped for p in group] == list(range(len(sizes)))


@given(st.lists(st.integers(0, 30), max_size=40), st.integers(1, 40))
def test_no_group_is_small_unless_its_source_is(sizes, wanted) -> None:
    parts = [part(f"s/{number:04d}", number) for number in range(len(sizes))]
    kept = {each.name: size for each, size in zip(parts, sizes, strict=True)}
    filled = [sum(kept[p.name] for p in group) for group in group_parts(parts, kept=kept, text_bytes=wanted)]
    assert sum(filled) == sum(sizes)
    assert all(2 * size >= wanted for size in filled) or len(filled) == 1
    assert all(2 * size < 3 * wanted + 2 * max(sizes) for size in filled)


def test_groups_do_not_cross_sources() -> None:
    parts = [part("a/0", source="a"), part("a/1", source="a"), part("b/0", source="b")]
    kept = {"a/0": 10, "a/1": 10, "b/0": 1}
    grouped = group_parts(parts, kept=kept, text_bytes=1_000)
    assert [[p.source for p in group] for group in grouped] == [["a", "a"], ["b"]]
