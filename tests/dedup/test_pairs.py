"""Packed pairs: the same edges come out of a partition however its input is cut and in whatever order it arrives."""

from collections import defaultdict

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import dedup.pairs
from dedup.pairs import band_edges, bytes_per_document, id_edges, pack_bands, pack_ids, partitions_for

KEYS = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), max_size=12)


def stars(groups):
    return sorted({(min(rows), row) for rows in groups.values() for row in rows if row != min(rows)})


@given(KEYS, st.integers(1, 4), st.randoms())
def test_band_edges_are_stars_of_equal_keys(keys, partitions, draw) -> None:
    spread = np.uint64(0x9E3779B97F4A7C15)
    matrix = np.array(keys, np.uint64).reshape(-1, 2) * spread
    matrix[:, 1] += np.uint64(1)  # bands do not meet
    rows = np.arange(10, 10 + len(keys), dtype=np.uint64)
    arrived = defaultdict(list)
    for start in range(0, len(keys), 5):  # several parts
        for partition, packed in pack_bands(matrix[start : start + 5], rows[start : start + 5], partitions=partitions):
            assert 0 <= partition < partitions
            arrived[partition].append(packed)
    edges = set()
    for elements in arrived.values():
        draw.shuffle(elements)
        edges |= {tuple(edge) for edge in band_edges(elements).tolist()}
    groups = defaultdict(set)
    for row, pair in zip(rows.tolist(), keys, strict=True):
        for band, key in enumerate(pair):
            groups[band, key].add(row)
    assert sorted(edges) == stars(groups)


@given(KEYS, st.integers(1, 4))
def test_id_edges_need_both_halves(ids, partitions) -> None:
    rows = np.arange(len(ids), dtype=np.uint64)
    arrived = defaultdict(list)
    for partition, packed in pack_ids(np.array(ids, np.uint64).reshape(-1, 2), rows, partitions=partitions):
        arrived[partition].append(packed)
    found = [tuple(edge) for elements in arrived.values() for edge in id_edges(elements).tolist()]
    groups = defaultdict(set)
    for row, identity in enumerate(ids):
        groups[identity].add(row)
    assert sorted(found) == stars(groups)


def test_elements_stay_small(monkeypatch) -> None:
    monkeypatch.setattr(dedup.pairs, "MAX_ELEMENT_BYTES", 64)
    elements = list(pack_bands(np.zeros((100, 2), np.uint64), np.arange(100, dtype=np.uint64), partitions=1))
    assert len(elements) >= 100 * 2 * 16 // 64
    assert max(len(packed) for _, packed in elements) <= 64
    assert len(band_edges([packed for _, packed in elements])) == 99


def test_nothing_gives_nothing() -> None:
    assert band_edges([]).shape == (0, 2)
    assert id_edges([]).shape == (0, 2)
    assert list(pack_bands(np.empty((0, 14), np.uint64), np.empty(0, np.uint64), partitions=3)) == []


@pytest.mark.parametrize(("total", "partitions"), [(0, 1), (1, 1), (16 << 20, 1), ((16 << 20) + 1, 2), (1 << 30, 64)])
def test_partitions_grow_with_the_data(total, partitions) -> None:
    assert partitions_for(total) == partitions
    assert bytes_per_document(14, exact=True) == 14 * 16 + 24
