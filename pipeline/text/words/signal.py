"""The kernel of `pipeline.text.signals`: for each document one walk over its bytes, then counting over hashes of what
the walk found.

In: UTF-8 bytes and offsets of n documents, tables, scratch. Out: int64[n, len(COLUMNS)], signatures and packed lines,
row-aligned. Documents are measured one after the other and do not see each other. `tests/property/test_signals.py`
holds the slow reference.
"""

from __future__ import annotations

import numba as nb

from dedup.signatures import sign
from kernels.arrays import Bytes, Int32s, Int64s, Integer, Uint16s, Uint32s, Uint64s
from kernels.compiled import bare_kernel, kernel
from pipeline.text.signal_columns import Column
from pipeline.text.words.joined import joined_ngrams
from pipeline.text.words.keep import KEPT
from pipeline.text.words.ngram import next_base, repeats, window_totals, word_ngrams
from pipeline.text.words.scratch import Scratch
from pipeline.text.words.walk import walk

# Word lengths below this are counted in a histogram; where the median is longer, lengths are sorted.
_HISTOGRAM = 256


@kernel
def measure(
    data: Bytes, offsets: Int64s, points: Uint16s, kinds: Bytes, hashes: Uint64s, values: Uint32s, whole: bool,
    multipliers: Uint32s, addends: Uint32s, ngram: int, scratch: Scratch, signatures: Uint32s, shingles: Int32s,
    packed: Uint32s, packed_offsets: Int32s, out: Int64s,
) -> None:  # fmt: skip
    """Fill `signatures`, `shingles`, `packed`, `packed_offsets` and `out`.

    Args:
        data, offsets: valid UTF-8; int64[n + 1].
        points, kinds: `pipeline.text.words.point_classes`.
        hashes, values: `pipeline.text.words.special_words`.
        whole: separated words are those between whitespace.
        multipliers, addends, ngram: the permutations and words per shingle; without permutations no signature is made.
        scratch: its slots are zeros.
        signatures, shingles: [n, k], all `dedup.signatures.EMPTY`; [n], zeros.
        packed, packed_offsets: [the most lines possible]; [n + 1], zeros.
        out: [n, len(COLUMNS)], zeros.
    """
    base: Integer = nb.int64(1)
    packed_count: Integer = nb.int64(0)
    slots, counts = scratch.slots, scratch.counts
    for document in range(len(offsets) - 1):
        start, end = offsets[document], offsets[document + 1]
        if start == end:
            packed_offsets[document + 1] = packed_count
            continue
        row = out[document]
        words, lines, paragraphs, raw_lines, raw_paragraphs, shingle_words, packed_count = walk(
            data, start, end, points, kinds, hashes, values, whole, len(multipliers) > 0, scratch, scratch.state,
            packed, packed_count, row,
        )  # fmt: skip
        packed_offsets[document + 1] = packed_count
        if shingle_words:
            shingles[document] = sign(
                scratch.shingle_words, shingle_words, multipliers, addends, ngram, signatures[document]
            )
        found = repeats(scratch.lines, scratch.line_lengths, lines, counts, slots, base)
        base = next_base(slots, base, lines)
        row[Column.REPEATED_LINES], row[Column.REPEATED_LINE_CHARACTERS] = found[0], found[1]
        if row[Column.PARAGRAPHS] > 1:
            found = repeats(scratch.paragraphs, scratch.paragraph_lengths, paragraphs, counts, slots, base)
            base = next_base(slots, base, paragraphs)
            row[Column.REPEATED_PARAGRAPHS], row[Column.REPEATED_PARAGRAPH_CHARACTERS] = found[0], found[1]
        base = _repeated_raw_lines(raw_lines, data[start] == 10, data[end - 1] == 10, scratch, base, row)
        if raw_paragraphs > 1:
            found = repeats(scratch.raw_paragraphs, scratch.raw_paragraph_lengths, raw_paragraphs, counts, slots, base)
            base = next_base(slots, base, raw_paragraphs)
            row[Column.RAW_REPEATED_PARAGRAPHS], row[Column.RAW_REPEATED_PARAGRAPH_CHARACTERS] = found[0], found[1]
        if row[Column.WORDS]:
            row[Column.TWICE_MEDIAN_WORD_LENGTH] = _twice_median(scratch.word_lengths, words, scratch.histogram)
        base = word_ngrams(
            scratch.words, scratch.word_lengths, words, 10, Column.TOP_2GRAM_CHARACTERS, 0, scratch, base, row
        )
        window_totals(scratch.word_lengths, words, row)
        kept = scratch.state[KEPT]
        base = word_ngrams(
            scratch.separated,
            scratch.separated_lengths,
            kept,
            4,
            Column.SEPARATED_TOP_2GRAM_CHARACTERS,
            1,
            scratch,
            base,
            row,
        )
        base = joined_ngrams(scratch.characters, scratch.starts, scratch.separated_lengths, kept, scratch, base, row)


@bare_kernel
def _repeated_raw_lines(
    count: Integer, first_empty: bool, last_empty: bool, scratch: Scratch, base: Integer, row: Int64s
) -> Integer:
    """Repeats of the `count` raw lines; the first and the last of the text may be empty. Returns the next free base."""
    found = repeats(scratch.raw_lines, scratch.raw_line_lengths, count, scratch.counts, scratch.slots, base)
    row[Column.RAW_REPEATED_LINES], row[Column.RAW_REPEATED_LINE_CHARACTERS] = found[0], found[1]
    row[Column.RAW_COPIED_LINES], row[Column.RAW_COPIED_LINE_CHARACTERS] = found[2], found[3]
    row[Column.FULL_REPEATED_LINE_CHARACTERS] = found[1] - found[4]
    # Line feeds at the ends of the text leave an empty line each, which are copies of each other.
    row[Column.RAW_LINES] += nb.int64(first_empty) + nb.int64(last_empty)
    if first_empty and last_empty:
        row[Column.RAW_REPEATED_LINES] += 1
        row[Column.RAW_COPIED_LINES] += 2
    return next_base(scratch.slots, base, count)


@kernel
def _twice_median(lengths: Int32s, count: Integer, histogram: Int32s) -> Integer:
    """The sum of the two lengths in the middle, which for an odd count are the same one."""
    histogram[:] = 0
    for index in range(count):
        histogram[min(lengths[index], _HISTOGRAM - 1)] += 1
    lower, upper = (count - 1) // 2, count // 2
    twice: Integer = nb.int64(0)
    below = nb.int64(0)
    for length in range(_HISTOGRAM - 1):
        above = below + histogram[length]
        twice += nb.int64(length) * (nb.int64(below <= lower < above) + nb.int64(below <= upper < above))
        if above > upper:
            return twice
        below = above
    ordered = lengths[:count].copy()
    ordered.sort()
    twice = nb.int64(ordered[lower]) + nb.int64(ordered[upper])
    return twice
