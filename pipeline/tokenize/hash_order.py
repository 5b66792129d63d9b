"""Documents of a task in the order of their ids, cut into shards.

In: encoded documents of one bucket as their parts hold them: batches of tokens, lengths and rows of the side table.
Out: shards of about `shard_tokens` tokens, as even as whole documents allow; within and over them documents are sorted
by id, those with the same id (a corpus may keep exact duplicates) in the order of parts and rows.

An id is a hash of the text, so that neighbours in a crawl, which are alike, are not neighbours in a window of training,
and a stretch of a shard is a sample of its task. Memory holds the tokens of a task, in the dtype of the shards, and one
shard beside them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from kernels.arrays import Int64s
from kernels.compiled import kernel
from pipeline.schemas import id_halves

Tokens = npt.NDArray[np.unsignedinteger[Any]]


@dataclass
class Encoded:
    """Encoded documents of one bucket, batch by batch.

    Attributes:
        tokens: [tokens of the batch], BOS and EOS included.
        lengths: int64[documents of the batch].
        rows: `shards.format.SIDE_TABLE` without offset and length.
    """

    tokens: list[Tokens] = field(default_factory=list)
    lengths: list[Int64s] = field(default_factory=list)
    rows: list[pa.Table] = field(default_factory=list)


class Cut(NamedTuple):
    """What goes into one shard: tokens, offsets int64[documents + 1], and the side table."""

    tokens: Tokens
    offsets: Int64s
    documents: pa.Table


def cut_in_hash_order(encoded: Encoded, *, size: int) -> Iterator[Cut]:
    """The documents by id, in shards of about `size` tokens.

    A bucket's tokens go into the number of shards that is nearest to tokens / size, at least one, so that a shard has
    between two thirds of and one and a half times `size`, unless the bucket has less, or a document more.
    """
    lengths, rows = np.concatenate(encoded.lengths), pa.concat_tables(encoded.rows)
    order = id_order(rows["document_id"].combine_chunks())
    ends = np.cumsum(lengths[order])
    for first, stop in _cuts(ends, size=size):
        chosen = order[first:stop]
        offsets = np.concatenate([np.zeros(1, np.int64), ends[first:stop]])
        offsets[1:] -= ends[first - 1] if first else 0
        table = rows.take(pa.array(chosen))
        table = table.append_column("offset", pa.array(offsets[:-1]))
        table = table.append_column("length", pa.array(np.diff(offsets)))
        yield Cut(_gathered(encoded, chosen, offsets), offsets, table)


def id_order(ids: pa.Array) -> Int64s:
    """The rows int64[n] in ascending order of their ids, binary(16)[n]; equal ids keep their order."""
    halves = id_halves(ids)
    return np.lexsort((halves[:, 1], halves[:, 0]))


def _cuts(ends: Int64s, *, size: int) -> Iterator[tuple[int, int]]:
    """First document and the one after the last of each shard; `ends` are sums of lengths, int64[documents]."""
    total = int(ends[-1])
    shards = max(1, (2 * total + size) // (2 * size))
    first = 0
    for shard in range(1, shards + 1):
        wanted = -(-total * shard // shards)
        stop = len(ends) if shard == shards else int(np.searchsorted(ends, wanted)) + 1
        if first < stop:  # a document longer than a shard takes the place of several
            yield first, stop
        first = stop


def _gathered(encoded: Encoded, chosen: Int64s, offsets: Int64s) -> Tokens:
    """The tokens of the chosen documents, one after the other."""
    out = np.empty(int(offsets[-1]), encoded.tokens[0].dtype)
    documents = np.cumsum([0, *(len(lengths) for lengths in encoded.lengths)])
    batch = np.searchsorted(documents, chosen, side="right") - 1
    for index in np.unique(batch).tolist():
        mine = np.flatnonzero(batch == index)
        ends = np.cumsum(encoded.lengths[index])
        within = chosen[mine] - documents[index]
        lengths = encoded.lengths[index][within]
        _place(encoded.tokens[index], ends[within] - lengths, lengths, offsets[mine], out)
    return out


@kernel
def _place(tokens: Tokens, starts: Int64s, lengths: Int64s, targets: Int64s, out: Tokens) -> None:
    """Copy stretches of `tokens` to `targets` in `out`."""
    for document in range(len(starts)):
        start, target = starts[document], targets[document]
        for i in range(lengths[document]):
            out[target + i] = tokens[start + i]
