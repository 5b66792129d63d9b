"""Components against a slow union-find; the order of the input must not matter."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from dedup.components import components, edges_from_pairs
from tests.property.texts import thorough

rows = st.one_of(st.integers(0, 12), st.sampled_from([2**32, 2**63, 2**64 - 1]))
pair_lists = st.lists(st.tuples(st.integers(0, 8), rows), max_size=40)
edge_lists = st.lists(st.tuples(rows, rows), max_size=30)


def array(pairs: list[tuple[int, int]]) -> np.ndarray:
    return np.array(pairs, np.uint64).reshape(-1, 2)


def union_find(edges: list[tuple[int, int]]) -> dict[int, int]:
    root = {row: row for edge in edges for row in edge}
    for _ in edges:  # enough rounds for any chain
        for left, right in edges:
            root[left] = root[right] = min(root[left], root[right])
    return root


def labels(edges: np.ndarray) -> dict[int, int]:
    nodes, roots = components(edges)
    assert nodes.tolist() == sorted(set(nodes.tolist()))
    return dict(zip(nodes.tolist(), roots.tolist(), strict=True))


@thorough
@given(edge_lists)
def test_components_equal_union_find(edges: list[tuple[int, int]]) -> None:
    assert labels(array(edges)) == union_find(edges)


@thorough
@given(edge_lists, st.randoms(use_true_random=False))
def test_order_and_direction_of_edges_do_not_matter(edges: list[tuple[int, int]], random: object) -> None:
    shuffled = [edge[::-1] if index % 2 else edge for index, edge in enumerate(edges)] + edges[:3]
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert labels(array(shuffled)) == labels(array(edges))


@thorough
@given(pair_lists, st.randoms(use_true_random=False))
def test_rows_that_share_keys_are_connected_and_others_are_not(pairs: list[tuple[int, int]], random: object) -> None:
    every = [(left, right) for key, left in pairs for other, right in pairs if key == other and left != right]
    edges = edges_from_pairs(array(pairs)[:, 0], array(pairs)[:, 1])
    assert labels(edges) == union_find(every)
    assert all(hub < row for hub, row in edges.tolist())
    random.shuffle(pairs)  # type: ignore[attr-defined]
    assert edges_from_pairs(array(pairs)[:, 0], array(pairs)[:, 1]).tolist() == edges.tolist()
