"""Signals: what filters look at, computed from a document's bytes in one walk and stored beside it as whole numbers.

In: UTF-8 bytes and offsets of n documents. Out: a record batch of n rows with the columns of `SIGNALS`, row-aligned.

Definitions, where the papers leave a choice:

- *Space* is what Python's `str.isspace` says of Unicode 14, *letter* what `str.isalpha` says (`kernels.characters`).
- A *word* is a run of characters that are not space. Its punctuation belongs to it.
- A *line* is what is between line feeds and holds a word; a *paragraph* is a run of lines between blank ones. Two lines
  or paragraphs are the same when their words are: space between words does not count.
- *Characters* are code points; those of words, lines, paragraphs and n-grams leave space out, so that shares are shares
  of `word_characters`.
- A *repeat* is the second or a later copy of a line, paragraph or n-gram of words. Characters of repeated n-grams count
  once where such n-grams overlap (Gopher, arXiv 2112.11446, section A.1.1, asks for that).
- The *top* n-gram is the first of those that occur most often; its characters are those of all its occurrences, also
  where they overlap. An n-gram that occurs once does not count: 0.
- An *ellipsis* is `...` or U+2026; six dots are two. A line ends with one also if space follows. A *bullet* is one of •
  ‣ ◦ ⁃ - * at the start of a line's first word.

| column | unit |
|---|---|
| characters, word_characters, letter_characters | all; without space; letters only |
| words, letter_words | all; with at least one letter |
| stop_words, distinct_stop_words | occurrences of `STOP_WORDS`; how many different ones |
| hash_symbols, ellipses | occurrences |
| lines, bullet_lines, ellipsis_lines, repeated_lines; repeated_line_characters | lines; characters |
| paragraphs, repeated_paragraphs; repeated_paragraph_characters | paragraphs; characters |
| top_2gram_characters .. top_4gram_characters | characters |
| repeated_5gram_characters .. repeated_10gram_characters | characters |
| lines_packed | one uint32 per line, `pipeline.text.words.line` |

So far this is Gopher as its paper reads (`gopher-paper`). The other columns are what two implementations of its rules
and FineWeb's measure instead, as their code has it; each is compared with the implementation it comes from
(tests/conformance).

For dolma 1.2.1 (dolma/taggers/gopher.py):

- A *raw line* is what is between runs of line feeds, with all its space: a text that begins or ends with a line feed
  has an empty one there. A *copy* is any of two and more equal lines or n-grams, the first one included.
- A *frequent* n-gram is the top one, or the first of the text where none occurs twice.

| column | unit |
|---|---|
| symbol_words; twice_median_word_length | words with # or … in them; characters (the median may be a half) |
| frequent_2gram_characters .. frequent_4gram_characters | characters |
| copied_5gram_characters .. copied_10gram_characters | characters of all copies, overlaps counted again |
| all_5gram_characters .. all_10gram_characters | characters of all n-grams, overlaps counted again |
| raw_lines, raw_bullet_lines, raw_ellipsis_lines | lines; with * or - as first character; with … as last |
| raw_copied_lines, raw_copied_line_characters | lines; characters, space included |

For datatrove 0.10.1 (gopher_quality_filter.py, gopher_repetition_filter.py, fineweb_quality_filter.py):

- *Separated words* are words with their punctuation taken off (`pipeline.text.words.separate`), which come near to
  spaCy's. A *plain* one has a character that is not in datatrove's PUNCTUATION_SET.
- A *raw paragraph* is what is between two or more line feeds, with all its space except that around the text.
- A *split line* is one of `str.splitlines`.
- A separated top n-gram has a space between its words, and may occur once. Repeated separated n-grams are found from
  left to right and do not overlap; their words are compared, and counted, without space between them.
- A line, as above, is *short* with 30 characters or fewer, space included; *terminal* if its last character, which may
  be space, is in datatrove's TERMINAL_PUNCTUATION; *full* lines are these same lines compared with all their space.

| column | unit |
|---|---|
| newlines; short_lines, terminal_lines; full_repeated_line_characters | line feeds; lines; characters, space included |
| raw_repeated_lines, raw_repeated_line_characters | lines; characters, space included |
| raw_paragraphs, raw_repeated_paragraphs; raw_repeated_paragraph_characters | paragraphs; characters, space included |
| split_lines, split_bullet_lines, split_ellipsis_lines | lines; • or - first; an ellipsis last; without space |
| separated_words, separated_letter_words, separated_distinct_stop_words | words |
| plain_words, plain_word_characters | words; characters |
| separated_top_2gram_characters .. separated_top_4gram_characters | characters, space included |
| separated_repeated_5gram_characters .. separated_repeated_10gram_characters | characters |

Repeats are looked for in the first `MOST_WORDS` words, lines and paragraphs of a document, and in separated words as
long as their characters fit in `MOST_CHARACTER_BYTES`. This bounds the scratch memory to 150 MB and 8 bytes for each
byte of the longest document, which are touched only as far as they are needed; that many words are ten times what the
most generous filter lets pass. A number that does not fit in 31 bits is stored as the largest that does.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from dedup.signatures import EMPTY, Permutations
from pipeline.text.signal_columns import COLUMNS, LINES_PACKED
from pipeline.text.words.joined import PREFIX_BYTES
from pipeline.text.words.point_classes import byte_classes, point_classes
from pipeline.text.words.scratch import Scratch
from pipeline.text.words.signal import measure
from pipeline.text.words.special_words import STOP_WORDS, special_words

__all__ = ["LINES_PACKED", "MOST_WORDS", "SIGNALS", "STOP_WORDS", "Measured", "compute", "compute_signals"]

MOST_WORDS = 1 << 20
MOST_CHARACTER_BYTES = 1 << 24
# After the characters of the separated words, which are read eight bytes at a time.
_PADDING = PREFIX_BYTES + 8
_LARGEST = np.iinfo(np.int32).max

SIGNALS = pa.schema([*[pa.field(name, pa.int32(), nullable=False) for name in COLUMNS], LINES_PACKED])


class Measured(NamedTuple):
    """What one walk over n documents gives, row-aligned.

    Attributes:
        signals: n rows of schema `SIGNALS`.
        signatures: uint32[n, k], `dedup.signatures`; k is 0 without permutations.
        shingles: int32[n], repeats counted; zeros without permutations.
    """

    signals: pa.RecordBatch
    signatures: npt.NDArray[np.uint32]
    shingles: npt.NDArray[np.int32]


def compute(
    data: npt.NDArray[np.uint8],
    offsets: npt.NDArray[np.int64],
    *,
    permutations: Permutations | None = None,
    ngram: int = 5,
    separate: bool = True,
) -> Measured:
    """Signals, and with permutations signatures, of n documents, in one walk over their bytes.

    Args:
        data: valid UTF-8.
        offsets: int64[n + 1] into `data`.
        permutations: k of them, for signatures (`dedup.signatures`).
        ngram: words per shingle, at least 1.
        separate: False takes the words between whitespace as the separated ones; this is for comparison with other
            implementations.

    Raises:
        ValueError: `ngram` is below 1.
    """
    if ngram < 1:
        raise ValueError(f"a shingle of {ngram} words")
    count = len(offsets) - 1
    longest = int(np.diff(offsets).max()) if count else 0
    multipliers = np.zeros(0, np.uint32) if permutations is None else permutations.multipliers
    addends = np.zeros(0, np.uint32) if permutations is None else permutations.addends
    out = np.zeros((count, len(COLUMNS)), np.int64)
    signatures = np.full((count, len(multipliers)), EMPTY, np.uint32)
    shingles = np.zeros(count, np.int32)
    # A line that holds a word ends at a line feed or with its document.
    text = data[offsets[0] : offsets[-1]] if count else data[:0]
    packed = np.empty(np.count_nonzero(text == 10) + count, np.uint32)
    packed_offsets = np.zeros(count + 1, np.int32)
    if longest:
        tables = (point_classes(), byte_classes(), *special_words(), not separate, multipliers, addends, ngram)
        measure(
            data,
            offsets,
            *tables,
            _scratch(longest, permutations is not None),
            signatures,
            shingles,
            packed,
            packed_offsets,
            out,
        )
    clipped = np.minimum(np.ascontiguousarray(out.T), _LARGEST).astype(np.int32)
    lines = pa.ListArray.from_arrays(
        pa.array(packed_offsets), pa.array(packed[: packed_offsets[-1]]), type=LINES_PACKED.type
    )
    return Measured(pa.RecordBatch.from_arrays([*map(pa.array, clipped), lines], schema=SIGNALS), signatures, shingles)


def compute_signals(data: npt.NDArray[np.uint8], offsets: npt.NDArray[np.int64]) -> pa.RecordBatch:
    """Signals of n documents, a record batch of n rows with schema `SIGNALS`; arguments as for `compute`."""
    return compute(data, offsets).signals


def _scratch(longest: int, shingles: bool) -> Scratch:
    """Scratch for documents of at most `longest` bytes. Pages that no document needs are never touched."""
    # A word or a line takes at least two bytes, except the last; a separated word takes one.
    most = min(longest // 2 + 1, MOST_WORDS)
    most_separated = min(longest, MOST_WORDS)
    largest = max(most, most_separated)
    table = 1 << max(6, (2 * largest - 1).bit_length())
    return Scratch(
        words=np.empty(most, np.uint64),
        word_lengths=np.empty(most, np.int32),
        lines=np.empty(most, np.uint64),
        line_lengths=np.empty(most, np.int32),
        paragraphs=np.empty(most, np.uint64),
        paragraph_lengths=np.empty(most, np.int32),
        raw_lines=np.empty(most, np.uint64),
        raw_line_lengths=np.empty(most, np.int32),
        raw_paragraphs=np.empty(most, np.uint64),
        raw_paragraph_lengths=np.empty(most, np.int32),
        separated=np.empty(most_separated, np.uint64),
        separated_lengths=np.empty(most_separated, np.int32),
        starts=np.empty(most_separated + 1, np.int32),
        characters=np.empty(min(longest, MOST_CHARACTER_BYTES) + _PADDING, np.uint8),
        shingle_words=np.empty(longest // 2 + 1 if shingles else 0, np.uint64),
        ends=np.empty(longest, np.int32),
        state=np.zeros(4, np.int64),
        histogram=np.zeros(256, np.int32),
        grams=np.empty(largest, np.uint64),
        blocks=np.empty(largest, np.uint64),
        bits=np.empty(max(64, largest), np.uint64),
        counters=np.empty(3 * table, np.uint8),
        counts=np.empty(largest, np.int32),
        places=np.empty(largest, np.int32),
        marked=np.empty(largest, np.uint8),
        slots=np.zeros(table, np.int32),
    )
