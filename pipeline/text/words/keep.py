"""How the walk notes separated words: their hashes, lengths and characters, as long as there is room for them.

In: a run of characters that are not space, what is known of it, arrays to fill. Out: the arrays; counts in `state` and
`row`.
"""

from __future__ import annotations

import numpy as np

from kernels.arrays import Bytes, Int32s, Int64s, Integer, Uint16s, Uint32s, Uint64s
from kernels.characters import LETTER
from kernels.compiled import bare_kernel, part_kernel
from kernels.unaligned import bytes_between
from kernels.utf8 import code_point
from pipeline.text.signal_columns import Column
from pipeline.text.words.point_classes import SYMBOL
from pipeline.text.words.separate import LONGEST_SPECIAL, STOP, look_up, separate
from pipeline.text.words.word_hash import hash_word

U64 = np.uint64
# Places of the state that the walk and these kernels share.
KEPT, USED, FULL, SEEN = range(4)


@part_kernel
def keep_word(
    h: np.uint64, length: Integer, stop: Integer, value: Integer, words: Uint64s, lengths: Int32s, starts: Int32s,
    state: Int64s,
) -> None:  # fmt: skip
    """Note a run that is one word of letters or digits alone, whose characters end at `stop` among those kept."""
    if value & STOP:
        state[SEEN] |= 1 << (value & 15)
    kept = state[KEPT]
    if state[FULL] or kept >= len(words):
        state[FULL] = 1
        return
    words[kept] = h
    lengths[kept] = length
    starts[kept + 1] = stop
    state[KEPT] = kept + 1
    state[USED] = stop


@part_kernel
def keep_marked(
    stem: np.uint64, mark: np.uint64, length: Integer, stop: Integer, value: Integer, words: Uint64s, lengths: Int32s,
    starts: Int32s, state: Int64s,
) -> None:  # fmt: skip
    """Note a run that is such a word, of value `value`, and one mark; both have room. `length` counts the mark."""
    if value & STOP:
        state[SEEN] |= 1 << (value & 15)
    if state[FULL]:
        return
    kept = state[KEPT]
    words[kept], words[kept + 1] = stem, mark
    lengths[kept], lengths[kept + 1] = length - 1, 1
    starts[kept + 1], starts[kept + 2] = stop - 1, stop
    state[KEPT] = kept + 2
    state[USED] = stop


@part_kernel
def keep_parts(
    data: Bytes, start: Integer, end: Integer, origin: Integer, value: Integer, whole: bool, points: Uint16s,
    hashes: Uint64s, values: Uint32s, words: Uint64s, lengths: Int32s, starts: Int32s, ends: Int32s, room: Integer,
    state: Int64s, row: Int64s,
) -> None:  # fmt: skip
    """Note the words that a run is cut into, with `whole` the run itself; `ends` is scratch for `separate`."""
    count: Integer = 1
    ends[0] = end - start
    if not whole:
        count = separate(data, start, end, value, points, hashes, values, ends)
    begin = start
    for index in range(count):
        stop = start + ends[index]
        _keep(data, begin, stop, origin, points, hashes, values, words, lengths, starts, room, state, row)
        begin = stop


@bare_kernel
def _keep(
    data: Bytes, start: Integer, end: Integer, origin: Integer, points: Uint16s, hashes: Uint64s, values: Uint32s,
    words: Uint64s, lengths: Int32s, starts: Int32s, room: Integer, state: Int64s, row: Int64s,
) -> None:  # fmt: skip
    """Note one separated word, the bytes from `start` to `end`; `origin` is where the byte 0 of the characters kept
    would be in `data`.
    """
    h = hash_word(data, start, end)
    length = end - start
    letter = plain = False
    inside = U64(0)
    if length < 64 and start + 64 <= len(data):
        inside = (U64(1) << U64(length)) - U64(1)
        # Of ASCII all that is neither letter nor digit is a symbol.
        letter = bytes_between(data, start, 97, 122, 32) & inside != 0
        plain = letter or bytes_between(data, start, 48, 57, 0) & inside != 0
        inside &= bytes_between(data, start, 0x80, 0xFF, 0)
    if inside or length >= 64 or start + 64 > len(data):
        i = start
        length = 0
        while i < end:
            point, width = code_point(data, i)
            kind = points[point]
            letter |= kind & LETTER != 0
            plain |= kind & SYMBOL == 0
            i += width
            length += 1
    row[Column.SEPARATED_WORDS] += 1
    row[Column.SEPARATED_LETTER_WORDS] += letter
    if plain:
        row[Column.PLAIN_WORDS] += 1
        row[Column.PLAIN_WORD_CHARACTERS] += length
    if length <= LONGEST_SPECIAL:
        value = look_up(h, hashes, values)
        if value & STOP:
            state[SEEN] |= 1 << (value & 15)
    kept = state[KEPT]
    if state[FULL] or kept >= len(words) or end - origin > room:
        state[FULL] = 1
        return
    words[kept] = h
    lengths[kept] = length
    starts[kept] = start - origin
    starts[kept + 1] = end - origin
    state[KEPT] = kept + 1
    state[USED] = end - origin
