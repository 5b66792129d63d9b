"""Samples: shards, an order and sample numbers in, token windows out, in the order of the numbers."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from manifests.errors import GristmillError
from shards.order import Order, locate, positions_of
from shards.reader import Bucket, Shards


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
    windows = np.empty((count, order.sequence + 1), np.int64)
    for index in np.unique(bucket).tolist():
        rows = np.flatnonzero(bucket == index)
        rows = rows[np.argsort(position[rows])]  # rows of one shard are read together
        _read_windows(shards.buckets[order.buckets[index].name], position[rows], rows, windows)
    return windows


def _read_windows(
    bucket: Bucket, positions: npt.NDArray[np.int64], rows: npt.NDArray[np.int64], out: npt.NDArray[np.int64]
) -> None:
    """Fill the given rows of `out` with the tokens of a bucket's stream that begin at `positions`,
    in ascending order.
    """
    width = out.shape[1]
    shards = np.searchsorted(bucket.starts, positions, side="right") - 1
    offsets = positions - bucket.starts[shards]
    mapped = -1
    for row, shard, offset in zip(rows.tolist(), shards.tolist(), offsets.tolist(), strict=True):
        if shard != mapped:
            tokens, mapped = bucket.map_tokens(shard), shard
        piece = tokens[offset : offset + width]
        out[row, : len(piece)] = piece
        filled = len(piece)
        while filled < width:  # the window goes on in the next shards; in version 2 the first follows the last
            shard = (shard + 1) % len(bucket.entries)
            piece = bucket.map_tokens(shard)[: width - filled]
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
