"""The order: sample number in, bucket, window and epoch out. A pure function; nothing is built, stored or shuffled.

The tokens of a bucket form one stream, and its window `w` is tokens `w * sequence` to `w * sequence + sequence`, both
included: windows overlap by the token that is the last target of one and the first input of the next. Sample `n` finds
its window in four steps:

1. block and slot: a stage (a stretch of samples with one mixture) is cut into blocks of a power of two of samples.
2. slot to bucket: slot `j` takes position bit-reverse(j) of the block, and each bucket owns as many consecutive
   positions as the stage gives it samples per block. Bit reversal is the van der Corput sequence in base 2 (van der
   Corput 1935): any aligned run of 2^k slots visits the positions in equal steps, so it holds each bucket's share to
   within one sample, and short runs get theirs too.
3. bucket to counter: how many samples the bucket has given before, over all stages; counter // windows is the epoch.
4. counter to window: a keyed permutation of the bucket's windows, a different one for each epoch, so that an epoch sees
   each window once.

The permutation is a balanced Feistel network (Luby and Rackoff 1988) over the smallest even number of bits that holds
the windows; values outside are encrypted again until they fall inside (cycle-walking: Black and Rogaway 2002). Its
round function is the finaliser of splitmix64 (Steele, Lea and Flood 2014).
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

VERSION = 1

Int64s = npt.NDArray[np.int64]
UInt64s = npt.NDArray[np.uint64]

# As FF1 has (NIST SP 800-38G). Four make a strong pseudorandom permutation of many values (Luby and Rackoff 1988), but
# over fewer than 16 windows six still give a window its place up to 4 % too often; with ten no bias is left to measure
# in 400,000 keys.
_ROUNDS = 10
_GAMMA = np.uint64(0x9E3779B97F4A7C15)
# Elements a pass: several arrays of them stay in a core's cache.
_CHUNK = 1 << 15


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

    version: Literal[1] = 1
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
    """Windows of `sequence` inputs and as many targets in a stream: the last token can only be a target."""
    return max(0, (tokens - 1) // sequence)


def new_order(tokens: Mapping[str, int], *, sequence: int, seed: int, counts: Mapping[str, int]) -> Order:
    """An order with one stage.

    Args:
        tokens: of each bucket.
        counts: samples per block; buckets left out get none. Their sum is the block: a power of two.

    Raises:
        GristmillError: counts for an unknown bucket or one without a window, or a block that is not a power of two.
    """
    buckets = tuple(
        OrderBucket(name=name, tokens=tokens[name], windows=windows_in(tokens[name], sequence))
        for name in sorted(tokens)
    )
    stage = Stage(
        start=0, block=max(1, sum(counts.values())), counts=_counts_in_order(buckets, counts), given=(0,) * len(buckets)
    )
    return _validated({"seed": seed, "sequence": sequence, "buckets": buckets, "stages": (stage,)})


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
    return _validated(
        {"seed": order.seed, "sequence": order.sequence, "buckets": order.buckets, "stages": (*order.stages, stage)}
    )


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
    if version != VERSION:
        raise GristmillError(
            f"version {version!r} of the order is unknown: this Gristmill knows version {VERSION}",
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
    window = permute(index.astype(np.uint64), windows.astype(np.uint64), _keys(order, bucket, epoch)).astype(np.int64)
    return bucket, window, epoch


def permute(index: UInt64s, size: UInt64s, key: UInt64s) -> UInt64s:
    """Keyed permutations of [0, size), evaluated at `index`: a bijection for every size and key.

    Args:
        index: uint64[n], each below its size.
        size: uint64[n], 1 to 2^62.
        key: uint64[n]; equal keys and sizes are the same permutation.
    """
    result = np.empty_like(index)
    for low in range(0, len(index), _CHUNK):
        chunk = slice(low, low + _CHUNK)
        result[chunk] = _permute_chunk(index[chunk], size[chunk], key[chunk])
    return result


@lru_cache(maxsize=16)
def block_table(counts: tuple[int, ...]) -> tuple[Int64s, Int64s]:
    """Slot to bucket within a block.

    Args:
        counts: samples per block of each bucket; their sum is a power of two.

    Returns:
        Bucket of each slot, and how many earlier slots of the block have the same bucket: int64[sum(counts)] each,
            read-only.
    """
    ends = np.cumsum(counts, dtype=np.int64)
    block = int(ends[-1])
    bucket = np.searchsorted(ends, _bit_reversed(block), side="right")
    by_bucket = np.argsort(bucket, kind="stable")
    rank = np.empty(block, np.int64)
    rank[by_bucket] = np.arange(block) - (ends - counts)[bucket[by_bucket]]
    bucket.setflags(write=False)
    rank.setflags(write=False)
    return bucket, rank


def _bit_reversed(block: int) -> Int64s:
    """The positions 0 to block - 1, each with its log2(block) bits in reverse."""
    positions = np.zeros(1, np.int64)
    while len(positions) < block:
        positions = np.concatenate([2 * positions, 2 * positions + 1])
    return positions


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


def _keys(order: Order, bucket: Int64s, epoch: Int64s) -> UInt64s:
    """The permutation key of each (bucket, epoch): xxh3 of a canonical text, so that neither depends on the other
    buckets.
    """
    pairs, inverse = np.unique(epoch * len(order.buckets) + bucket, return_inverse=True)
    keys = np.empty(len(pairs), np.uint64)
    for index, pair in enumerate(pairs.tolist()):
        of_epoch, of_bucket = divmod(pair, len(order.buckets))
        text = canonical_json(["order", VERSION, order.seed, order.buckets[of_bucket].name, of_epoch])
        keys[index] = xxhash.xxh3_64_intdigest(text.encode())
    return keys[inverse]


def _permute_chunk(index: UInt64s, size: UInt64s, key: UInt64s) -> UInt64s:
    half = _half_bits(size)
    value = _feistel(index, half, key)
    outside = np.flatnonzero(value >= size)
    while len(outside):
        walked = _feistel(value[outside], half[outside], key[outside])
        value[outside] = walked
        outside = outside[walked >= size[outside]]
    return value


def _half_bits(size: UInt64s) -> UInt64s:
    """Half the smallest even number of bits that holds 0 to size - 1; at least 1."""
    half = np.ones(len(size), np.uint64)
    for bits in range(1, 31):
        larger = size > np.uint64(1 << (2 * bits))
        if not larger.any():
            break
        half[larger] = bits + 1
    return half


def _feistel(value: UInt64s, half: UInt64s, key: UInt64s) -> UInt64s:
    """One pass over 2 * half bits. Rounds differ by multiples of gamma, which no half of 32 bits can make up for."""
    mask = (np.uint64(1) << half) - np.uint64(1)
    left, right = value >> half, value & mask
    state = key.copy()
    for _ in range(_ROUNDS):
        state += _GAMMA
        left, right = right, left ^ (_mixed(right + state) & mask)
    return (left << half) | right


def _mixed(value: UInt64s) -> UInt64s:
    """The finaliser of splitmix64; changes `value`."""
    value ^= value >> np.uint64(30)
    value *= np.uint64(0xBF58476D1CE4E5B9)
    value ^= value >> np.uint64(27)
    value *= np.uint64(0x94D049BB133111EB)
    value ^= value >> np.uint64(31)
    return value


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
