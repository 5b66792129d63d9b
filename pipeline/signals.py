"""Signals: what filters look at, computed from a document's bytes in one walk and stored beside it as whole numbers.

In: UTF-8 bytes and offsets of n documents. Out: a record batch of n rows with the columns of `SIGNALS`, row-aligned.

Definitions, where the papers leave a choice:

- *Space* is what Python's `str.isspace` says of Unicode 14, *letter* what `str.isalpha` says (`dedup.characters`).
- A *word* is a run of characters that are not space. Its punctuation belongs to it.
- A *line* is what stands between line feeds and holds a word; a *paragraph* is a run of lines between blank ones. Two lines or paragraphs
  are the same when their words are: space between words does not count.
- *Characters* are code points; those of words, lines, paragraphs and n-grams leave space out, so that shares are shares of
  `word_characters`.
- A *repeat* is the second or a later copy of a line, paragraph or n-gram of words. Characters of repeated n-grams count once where such
  n-grams overlap (Gopher, arXiv 2112.11446, section A.1.1, asks for that).
- The *top* n-gram is the one that occurs most often, of equals the one that comes first; its characters are those of all its occurrences,
  also where they overlap. An n-gram that occurs once is none: 0.
- An *ellipsis* is `...` or U+2026; six dots are two. A line ends with one also if space follows. A *bullet* is one of • ‣ ◦ ⁃ - * at the
  start of a line's first word.

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

Repeats are looked for in the first `MOST_WORDS` words, lines and paragraphs of a document, which bounds the scratch memory to 90 MB; that
many words are ten times what the most generous filter lets pass.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from dedup.characters import classes
from pipeline import signal_kernel as kernel

MOST_WORDS = 1 << 20

# Gopher's list (arXiv 2112.11446, section A.1.1); matched as whole words, in lower case only, as printed there.
STOP_WORDS = ("the", "be", "to", "of", "and", "that", "have", "with")

SIGNALS = pa.schema([pa.field(name, pa.int32(), nullable=False) for name in kernel.COLUMNS])


def compute_signals(data: npt.NDArray[np.uint8], offsets: npt.NDArray[np.int64]) -> pa.RecordBatch:
    """Signals of n documents.

    Args:
        data: valid UTF-8.
        offsets: int64[n + 1] into `data`.

    Returns:
        A record batch of n rows with schema `SIGNALS`.
    """
    count = len(offsets) - 1
    out = np.zeros((count, len(kernel.COLUMNS)), np.int64)
    if count:
        # A word or a line takes at least two bytes, but for the last. Pages of scratch that no document needs are never touched.
        most = min(int(np.diff(offsets).max()) // 2 + 1, MOST_WORDS)
        slots = 1 << max(6, (2 * most - 1).bit_length())
        hashes = [np.empty(most, np.uint64) for _ in range(4)]
        lengths = [np.empty(most, np.int32) for _ in range(4)]
        kernel.measure(
            data,
            offsets,
            classes(),
            _stop_word_hashes(),
            hashes[0],
            lengths[0],
            hashes[1],
            lengths[1],
            hashes[2],
            lengths[2],
            hashes[3],
            np.empty(most + 1, np.uint8),
            np.empty(most + 1, np.uint8),
            lengths[3],
            np.zeros(slots, np.int32),
            out,
        )
    columns = [pa.array(column) for column in np.ascontiguousarray(out.T).astype(np.int32)]
    return pa.RecordBatch.from_arrays(columns, schema=SIGNALS)


@cache
def _stop_word_hashes() -> npt.NDArray[np.uint64]:
    return np.array([word_hash(word) for word in STOP_WORDS], np.uint64)


def word_hash(word: str) -> int:
    """The kernel's hash of one word, in plain Python."""
    value = 0xCBF29CE484222325
    for byte in word.encode():
        value = ((value ^ byte) * 0x9E3779B97F4A7C15) % 2**64
        value ^= value >> 29
    return value
