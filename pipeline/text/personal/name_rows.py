"""Names in a row: how long the longest list of nothing but names is on a page.

In: UTF-8 bytes and offsets of n documents, and the mentions of names in them. Out: int32[n], row-aligned: the most
mentions that follow one another in a row.

Two mentions are *in a row* if at most `_FURTHEST` bytes stand between them, without a colon, and these are either
numbers and marks (`12. Ann Lee | 13. Carl Day`) or at most `_MOST_WORDS` words with capitals or particles, without
digits and first names: a town, or a name that is on no list. Casts with roles, tables of results and running text have
other words or numbers between names. The site rule looks at long rows: lists of members, pupils or passengers often
give names and nothing else.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from kernels.arrays import Boolean, Bytes, Int32s, Int64s, Integer
from kernels.compiled import bare_kernel, kernel
from pipeline.text.personal.names import (
    Mentions,
    Tables,
    begins_letter,
    is_capital,
    name_tables,
    slot_of,
    word_end,
    word_hash,
)

NAMES_IN_ROW = pa.field("names_in_row", pa.int32(), nullable=False)

_FURTHEST = 60
_MOST_WORDS = 4
# Numbers of rows, not dates or telephone numbers.
_MOST_DIGITS = 6
_MOST_BESIDE_WORDS = 4


def names_in_row(data: Bytes, offsets: Int64s, names: Mentions) -> Int32s:
    """How many names the longest row of each document has.

    Args:
        data: UTF-8 bytes.
        offsets: int64[n + 1] into `data`.
        names: of `find_names`, over the same bytes.
    """
    base = offsets[names.documents]
    return _longest(data, names.documents, names.starts + base, names.stops + base, name_tables(), len(offsets) - 1)


@kernel
def _longest(data: Bytes, documents: Int64s, starts: Int64s, stops: Int64s, tables: Tables, count: Integer) -> Int32s:
    longest, row = np.zeros(count, np.int32), 0
    for mention in range(len(starts)):
        goes_on = mention > 0 and documents[mention] == documents[mention - 1]
        row = row + 1 if goes_on and _in_row(data, stops[mention - 1], starts[mention], tables) else 1
        longest[documents[mention]] = max(longest[documents[mention]], row)
    return longest


@bare_kernel
def _in_row(data: Bytes, start: Integer, stop: Integer, tables: Tables) -> Boolean:
    """Two mentions are in a row that have these bytes between them."""
    if stop - start > _FURTHEST:
        return False
    digits, words, place = 0, 0, start
    while place < stop:
        byte = data[place]
        if byte == 0x3A:
            return False
        if begins_letter(byte):
            end = word_end(data, place, stop)
            value = word_hash(data, place, end)
            particle = tables.particles[slot_of(tables.particles, value)] != 0
            if not particle and not is_capital(data, place, stop):
                return False
            if tables.first_names[slot_of(tables.first_names, value)] != 0:
                return False
            words += 1
            place = end
            continue
        digits += 0x30 <= byte <= 0x39
        place += 1
    answer: Boolean = words <= _MOST_WORDS and digits <= (_MOST_DIGITS if words == 0 else _MOST_BESIDE_WORDS)
    return answer
