"""Samples: shards, an order and sample numbers in, token windows out, in the order of the numbers."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from manifests.errors import GristmillError
from shards.order import Order, locate, positions_of
from shards.reader import Shards
from shards.step_memory import step_array

Int64s = npt.NDArray[np.int64]


def samples(shards: Shards, order: Order, start: int, count: int) -> npt.NDArray[np.int64]:
    """Token windows of samples `start` to `start + count`.

    Returns:
        int64[count, order.sequence + 1]: `[:, :-1]` are inputs, `[:, 1:]` targets.

    Raises:
        GristmillError: the order is not one over these shards, or a shard is not what its manifest row says.
    """
    check_order(shards, order)
    bucket, window, epoch = locate(order, start, count)
    position = positions_of(order, bucket, window, epoch)
    windows = step_array((count, order.sequence + 1))
    # One after the other, the buckets' streams are one stream.
    streams = shards.streams
    first = np.array([streams.first[entry.name] for entry in order.buckets], np.int64)[bucket]
    last = np.array([len(shards.buckets[entry.name].entries) for entry in order.buckets], np.int64)[bucket] + first - 1
    _read_windows(shards, streams.starts[first] + position, first, last, windows)
    return windows


def _read_windows(shards: Shards, positions: Int64s, first: Int64s, last: Int64s, out: Int64s) -> None:
    """Fill the rows of `out` with the tokens of the stream of all buckets that begin at `positions`.

    A window that reaches the end of its bucket's last shard goes on in its first one.
    """
    width = out.shape[1]
    starts = shards.streams.starts
    rows = np.argsort(positions)  # rows of one shard are read together
    begins = positions[rows]
    numbers = np.searchsorted(starts, begins, side="right") - 1
    offsets = begins - starts[numbers]
    lengths = starts[numbers + 1] - begins
    mapped, tokens = -1, np.empty(0, np.uint16)
    for row, shard, offset, length in zip(
        rows.tolist(), numbers.tolist(), offsets.tolist(), lengths.tolist(), strict=True
    ):
        if shard != mapped:
            tokens, mapped = shards.map_tokens(shard), shard
        if length >= width:
            out[row] = tokens[offset : offset + width]
            continue
        out[row, :length] = tokens[offset:]
        filled = length
        while filled < width:  # the window goes on in the next shards
            shard = first[row] if shard == last[row] else shard + 1
            piece = shards.map_tokens(shard)[: width - filled]
            out[row, filled : filled + len(piece)] = piece
            filled += len(piece)


def check_order(shards: Shards, order: Order) -> None:
    """Raise a GristmillError unless the order is over exactly these buckets with these numbers of tokens."""
    here = {name: bucket.tokens for name, bucket in shards.buckets.items()}
    there = {bucket.name: bucket.tokens for bucket in order.buckets}
    if here != there:
        differing = sorted(name for name in here.keys() | there.keys() if here.get(name) != there.get(name))
        raise GristmillError(
            f"the order was made for other shards: they differ in {', '.join(differing)}",
            where=shards.folder,
            remedy="use the shards of the run, or start a new run",
        )
