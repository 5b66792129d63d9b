"""Texts as documents store them, and their ids.

In: texts from a reader. Out: an Arrow array of normalised texts, and the 128-bit xxh3 of each: equal texts have equal ids
wherever they come from. Row order is kept; a row depends on its own text only.

Normalised means, in this order: CR LF and CR become LF; NUL is removed; white space and byte order marks are removed from the start,
white space from the end. Normalising twice changes nothing.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import xxhash

from dedup.characters import SPACE, classes

_BYTE_ORDER_MARK = "\ufeff"


def normalise(texts: pa.Array) -> pa.Array:
    """Normalised texts, large_string[n], in the same order; nothing is null."""
    blank = _blank()
    return pa.array([_clean(text, blank) for text in texts.to_pylist()], pa.large_string())


def _clean(text: str, blank: str) -> str:
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    if "\x00" in text:
        text = text.replace("\x00", "")
    return text.lstrip(blank + _BYTE_ORDER_MARK).rstrip(blank)


@cache
def _blank() -> str:
    # Written down in dedup.characters rather than `str.strip()`'s own, which could change with the Python version.
    return "".join(map(chr, np.flatnonzero(classes() & SPACE).tolist()))


def document_ids(texts: pa.Array) -> pa.Array:
    """128-bit xxh3 of the UTF-8 of each text, big-endian: fixed_size_binary(16)[n]."""
    data, offsets = text_buffers(texts)
    view = data.data
    bounds = offsets.tolist()
    digests = b"".join([xxhash.xxh3_128_digest(view[start:stop]) for start, stop in zip(bounds[:-1], bounds[1:], strict=True)])
    return pa.FixedSizeBinaryArray.from_buffers(pa.binary(16), len(texts), [None, pa.py_buffer(digests)])


def text_buffers(texts: pa.Array) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]:
    """The bytes of a large_string array and its offsets, int64[n + 1] into the bytes, without copying.

    Offsets of a slice do not begin at 0. Null rows are as long as Arrow stores them: 0.
    """
    _, offset_buffer, data_buffer = texts.buffers()
    if not offset_buffer:
        return np.empty(0, np.uint8), np.zeros(len(texts) + 1, np.int64)
    offsets = np.frombuffer(offset_buffer, np.int64)[texts.offset : texts.offset + len(texts) + 1]
    data = np.frombuffer(data_buffer, np.uint8) if data_buffer else np.empty(0, np.uint8)
    return data, offsets
