"""Samples and lineage of arbitrary small corpora against plain Python lists."""

from __future__ import annotations

import tempfile
from collections import Counter

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from shards.lineage import LINEAGE, documents_of
from shards.order import Order, Version, new_order, windows_in
from shards.reader import open_shards
from shards.samples import samples
from tests.shards.corpora import Lengths, streams, write_corpus
from tests.shards.orders import located, positions

corpora = st.dictionaries(
    st.sampled_from(["a/x", "b/factual", "b/general"]),
    min_size=1,
    values=st.lists(st.lists(st.integers(0, 9), min_size=1, max_size=6), min_size=1, max_size=5),
)


def order_over(lengths: Lengths, sequence: int, version: Version) -> Order | None:
    tokens = {bucket: sum(map(sum, shards)) for bucket, shards in lengths.items()}
    usable = [bucket for bucket in tokens if windows_in(tokens[bucket], sequence)]
    if not usable:
        return None
    counts = {bucket: 16 // len(usable) + (index < 16 % len(usable)) for index, bucket in enumerate(usable)}
    return new_order(tokens, sequence=sequence, seed=1, counts=counts, version=version)


# Every example writes and syncs files.
@settings(deadline=None, max_examples=40)
@given(corpora, st.integers(1, 12), st.integers(0, 20), st.integers(0, 20), st.sampled_from([1, 2]))
def test_samples_and_their_documents(lengths: Lengths, sequence: int, start: int, count: int, version: Version) -> None:
    order = order_over(lengths, sequence, version)
    if order is None:
        return
    with tempfile.TemporaryDirectory() as folder:
        write_corpus(folder, lengths)
        shards = open_shards(folder)
        found = samples(shards, order, start, count).tolist()
        documents = documents_of(shards, order, start, count)
    tokens = streams(lengths)
    owners = {
        bucket: [
            f"{bucket}-{shard}-{row}"
            for shard, documents in enumerate(per_shard)
            for row, length in enumerate(documents)
            for _ in range(length)
        ]
        for bucket, per_shard in lengths.items()
    }
    expected_rows = []
    for sample, (index, window, epoch) in list(enumerate(located(order, start + count)))[start:]:
        bucket = order.buckets[index].name
        places = positions(order, index, window, epoch)
        assert found[sample - start] == [tokens[bucket][place] for place in places]
        # The end and the beginning of the stream are counted apart, though one document may lie at both.
        seam = places.index(0) if 0 in places else 0
        expected_rows += [
            (sample, bucket, epoch, name, length)
            for part in (places[:seam], places[seam:])
            for name, length in Counter(owners[bucket][place] for place in part).items()
        ]
    assert documents.schema == LINEAGE
    columns = (documents[name].to_pylist() for name in ("sample", "bucket", "epoch", "record_name", "tokens"))
    assert list(zip(*columns, strict=True)) == expected_rows
    held = np.bincount(documents["sample"].to_numpy() - start, documents["tokens"].to_numpy(), minlength=count)
    assert held.tolist() == [sequence + 1] * count
