"""Buckets over several runs, against a dictionary of all rows."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from dedup.buckets import members, run_keys, shared_keys
from tests.property.texts import thorough


@thorough
@given(st.lists(st.lists(st.lists(st.integers(0, 9), min_size=2, max_size=2), max_size=8), min_size=1, max_size=4))
def test_shared_keys_and_their_members(runs) -> None:
    everywhere: defaultdict[int, list[int]] = defaultdict(list)
    made, row = [], 0
    for documents in runs:
        rows = np.arange(row, row + len(documents), dtype=np.uint64)
        row += len(documents)
        # The band's number is part of a key.
        keys = np.array([[2 * key, 2 * other + 1] for key, other in documents], np.uint64).reshape(-1, 2)
        for own, number in zip(keys.tolist(), rows.tolist(), strict=True):
            for key in own:
                everywhere[key].append(number)
        made.append(run_keys(keys, rows))
    found: defaultdict[int, list[int]] = defaultdict(list)
    for run, (keys, totals) in zip(made, shared_keys([(run.keys, run.counts) for run in made]), strict=True):
        assert totals.tolist() == [len(everywhere[key]) for key in keys.tolist()]
        for place, number in members(run, keys).tolist():
            found[int(keys[number])].append(int(run.rows[place]))
    shared = {key: rows for key, rows in everywhere.items() if len(rows) > 1}
    assert {key: sorted(rows) for key, rows in found.items()} == {key: sorted(rows) for key, rows in shared.items()}


def test_a_key_is_sent_once_a_run_whatever_it_is_repeated() -> None:
    run = run_keys(np.zeros((100_000, 3), np.uint64), np.arange(100_000, dtype=np.uint64))
    assert (run.keys.tolist(), run.counts.tolist(), len(run.rows)) == ([0], [300_000], 300_000)
