"""The order: against a slow reference, and its guarantees for any mixture, seed and range of samples."""

from __future__ import annotations

from collections import Counter
from functools import reduce

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st

from shards.inverse import samples_with
from shards.order import (
    Order,
    given_before,
    locate,
    new_order,
    next_stage,
    order_from_json,
    order_to_json,
    positions_of,
    with_new_buckets,
    without_stages_from,
)
from shards.permutation import permute, unpermute
from shards.slots import block_table
from tests.property.texts import thorough
from tests.shards.orders import located, permuted, positions

SEQUENCE = 8

keys = st.integers(0, 2**64 - 1)
blocks = st.integers(0, 6).map(lambda bits: 1 << bits)


@st.composite
def divisions(draw: st.DrawFn, buckets: int) -> list[int]:
    """Samples per block of each bucket, for a block of up to 64."""
    cuts = draw(st.lists(st.integers(0, block := draw(blocks)), min_size=buckets - 1, max_size=buckets - 1).map(sorted))
    return np.diff([0, *cuts, block]).tolist()


@st.composite
def orders(draw: st.DrawFn, stages: int = 1) -> Order:
    """Orders over a few buckets with few windows, so that epochs end within a test."""
    windows = draw(st.lists(st.integers(1, 40), min_size=1, max_size=4))
    tokens = {
        f"bücket/{index}": size * SEQUENCE + 1 + draw(st.integers(0, SEQUENCE - 1))
        for index, size in enumerate(windows)
    }

    def counts() -> dict[str, int]:
        return dict(zip(tokens, draw(divisions(len(tokens))), strict=True))

    version = draw(st.sampled_from([1, 2]))
    first = new_order(tokens, sequence=SEQUENCE, seed=draw(keys), counts=counts(), version=version)
    changes = sorted(draw(st.sets(st.integers(1, 150), max_size=stages - 1)))
    return reduce(lambda order, start: next_stage(order, start, counts()), changes, first)


@thorough
@given(orders(stages=4), st.integers(0, 250))
def test_locate_equals_the_reference(order: Order, count: int) -> None:
    places = locate(order, 0, count)
    assert list(zip(*(column.tolist() for column in places), strict=True)) == located(order, count)
    assert positions_of(order, *places).tolist() == [positions(order, *place)[0] for place in located(order, count)]


@thorough
@given(orders(stages=4), st.integers(0, 300), st.integers(0, 100), st.integers(0, 100))
def test_seeking_equals_iterating_at_any_split(order: Order, start: int, first: int, second: int) -> None:
    whole = np.stack(locate(order, start, first + second))
    parts = [np.stack(locate(order, start, first)), np.stack(locate(order, start + first, second))]
    assert np.array_equal(whole, np.concatenate(parts, axis=1))


@thorough
@given(st.one_of(st.integers(1, 300), st.sampled_from([1023, 1024, 1025, 4095, 4096, 4097])), keys)
@example(1, 0)
@example(2, 0)
@example(3, 0)
def test_the_permutation_is_a_bijection(size: int, key: int) -> None:
    image = permute(np.arange(size, dtype=np.uint64), np.full(size, size, np.uint64), np.full(size, key, np.uint64))
    assert image.dtype == np.uint64
    assert sorted(image.tolist()) == list(range(size))


@thorough
@given(st.lists(st.tuples(st.integers(1, 2**62), st.floats(0, 1, exclude_max=True), keys), max_size=30))
def test_the_permutation_equals_the_reference_for_any_size(cases: list[tuple[int, float, int]]) -> None:
    sizes, indices = [size for size, _, _ in cases], [min(int(size * part), size - 1) for size, part, _ in cases]
    image = permute(*(np.array(column, np.uint64) for column in (indices, sizes, [key for _, _, key in cases])))
    assert image.tolist() == [permuted(index, size, key) for index, (size, _, key) in zip(indices, cases, strict=True)]
    assert unpermute(image, *(np.array(column, np.uint64) for column in (sizes, [k for *_, k in cases]))).tolist() == (
        indices
    )


@thorough
@given(orders(stages=4), st.integers(1, 400))
def test_an_epoch_sees_each_window_once_across_stages(order: Order, count: int) -> None:
    bucket, window, epoch = locate(order, 0, count)
    assert len(set(zip(bucket.tolist(), window.tolist(), epoch.tolist(), strict=True))) == count
    for index, size in enumerate(bucket_.windows for bucket_ in order.buckets):
        of_bucket = Counter(epoch[bucket == index].tolist())
        # Epochs follow each other without a gap, and every one but the last is complete.
        assert [of_bucket[e] for e in sorted(of_bucket)][:-1] == [size] * (len(of_bucket) - 1)
        assert sorted(of_bucket) == list(range(len(of_bucket)))
        assert set(window[bucket == index].tolist()) <= set(range(size))


@thorough
@given(orders(), st.integers(0, 5))
def test_every_block_holds_the_counts(order: Order, block: int) -> None:
    stage = order.stages[0]
    bucket, _, _ = locate(order, block * stage.block, stage.block)
    assert np.bincount(bucket, minlength=len(order.buckets)).tolist() == list(stage.counts)


@thorough
@given(st.integers(1, 6).flatmap(divisions))
def test_aligned_runs_hold_each_share_to_within_one_sample(counts: list[int]) -> None:
    bucket, rank = block_table(tuple(counts))
    block = len(bucket)
    for index, count in enumerate(counts):
        assert rank[bucket == index].tolist() == list(range(count))
        size = 1
        while size <= block:
            runs = (bucket == index).reshape(-1, size).sum(axis=1)
            assert (np.abs(runs - count * size / block) < 1).all()
            size *= 2


@thorough
@given(orders(stages=4), st.integers(0, 400))
def test_given_before_counts_the_samples_before(order: Order, sample: int) -> None:
    bucket, _, _ = locate(order, 0, sample)
    assert given_before(order, sample) == np.bincount(bucket, minlength=len(order.buckets)).tolist()


@thorough
@given(orders(stages=3), st.integers(1, 40), st.integers(0, 60))
def test_a_later_stage_changes_nothing_before_it(order: Order, later: int, count: int) -> None:
    start = order.stages[-1].start + later
    only = order.buckets[0].name
    changed = next_stage(order, start, {only: 4})
    assert np.array_equal(np.stack(locate(changed, 0, start)), np.stack(locate(order, 0, start)))
    bucket, _, epoch = locate(changed, start, count)
    assert (bucket == 0).all()
    assert (np.diff(epoch) >= 0).all()


@thorough
@given(orders(stages=4))
def test_json_round_trip(order: Order) -> None:
    text = order_to_json(order)
    assert order_from_json(text) == order
    assert order_to_json(order_from_json(text)) == text


@thorough
@given(st.integers(1, 12), st.integers(0, 11), st.integers(1, 12), keys, st.integers(0, 5))
@example(8, 7, 1, 0, 0)  # two windows of tokens less one: half of them are left out
def test_what_an_epoch_of_version_2_leaves_out(sequence: int, more: int, windows: int, seed: int, pair: int) -> None:
    """By counting targets: none twice in an epoch, at most 1 in windows + 1 left out, none in both epochs of a pair."""
    tokens = windows * sequence + 1 + more % sequence
    order = new_order({"a": tokens}, sequence=sequence, seed=seed, counts={"a": 1})
    never = []
    for epoch in (2 * pair, 2 * pair + 1):
        _, window, epochs = locate(order, epoch * windows, windows)
        assert epochs.tolist() == [epoch] * windows
        places = [positions(order, 0, index, epoch) for index in window.tolist()]
        targets = Counter(place for window_ in places for place in window_[1:])
        inputs = Counter(place for window_ in places for place in window_[:-1])
        assert max(targets.values()) == max(inputs.values()) == 1
        assert all(len(set(window_)) == sequence + 1 for window_ in places)
        never.append(set(range(tokens)) - targets.keys())
        assert len(never[-1]) == tokens - windows * sequence <= tokens / (windows + 1)
    assert not never[0] & never[1]


@thorough
@given(st.integers(1, 8), st.integers(0, 7), st.integers(1, 4))
def test_borders_move_and_no_token_is_left_out_more_than_others(sequence: int, more: int, windows: int) -> None:
    tokens = windows * sequence + 1 + more % sequence
    order = new_order({"a": tokens}, sequence=sequence, seed=3, counts={"a": 1})
    epochs = 600
    zeros, numbers = np.zeros(epochs, np.int64), np.arange(epochs)
    for of_epoch in (0, 1):
        begins = np.bincount(positions_of(order, zeros, zeros, numbers)[of_epoch::2], minlength=tokens)
        expected = epochs / 2 / tokens
        # Chi-squared with tokens - 1 degrees of freedom: mean plus 6 standard deviations.
        assert ((begins - expected) ** 2 / expected).sum() < tokens - 1 + 6 * np.sqrt(2 * (tokens - 1)) + 6


@thorough
@given(orders(stages=4), st.integers(0, 200), st.integers(1, 200), st.integers(1, 60))
def test_new_buckets_change_no_sample_and_are_given_from_the_next_stage_on(
    order: Order, count: int, later: int, more: int
) -> None:
    tokens = {bucket.name: bucket.tokens for bucket in order.buckets}
    grown = with_new_buckets(order, {**tokens, "a": SEQUENCE * 3 + 1, "c/0": 5, "z": SEQUENCE * 9 + 1})

    def seen(which: Order, samples: int) -> list[tuple[str, int, int]]:
        bucket, window, epoch = locate(which, 0, samples)
        names = [which.buckets[index].name for index in bucket.tolist()]
        begins = positions_of(which, bucket, window, epoch).tolist()
        return list(zip(names, window.tolist(), epoch.tolist(), begins, strict=True))

    assert seen(grown, count) == seen(order, count)
    start = order.stages[-1].start + later
    changed = next_stage(grown, start, {"a": 1, order.buckets[0].name: 2, "z": 1})
    assert seen(changed, start) == seen(order, start)
    assert given_before(changed, start + 4 * more) == [
        given_before(grown, start)[index] + {"a": more, order.buckets[0].name: 2 * more, "z": more}.get(bucket.name, 0)
        for index, bucket in enumerate(grown.buckets)
    ]


@thorough
@given(orders(stages=4), st.integers(1, 200))
def test_without_later_stages_what_is_before_stays(order: Order, start: int) -> None:
    cut = without_stages_from(order, start)
    assert all(stage.start < start for stage in cut.stages)
    assert np.array_equal(np.stack(locate(cut, 0, start)), np.stack(locate(order, 0, start)))


@thorough
@given(orders(stages=4), st.integers(0, 300), st.integers(0, 500), st.integers(0, 500), st.integers(0, 3))
@example(new_order({"a": 9}, sequence=8, seed=0, counts={"a": 1}), 1, 1, 1, 0)  # no token
@example(new_order({"a": 17}, sequence=8, seed=0, counts={"a": 1}), 9, 0, 17, 0)  # all of them
def test_the_way_back_finds_every_sample_that_holds_a_token(
    order: Order, end: int, one: int, other: int, which: int
) -> None:
    """By looking into every sample; one that goes over the seam may hold the tokens at both ends."""
    bucket = which % len(order.buckets)
    low, high = sorted(number % (order.buckets[bucket].tokens + 1) for number in (one, other))
    expected = [
        (sample, epoch, held)
        for sample, (of, window, epoch) in enumerate(located(order, end))
        if of == bucket and (held := sum(low <= place < high for place in positions(order, of, window, epoch)))
    ]
    found = samples_with(order, bucket, low, high, end=end)
    assert list(zip(*(column.tolist() for column in found), strict=True)) == expected
