"""Documents sorted by id, cut into even shards, against a plain sort."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from pipeline.tokenize.hash_order import Encoded, cut_in_hash_order, id_order

# A batch: documents of (first byte of the id, number of tokens).
BATCHES = st.lists(
    st.lists(st.tuples(st.sampled_from([0, 1, 127, 128, 255]), st.integers(0, 9)), min_size=1, max_size=6),
    min_size=1,
    max_size=5,
)


def encoded(batches: list[list[tuple[int, int]]]) -> tuple[Encoded, list[tuple[bytes, list[int]]]]:
    """The batches as tokenize holds them, and as a plain list of (id, tokens)."""
    found, plain, token = Encoded(), [], 0
    for batch in batches:
        ids = [bytes([first]) * 16 for first, _ in batch]
        lengths = np.array([length for _, length in batch], np.int64)
        found.tokens.append(np.arange(token, token + lengths.sum(), dtype=np.uint16))
        found.lengths.append(lengths)
        found.rows.append(pa.table({"document_id": pa.array(ids, pa.binary(16)), "place": range(len(ids))}))
        for identity, length in zip(ids, lengths.tolist(), strict=True):
            plain.append((identity, list(range(token, token + length))))
            token += length
    return found, plain


@given(BATCHES, st.integers(1, 60))
def test_documents_are_sorted_by_id_and_none_is_lost(batches, size) -> None:
    found, plain = encoded(batches)
    cuts = list(cut_in_hash_order(found, size=size))
    documents = [
        (row["document_id"], cut.tokens[row["offset"] : row["offset"] + row["length"]].tolist())
        for cut in cuts
        for row in cut.documents.to_pylist()
    ]
    assert documents == sorted(plain, key=lambda document: document[0])  # equal ids keep their order
    for cut in cuts:
        assert cut.tokens.dtype == np.uint16
        assert cut.offsets.tolist() == np.cumsum([0, *cut.documents["length"].to_pylist()]).tolist()
        assert len(cut.tokens) == cut.offsets[-1]


@given(BATCHES, st.integers(1, 60))
def test_shards_are_as_even_as_documents_allow(batches, size) -> None:
    found, plain = encoded(batches)
    total, longest = sum(len(tokens) for _, tokens in plain), max(len(tokens) for _, tokens in plain)
    sizes = [len(cut.tokens) for cut in cut_in_hash_order(found, size=size)]
    shards = max(1, round(total / size + 1e-9))
    assert len(sizes) <= shards
    assert all(abs(each - total / shards) < longest + 1 for each in sizes) or longest > total / shards


@given(st.lists(st.binary(min_size=16, max_size=16), max_size=20), st.integers(0, 3))
def test_ids_are_compared_as_bytes(ids, skip) -> None:
    array = pa.array([b"\0" * 16] * skip + ids, pa.binary(16)).slice(skip)
    assert [ids[row] for row in id_order(array)] == sorted(ids)
