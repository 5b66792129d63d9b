"""A reference for the order: slow, obvious, one sample at a time in plain Python."""

from __future__ import annotations

import json

import xxhash

from shards.order import Order

_64 = 2**64 - 1


def reversed_bits(slot: int, block: int) -> int:
    bits = block.bit_length() - 1
    return int(f"{slot:0{bits}b}"[::-1], 2) if bits else 0


def bucket_of_slot(counts: tuple[int, ...], slot: int) -> int:
    position = reversed_bits(slot, sum(counts))
    for bucket, count in enumerate(counts):
        if position < count:
            return bucket
        position -= count
    raise AssertionError("counts do not fill the block")


def mixed(value: int) -> int:
    value = (value ^ value >> 30) * 0xBF58476D1CE4E5B9 & _64
    value = (value ^ value >> 27) * 0x94D049BB133111EB & _64
    return value ^ value >> 31


def permuted(index: int, size: int, key: int) -> int:
    half = next(bits for bits in range(1, 32) if 4**bits >= size)
    mask = 2**half - 1
    while True:
        left, right = index >> half, index & mask
        for round_ in range(1, 11):
            left, right = right, left ^ mixed(right + key + round_ * 0x9E3779B97F4A7C15 & _64) & mask
        index = left << half | right
        if index < size:
            return index


def drawn(*words: object) -> int:
    return xxhash.xxh3_64_intdigest(json.dumps(words, separators=(",", ":"), ensure_ascii=False).encode())


def located(order: Order, samples: int) -> list[tuple[int, int, int]]:
    """Bucket, window and epoch of samples 0 to `samples`."""
    given = [0] * len(order.buckets)
    places = []
    for sample in range(samples):
        stage = [stage for stage in order.stages if stage.start <= sample][-1]
        bucket = bucket_of_slot(stage.counts, (sample - stage.start) % stage.block)
        size, name = order.buckets[bucket].windows, order.buckets[bucket].name
        epoch, index = divmod(given[bucket], size)
        places.append((bucket, permuted(index, size, drawn("order", order.version, order.seed, name, epoch)), epoch))
        given[bucket] += 1
    return places


def positions(order: Order, bucket: int, window: int, epoch: int) -> list[int]:
    """The places in the bucket's stream of the tokens of a window."""
    tokens, sequence = order.buckets[bucket].tokens, order.sequence
    offset = 0
    if order.version == 2:
        left_out = tokens - (tokens - 1) // sequence * sequence
        name = order.buckets[bucket].name
        offset = drawn("offset", 2, order.seed, name, epoch // 2 * 2) % tokens
        if epoch % 2:
            offset += left_out + drawn("offset", 2, order.seed, name, epoch) % (tokens - 2 * left_out + 1)
    return [(offset + window * sequence + step) % tokens for step in range(sequence + 1)]
