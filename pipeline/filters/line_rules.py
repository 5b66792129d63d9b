"""Line rules on packed properties: which lines of a document are removed, and which documents are dropped.

No text is read.

In: `lines_packed` of n documents (`pipeline.text.words.line`), thresholds, and which lines earlier rules removed. Out:
a verdict per document; `removed` is updated in place. Lines are in the order of the text.
"""

from __future__ import annotations

import numba as nb
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from kernels.arrays import Bools, Bytes, Int64s, Uint32s
from kernels.compiled import kernel
from pipeline.text.signal_columns import LINES_PACKED
from pipeline.text.words.line import (
    APOSTROPHE,
    BRACE,
    COUNTER,
    ELLIPSIS,
    END_MARK,
    JAVASCRIPT,
    LONG_LINE,
    LONG_WORD,
    LOREM_IPSUM,
    LOST_MASK,
    LOST_SHIFT,
    NAVIGATION,
    NUMERIC,
    POLICY,
    SENTENCES_MASK,
    SENTENCES_SHIFT,
    UPPER,
    WORDS_MASK,
)

# Verdicts of `judge_c4_lines`.
PASSES, HAS_LOREM_IPSUM, HAS_BRACE, FEW_SENTENCES, FEW_LONG_LINES, NO_LINES = range(6)


def line_values(signals: pa.Table | pa.RecordBatch) -> tuple[npt.NDArray[np.uint32], npt.NDArray[np.int64]]:
    """The packed lines of n documents, uint32[lines], and where each document's lines begin, int64[n + 1]."""
    column = signals[LINES_PACKED.name]
    lists = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    if isinstance(lists, pa.ChunkedArray):  # a column without chunks stays a ChunkedArray
        return np.empty(0, np.uint32), np.zeros(1, np.int64)
    offsets = lists.offsets.to_numpy().astype(np.int64)
    values = lists.values.to_numpy(zero_copy_only=False)[offsets[0] : offsets[-1]]
    return values, offsets - offsets[0]


@kernel
def judge_c4_lines(
    values: Uint32s, offsets: Int64s, removed: Bools, drop_without: int, drop_with: int, page_flags: int,
    min_words: int, words_with_citations: bool, min_sentences: int, min_long_lines: int, out: Bytes,
) -> None:  # fmt: skip
    """C4's line rules in the order of TFDS c4_utils.py, `clean_page`.

    Args:
        values, offsets: [lines], [n + 1].
        removed: [lines]; lines already removed are skipped.
        drop_without: flags of which a line must have at least one; 0 for no such rule.
        drop_with: flags that remove a line, among LONG_WORD, JAVASCRIPT, POLICY. ELLIPSIS removes a line only if
            `drop_without` is set.
        page_flags: flags that drop the page, among LOREM_IPSUM and BRACE.
        words_with_citations: whether words of citations count towards `min_words`.
        out: [n], one of PASSES, HAS_LOREM_IPSUM, HAS_BRACE, FEW_SENTENCES, FEW_LONG_LINES, NO_LINES.
    """
    for document in range(len(offsets) - 1):
        sentences = long_lines = lines_left = nb.int64(0)
        verdict = PASSES
        for i in range(offsets[document], offsets[document + 1]):
            value = nb.int64(values[i])
            long_lines += (value & LONG_LINE) != 0
            if removed[i]:
                continue
            words = value & WORDS_MASK
            if words_with_citations:
                words += (value >> LOST_SHIFT) & LOST_MASK
            if (
                value & drop_with & LONG_WORD
                or (drop_without and (not value & drop_without or value & ELLIPSIS))
                or words < min_words
            ):
                removed[i] = True
                continue
            if value & page_flags & LOREM_IPSUM:
                verdict = HAS_LOREM_IPSUM
                break
            if value & drop_with & JAVASCRIPT:
                removed[i] = True
                continue
            if value & page_flags & BRACE:
                verdict = HAS_BRACE
                break
            if value & drop_with & POLICY:
                removed[i] = True
                continue
            sentences += (value >> SENTENCES_SHIFT) & SENTENCES_MASK
            lines_left += 1
        if verdict == PASSES:
            if sentences < min_sentences:
                verdict = FEW_SENTENCES
            elif long_lines < min_long_lines:
                verdict = FEW_LONG_LINES
            elif lines_left == 0:
                verdict = NO_LINES
        out[document] = verdict


@kernel
def judge_refinedweb_lines(
    values: Uint32s, offsets: Int64s, removed: Bools, drop_with: int, min_words: int, out: Int64s
) -> None:
    """RefinedWeb's line corrections.

    Args:
        values, offsets: [lines], [n + 1].
        removed: [lines]; lines already removed are skipped.
        drop_with: flags that remove a line, among UPPER, NUMERIC, COUNTER, NAVIGATION.
        min_words: a line with fewer words is removed.
        out: [n, 3]: words of the lines removed here, words of all lines not removed before, number of remaining
            lines.
    """
    for document in range(len(offsets) - 1):
        removed_words = all_words = lines_left = nb.int64(0)
        for i in range(offsets[document], offsets[document + 1]):
            if removed[i]:
                continue
            value = nb.int64(values[i])
            words = (value & WORDS_MASK) + ((value >> LOST_SHIFT) & LOST_MASK)
            all_words += words
            if value & drop_with or words < min_words:
                removed[i] = True
                removed_words += words
            else:
                lines_left += 1
        out[document, 0], out[document, 1], out[document, 2] = removed_words, all_words, lines_left


def c4_flags(
    *,
    end_mark: bool,
    apostrophe: bool,
    long_words: bool,
    javascript: bool,
    policy: bool,
    lorem_ipsum: bool,
    brace: bool,
) -> tuple[int, int, int]:
    """The three sets of flags of `judge_c4_lines`: drop_without, drop_with, page_flags."""
    without = (END_MARK | (APOSTROPHE if apostrophe else 0)) if end_mark else 0
    with_any = (LONG_WORD if long_words else 0) | (JAVASCRIPT if javascript else 0) | (POLICY if policy else 0)
    page = (LOREM_IPSUM if lorem_ipsum else 0) | (BRACE if brace else 0)
    return without, with_any, page


def refinedweb_flags(*, upper: bool, numeric: bool, counter: bool, navigation: bool) -> int:
    """The flags of `judge_refinedweb_lines`."""
    return (
        (UPPER if upper else 0)
        | (NUMERIC if numeric else 0)
        | (COUNTER if counter else 0)
        | (NAVIGATION if navigation else 0)
    )


def removed_lists(
    removed: npt.NDArray[np.bool_], offsets: npt.NDArray[np.int64], kept: npt.NDArray[np.bool_]
) -> pa.Array:
    """Which lines of each kept document are removed: list<uint32>[n].

    A line's number counts the document's lines that contain a word. Null if no line is removed or the document is
    dropped.

    Args:
        removed: bool[lines].
        offsets: int64[n + 1], where each document's lines begin.
        kept: bool[n].
    """
    gone = removed & np.repeat(kept, np.diff(offsets))
    sums = np.concatenate([np.zeros(1, np.int64), np.cumsum(gone)])
    numbers = (np.arange(len(removed)) - np.repeat(offsets[:-1], np.diff(offsets)))[gone].astype(np.uint32)
    bounds = sums[offsets]
    lists = pa.ListArray.from_arrays(
        pa.array(bounds.astype(np.int32)), pa.array(numbers), type=REMOVED_LINES, mask=pa.array(np.diff(bounds) == 0)
    )
    return lists


REMOVED_LINES = pa.list_(pa.field("item", pa.uint32(), nullable=False))
