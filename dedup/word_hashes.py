"""The hashes of a document's words, in one walk over its bytes.

In: UTF-8 bytes of a document and the classes of code points. Out: uint64, one for each of its words in their order, as
`dedup.signing.hash_units` makes them of what `dedup.shingle_text.write_words` has written down first.
"""

from __future__ import annotations

from dedup.shingle_text import lower_case
from kernels.arrays import Bytes, Integer, Uint64s
from kernels.characters import ALONE, MARK, WORD
from kernels.compiled import bare_kernel
from kernels.hashing import SEED, hash_byte
from kernels.utf8 import code_point

_ASCII = 128


@bare_kernel
def hash_words(data: Bytes, start: Integer, end: Integer, table: Bytes, units: Uint64s) -> Integer:
    """Fill `units` with the hashes of the words of `data[start:end]`; returns their number.

    Args:
        data: valid UTF-8.
        table: `kernels.characters.classes()`.
        units: room for as many numbers as the document has bytes.
    """
    count: Integer = 0
    inside = alone = False
    h = SEED
    i = start
    while i < end:
        byte = data[i]
        # Most text is ASCII, whose words have no marks and no letters that are words alone.
        if byte < _ASCII and not alone:
            if table[byte] & WORD:
                h = hash_byte(h if inside else SEED, lower_case(byte))
                inside = True
            elif inside:
                units[count] = h
                count += 1
                inside = False
            i += 1
            continue
        point, width = code_point(data, i)
        kind = table[point]
        goes_on = kind & MARK != 0 or (not alone and kind & (WORD | ALONE) == WORD)
        if not (inside and goes_on):
            if inside:
                units[count] = h
                count += 1
            inside, alone = kind & WORD != 0, kind & ALONE != 0
            h = SEED
        if inside:
            for offset in range(width):
                h = hash_byte(h, lower_case(data[i + offset]))
        i += width
    if inside:
        units[count] = h
        count += 1
    return count
