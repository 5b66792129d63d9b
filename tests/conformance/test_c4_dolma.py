"""dolma 1.2.1's `c4_v2` attributes from our stored line properties: no difference on any document."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from pipeline.filters.line_rules import line_values
from pipeline.text.normalise import text_buffers
from pipeline.text.signals import compute_signals
from pipeline.text.words.line import BRACE, JAVASCRIPT, LOREM_IPSUM, LOST_MASK, LOST_SHIFT, RAW_END_MARK, WORDS_MASK
from tests.conformance.c4_documents import documents, run_peer

pytestmark = [pytest.mark.corpora, pytest.mark.conformance]

COLUMNS = (
    "lines_with_no_ending_punctuation",
    "lines_with_too_few_words",
    "line_count",
    "has_javascript",
    "has_lorem_ipsum",
    "has_curly_brace",
)


def ours(texts: list[str]) -> list[dict[str, int]]:
    signals = compute_signals(*text_buffers(pa.array(texts, pa.large_string())))
    values, offsets = line_values(signals)
    newlines = signals["newlines"].to_pylist()
    found = []
    for number, (start, stop) in enumerate(zip(offsets[:-1], offsets[1:], strict=True)):
        lines = values[start:stop].astype(np.int64)
        words = (lines & WORDS_MASK) + (lines >> LOST_SHIFT & LOST_MASK)
        # dolma counts blank lines: they have no end mark and no words.
        line_count = newlines[number] + 1
        found.append(
            {
                "lines_with_no_ending_punctuation": int(line_count - np.count_nonzero(lines & RAW_END_MARK)),
                "lines_with_too_few_words": int(line_count - np.count_nonzero(words >= 3)),
                "line_count": line_count,
                "has_javascript": int((lines & JAVASCRIPT).any()),
                "has_lorem_ipsum": int((lines & LOREM_IPSUM).any()),
                "has_curly_brace": int((lines & BRACE).any()),
            }
        )
    return found


def test_every_attribute_is_dolmas(tmp_path: Path) -> None:
    texts = documents(sample_mb=3)
    theirs = run_peer("dolma", "dolma_c4.py", [{"text": text} for text in texts], tmp_path)
    wanted = [{column: row.get(column, 0) for column in COLUMNS} for row in theirs]
    found = ours(texts)
    different = [
        (number, found[number], wanted[number]) for number in range(len(texts)) if found[number] != wanted[number]
    ]
    print(f"{len(texts)} documents, {sum(map(len, texts)) / 1e6:.1f} million characters, {len(different)} different")
    assert not different[:3]
    # A sample in which nothing occurs would prove nothing.
    assert all(len({row[column] for row in wanted}) > 1 for column in COLUMNS if column != "has_lorem_ipsum")
