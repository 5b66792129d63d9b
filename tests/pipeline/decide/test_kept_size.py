"""Bytes of text that stay, without the text."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from pipeline.decide.kept_size import kept_text_bytes
from pipeline.text.signal_columns import LINES_PACKED

# Documents: reason, and for each line its words and whether it is removed.
DOCUMENTS = st.lists(
    st.tuples(st.sampled_from([0, 0, 3]), st.lists(st.tuples(st.integers(0, 50), st.booleans()), max_size=6)),
    min_size=1,
    max_size=8,
)


@given(DOCUMENTS)
def test_documents_and_lines_count_by_their_words(documents) -> None:
    """In texts whose words are of four characters, of two bytes each, the estimate is what a count would give."""
    words = [[count for count, _ in lines] for _, lines in documents]
    signals = pa.table(
        {
            "characters": pa.array([4 * sum(counts) for counts in words], pa.int32()),
            LINES_PACKED.name: pa.array(words, LINES_PACKED.type),
        }
    )
    reasons = np.array([reason for reason, _ in documents], np.uint8)
    removed = np.array([gone for _, lines in documents for _, gone in lines], bool)
    whole = 8 * sum(map(sum, words))
    kept = [sum(count for count, _ in lines) for reason, lines in documents if reason == 0]
    left = [sum(count for count, gone in lines if not gone) for reason, lines in documents if reason == 0]
    assert kept_text_bytes(signals, reasons, None, text_bytes=whole) == 8 * sum(kept)
    assert abs(kept_text_bytes(signals, reasons, removed, text_bytes=whole) - 8 * sum(left)) <= 8 * len(documents)


def test_nothing_is_kept_of_nothing() -> None:
    signals = pa.table({"characters": pa.array([], pa.int32())})
    assert kept_text_bytes(signals, np.zeros(0, np.uint8), None, text_bytes=0) == 0
