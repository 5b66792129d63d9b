"""Texts as documents store them, and their ids.

In: texts from a reader. Out: an Arrow array of normalised texts, and the 128-bit xxh3 of each: equal texts have equal
ids wherever they come from. Row order is kept; a row depends on its own text only.

Normalised means, in this order: CR LF and CR become LF; NUL is removed; mojibake is repaired line by line
(`pipeline.text.mojibake`); a Unicode normal form is applied; white space and byte order marks are removed from the
start, white space from the end. A text that this changed is normalised again until nothing changes, so that normalising
twice changes nothing.

One walk over the bytes finds the texts that need any of it; the others are copied as they are, or used in place. Normal
forms are those of Unicode 14, on every Python: `kernels.newer_characters`.
"""

from __future__ import annotations

import re
import sys
import unicodedata
from functools import cache, partial
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import xxhash

from kernels.arrays import Bools, Bytes, Int64s, Integer
from kernels.characters import SPACE, classes
from kernels.compiled import kernel
from kernels.newer_characters import as_without_newer, newer_characters
from kernels.utf8 import code_point, without_space_behind
from manifests.corpus import TextSettings
from pipeline.text.mojibake import gate, repair, suspicious

_BYTE_ORDER_MARK = "\ufeff"
# Rounds of repair and normal form; two have been enough for every text seen so far.
_MOST_ROUNDS = 8
# Normal forms sort combining marks, at the square of their number in a row: texts with longer rows keep the form they
# have. No language has more than 30 (Unicode Standard Annex 15, section 13, "Stream-Safe Text Format").
_MOST_MARKS = 1_000

_CLEAN, _MENDED = 0, 1

_Table = TypeVar("_Table", bound=npt.NDArray[Any])


_DEFAULT = TextSettings()


def normalise(texts: pa.Array, settings: TextSettings = _DEFAULT) -> pa.Array:
    """Normalised texts, large_string[n], in the same order; nothing is null. The array itself when all its texts are
    normal already.

    Args:
        texts: large_string[n] without nulls.
        settings: whether mojibake is repaired, and the normal form.
    """
    data, offsets = text_buffers(texts)
    starts, ends = np.empty(len(texts), np.int64), np.empty(len(texts), np.int64)
    kinds = np.zeros(len(texts), np.uint8)
    tables = _gate_tables(settings.mojibake == "repair")
    _look(data, offsets, classes(), *tables, _unusual(settings.unicode), starts, ends, kinds)
    mended = [
        _mend(data[offsets[row] : offsets[row + 1]].tobytes().decode(), settings).encode()
        for row in np.flatnonzero(kinds == _MENDED).tolist()
    ]
    if not mended and np.array_equal(starts, offsets[:-1]) and np.array_equal(ends, offsets[1:]):
        return texts
    other = np.frombuffer(b"".join(mended), np.uint8)
    bounds = np.cumsum([0, *map(len, mended)])
    starts[kinds == _MENDED], ends[kinds == _MENDED] = bounds[:-1], bounds[1:]
    places = np.zeros(len(texts) + 1, np.int64)
    np.cumsum(ends - starts, out=places[1:])
    gathered = np.empty(int(places[-1]), np.uint8)
    _gather(data, other, kinds, starts, places, gathered)
    return pa.LargeStringArray.from_buffers(len(texts), pa.py_buffer(places), pa.py_buffer(gathered))


def _mend(text: str, settings: TextSettings) -> str:
    """One text, normalised by the definition above."""
    blank = _blank()
    for _ in range(_MOST_ROUNDS):
        before = text
        if "\r" in text:
            text = text.replace("\r\n", "\n").replace("\r", "\n")
        if "\x00" in text:
            text = text.replace("\x00", "")
        if settings.mojibake == "repair":
            text = repair(text)
        if settings.unicode != "none" and _long_marks().search(text) is None:
            text = as_without_newer(partial(unicodedata.normalize, settings.unicode), text)
        text = text.lstrip(blank + _BYTE_ORDER_MARK).rstrip(blank)
        if text == before:
            break
    return text


@cache
def _long_marks() -> re.Pattern[str]:
    """More than `_MOST_MARKS` combining marks in a row. Looked for where a row begins, not at each of its marks."""
    marks = {point for point in range(sys.maxunicode + 1) if unicodedata.combining(chr(point))} - newer_characters()
    starts = sorted(point for point in marks if point - 1 not in marks)
    ends = sorted(point for point in marks if point + 1 not in marks)
    ranges = "".join(f"\\U{first:08x}-\\U{last:08x}" for first, last in zip(starts, ends, strict=True))
    return re.compile(f"(?<![{ranges}])[{ranges}]{{{_MOST_MARKS + 1}}}")


@kernel
def _look(
    data: Bytes, offsets: Int64s, table: Bytes, gated: bool, kind_of: Bytes, bad: Bools, alone: Bools, unusual: Bools,
    starts: Int64s, ends: Int64s, kinds: Bytes,
) -> None:  # fmt: skip
    """Where each text begins and ends without white space, and whether it needs more than that.

    Args:
        offsets: [n + 1].
        table: `kernels.characters.classes()`.
        gated: whether mojibake is looked for, by kind_of, bad and alone: `pipeline.text.mojibake.Gate`.
        unusual: [0x110000], code points that may change under the normal form; empty for none.
        starts, ends: [n], filled.
        kinds: [n], filled with `_CLEAN` or `_MENDED`.
    """
    for row in range(len(offsets) - 1):
        start, end = offsets[row], offsets[row + 1]
        high = np.uint8(0)
        special = np.uint8(0)
        for index in range(start, end):
            byte = data[index]
            high |= byte
            special |= np.uint8(byte == 13) | np.uint8(byte == 0)
        mended = special != 0
        if high & 0x80 and not mended:
            mended = (gated and suspicious(data, start, end, kind_of, bad, alone)) or (
                len(unusual) > 0 and _holds(data, start, end, unusual)
            )
        kinds[row] = _MENDED if mended else _CLEAN
        while start < end:
            point, width = code_point(data, start)
            if not table[point] & SPACE and point != 0xFEFF:
                break
            start += width
        end = without_space_behind(data, start, end, table)
        starts[row], ends[row] = start, end


@kernel
def _holds(data: Bytes, start: Integer, end: Integer, members: Bools) -> bool:
    index = start
    while index < end:
        point, width = code_point(data, index)
        if members[point]:
            return True
        index += width
    return False


@kernel
def _gather(data: Bytes, other: Bytes, kinds: Bytes, starts: Int64s, places: Int64s, out: Bytes) -> None:
    """Copy each text to its place: from `other` if it was changed, else from `data`."""
    for row in range(len(starts)):
        length = places[row + 1] - places[row]
        source = other if kinds[row] == _MENDED else data
        out[places[row] : places[row + 1]] = source[starts[row] : starts[row] + length]


def _gate_tables(repaired: bool) -> tuple[bool, npt.NDArray[np.uint8], npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    if repaired:
        return True, *gate()
    return (
        False,
        _read_only(np.zeros(0, np.uint8)),
        _read_only(np.zeros((0, 0), np.bool_)),
        _read_only(np.zeros(0, np.bool_)),
    )


def _read_only(table: _Table) -> _Table:
    """So that kernels are compiled once: to numba read-only arrays are a type of their own."""
    table.flags.writeable = False
    return table


@cache
def _unusual(form: str) -> npt.NDArray[np.bool_]:
    """bool[0x110000]: code points that are not themselves in the form, or may join or change places with a neighbour;
    empty for `none`.

    A text without any is in the form: Unicode Standard Annex 15, section 9, "Detecting Normalization Forms". A code
    point that can join the one before it is the second of some code point's canonical decomposition, or a Hangul vowel
    or final consonant.
    """
    if form == "none":
        return _read_only(np.zeros(0, np.bool_))
    unusual = np.zeros(0x110000, np.bool_)
    for point in range(0x80, 0x110000):
        if point in newer_characters():
            continue
        character = chr(point)
        if unicodedata.combining(character) or not unicodedata.is_normalized(form, character):  # type: ignore[arg-type]
            unusual[point] = True
        decomposition = unicodedata.decomposition(character)
        if decomposition and not decomposition.startswith("<"):
            for second in decomposition.split()[1:]:
                unusual[int(second, 16)] = True
    unusual[0x1161:0x1176] = True
    unusual[0x11A8:0x11C3] = True
    unusual[:0x80] = False
    return _read_only(unusual)


@cache
def _blank() -> str:
    # Written down in kernels.characters rather than `str.strip()`'s own, which could change with the Python version.
    return "".join(map(chr, np.flatnonzero(classes() & SPACE).tolist()))


def document_ids(texts: pa.Array) -> pa.Array:
    """128-bit xxh3 of the UTF-8 of each text, big-endian: fixed_size_binary(16)[n]."""
    data, offsets = text_buffers(texts)
    view = data.data
    bounds = offsets.tolist()
    digests = b"".join(
        [xxhash.xxh3_128_digest(view[start:stop]) for start, stop in zip(bounds[:-1], bounds[1:], strict=True)]
    )
    return pa.FixedSizeBinaryArray.from_buffers(pa.binary(16), len(texts), [None, pa.py_buffer(digests)])


def text_buffers(texts: pa.Array) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]:
    """The bytes of a large_string array and its offsets, int64[n + 1] into the bytes, without copying; neither can be
    written.

    Offsets of a slice do not begin at 0. Null rows are as long as Arrow stores them: 0.
    """
    _, offset_buffer, data_buffer = texts.buffers()
    every = (
        np.frombuffer(offset_buffer, np.int64) if offset_buffer else np.zeros(len(texts) + 1 + texts.offset, np.int64)
    )
    offsets = every[texts.offset : texts.offset + len(texts) + 1]
    data = np.frombuffer(data_buffer, np.uint8) if offset_buffer and data_buffer else np.empty(0, np.uint8)
    # Arrow's own buffers can be written or not, as they came about; kernels would be compiled once for each.
    data.flags.writeable = offsets.flags.writeable = False
    return data, offsets
