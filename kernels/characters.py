"""Classes of code points, for kernels that walk over UTF-8.

Out: `CLASSES`, uint8[0x110000], a bit set per code point. Surrogates have no class: valid UTF-8 does not encode them.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import numpy.typing as npt

from kernels.character_ranges import LETTERS, MARKS, UNSPACED, WHITE_SPACE, WORD_CHARACTERS

SPACE = 1
LETTER = 2
WORD = 4
# A letter of a script without spaces between words, a word of its own; what combines with a letter before it.
ALONE = 8
MARK = 16

_CODE_POINTS = 0x110000


@cache
def classes() -> npt.NDArray[np.uint8]:
    """uint8[0x110000], bits `SPACE`, `LETTER`, `WORD`, `ALONE` and `MARK`; read-only."""
    table = np.zeros(_CODE_POINTS, np.uint8)
    for text, bit in (
        (WHITE_SPACE, SPACE),
        (LETTERS, LETTER),
        (WORD_CHARACTERS, WORD),
        (UNSPACED, ALONE),
        (MARKS, MARK),
    ):
        table |= _expand(text) * np.uint8(bit)
    table.flags.writeable = False
    return table


def _expand(text: str) -> npt.NDArray[np.uint8]:
    lengths = np.array(text.split(), np.int64)
    values = np.tile(np.array([0, 1], np.uint8), len(lengths) // 2)
    flags = np.zeros(_CODE_POINTS, np.uint8)
    run = np.repeat(values, lengths)
    flags[: len(run)] = run
    return flags
