"""Shards read from the store through the local cache: same samples as from local disk.

The cache is bounded, shared, never torn.
"""

from __future__ import annotations

import multiprocessing
import os
from pathlib import Path

import numpy as np
import pytest

from manifests.errors import GristmillError
from shards.cache import ShardCache, cache_note, shard_cache
from shards.lineage import documents_of
from shards.order import Order, new_order
from shards.reader import open_shards
from shards.samples import samples
from shards.verify import verify_shards
from storage.files import join, publish, read_bytes
from tests.store.copies import copy_in
from tests.store.proxy import Faults
from tests.training.data import make_corpus

SEQUENCE = 16


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("corpus")
    make_corpus(folder, tokens=20_000)
    return str(folder / "shards")


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GRISTMILL_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("GRISTMILL_CACHE_GB", raising=False)
    return tmp_path / "cache"


def order_of(folder: str) -> Order:
    tokens = {name: bucket.tokens for name, bucket in open_shards(folder).buckets.items()}
    return new_order(tokens, sequence=SEQUENCE, seed=5, counts=dict.fromkeys(tokens, 128))


def copies(cache: Path) -> list[Path]:
    return sorted(cache.glob("*.arrow"))


def limit(monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    monkeypatch.setenv("GRISTMILL_CACHE_GB", str(size / 1e9))


def read_all(folder: str, local: str) -> np.ndarray:
    return samples(open_shards(folder), order_of(local), 0, 256)


def test_samples_are_those_of_the_local_disk(proxy, folder, local, cache):
    copy_in(Path(local), folder)
    assert (read_all(folder, local) == read_all(local, local)).all()
    assert len(copies(cache)) == 3
    before = len(proxy.seen)
    assert (read_all(folder, local) == read_all(local, local)).all()
    read = [line for line in proxy.seen[before:] if line.startswith("GET")]
    assert all(".arrow" not in line or "/_SHARDS.arrow" in line for line in read)


def test_a_cache_smaller_than_the_data_is_told_and_still_right(store, folder, local, cache, monkeypatch):
    copy_in(Path(local), folder)
    manifest = open_shards(local).manifest
    assert cache_note(manifest, shard_cache()) is None
    largest = max(entry.bytes for entry in manifest.shards)
    limit(monkeypatch, largest + 1_000)
    note = cache_note(manifest, shard_cache())
    assert note is not None
    assert "again and again" in note
    shards, order = open_shards(folder), order_of(local)
    expected = read_all(local, local)
    for start in range(0, 240, 20):
        assert (samples(shards, order, start, 20) == expected[start : start + 20]).all()
        assert sum(path.stat().st_size for path in copies(cache)) <= largest + 1_000
    assert len(copies(cache)) < 3


def test_the_copy_used_longest_ago_goes_first_and_stays_readable(store, folder, local, cache, monkeypatch):
    copy_in(Path(local), folder)
    shards = open_shards(folder)
    crawl, wiki = shards.buckets["crawl/general"], shards.buckets["wiki/factual"]
    limit(monkeypatch, sum(entry.bytes for entry in crawl.entries) + 100)
    shards = open_shards(folder)
    crawl, wiki = shards.buckets["crawl/general"], shards.buckets["wiki/factual"]
    first, second = crawl.map_tokens(0), crawl.map_tokens(1)
    kept = second.copy()
    os.utime(ShardCache(cache, 1).path_of(crawl.entries[1]), (1, 1))
    assert crawl.map_tokens(0) is first  # and now it is the younger one
    wiki.map_tokens(0)
    assert {path.stem for path in copies(cache)} == {crawl.entries[0].sha256, wiki.entries[0].sha256}
    assert (second == kept).all()
    assert (crawl.map_tokens(1) == kept).all()


def test_a_damaged_download_is_repeated_once_then_the_shard_is_named(proxy, folder, local, cache, patient):
    copy_in(Path(local), folder)
    entry = open_shards(folder).manifest.shards[0]
    path = join(folder, entry.file)
    good = read_bytes(path)
    publish(path, good[:-1] + bytes([good[-1] ^ 1]))
    before = len(proxy.seen)
    with pytest.raises(GristmillError, match="sha256 is not the manifest's, twice") as caught:
        open_shards(folder).buckets[entry.bucket].map_tokens(0)
    assert caught.value.where == path
    assert sum(entry.file in line and line.startswith("GET") for line in proxy.seen[before:]) == 2
    assert copies(cache) == []
    publish(path, good)
    assert len(open_shards(folder).buckets[entry.bucket].map_tokens(0)) == entry.tokens


def test_a_truncated_shard_is_found_before_anything_is_read(store, folder, local, cache):
    copy_in(Path(local), folder)
    entry = open_shards(folder).manifest.shards[0]
    publish(join(folder, entry.file), read_bytes(join(folder, entry.file))[:-64])
    with pytest.raises(GristmillError, match="bytes, the manifest says") as caught:
        open_shards(folder)
    assert caught.value.where == join(folder, entry.file)
    assert any("bytes, the manifest says" in problem.message for problem in verify_shards(folder))


def test_faults_of_the_store_change_nothing(proxy, folder, local, cache):
    copy_in(Path(local), folder)
    proxy.faults = Faults(slow_down=0.2, cut=0.2, truncate=r"00000\.arrow", truncate_times=2, seed=2)
    assert (read_all(folder, local) == read_all(local, local)).all()
    assert proxy.counts["truncated"] == 2
    assert proxy.counts["slow_down"] + proxy.counts["cut"] > 0


def test_leftovers_of_killed_downloads_go_and_a_short_copy_is_replaced(store, folder, local, cache):
    copy_in(Path(local), folder)
    shards = open_shards(folder)
    entry = shards.manifest.shards[0]
    cache.mkdir()
    (cache / ".tmp-killed").write_bytes(b"half")
    ShardCache(cache, 1).path_of(entry).write_bytes(b"half")
    assert len(shards.buckets[entry.bucket].map_tokens(0)) == entry.tokens
    assert not (cache / ".tmp-killed").exists()


def test_ranks_of_one_machine_download_a_shard_once(proxy, folder, local, cache):
    copy_in(Path(local), folder)
    before = len(proxy.seen)
    context = multiprocessing.get_context("spawn")
    with context.Pool(3) as pool:
        sums = pool.starmap(read_sum, [(folder, local)] * 3)
    assert set(sums) == {int(read_all(local, local).sum())}
    for entry in open_shards(local).manifest.shards:
        assert sum(entry.file in line and line.startswith("GET") for line in proxy.seen[before:]) == 1


def read_sum(folder: str, local: str) -> int:
    return int(read_all(folder, local).sum())


def test_lineage_from_the_store(store, folder, local, cache):
    copy_in(Path(local), folder)
    order = order_of(local)
    assert documents_of(open_shards(folder), order, 3, 5) == documents_of(open_shards(local), order, 3, 5)


@pytest.mark.parametrize("given", ["0", "-1", "much", "nan", "inf"])
def test_a_limit_that_is_none_is_an_error(monkeypatch, given):
    monkeypatch.setenv("GRISTMILL_CACHE_GB", given)
    with pytest.raises(GristmillError, match="GRISTMILL_CACHE_GB"):
        shard_cache()
