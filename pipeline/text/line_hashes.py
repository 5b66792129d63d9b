"""Hashes of lines, by which lines of different documents are compared without their text.

In: UTF-8 bytes of n documents, a normalisation. Out: for each document one entry per line that holds a word, in the
order of the text and with the numbers that `removed_lines` counts by: a hash of the normalised line, the line's
characters, and whether a paragraph begins with it. A row depends only on its own text.

A *line* is what is between line feeds, without the space at its ends; one without a word has no entry. A *paragraph* is
a run of lines between blank ones.

| normalisation | what is done to a line, one character after the other |
|---|---|
| `c4` | lower case (TFDS c4_utils.py, `_emit_url_to_lines`) |
| `ccnet` | lower case; digits become 0; 33 marks beyond ASCII and control characters go (cc_net/text_normalizer.py, |
| | `normalize_for_dedup`). Punctuation of ASCII, accents and space inside stay, as in that code |
| `ccnet-paper` | also accents and all punctuation go, as the paper says (arXiv 1911.00359, section 3) |

One thing differs from `str.lower` and these functions: σ and ς are the same, so that a line in Greek capitals is the
same as one in small letters. Characters that Unicode assigned after 14.0 stand for themselves
(`kernels.newer_characters`).

References hash by SHA-1 (CCNet, its first 64 bits) and MD5 (C4). Nothing but equality is asked of these hashes and no
other program reads them, so they are mixed here as the text is walked over, without a copy of each line: a
call of xxh3 for each took 1.6 times as long. 64 bits are what CCNet has: among 10^11 different lines some 270 pairs
share a hash by chance (n^2 / 2^65).
"""

from __future__ import annotations

import unicodedata
from functools import cache
from typing import NamedTuple

import numba as nb
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from kernels.arrays import Bools, Bytes, Int32s, Int64s, Uint32s, Uint64s
from kernels.characters import SPACE, classes
from kernels.compiled import kernel
from kernels.hashing import SEED, mix
from kernels.newer_characters import newer_characters
from kernels.utf8 import code_point, without_space_behind
from manifests.repeated_lines import Normalisation

U64 = np.uint64

LINES = pa.schema(
    [
        pa.field(
            "lines",
            pa.list_(
                pa.field(
                    "item",
                    pa.struct(
                        [
                            pa.field("hash", pa.uint64(), nullable=False),
                            pa.field("characters", pa.uint32(), nullable=False),
                            pa.field("begins_paragraph", pa.bool_(), nullable=False),
                        ]
                    ),
                    nullable=False,
                )
            ),
            nullable=False,
        )
    ]
)

# What a character becomes: itself or another one; nothing; or several, which are found in a second table.
_NOTHING = np.uint32(0x80000000)
_SEVERAL = np.uint32(0x40000000)
# cc_net/text_normalizer.py, `UNICODE_PUNCT`, by code point; the full-width digit among them has become 0 before.
_CCNET_MARKS = frozenset(
    map(
        chr,
        [
            *(0xAB, 0xB4, 0xBB, 0x2013, 0x2014, 0x2019, 0x201C, 0x201D, 0x201E, 0x2026, 0x2236, 0x2501, 0x25BA),
            *(0x3001, 0x3002, 0x3008, 0x3009, 0x300A, 0x300B, 0x300C, 0x300D, 0x3010, 0x3011),
            *(0xFF01, 0xFF05, 0xFF08, 0xFF09, 0xFF0C, 0xFF0E, 0xFF1A, 0xFF1B, 0xFF1F, 0xFF5E),
        ],
    )
)
# cc_net/text_normalizer.py, `NON_PRINTING_CHARS_RE`.
_CONTROL = frozenset(map(chr, [*range(32), *range(127, 160)]))
# Beyond these no version of Unicode has assigned a character that any normalisation changes.
_ASSIGNED = (range(0xD800), range(0xF900, 0x20000), range(0x2F800, 0x2FA20), range(0xE0000, 0xE0200))


class _Table(NamedTuple):
    """What each character becomes.

    Attributes:
        points: uint32[0x110000]: a code point, `_NOTHING`, or `_SEVERAL` and a place in `several`.
        several: uint32[m]: how many code points, and these.
    """

    points: npt.NDArray[np.uint32]
    several: npt.NDArray[np.uint32]


def line_hashes(
    data: npt.NDArray[np.uint8], offsets: npt.NDArray[np.int64], *, normalisation: Normalisation
) -> pa.RecordBatch:
    """The lines of n documents, n rows of schema `LINES`.

    Args:
        data: valid UTF-8.
        offsets: int64[n + 1] into `data`.
        normalisation: what is done to a line before it is hashed.
    """
    count = len(offsets) - 1
    text = data[offsets[0] : offsets[-1]] if count else data[:0]
    most = int(np.count_nonzero(text == 10)) + count
    hashes, characters = np.empty(most, np.uint64), np.empty(most, np.uint32)
    begins = np.empty(most, np.bool_)
    bounds = np.zeros(count + 1, np.int32)
    table = _table(normalisation)
    _hash(data, offsets, classes(), table.points, table.several, hashes, characters, begins, bounds)
    filled = slice(0, int(bounds[-1]))
    items = pa.StructArray.from_arrays(
        [pa.array(hashes[filled]), pa.array(characters[filled]), pa.array(begins[filled])],
        fields=list(LINES.field("lines").type.value_type),
    )
    lists = pa.ListArray.from_arrays(pa.array(bounds), items, type=LINES.field("lines").type)
    return pa.RecordBatch.from_arrays([lists], schema=LINES)


@kernel
def _hash(
    data: Bytes, offsets: Int64s, spaces: Bytes, points: Uint32s, several: Uint32s, hashes: Uint64s,
    characters: Uint32s, begins: Bools, bounds: Int32s,
) -> None:  # fmt: skip
    """Fill the entries of all lines, and `bounds`, [n + 1], with where each document's begin."""
    count = nb.int64(0)
    for document in range(len(offsets) - 1):
        stop = offsets[document + 1]
        start = offsets[document]
        after_blank = True
        while start < stop:
            end = start
            while end < stop and data[end] != 10:
                end += 1
            last = without_space_behind(data, start, end, spaces)
            i = start
            while i < last:
                point, width = code_point(data, i)
                if not spaces[point] & SPACE:
                    break
                i += width
            if i < last:
                h = SEED
                length = nb.int64(0)
                while i < last:
                    point, width = code_point(data, i)
                    i += width
                    length += 1
                    becomes = points[point]
                    if becomes < _SEVERAL:
                        h = mix(h, U64(becomes))
                    elif becomes < _NOTHING:
                        at = nb.int64(becomes - _SEVERAL)
                        for offset in range(nb.int64(several[at])):
                            h = mix(h, U64(several[at + 1 + offset]))
                hashes[count], characters[count], begins[count] = h, length, after_blank
                count += 1
                after_blank = False
            else:
                after_blank = True
            start = end + 1
        bounds[document + 1] = count


@cache
def _table(normalisation: Normalisation) -> _Table:
    points = np.arange(0x110000, dtype=np.uint32)
    several: list[int] = []
    newer = newer_characters()
    for block in _ASSIGNED:
        for point in block:
            character = chr(point)
            becomes = character if point in newer else normalised_character(character, normalisation)
            if len(becomes) == 1:
                points[point] = ord(becomes)
            elif not becomes:
                points[point] = _NOTHING
            else:
                points[point] = _SEVERAL + np.uint32(len(several))
                several += [len(becomes), *map(ord, becomes)]
    table = _Table(points, np.array(several, np.uint32))
    # To numba read-only arrays are a type of their own: kernels are compiled once.
    table.points.flags.writeable = table.several.flags.writeable = False
    return table


def normalised_character(character: str, normalisation: Normalisation) -> str:
    """What one character becomes."""
    lowered = character.lower().replace("ς", "σ")
    if normalisation == "c4":
        return lowered
    if normalisation == "ccnet-paper":
        lowered = "".join(c for c in unicodedata.normalize("NFD", lowered) if unicodedata.category(c) != "Mn")
    return "".join("0" if c.isdecimal() else c for c in lowered if not _goes(c, normalisation))


def _goes(character: str, normalisation: Normalisation) -> bool:
    if character in _CCNET_MARKS or character in _CONTROL:
        return True
    return normalisation == "ccnet-paper" and unicodedata.category(character).startswith("P")
