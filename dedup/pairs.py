"""Duplicate pairs in packed form: from one part's keys to shuffle elements, and from a partition's elements to edges.

In: keys of one part (band keys uint64, or 128-bit document ids) and the row ids of its documents. Between: one element
per partition, packed bytes, at most `MAX_ELEMENT_BYTES` each. Out: star edges (hub, row), sorted and unique. The order
in which elements arrive at a partition does not matter.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from dedup.components import edges_from_pairs

U64 = npt.NDArray[np.uint64]

# Flink holds an element and all values of a key on the heap; 8 MB and 32 MB pass with a factor of 2 to 4 to spare.
MAX_ELEMENT_BYTES = 8 << 20
BYTES_PER_PARTITION = 16 << 20


def bytes_per_document(bands: int, *, exact: bool) -> int:
    """Bytes that one document puts into the shuffle: 16 per band, 24 for its id."""
    return 16 * bands + (24 if exact else 0)


def partitions_for(total_bytes: int) -> int:
    """Number of partitions for a shuffle of this size: one per 16 MiB, at least one."""
    return max(1, -(-total_bytes // BYTES_PER_PARTITION))


def pack_bands(keys: U64, rows: U64, *, partitions: int) -> Iterator[tuple[int, bytes]]:
    """Elements for the band keys of one part.

    Args:
        keys: uint64[n, bands]. The band's number is folded into its keys, so that keys of different bands differ.
        rows: uint64[n], row ids.
        partitions: a key belongs to partition (key >> 32) mod `partitions`.
    """
    flat = np.ascontiguousarray(keys).reshape(-1)
    repeated = np.repeat(rows, keys.shape[1])
    yield from _pack((flat,), repeated, flat, partitions)


def pack_ids(ids: npt.NDArray[np.uint64], rows: U64, *, partitions: int) -> Iterator[tuple[int, bytes]]:
    """Elements for the 128-bit document ids of one part; `ids` is uint64[n, 2]."""
    yield from _pack((ids[:, 0], ids[:, 1]), rows, ids[:, 0], partitions)


def band_edges(elements: Sequence[bytes]) -> U64:
    """Star edges uint64[e, 2] among rows that share a band key."""
    keys, rows = _unpack(elements, 2)
    return edges_from_pairs(keys, rows)


def id_edges(elements: Sequence[bytes]) -> U64:
    """Star edges uint64[e, 2] among rows with the same 128-bit id.

    Both halves are compared: no chance collision drops text.
    """
    high, low, rows = _unpack(elements, 3)
    order = np.lexsort((rows, low, high))
    high, low, rows = high[order], low[order], rows[order]
    first = np.ones(len(rows), bool)
    first[1:] = (high[1:] != high[:-1]) | (low[1:] != low[:-1])
    hubs = rows[np.maximum.accumulate(np.where(first, np.arange(len(rows)), 0))]
    edges: U64 = np.stack([hubs[~first], rows[~first]], axis=1)
    return edges


def _pack(columns: tuple[U64, ...], rows: U64, routing: U64, partitions: int) -> Iterator[tuple[int, bytes]]:
    if not len(rows):
        return
    partition = ((routing >> np.uint64(32)) % np.uint64(partitions)).astype(np.int64)
    order = np.argsort(partition, kind="stable")
    bounds = np.searchsorted(partition[order], np.arange(partitions + 1))
    limit = MAX_ELEMENT_BYTES // (8 * (len(columns) + 1))
    for number in range(partitions):
        for start in range(bounds[number], bounds[number + 1], limit):
            chosen = order[start : min(start + limit, bounds[number + 1])]
            yield number, b"".join([*(column[chosen].tobytes() for column in columns), rows[chosen].tobytes()])


def _unpack(elements: Sequence[bytes], columns: int) -> tuple[U64, ...]:
    arrays = [np.frombuffer(element, np.uint64).reshape(columns, -1) for element in elements]
    if not arrays:
        return tuple(np.empty(0, np.uint64) for _ in range(columns))
    joined = np.concatenate(arrays, axis=1)
    return tuple(joined[index] for index in range(columns))
