"""Hashes of words, against words found by regular expressions and hashed in plain Python."""

from __future__ import annotations

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st

from dedup.shingle_text import write_words
from dedup.signing import hash_units
from dedup.word_hashes import hash_words
from kernels.characters import classes
from kernels.hashing import MULTIPLIER, SEED
from tests.property.test_signatures import reference_words
from tests.property.texts import buffers, texts, thorough


def reference_hash(word: str) -> int:
    found = int(SEED)
    for byte in word.encode():
        found = (found ^ byte) * int(MULTIPLIER) % 2**64
        found ^= found >> 29
    return found


@thorough
@given(st.one_of(texts, st.lists(st.text(st.sampled_from("aZ_9 .,-\u0301é中กា日\n"), max_size=12), max_size=3)))
@example(["中a", "a中b c", "ก้a", "\u0301a", "A\u0301b", "日\u0301x y"])
def test_hashes_are_those_of_the_words(documents) -> None:
    data, offsets = buffers(documents)
    for number, text in enumerate(documents):
        start, end = offsets[number], offsets[number + 1]
        size = int(end - start)
        units, written = np.zeros(size, np.uint64), np.zeros(size, np.uint64)
        found = units[: hash_words(data, start, end, classes(), units)].tolist()
        assert found == [reference_hash(word) for word in reference_words(text)]
        scratch, starts = np.empty(2 * size, np.uint8), np.empty(size + 1, np.int64)
        count = write_words(data, start, end, classes(), scratch, starts)
        hash_units(scratch, starts, count, 1, written)
        assert written[:count].tolist() == found
