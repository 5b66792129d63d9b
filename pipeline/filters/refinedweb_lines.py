"""Filter variant `refinedweb-lines`: RefinedWeb's line corrections (Penedo et al. 2023, arXiv 2306.01116, section 3.2,
appendix G.2).

"If these corrections remove more than 5 % of the words, the document is discarded." The paper cuts a navigation phrase
out of its line; here the short line that contains it is removed. What a line test looks for is in
`pipeline.text.words.line`.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from manifests.filters import Reason, RefinedWebLines
from pipeline.filters.line_rules import judge_refinedweb_lines, line_values, refinedweb_flags
from pipeline.filters.reasons import code_of

REASONS: tuple[Reason, ...] = ("refinedweb_removed_words", "no_lines_left")


def judge(
    signals: pa.Table | pa.RecordBatch, removed: npt.NDArray[np.bool_], thresholds: RefinedWebLines
) -> npt.NDArray[np.uint8]:
    """Reason codes uint8[n]; marks removed lines in `removed`."""
    values, offsets = line_values(signals)
    counts = np.zeros((signals.num_rows, 3), np.int64)
    flags = refinedweb_flags(
        upper=thresholds.upper, numeric=thresholds.numeric, counter=thresholds.counter, navigation=thresholds.navigation
    )
    judge_refinedweb_lines(values, offsets, removed, flags, thresholds.min_words_per_line, counts)
    removed_words, all_words, lines_left = counts.T
    codes = np.zeros(signals.num_rows, np.uint8)
    codes[lines_left == 0] = code_of("no_lines_left")
    codes[removed_words > thresholds.max_removed_words * all_words] = code_of("refinedweb_removed_words")
    return codes
