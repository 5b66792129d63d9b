"""From rows that share a key to clusters of rows.

In: keys and row ids, in any order. Out: star edges (every row of a key to the smallest row of that key), then
components labelled by their smallest row. The result depends on the set of pairs only.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

U64 = npt.NDArray[np.uint64]


def edges_from_pairs(keys: U64, rows: U64) -> U64:
    """Star edges among rows with equal keys.

    Args:
        keys: uint64[m].
        rows: uint64[m], row ids; a row may come with many keys, or twice with one.

    Returns:
        uint64[e, 2]: (smallest row of the key, another row of it), sorted, unique.
    """
    order = np.lexsort((rows, keys))
    keys, rows = keys[order], rows[order]
    first = np.ones(len(keys), bool)
    first[1:] = keys[1:] != keys[:-1]
    hubs = rows[np.maximum.accumulate(np.where(first, np.arange(len(keys)), 0))] if len(keys) else rows
    edge = hubs != rows
    return unique_edges(np.stack([hubs[edge], rows[edge]], axis=1))


def unique_edges(edges: U64) -> U64:
    """Sorted rows of uint64[e, 2], each once."""
    if not len(edges):
        return edges.reshape(0, 2)
    order = np.lexsort((edges[:, 1], edges[:, 0]))
    ordered = edges[order]
    new = np.ones(len(ordered), bool)
    new[1:] = (ordered[1:] != ordered[:-1]).any(axis=1)
    return ordered[new]


def components(edges: U64) -> tuple[U64, U64]:
    """Connected components by hooking to smaller labels and pointer jumping (Shiloach and Vishkin 1982), in NumPy.

    Args:
        edges: uint64[e, 2], undirected, in any order.

    Returns:
        Nodes uint64[n], sorted, and for each the smallest node of its component. Memory is about 100 bytes an edge.
    """
    nodes, inverse = np.unique(edges, return_inverse=True)
    left, right = inverse.reshape(-1, 2).T
    parent = np.arange(len(nodes))
    while True:
        low, high = parent[left], parent[right]
        apart = low != high
        if not apart.any():
            return nodes, nodes[parent]
        left, right, low, high = left[apart], right[apart], low[apart], high[apart]
        np.minimum.at(parent, np.maximum(low, high), np.minimum(low, high))
        while True:
            jumped = parent[parent]
            if np.array_equal(jumped, parent):
                break
            parent = jumped
