"""Filter variant `c4-tfds`, and `c4-arxiv-v1` with other thresholds: C4's page cleaning.

Source: Raffel et al., JMLR 21-140, section 2.2. The order of tests is that of TFDS c4_utils.py, `clean_page`.
Thresholds and differences between the two variants are in `manifests.filters.C4Tfds` and `C4ArxivV1`; what a line test
looks for is in `pipeline.text.words.line`. `lorem ipsum` and `{` drop a page only if they occur in a line that no
earlier test removed.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from manifests.filters import C4, C4ArxivV1, Reason
from pipeline.filters.line_rules import c4_flags, judge_c4_lines, line_values
from pipeline.filters.reasons import code_of

# In the order of the verdicts of `judge_c4_lines`.
_BY_CODE: tuple[Reason, ...] = ("kept", "c4_lorem_ipsum", "c4_brace", "c4_sentences", "c4_long_lines", "no_lines_left")
REASONS: tuple[Reason, ...] = (*_BY_CODE[1:], "c4_page_length")


def judge(signals: pa.Table | pa.RecordBatch, removed: npt.NDArray[np.bool_], thresholds: C4) -> npt.NDArray[np.uint8]:
    """Reason codes uint8[n]; marks removed lines in `removed`."""
    values, offsets = line_values(signals)
    out = np.zeros(signals.num_rows, np.uint8)
    flags = c4_flags(
        end_mark=thresholds.end_mark,
        apostrophe=thresholds.apostrophe,
        long_words=thresholds.long_words,
        javascript=thresholds.javascript,
        policy=thresholds.policy,
        lorem_ipsum=thresholds.lorem_ipsum,
        brace=thresholds.brace,
    )
    # datatrove splits a line into words before it removes citations, TFDS afterwards.
    with_citations = isinstance(thresholds, C4ArxivV1)
    judge_c4_lines(
        values,
        offsets,
        removed,
        *flags,
        thresholds.min_words_per_line,
        with_citations,
        thresholds.min_sentences,
        thresholds.min_long_lines,
        out,
    )
    codes = np.array([code_of(reason) for reason in _BY_CODE], np.uint8)[out]
    if thresholds.max_characters is not None:
        codes[signals["characters"].to_numpy() > thresholds.max_characters] = code_of("c4_page_length")
    return codes
