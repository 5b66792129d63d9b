"""The tables of code points' classes."""

import hashlib
import re
import unicodedata

import numpy as np
import pytest

from kernels.character_ranges import UNICODE
from kernels.characters import ALONE, LETTER, MARK, SPACE, WORD, classes


def test_the_table_is_the_same_on_every_python() -> None:
    """Document ids, signals and signatures depend on every entry: a change needs new versions of
    the steps that use it.
    """
    assert (
        hashlib.sha256(classes().tobytes()).hexdigest()
        == "3982f6293c3a1564b23f9497590559c4c39cb29c5d3f9cb02f9f9a6ae11f1527"
    )


def test_the_table_cannot_be_changed() -> None:
    with pytest.raises(ValueError, match="read-only"):
        classes()[0] = 1


@pytest.mark.skipif(unicodedata.unidata_version != UNICODE, reason=f"this Python knows another Unicode than {UNICODE}")
def test_the_table_is_what_python_says() -> None:
    characters = [chr(point) if not 0xD800 <= point < 0xE000 else "" for point in range(0x110000)]
    word = re.compile(r"\w")
    expected = np.array(
        [SPACE * c.isspace() | LETTER * c.isalpha() | WORD * bool(word.match(c)) for c in characters], np.uint8
    )
    assert np.flatnonzero(classes() & (SPACE | LETTER | WORD) != expected).tolist() == []


# Names of Unicode's characters say their script, but for some marks of East Asia.
_UNSPACED = re.compile(
    r"(?:CJK (?:UNIFIED|COMPATIBILITY) IDEOGRAPH|HIRAGANA|KATAKANA|HALFWIDTH KATAKANA|HENTAIGANA|BOPOMOFO|YI"
    r" SYLLABLE|THAI|LAO|KHMER"
    r"|MYANMAR|TAI LE|NEW TAI LUE|TAI THAM|TAI VIET|JAVANESE|BALINESE|HANGZHOU NUMERAL|VERTICAL KANA REPEAT"
    r"|IDEOGRAPHIC (?:NUMBER ZERO|CLOSING MARK)|(?:OLD CHINESE |VERTICAL IDEOGRAPHIC |IDEOGRAPHIC )ITERATION MARK|MASU"
    r" MARK)\b"
)


@pytest.mark.skipif(unicodedata.unidata_version != UNICODE, reason=f"this Python knows another Unicode than {UNICODE}")
def test_letters_of_scripts_without_spaces_and_marks() -> None:
    for point in range(0x110000):
        category = unicodedata.category(chr(point))
        unspaced = (category[0] == "L" or category == "Nl") and _UNSPACED.match(unicodedata.name(chr(point), ""))
        assert bool(classes()[point] & ALONE) == bool(unspaced), hex(point)
        assert bool(classes()[point] & MARK) == (category[0] == "M"), hex(point)


def test_words_of_their_own_are_word_characters_and_marks_are_none() -> None:
    assert not np.any((classes() & (ALONE | WORD)) == ALONE)
    assert not np.any((classes() & MARK != 0) & (classes() & (WORD | LETTER | SPACE) != 0))
