"""The order: its pinned version, its quality, its errors, its speed."""

from __future__ import annotations

import hashlib
import json
import time

import numpy as np
import pytest

from manifests.errors import GristmillError
from shards.order import (
    Order,
    Version,
    locate,
    new_order,
    next_stage,
    order_from_json,
    order_to_json,
    positions_of,
    windows_in,
    with_new_buckets,
)
from shards.permutation import permute
from shards.slots import block_table

TOKENS = {"wiki/factual": 1_000_000, "crawl/general": 50_000_000_000, "crawl/factual": 70_001, "tiny/x": 300}
COUNTS = {"wiki/factual": 100, "crawl/general": 800, "crawl/factual": 124}


def order(**changes: int) -> Order:
    return new_order(TOKENS, **{"sequence": 512, "seed": 7, **changes}, counts=COUNTS)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("version", "windows_sha256", "positions_sha256", "json_sha256"),
    [
        (
            1,
            "3b17f19ec268fbecadb4a5f51115c35ef82edc3ec59fe38f8c90edf19b9563bb",
            "ff3aa88b0aa2bd6c9204ae5d2e8d4eb97196017d83893e3f6912ae4f182a9a76",
            "4373b5cbc5320062b17300d6ae3b24d8d97a7d8e527ddf18feb2149e56b58f39",
        ),
        (
            2,
            "da13957a1b6cf344cc44a3eb1b113e90006fc48a708fd0bb562164d1b656a5fa",
            "db206ee48067e3baa89abdf1cbada1c266a6c5043ef7b92123bca96d87e8cbd1",
            "3f89a1b1324d0507168dbb1d423fee4b08360ac0fc000f069dd1a7eadecd3503",
        ),
    ],
)
def test_no_version_ever_changes(
    version: Version, windows_sha256: str, positions_sha256: str, json_sha256: str
) -> None:
    """Runs in progress depend on it: whoever changes the order raises its version and keeps those before."""
    staged = next_stage(order(version=version), 5_000, {"wiki/factual": 3, "crawl/general": 1})
    windows, positions = hashlib.sha256(), hashlib.sha256()
    for start, count in ((0, 20_000), (10**12, 1_000)):
        columns = locate(staged, start, count)
        for column in columns:
            windows.update(column.astype("<i8").tobytes())
        positions.update(positions_of(staged, *columns).astype("<i8").tobytes())
    assert staged.version == version
    assert windows.hexdigest() == windows_sha256
    assert positions.hexdigest() == positions_sha256
    assert hashlib.sha256(order_to_json(staged).encode()).hexdigest() == json_sha256


def test_new_orders_have_version_2_and_a_change_keeps_the_version() -> None:
    assert order().version == 2
    first = order(version=1)
    assert next_stage(first, 10, {"wiki/factual": 1}).version == 1
    assert with_new_buckets(first, {**TOKENS, "new/x": 10_000}).version == 1


def test_a_bucket_of_version_1_never_predicts_its_tail_and_one_of_version_2_does() -> None:
    """64 tokens in windows of 32: half of them are left out of every epoch, or of one in two."""
    for version, never in ((1, 32), (2, 0)):
        tiny = new_order({"a": 64}, sequence=32, seed=0, counts={"a": 1}, version=version)  # type: ignore[arg-type]
        begins = positions_of(tiny, *locate(tiny, 0, 2))
        predicted = {(begin + step) % 64 for begin in begins.tolist() for step in range(1, 33)}
        assert len(set(range(64)) - predicted) == never


def test_other_numbers_of_tokens_in_an_old_bucket_are_refused() -> None:
    for other in ({**TOKENS, "tiny/x": 301}, {name: TOKENS[name] for name in TOKENS if name != "tiny/x"}):
        with pytest.raises(GristmillError, match="tiny/x no longer holds what the run has read from it"):
            with_new_buckets(order(), other)


def test_windows_in_a_stream() -> None:
    assert [windows_in(tokens, 4) for tokens in (0, 1, 4, 5, 8, 9)] == [0, 0, 0, 1, 1, 2]


def test_a_small_table_by_hand() -> None:
    # Positions 0 4 2 6 1 5 3 7: the first bucket owns 0 to 4, the second none, the third 5 to 7.
    bucket, rank = block_table((5, 0, 3))
    assert bucket.tolist() == [0, 0, 0, 2, 0, 2, 0, 2]
    assert rank.tolist() == [0, 1, 2, 0, 3, 1, 4, 2]


def test_seed_bucket_name_and_epoch_each_change_the_permutation() -> None:
    one = new_order({"a": 8001}, sequence=8, seed=1, counts={"a": 1})
    _, window, epoch = locate(one, 0, 2000)
    first, second = window[:1000], window[1000:]
    assert epoch.tolist() == [0] * 1000 + [1] * 1000
    others = [
        second,
        locate(new_order({"a": 8001}, sequence=8, seed=2, counts={"a": 1}), 0, 1000)[1],
        locate(new_order({"b": 8001}, sequence=8, seed=1, counts={"b": 1}), 0, 1000)[1],
    ]
    for other in others:
        assert sorted(other.tolist()) == sorted(first.tolist())
        # Two random permutations agree in one place on average; 8 or more happens in 1 of 100,000 pairs.
        assert (other == first).sum() < 8


def test_other_buckets_do_not_change_which_windows_a_bucket_gives() -> None:
    alone = locate(new_order({"b": 8001}, sequence=8, seed=1, counts={"b": 1}), 0, 100)[1]
    bucket, window, _ = locate(new_order({"a": 801, "b": 8001}, sequence=8, seed=1, counts={"a": 1, "b": 1}), 0, 200)
    assert window[bucket == 1].tolist() == alone.tolist()


@pytest.mark.parametrize("size", [2, 3, 4, 5, 16, 17, 100])
def test_first_places_are_uniform_over_keys(size: int) -> None:
    keys = 20_000
    key = np.random.default_rng(5).integers(0, 2**64, keys, np.uint64)
    for index in (0, size - 1):
        image = permute(np.full(keys, index, np.uint64), np.full(keys, size, np.uint64), key)
        expected = keys / size
        statistic = ((np.bincount(image.astype(np.int64), minlength=size) - expected) ** 2 / expected).sum()
        # Chi-squared with size - 1 degrees of freedom: mean plus 5 standard deviations.
        assert statistic < (size - 1) + 5 * np.sqrt(2 * (size - 1)) + 5


def test_neighbours_are_torn_apart() -> None:
    size = 100_000
    image = permute(
        np.arange(size, dtype=np.uint64), np.full(size, size, np.uint64), np.full(size, 3, np.uint64)
    ).astype(np.int64)
    # A random permutation keeps 2 neighbours on average, and has no correlation between place and image.
    assert (np.abs(np.diff(image)) == 1).sum() < 15
    assert abs(np.corrcoef(np.arange(size), image)[0, 1]) < 5 / np.sqrt(size)


def test_a_million_samples_in_well_under_two_seconds() -> None:
    large = new_order(
        {"a": 10**13, "b": 3 * 10**9, "c": 10**8}, sequence=4096, seed=1, counts={"a": 60_000, "b": 5_000, "c": 536}
    )
    block_table(large.stages[0].counts)
    start = time.perf_counter()
    bucket, window, epoch = locate(large, 10**9, 10**6)
    assert time.perf_counter() - start < 2
    assert (len(bucket), bucket.dtype, window.dtype, epoch.dtype) == (10**6, np.int64, np.int64, np.int64)


def test_a_seek_in_four_hundred_buckets_takes_milliseconds() -> None:
    """As many buckets as 20 sources of 20 bands, in a step of 1,024 samples of Llama 2."""
    tokens = {f"source{source:02d}/q{band:02d}": 5 * 10**9 for source in range(20) for band in range(20)}
    large = new_order(
        tokens, sequence=4096, seed=1, counts=dict.fromkeys(tokens, 163) | {"source00/q00": 65_536 - 399 * 163}
    )
    locate(large, 0, 1)
    start = time.process_time()
    for sample in (10**8, 2 * 10**8, 3 * 10**8):
        places = locate(large, sample, 1024)
        positions_of(large, *places)
    assert (time.process_time() - start) / 3 < 0.05


def test_bad_counts_are_refused() -> None:
    for counts, message in (
        ({"wiki/factual": 3}, "power of two, not to 3"),
        ({}, "power of two, not to 0"),
        ({"wiki/factual": 9, "tiny/x": -1}, "power of two"),
        ({"tiny/x": 4}, "tiny/x has 300 tokens, too few"),
        ({"wikipedia": 4}, "wikipedia, which the shards do not have"),
    ):
        with pytest.raises(GristmillError, match=message):
            new_order(TOKENS, sequence=512, seed=0, counts=counts)
        with pytest.raises(GristmillError, match=message):
            next_stage(order(), 10, counts)


def test_stages_only_go_forward() -> None:
    staged = next_stage(order(), 100, {"wiki/factual": 1})
    for start in (0, 99, 100):
        with pytest.raises(GristmillError, match="the last one begins at 100"):
            next_stage(staged, start, {"wiki/factual": 1})


def test_negative_samples_are_refused() -> None:
    for start, count in ((-1, 2), (0, -1)):
        with pytest.raises(GristmillError, match="no samples"):
            locate(order(), start, count)


def test_json_of_other_versions_and_inconsistent_ones_are_refused() -> None:
    staged = next_stage(order(), 100, {"wiki/factual": 1})
    good = json.loads(order_to_json(staged))

    def read(change: dict[str, object]) -> Order:
        return order_from_json(json.dumps({**good, **change}))

    assert read({}) == staged
    with pytest.raises(GristmillError, match="version 3 of the order is unknown"):
        read({"version": 3})
    for text in ("[]", "{}"):
        with pytest.raises(GristmillError, match="version None"):
            order_from_json(text)
    with pytest.raises(GristmillError, match="is not JSON"):
        order_from_json("{")
    first, second = good["stages"]
    for change, message in (
        ({"stages": []}, "first stage"),
        ({"stages": [second]}, "does not go on|first stage"),
        ({"stages": [first, {**second, "given": [0, 0, 0, 0]}]}, "does not go on"),
        ({"stages": [first, {**second, "start": 101}]}, "does not go on"),
        ({"stages": [first, {**second, "counts": [1]}]}, "one count per bucket"),
        ({"stages": [first, second, second]}, "sorted by their first sample"),
        ({"stages": [{**first, "block": 512}, second]}, "power of two"),
        ({"buckets": good["buckets"][::-1]}, "sorted"),
        ({"buckets": []}, "must be there"),
        ({"sequence": 256}, "windows, not"),
        ({"extra": 1}, "Extra inputs"),
    ):
        with pytest.raises(GristmillError, match=message):
            read(change)
