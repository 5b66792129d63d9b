"""The written-down classes of code points."""

import hashlib
import re
import unicodedata

import numpy as np
import pytest

from dedup.character_ranges import UNICODE
from dedup.characters import LETTER, SPACE, WORD, classes


def test_the_table_is_the_same_on_every_python() -> None:
    """Document ids, signals and signatures depend on every entry: a change needs new versions of the steps that use it."""
    assert hashlib.sha256(classes().tobytes()).hexdigest() == "80663bf6c9694646036dc6391c2cc8b0c103e220f91e3ccc8bb25d71e741673a"


def test_the_table_cannot_be_changed() -> None:
    with pytest.raises(ValueError, match="read-only"):
        classes()[0] = 1


@pytest.mark.skipif(unicodedata.unidata_version != UNICODE, reason=f"this Python knows another Unicode than {UNICODE}")
def test_the_table_is_what_python_says() -> None:
    characters = [chr(point) if not 0xD800 <= point < 0xE000 else "" for point in range(0x110000)]
    word = re.compile(r"\w")
    expected = np.array([SPACE * c.isspace() | LETTER * c.isalpha() | WORD * bool(word.match(c)) for c in characters], np.uint8)
    assert np.flatnonzero(classes() != expected).tolist() == []
