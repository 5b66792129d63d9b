"""Hashes in order, against Python's own sort."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dedup.hash_order import bucket_order, sorted_by_key, totals
from tests.property.texts import thorough

# Keys of one bin, of neighbouring ones and of the ends.
hashes = st.one_of(st.sampled_from([0, 1, 2, 1 << 60, (1 << 60) + 1, 2**64 - 1]), st.integers(0, 2**64 - 1))


@thorough
@given(st.lists(st.tuples(hashes, st.integers(0, 2**64 - 1)), max_size=60), st.integers(1, 40))
def test_sorted_as_python_sorts(pairs, repeats) -> None:
    """Repeated, so that there are bins of many equal keys, and blocks that are merged."""
    pairs = [(key, value ^ number) for number in range(repeats) for key, value in pairs]
    keys, values = (np.array([pair[index] for pair in pairs], np.uint64) for index in range(2))
    found = sorted_by_key(keys, values)
    expected = sorted(pairs, key=lambda pair: pair[0])
    assert list(zip(found[0].tolist(), found[1].tolist(), strict=True)) == expected


@pytest.mark.parametrize("count", [1, 63, 64, 65, 4_095, 4_096, 5_000, 200_000])
@pytest.mark.parametrize("distinct", [1, 7, 1_000, 1 << 62])
@pytest.mark.parametrize("shift", [0, 1, 2])
def test_many_keys_are_sorted(count, distinct, shift) -> None:
    keys = np.random.default_rng(count).integers(0, distinct, count, dtype=np.uint64) << np.uint64(shift)
    if distinct == 1_000:
        keys *= np.uint64(0x9E3779B97F4A7C15)
    found, values = sorted_by_key(keys, np.arange(count, dtype=np.uint64))
    order = np.argsort(keys, kind="stable")
    assert (found == keys[order]).all()
    assert (values == order).all()


@thorough
@given(st.lists(st.dictionaries(hashes, st.integers(1, 5), max_size=20), max_size=6), st.data())
def test_totals_are_the_sums_of_all_runs(runs, draw) -> None:
    own_runs = draw.draw(st.one_of(st.none(), st.integers(0, len(runs))))
    sums: defaultdict[int, int] = defaultdict(int)
    for run in runs:
        for key, count in run.items():
            sums[key] += count if own_runs is None or any(key in own for own in runs[:own_runs]) else 0
    given_runs = [
        (np.array(sorted(run), np.uint64), np.array([run[key] for key in sorted(run)], np.uint32)) for run in runs
    ]
    assert totals(given_runs, own_runs=own_runs).tolist() == [sums[key] for run in runs for key in sorted(run)]


@pytest.mark.parametrize("runs", [1, 3, 60])
def test_totals_of_many_keys(runs) -> None:
    generator = np.random.default_rng(runs)
    everything = generator.integers(0, 2**64 - 1, 20_000, dtype=np.uint64, endpoint=True)
    made = []
    for _ in range(runs):
        keys = np.unique(generator.choice(everything, 6_000))
        made.append((keys, generator.integers(1, 9, len(keys), dtype=np.uint32)))
    distinct, places = np.unique(np.concatenate([keys for keys, _ in made]), return_inverse=True)
    sums = np.bincount(places, weights=np.concatenate([counts for _, counts in made]), minlength=len(distinct))
    assert (totals(made) == sums[places].astype(np.uint64)).all()


@thorough
@given(st.lists(st.tuples(hashes, *[st.integers(0, 2)] * 3), max_size=60), st.integers(1, 4))
def test_members_are_ordered_by_bucket_preference_and_id(members, spread) -> None:
    """Ids tell members of one bucket apart, as they do rows; the last is made so here."""
    members = [(key >> 61 << 61, spread * one, two, 3 * index + three) for index, (key, one, two, three) in
               enumerate(members)]  # fmt: skip
    keys, preferences = (np.array([each[index] for each in members], np.uint64) for index in range(2))
    ids = np.array([each[2:] for each in members], np.uint64).reshape(-1, 2)
    expected = sorted(range(len(members)), key=lambda index: members[index])
    assert bucket_order(keys, preferences, ids).tolist() == expected


@pytest.mark.parametrize("buckets", [1, 5, 3_000])
def test_buckets_of_any_size_are_ordered(buckets) -> None:
    generator = np.random.default_rng(buckets)
    keys = generator.integers(0, 2**63, buckets, dtype=np.uint64)[generator.integers(0, buckets, 10_000)]
    preferences = generator.integers(0, 9, 10_000, dtype=np.uint64)
    ids = generator.integers(0, 2**63, (10_000, 2), dtype=np.uint64)
    expected = np.lexsort((ids[:, 1], ids[:, 0], preferences, keys))
    assert (bucket_order(keys, preferences, ids) == expected).all()
