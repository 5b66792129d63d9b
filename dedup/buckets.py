"""Buckets: rows that share a band key, found without bringing all rows together.

In: the band keys of the rows of one run, a group of parts. Out: its distinct keys with their counts, to be compared
with those of other runs; and of the keys that several rows share, whichever runs they are in, the run's own rows. A run
says of each key once how often it has it, so that what is sent of a key does not grow with the number of its rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from kernels.arrays import Int64s, Uint32s, Uint64s
from kernels.compiled import kernel

# Keys are divided by this many of their upper bits before they are sorted: some 16 keys of a run share them.
_KEYS_PER_BIN = 16
_MOST_BINS = 1 << 22


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
    first = np.ones(len(flat), bool)
    first[1:] = flat[1:] != flat[:-1]
    starts = np.flatnonzero(first)
    counts = np.diff(starts, append=len(flat)).astype(np.uint32)
    return RunKeys(flat[starts], counts, owners)


def sorted_by_key(keys: Uint64s, values: Uint64s) -> tuple[Uint64s, Uint64s]:
    """Keys in ascending order, and the value of each; values of equal keys come in the order in which they are given.

    Keys are hashes, so that bins by their upper bits hold a few each: a counting sort by bin, then an insertion sort in
    each, takes a third of the time of a sort by comparison.
    """
    bits = max(1, int(np.ceil(np.log2(max(2, len(keys) / _KEYS_PER_BIN)))))
    bins = min(1 << bits, _MOST_BINS)
    shift = np.uint64(64 - (bins.bit_length() - 1))
    out_keys, out_values = np.empty_like(keys), np.empty_like(values)
    largest = _by_bin(keys, values, shift, np.zeros(bins + 1, np.int64), out_keys, out_values)
    if largest > 64:
        # Many equal keys: an insertion sort would take the square of their number.
        order = np.argsort(keys, kind="stable")
        return keys[order], values[order]
    _sort_bins(out_keys, out_values, shift)
    return out_keys, out_values


@kernel
def _by_bin(
    keys: Uint64s, values: Uint64s, shift: np.uint64, starts: Int64s, out_keys: Uint64s, out_values: Uint64s
) -> int:
    """Divide keys and values among bins; returns the size of the largest bin."""
    for index in range(len(keys)):
        starts[np.int64(keys[index] >> shift) + 1] += 1
    largest = 0
    for index in range(1, len(starts)):
        largest = max(largest, starts[index])
        starts[index] += starts[index - 1]
    for index in range(len(keys)):
        number = np.int64(keys[index] >> shift)
        out_keys[starts[number]] = keys[index]
        out_values[starts[number]] = values[index]
        starts[number] += 1
    return largest


@kernel
def _sort_bins(keys: Uint64s, values: Uint64s, shift: np.uint64) -> None:
    for index in range(1, len(keys)):
        key, value = keys[index], values[index]
        place = index
        while place > 0 and keys[place - 1] > key and keys[place - 1] >> shift == key >> shift:
            keys[place], values[place] = keys[place - 1], values[place - 1]
            place -= 1
        keys[place], values[place] = key, value


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
    keys = np.concatenate([np.empty(0, np.uint64), *(run[0] for run in runs)])
    places = np.arange(len(keys), dtype=np.uint64)
    ordered, order = sorted_by_key(keys, places)
    order = order.astype(np.int64)
    counts = np.concatenate([np.empty(0, np.uint32), *(run[1] for run in runs)]).astype(np.uint64)[order]
    first = np.ones(len(ordered), bool)
    first[1:] = ordered[1:] != ordered[:-1]
    starts = np.flatnonzero(first)
    totals = np.add.reduceat(counts, starts) if len(starts) else counts
    if own_runs is not None and len(starts):
        totals[~np.logical_or.reduceat(order < sum(len(run[0]) for run in runs[:own_runs]), starts)] = 0
    of_place = np.empty(len(keys), np.uint64)
    of_place[order] = np.repeat(totals, np.diff(starts, append=len(ordered)))
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
    places = np.searchsorted(run.keys, keys)
    ends = np.cumsum(run.counts.astype(np.int64))
    counts = run.counts[places].astype(np.int64)
    numbers = np.repeat(np.arange(len(keys)), counts)
    within = np.arange(len(numbers)) - np.repeat(np.cumsum(counts) - counts, counts)
    return np.stack([np.repeat(ends[places] - counts, counts) + within, numbers], axis=1)
