"""Buckets: rows that share a band key, found without bringing all rows together.

In: the band keys of the rows of one run, a group of parts. Out: its distinct keys with their counts, to be compared
with those of other runs; and of the keys that several rows share, whichever runs they are in, the run's own rows. A run
says of each key once how often it has it, so that what is sent of a key does not grow with the number of its rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from dedup.hash_order import sorted_by_key, totals
from kernels.arrays import Int64s, Integer, Uint32s, Uint64s
from kernels.compiled import kernel


class RunKeys(NamedTuple):
    """The band keys of one run.

    Attributes:
        keys: uint64[m], distinct, ascending.
        counts: uint32[m], how many rows have each.
        rows: uint64[sum of counts], the rows of each key, keys after each other; in no order within a key.
    """

    keys: Uint64s
    counts: Uint32s
    rows: Uint64s


def run_keys(keys: Uint64s, rows: Uint64s) -> RunKeys:
    """Group the rows of a run by key.

    Args:
        keys: uint64[n, bands]. The band's number is folded into its keys, so that keys of different bands differ.
        rows: uint64[n].
    """
    flat = np.ascontiguousarray(keys).reshape(-1)
    owners = np.repeat(rows, keys.shape[1]) if len(rows) else np.empty(0, np.uint64)
    return group_keys(*sorted_by_key(flat, owners))


def group_keys(flat: Uint64s, owners: Uint64s) -> RunKeys:
    """Group ascending keys, uint64[m], and the row of each, uint64[m]."""
    keys, counts = np.empty_like(flat), np.empty(len(flat), np.uint32)
    distinct = _count(flat, keys, counts)
    return RunKeys(keys[:distinct], counts[:distinct], owners)


@kernel
def _count(flat: Uint64s, keys: Uint64s, counts: Uint32s) -> int:
    """The distinct ones of ascending keys, and how often each comes; returns their number."""
    distinct = 0
    for index in range(len(flat)):
        if index == 0 or flat[index] != flat[index - 1]:
            keys[distinct], counts[distinct] = flat[index], 0
            distinct += 1
        counts[distinct - 1] += 1
    return distinct


def shared_keys(
    runs: Sequence[tuple[Uint64s, Uint32s]], *, own_runs: int | None = None
) -> list[tuple[Uint64s, Uint64s]]:
    """Of several runs' distinct keys, those that two or more rows have, whichever runs they are in.

    Args:
        runs: distinct keys uint64[m], ascending, and counts uint32[m] of each run.
        own_runs: keys that none of so many first runs has are left out; None: none is.

    Returns:
        For each run its own keys among them, uint64[k], ascending, and how many rows of all runs have each, uint64[k].
    """
    of_place = totals(runs, own_runs=own_runs)
    found, start = [], 0
    for own, _ in runs:
        total = of_place[start : start + len(own)]
        shared = total > 1
        found.append((own[shared], total[shared]))
        start += len(own)
    return found


def members(run: RunKeys, keys: Uint64s) -> Int64s:
    """The places in `run.rows` of the rows of these keys, with the number of each in `keys`: int64[m, 2].

    Args:
        keys: uint64[k], ascending, all among `run.keys`.
    """
    found = np.empty((_count_members(run.keys, run.counts, keys), 2), np.int64)
    _members(run.keys, run.counts, keys, found)
    return found


@kernel
def _count_members(own: Uint64s, counts: Uint32s, keys: Uint64s) -> Integer:
    at: Integer = 0
    total: Integer = 0
    for number in range(len(keys)):
        while own[at] != keys[number]:
            at += 1
        total += np.int64(counts[at])
    return total


@kernel
def _members(own: Uint64s, counts: Uint32s, keys: Uint64s, out: Int64s) -> None:
    """Fill `out`. A walk along both: a search for each key took more than all else that is done with it."""
    at: Integer = 0
    row: Integer = 0
    filled = 0
    for number in range(len(keys)):
        while own[at] != keys[number]:
            row += np.int64(counts[at])
            at += 1
        for within in range(np.int64(counts[at])):
            out[filled, 0], out[filled, 1] = row + within, number
            filled += 1
