"""The order backwards: tokens of a bucket's stream in, the samples that hold them out.

As pure as the order: per epoch of the bucket, one look-up for each window that holds some of the tokens.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from shards.order import Order, Stage, given_before, keys_of, positions_of
from shards.permutation import unpermute
from shards.slots import block_table

Int64s = npt.NDArray[np.int64]


def samples_with(order: Order, bucket: int, low: int, high: int, *, end: int) -> tuple[Int64s, Int64s, Int64s]:
    """The samples before `end` that hold some of the tokens `low` to `high` of a bucket's stream.

    Args:
        bucket: its index in `order.buckets`.

    Returns:
        Sample, epoch, and how many of these tokens the sample holds, by sample: int64[n] each.
    """
    windows = order.buckets[bucket].windows
    given = given_before(order, end)[bucket]
    epochs = np.arange(-(-given // windows) if windows else 0, dtype=np.int64)
    same, none = np.full(len(epochs), bucket, np.int64), np.zeros(len(epochs), np.int64)
    keys, offsets = keys_of(order, same, epochs), positions_of(order, same, none, epochs)
    counters, held = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    for epoch, key, offset in zip(epochs.tolist(), keys, offsets.tolist(), strict=True):
        window, tokens = _windows_with(order, bucket, low, high, offset)
        size = np.full(len(window), windows, np.uint64)
        index = unpermute(window.astype(np.uint64), size, np.full(len(window), key, np.uint64))
        counters.append(epoch * windows + index.astype(np.int64))
        held.append(tokens)
    counter, tokens = np.concatenate(counters), np.concatenate(held)
    here = (counter < given) & (tokens > 0)
    counter, tokens = counter[here], tokens[here]
    sample = np.empty(len(counter), np.int64)
    ends = [*(stage.given[bucket] for stage in order.stages[1:]), given]
    for stage, last in zip(order.stages, ends, strict=True):
        of_stage = np.flatnonzero((stage.given[bucket] <= counter) & (counter < last))
        sample[of_stage] = _samples(stage, bucket, counter[of_stage])
    by_sample = np.argsort(sample)
    return sample[by_sample], counter[by_sample] // max(windows, 1), tokens[by_sample]


def _windows_with(order: Order, bucket: int, low: int, high: int, offset: int) -> tuple[Int64s, Int64s]:
    """The windows of an epoch that hold some of the tokens, and how many."""
    of, sequence = order.buckets[bucket], order.sequence
    begin = (low - offset) % of.tokens  # on the ring, counted from the first token of the first window
    pieces = [(begin, begin + high - low)]
    if pieces[0][1] > of.tokens:
        pieces = [(begin, of.tokens), (0, begin + high - low - of.tokens)]
    windows, tokens = [], []
    for first, last in pieces:
        touched = np.arange(max(0, -(-first // sequence) - 1), min(of.windows, -(-last // sequence)), dtype=np.int64)
        start = touched * sequence
        windows.append(touched)
        tokens.append(np.minimum(last, start + sequence + 1) - np.maximum(first, start))
    window, which = np.unique(np.concatenate(windows), return_inverse=True)
    return window, np.bincount(which, np.concatenate(tokens), len(window)).astype(np.int64)


def _samples(stage: Stage, bucket: int, counter: Int64s) -> Int64s:
    """The samples of a stage that a bucket gives when its counter stands there."""
    if not len(counter):
        return counter
    slots = np.flatnonzero(block_table(stage.counts)[0] == bucket)
    block, rank = np.divmod(counter - stage.given[bucket], np.int64(len(slots)))
    samples: Int64s = stage.start + block * stage.block + slots[rank]
    return samples
