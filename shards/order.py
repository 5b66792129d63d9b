"""The order: sample number in, bucket, window and epoch out. A pure function; nothing is built, stored or shuffled.

The tokens of a bucket form one stream. An epoch cuts it into `windows_in(tokens, sequence)` windows: window `w` is the
`sequence` + 1 tokens from `offset + w * sequence` on, both ends included, so that windows overlap by the token that is
the last target of one and the first input of the next. Where `offset` lies is what tells the versions apart:

version 1: always 0. The first token of the stream and the last ones, up to `sequence` tokens in all, are a target in no
    epoch.
version 2: drawn by hash for each bucket and epoch, and the stream is a ring: its first token follows its last one, as
    the next document follows any document. At most one window of an epoch goes over this seam. A bucket of `T` tokens
    has windows for `T - L` targets, with 1 <= L <= sequence: an epoch leaves out L / T of the tokens, at most
    1 / (windows + 1), each token as likely as any other. The second epoch of a pair (0 and 1, 2 and 3, ...) begins
    where it leaves out none of those that the first left out: two such epochs predict every token.

No epoch has a token as a target twice, or as an input twice. Sample `n` finds its window in four steps:

1. block and slot: a stage (a stretch of samples with one mixture) is cut into blocks of a power of two of samples.
2. slot to bucket: slot `j` takes position bit-reverse(j) of the block, and each bucket owns as many consecutive
   positions as the stage gives it samples per block. Bit reversal is the van der Corput sequence in base 2 (van der
   Corput 1935): any aligned run of 2^k slots visits the positions in equal steps, so it holds each bucket's share to
   within one sample, and short runs get theirs too.
3. bucket to counter: how many samples the bucket has given before, over all stages; counter // windows is the epoch.
4. counter to window: a keyed permutation of the bucket's windows (`shards.permutation`), a different one for each
   epoch, so that an epoch sees each window once.

New orders have version 2. One of version 1 is read as ever, and keeps its version when its mixture changes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Literal

import numpy as np
import numpy.typing as npt
import xxhash
from pydantic import Field, ValidationError, model_validator

from manifests.base import Strict, canonical_json
from manifests.errors import GristmillError
from shards.permutation import permute
from shards.slots import block_table

Version = Literal[1, 2]
VERSION: Version = 2

Int64s = npt.NDArray[np.int64]
UInt64s = npt.NDArray[np.uint64]


class OrderBucket(Strict):
    """One bucket as the order sees it: its name keys the permutation, `windows` is its size."""

    name: str
    tokens: int = Field(ge=0)
    windows: int = Field(ge=0)


class Stage(Strict):
    """A stretch of samples with one mixture.

    Attributes:
        start: its first sample.
        block: samples per block, a power of two.
        counts: samples per block of each bucket; they sum to `block`.
        given: samples that each bucket gave before `start`.
    """

    start: int = Field(ge=0)
    block: int = Field(ge=1)
    counts: tuple[int, ...]
    given: tuple[int, ...]


class Order(Strict):
    """Everything that decides which window a sample is. Buckets are sorted by name; stages by start, the first at 0."""

    version: Version = VERSION
    seed: int = Field(ge=0, lt=2**64)
    sequence: int = Field(ge=1)
    buckets: tuple[OrderBucket, ...]
    stages: tuple[Stage, ...]

    @model_validator(mode="after")
    def _consistent(self) -> Order:
        names = [bucket.name for bucket in self.buckets]
        if not names or names != sorted(set(names)):
            raise ValueError("buckets must be there, differ in name, and be sorted by it")
        for bucket in self.buckets:
            if bucket.windows != windows_in(bucket.tokens, self.sequence):
                raise ValueError(
                    f"bucket {bucket.name} has {windows_in(bucket.tokens, self.sequence)} windows, not {bucket.windows}"
                )
        given = (0,) * len(names)
        for index, stage in enumerate(self.stages):
            _check_stage(stage, self.buckets)
            if index and stage.start <= self.stages[index - 1].start:
                raise ValueError("stages must be sorted by their first sample")
            if index:
                given = _given_at(self.stages[index - 1], stage.start)
            if stage.given != given:
                raise ValueError(f"the stage at sample {stage.start} does not go on from what its buckets gave before")
        if not self.stages or self.stages[0].start != 0:
            raise ValueError("the first stage must begin at sample 0")
        return self


def windows_in(tokens: int, sequence: int) -> int:
    """Windows of an epoch over a stream: as many stretches of `sequence` targets as leave one token over, since the
    first target needs a token before it.
    """
    return max(0, (tokens - 1) // sequence)


def new_order(
    tokens: Mapping[str, int], *, sequence: int, seed: int, counts: Mapping[str, int], version: Version = VERSION
) -> Order:
    """An order with one stage.

    Args:
        tokens: of each bucket.
        counts: samples per block; buckets left out get none. Their sum is the block: a power of two.

    Raises:
        GristmillError: counts for an unknown bucket or one without a window, or a block that is not a power of two.
    """
    buckets = _buckets(tokens, sequence)
    stage = Stage(
        start=0, block=max(1, sum(counts.values())), counts=_counts_in_order(buckets, counts), given=(0,) * len(buckets)
    )
    return _validated({"version": version, "seed": seed, "sequence": sequence, "buckets": buckets, "stages": (stage,)})


def next_stage(order: Order, start: int, counts: Mapping[str, int]) -> Order:
    """Change the mixture at sample `start`; each bucket goes on from what it has already given.

    Args:
        counts: samples per block from `start` on, as for `new_order`.

    Raises:
        GristmillError: as `new_order`, or `start` is not after the start of the last stage.
    """
    if start <= order.stages[-1].start:
        raise GristmillError(
            f"a stage cannot begin at sample {start}: the last one begins at {order.stages[-1].start}",
            where="order",
            remedy="change the mixture at a later sample",
        )
    stage = Stage(
        start=start,
        block=max(1, sum(counts.values())),
        counts=_counts_in_order(order.buckets, counts),
        given=tuple(given_before(order, start)),
    )
    return _validated({**order.model_dump(), "stages": (*order.stages, stage)})


def without_stages_from(order: Order, start: int) -> Order:
    """The order without the stages that begin at sample `start`, above 0, or later: those before are as they were."""
    return _validated({**order.model_dump(), "stages": [stage for stage in order.stages if stage.start < start]})


def with_new_buckets(order: Order, tokens: Mapping[str, int]) -> Order:
    """The order over shards to which buckets were added: every sample is the one that it was, and the new buckets can
    be used from the next stage on.

    Args:
        tokens: of each bucket, those of the order among them.

    Raises:
        GristmillError: a bucket of the order is gone, or has another number of tokens.
    """
    changed = [bucket.name for bucket in order.buckets if tokens.get(bucket.name) != bucket.tokens]
    if changed:
        raise GristmillError(
            f"{', '.join(changed)} no longer holds what the run has read from it",
            where="order",
            remedy="only new buckets can be added to the shards of a run: give new data a source name of its own",
        )
    buckets = _buckets(tokens, order.sequence)
    place = {bucket.name: index for index, bucket in enumerate(order.buckets)}

    def filled(numbers: tuple[int, ...]) -> tuple[int, ...]:
        return tuple(numbers[place[bucket.name]] if bucket.name in place else 0 for bucket in buckets)

    stages = [
        stage.model_copy(update={"counts": filled(stage.counts), "given": filled(stage.given)})
        for stage in order.stages
    ]
    return _validated({**order.model_dump(), "buckets": buckets, "stages": [stage.model_dump() for stage in stages]})


def order_to_json(order: Order) -> str:
    """One text per order."""
    return canonical_json(order.model_dump(mode="json")) + "\n"


def order_from_json(text: str) -> Order:
    """Read what `order_to_json` wrote.

    Raises:
        GristmillError: not an order, an inconsistent one, or one of another version.
    """
    try:
        data = json.loads(text)
    except ValueError as error:
        raise GristmillError(f"is not JSON: {error}", where="order") from None
    version = data.get("version") if isinstance(data, dict) else None
    if version not in (1, 2):
        raise GristmillError(
            f"version {version!r} of the order is unknown: this Gristmill knows versions 1 and 2",
            where="order",
            remedy="use the Gristmill that wrote it",
        )
    return _validated(data)


def given_before(order: Order, sample: int) -> list[int]:
    """Samples that each bucket gives before `sample`, exactly."""
    stage = max((stage for stage in order.stages if stage.start <= sample), key=lambda stage: stage.start)
    return list(_given_at(stage, sample))


def locate(order: Order, start: int, count: int) -> tuple[Int64s, Int64s, Int64s]:
    """Where samples `start` to `start + count` lie.

    Returns:
        Index into `order.buckets`, window, epoch: int64[count] each.

    Raises:
        GristmillError: a negative start or count.
    """
    if start < 0 or count < 0:
        raise GristmillError(f"no samples begin at {start} or number {count}", where="order")
    bucket, counter = np.empty(count, np.int64), np.empty(count, np.int64)
    ends = [stage.start for stage in order.stages[1:]] + [start + count]
    for stage, end in zip(order.stages, ends, strict=True):
        low, high = max(start, stage.start), min(start + count, end)
        if low < high:
            piece = slice(low - start, high - start)
            bucket[piece], counter[piece] = _bucket_and_counter(
                stage, np.arange(low - stage.start, high - stage.start, dtype=np.int64)
            )
    windows = np.array([bucket.windows for bucket in order.buckets], np.int64)[bucket]
    epoch, index = np.divmod(counter, windows)
    window = permute(index.astype(np.uint64), windows.astype(np.uint64), keys_of(order, bucket, epoch)).astype(np.int64)
    return bucket, window, epoch


def positions_of(order: Order, bucket: Int64s, window: Int64s, epoch: Int64s) -> Int64s:
    """Where windows begin in the streams of their buckets.

    Args:
        bucket, window, epoch: int64[n] each, as `locate` gives them.

    Returns:
        int64[n], each below its bucket's tokens. In version 2 a window that begins less than `sequence` + 1 tokens
            before the end of the stream goes on at its beginning.
    """
    begins: Int64s = window * order.sequence
    if order.version == 1:
        return begins
    buckets, epochs, inverse = _distinct(order, bucket, epoch)
    offsets = np.array(
        [offset_of(order, order.buckets[of], number) for of, number in zip(buckets, epochs, strict=True)], np.int64
    )
    tokens = np.array([bucket.tokens for bucket in order.buckets], np.int64)
    return (offsets[inverse] + begins) % tokens[bucket]


def _bucket_and_counter(stage: Stage, sample: Int64s) -> tuple[Int64s, Int64s]:
    """Bucket and its counter for samples counted from the start of the stage."""
    table_bucket, table_rank = block_table(stage.counts)
    size = np.int64(stage.block)
    block, slot = sample // size, sample % size
    bucket = table_bucket[slot]
    counts, given = np.array(stage.counts, np.int64), np.array(stage.given, np.int64)
    counter: Int64s = given[bucket] + block * counts[bucket] + table_rank[slot]
    return bucket, counter


def _given_at(stage: Stage, sample: int) -> tuple[int, ...]:
    """Samples that each bucket has given before `sample`, which lies in or at the end of the stage."""
    blocks, slots = divmod(sample - stage.start, stage.block)
    partial = np.bincount(block_table(stage.counts)[0][:slots], minlength=len(stage.counts))
    return tuple(
        before + blocks * count + int(more)
        for before, count, more in zip(stage.given, stage.counts, partial, strict=True)
    )


def keys_of(order: Order, bucket: Int64s, epoch: Int64s) -> UInt64s:
    """The permutation key of each (bucket, epoch)."""
    buckets, epochs, inverse = _distinct(order, bucket, epoch)
    keys = [
        _drawn("order", order.version, order.seed, order.buckets[of].name, number)
        for of, number in zip(buckets, epochs, strict=True)
    ]
    return np.array(keys, np.uint64)[inverse]


def offset_of(order: Order, bucket: OrderBucket, epoch: int) -> int:
    """Where the first window of an epoch begins in version 2.

    The tokens that an epoch leaves out are the last ones up to its offset. So those of two epochs differ when their
    offsets are at least that many tokens apart on the ring, both ways round.
    """
    left_out = bucket.tokens - bucket.windows * order.sequence
    first = _drawn("offset", order.version, order.seed, bucket.name, epoch - epoch % 2) % bucket.tokens
    if epoch % 2 == 0:
        return first
    further = _drawn("offset", order.version, order.seed, bucket.name, epoch) % (bucket.tokens - 2 * left_out + 1)
    return (first + left_out + further) % bucket.tokens


@lru_cache(maxsize=1 << 14)
def _drawn(purpose: str, version: int, seed: int, bucket: str, epoch: int) -> int:
    """64 bits: xxh3 of a canonical text, so that no bucket depends on the other buckets."""
    return xxhash.xxh3_64_intdigest(canonical_json([purpose, version, seed, bucket, epoch]).encode())


def _distinct(order: Order, bucket: Int64s, epoch: Int64s) -> tuple[list[int], list[int], Int64s]:
    """The different pairs of bucket and epoch, and which of them each element has."""
    pairs, inverse = np.unique(epoch * len(order.buckets) + bucket, return_inverse=True)
    epochs, buckets = np.divmod(pairs, len(order.buckets))
    return buckets.tolist(), epochs.tolist(), inverse


def _buckets(tokens: Mapping[str, int], sequence: int) -> tuple[OrderBucket, ...]:
    return tuple(
        OrderBucket(name=name, tokens=tokens[name], windows=windows_in(tokens[name], sequence))
        for name in sorted(tokens)
    )


def _counts_in_order(buckets: Sequence[OrderBucket], counts: Mapping[str, int]) -> tuple[int, ...]:
    unknown = sorted(set(counts) - {bucket.name for bucket in buckets})
    if unknown:
        raise GristmillError(
            f"samples are asked of {', '.join(unknown)}, which the shards do not have",
            where="order",
            remedy=f"use the buckets {', '.join(bucket.name for bucket in buckets)}",
        )
    return tuple(counts.get(bucket.name, 0) for bucket in buckets)


def _check_stage(stage: Stage, buckets: Sequence[OrderBucket]) -> None:
    if len(stage.counts) != len(buckets) or len(stage.given) != len(buckets):
        raise ValueError("a stage must have one count per bucket")
    if stage.block & (stage.block - 1) or sum(stage.counts) != stage.block or min(stage.counts) < 0:
        raise ValueError(f"samples per block must sum to a power of two, not to {sum(stage.counts)}")
    for bucket, count in zip(buckets, stage.counts, strict=True):
        if count and not bucket.windows:
            raise ValueError(
                f"bucket {bucket.name} has {bucket.tokens} tokens, too few for one window, and cannot give samples"
            )


def _validated(data: object) -> Order:
    try:
        return Order.model_validate(data)
    except ValidationError as error:
        problems = "; ".join(entry["msg"].removeprefix("Value error, ") for entry in error.errors())
        raise GristmillError(f"is not a valid order: {problems}", where="order") from None
