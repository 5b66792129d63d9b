"""BOS and EOS tokens, and how batches are cut into shards."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.tokenize.step import _split, add_boundaries


@pytest.mark.parametrize(("bos", "eos"), [(1, 2), (1, None), (None, 2)])
@given(documents=st.lists(st.lists(st.integers(3, 9), max_size=4), min_size=1, max_size=6))
def test_boundaries(documents, bos, eos) -> None:
    tokens = np.array([token for document in documents for token in document], np.uint32)
    offsets = np.concatenate([[0], np.cumsum([len(document) for document in documents])]).astype(np.int64)
    bounded, lengths = add_boundaries(tokens, offsets, bos=bos, eos=eos)
    expected = [[t for t in (bos, *document, eos) if t is not None] for document in documents]
    assert bounded.tolist() == [token for document in expected for token in document]
    assert lengths.tolist() == [len(document) for document in expected]


@given(
    lengths=st.lists(st.integers(1, 7), min_size=1, max_size=12),
    room=st.integers(1, 20),
    size=st.integers(1, 20),
)
def test_shards_end_with_the_document_that_fills_them(lengths, room, size) -> None:
    tokens = np.arange(sum(lengths), dtype=np.uint32)
    rows = pa.table({"row": list(range(len(lengths)))})
    pieces = list(_split(tokens, np.array(lengths), rows, room=room, size=size))
    assert np.concatenate([piece[0] for piece in pieces]).tolist() == tokens.tolist()
    assert [length for piece in pieces for length in piece[1].tolist()] == lengths
    assert [row for piece in pieces for row in piece[2]["row"].to_pylist()] == list(range(len(lengths)))
    for index, (piece, its_lengths, _) in enumerate(pieces):
        wanted = room if index == 0 else size
        assert len(piece) - its_lengths[-1] < wanted  # without its last document it was not full yet
        if index < len(pieces) - 1:
            assert len(piece) >= wanted
