"""Arrays that the kernels of a walk over documents write to, made once for many documents."""

from __future__ import annotations

from typing import NamedTuple

from kernels.arrays import Bytes, Int32s, Int64s, Uint64s


class Scratch(NamedTuple):
    """Arrays that the kernel writes to and nobody reads afterwards: w words and s separated words are kept, and l lines
    and paragraphs.

    Hashes are uint64, lengths int32.
    """

    words: Uint64s
    word_lengths: Int32s
    lines: Uint64s
    line_lengths: Int32s
    paragraphs: Uint64s
    paragraph_lengths: Int32s
    raw_lines: Uint64s
    raw_line_lengths: Int32s
    raw_paragraphs: Uint64s
    raw_paragraph_lengths: Int32s
    separated: Uint64s
    separated_lengths: Int32s
    starts: Int32s
    characters: Bytes
    shingle_words: Uint64s
    ends: Int32s
    state: Int64s
    histogram: Int32s
    grams: Uint64s
    blocks: Uint64s
    bits: Uint64s
    counters: Bytes
    counts: Int32s
    places: Int32s
    marked: Bytes
    slots: Int32s
