"""The columns of signals, in the order in which they are stored, which is that of the kernels' output matrix.

Nothing is computed here; `pipeline.text.signals` says what each column means. New columns are added at the end.
"""

from __future__ import annotations

from enum import IntEnum, auto

import pyarrow as pa


class Column(IntEnum):
    """A column's place; its name in small letters is the column's."""

    CHARACTERS = 0
    WORD_CHARACTERS = auto()
    LETTER_CHARACTERS = auto()
    WORDS = auto()
    LETTER_WORDS = auto()
    STOP_WORDS = auto()
    DISTINCT_STOP_WORDS = auto()
    HASH_SYMBOLS = auto()
    ELLIPSES = auto()
    LINES = auto()
    BULLET_LINES = auto()
    ELLIPSIS_LINES = auto()
    REPEATED_LINES = auto()
    REPEATED_LINE_CHARACTERS = auto()
    PARAGRAPHS = auto()
    REPEATED_PARAGRAPHS = auto()
    REPEATED_PARAGRAPH_CHARACTERS = auto()
    TOP_2GRAM_CHARACTERS = auto()
    TOP_3GRAM_CHARACTERS = auto()
    TOP_4GRAM_CHARACTERS = auto()
    REPEATED_5GRAM_CHARACTERS = auto()
    REPEATED_6GRAM_CHARACTERS = auto()
    REPEATED_7GRAM_CHARACTERS = auto()
    REPEATED_8GRAM_CHARACTERS = auto()
    REPEATED_9GRAM_CHARACTERS = auto()
    REPEATED_10GRAM_CHARACTERS = auto()
    SYMBOL_WORDS = auto()
    TWICE_MEDIAN_WORD_LENGTH = auto()
    FREQUENT_2GRAM_CHARACTERS = auto()
    FREQUENT_3GRAM_CHARACTERS = auto()
    FREQUENT_4GRAM_CHARACTERS = auto()
    COPIED_5GRAM_CHARACTERS = auto()
    COPIED_6GRAM_CHARACTERS = auto()
    COPIED_7GRAM_CHARACTERS = auto()
    COPIED_8GRAM_CHARACTERS = auto()
    COPIED_9GRAM_CHARACTERS = auto()
    COPIED_10GRAM_CHARACTERS = auto()
    ALL_5GRAM_CHARACTERS = auto()
    ALL_6GRAM_CHARACTERS = auto()
    ALL_7GRAM_CHARACTERS = auto()
    ALL_8GRAM_CHARACTERS = auto()
    ALL_9GRAM_CHARACTERS = auto()
    ALL_10GRAM_CHARACTERS = auto()
    NEWLINES = auto()
    SHORT_LINES = auto()
    TERMINAL_LINES = auto()
    RAW_LINES = auto()
    RAW_BULLET_LINES = auto()
    RAW_ELLIPSIS_LINES = auto()
    RAW_COPIED_LINES = auto()
    RAW_COPIED_LINE_CHARACTERS = auto()
    RAW_REPEATED_LINES = auto()
    RAW_REPEATED_LINE_CHARACTERS = auto()
    FULL_REPEATED_LINE_CHARACTERS = auto()
    RAW_PARAGRAPHS = auto()
    RAW_REPEATED_PARAGRAPHS = auto()
    RAW_REPEATED_PARAGRAPH_CHARACTERS = auto()
    SPLIT_LINES = auto()
    SPLIT_BULLET_LINES = auto()
    SPLIT_ELLIPSIS_LINES = auto()
    SEPARATED_WORDS = auto()
    SEPARATED_LETTER_WORDS = auto()
    SEPARATED_DISTINCT_STOP_WORDS = auto()
    PLAIN_WORDS = auto()
    PLAIN_WORD_CHARACTERS = auto()
    SEPARATED_TOP_2GRAM_CHARACTERS = auto()
    SEPARATED_TOP_3GRAM_CHARACTERS = auto()
    SEPARATED_TOP_4GRAM_CHARACTERS = auto()
    SEPARATED_REPEATED_5GRAM_CHARACTERS = auto()
    SEPARATED_REPEATED_6GRAM_CHARACTERS = auto()
    SEPARATED_REPEATED_7GRAM_CHARACTERS = auto()
    SEPARATED_REPEATED_8GRAM_CHARACTERS = auto()
    SEPARATED_REPEATED_9GRAM_CHARACTERS = auto()
    SEPARATED_REPEATED_10GRAM_CHARACTERS = auto()


COLUMNS = tuple(column.name.lower() for column in Column)

# Columns of their own kinds beside these: one number for each line, and what extract measures only where the manifest
# asks for it.
LINES_PACKED = pa.field("lines_packed", pa.list_(pa.field("item", pa.uint32(), nullable=False)), nullable=False)
BAD_WORDS = pa.field("bad_words", pa.int32(), nullable=False)
PERPLEXITY = pa.field("perplexity", pa.float64())
FACTUAL = pa.field("factual", pa.float32(), nullable=False)
