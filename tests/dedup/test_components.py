"""Edges and components: small cases by hand, and the graphs on which hooking is slowest."""

from __future__ import annotations

import numpy as np

from dedup.components import components, edges_from_pairs, unique_edges


def u64(*values: int) -> np.ndarray:
    return np.array(values, np.uint64)


def test_edges_go_from_the_smallest_row_of_a_key() -> None:
    keys, rows = u64(5, 5, 5, 9, 9, 2), u64(30, 10, 20, 40, 10, 50)
    assert edges_from_pairs(keys, rows).tolist() == [[10, 20], [10, 30], [10, 40]]


def test_a_row_is_no_duplicate_of_itself() -> None:
    assert edges_from_pairs(u64(1, 1, 1, 2), u64(7, 7, 8, 7)).tolist() == [[7, 8]]
    assert edges_from_pairs(u64(1, 1), u64(7, 7)).shape == (0, 2)


def test_nothing_gives_nothing() -> None:
    empty = np.empty(0, np.uint64)
    edges = edges_from_pairs(empty, empty)
    assert (edges.shape, edges.dtype) == ((0, 2), np.uint64)
    nodes, roots = components(edges)
    assert (nodes.tolist(), roots.tolist(), nodes.dtype, roots.dtype) == ([], [], np.uint64, np.uint64)


def test_edges_are_sorted_and_unique() -> None:
    edges = np.array([[3, 4], [1, 9], [3, 4], [1, 2]], np.uint64)
    assert unique_edges(edges).tolist() == [[1, 2], [1, 9], [3, 4]]


def test_components_are_labelled_by_their_smallest_row() -> None:
    large = 2**64 - 1
    nodes, roots = components(np.array([[8, 5], [large, 8], [2, 2**40]], np.uint64))
    assert dict(zip(nodes.tolist(), roots.tolist(), strict=True)) == {2: 2, 5: 5, 8: 5, 2**40: 2, large: 5}


def test_long_chains() -> None:
    for order in (np.arange(100_000), np.arange(100_000)[::-1], np.random.default_rng(0).permutation(100_000)):
        chain = order.astype(np.uint64)
        nodes, roots = components(np.stack([chain[:-1], chain[1:]], axis=1))
        assert len(nodes) == 100_000
        assert not roots.any()
