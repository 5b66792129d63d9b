"""Samples against windows cut from plain lists, and errors if an order belongs to other shards."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from manifests.errors import GristmillError
from shards.order import Order, Version, locate, new_order, next_stage, positions_of
from shards.reader import Shards, open_shards
from shards.samples import samples
from tests.shards.corpora import Lengths, streams, write_corpus
from tests.shards.orders import located, positions

SEQUENCE = 8
LENGTHS: Lengths = {
    "wiki/factual": [[30, 1, 44], [1], [5, 9, 26, 5]],
    # Shards shorter than a window, and one without tokens: windows span several of them.
    "crawl/general": [[2, 1], [5], [0], [3, 1], [1], [2], [60], [1], [0, 0]],
    "crawl/factual": [[9]],
    "tiny/x": [[4]],
}


def opened(folder: Path, version: Version = 2, **settings: int) -> tuple[Shards, Order]:
    write_corpus(str(folder), LENGTHS, **settings)  # type: ignore[arg-type]
    shards = open_shards(str(folder))
    order = new_order(
        {name: bucket.tokens for name, bucket in shards.buckets.items()},
        sequence=SEQUENCE,
        seed=3,
        counts={"wiki/factual": 3, "crawl/general": 4, "crawl/factual": 1},
        version=version,
    )
    return shards, next_stage(order, 37, {"wiki/factual": 1, "crawl/general": 1})


@pytest.mark.parametrize("vocab_size", [1000, 100_000])
@pytest.mark.parametrize("version", [1, 2])
def test_samples_equal_windows_of_the_concatenated_tokens(tmp_path: Path, vocab_size: int, version: Version) -> None:
    shards, order = opened(tmp_path, version, vocab_size=vocab_size)
    tokens = list(streams(LENGTHS, vocab_size=vocab_size).values())
    expected = [
        [tokens[bucket][place] for place in positions(order, bucket, window, epoch)]
        for bucket, window, epoch in located(order, 90)
    ]
    found = samples(shards, order, 0, 90)
    assert (found.dtype, found.shape) == (np.int64, (90, SEQUENCE + 1))
    assert found.tolist() == expected


def test_any_split_gives_the_same_samples(tmp_path: Path) -> None:
    shards, order = opened(tmp_path)
    whole = samples(shards, order, 5, 60)
    for size in (1, 7, 32):
        parts = [samples(shards, order, start, min(size, 65 - start)) for start in range(5, 65, size)]
        assert np.array_equal(np.concatenate(parts), whole)
    assert samples(shards, order, 5, 0).shape == (0, SEQUENCE + 1)


@pytest.mark.parametrize("version", [1, 2])
def test_neighbouring_windows_overlap_by_one_token(tmp_path: Path, version: Version) -> None:
    shards, order = opened(tmp_path, version)
    places = zip(*(column.tolist() for column in locate(order, 0, 60)), strict=True)
    rows = dict(zip(places, samples(shards, order, 0, 60), strict=True))
    pairs = [(row, rows[b, w + 1, e]) for (b, w, e), row in rows.items() if (b, w + 1, e) in rows]
    assert len(pairs) > 10
    assert all(row[-1] == following[0] for row, following in pairs)


def test_windows_go_over_the_seam_of_a_stream(tmp_path: Path) -> None:
    """In version 2 only: the first document follows the last one."""
    for version in (1, 2):
        _, order = opened(tmp_path / str(version), version)  # type: ignore[arg-type]
        bucket, window, epoch = locate(order, 0, 90)
        tokens = np.array([bucket.tokens for bucket in order.buckets])[bucket]
        begins = positions_of(order, bucket, window, epoch)
        assert (begins >= 0).all()
        assert (begins < tokens).all()
        assert (begins + SEQUENCE + 1 > tokens).any() == (version == 2)


def test_an_order_over_other_shards_is_refused(tmp_path: Path) -> None:
    shards, order = opened(tmp_path)
    tokens = {bucket.name: bucket.tokens for bucket in order.buckets}
    for other in (
        {**tokens, "tiny/x": 5},
        {**tokens, "new/x": 100},
        {name: tokens[name] for name in tokens if name != "tiny/x"},
    ):
        with pytest.raises(GristmillError, match=r"made for other shards: they differ in (tiny|new)/x\n"):
            samples(shards, new_order(other, sequence=SEQUENCE, seed=3, counts={"wiki/factual": 1}), 0, 1)


def test_a_shard_that_vanishes_is_an_error(tmp_path: Path) -> None:
    shards, order = opened(tmp_path)
    (tmp_path / "wiki/factual/00000-0000.arrow").unlink()
    with pytest.raises(GristmillError, match="no such file"):
        samples(shards, order, 0, 8)
