"""How likely encodings of one byte for a character make bytes.

In: bytes and the name of an encoding. Out: the log-likelihood of the bytes beyond ASCII under the best language that is
written in it. A letter counts with its share in the language (`pipeline.readers.web.charset_letters`), a sign with a
share of its own; what no language has there counts little, what the encoding does not have next to nothing. Which
letters, signs and digits are beside each other counts too: letters of two scripts in a word, signs within one, and
letters beside digits speak against an encoding.

What is declared is read in the best light: in any language of its script, and in one that is not known here.
"""

from __future__ import annotations

import math
import re
import unicodedata
from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np
import numpy.typing as npt

from kernels.arrays import Bytes
from pipeline.readers.web.charset_decoders import single_byte_table
from pipeline.readers.web.charset_letters import LETTERS

Floats = npt.NDArray[np.float32]

# How much likelier an encoding is than others before anything is seen: the web's shares, roughly, in nats.
_WESTERN: Final = ("ca", "da", "de", "es", "et", "fi", "fo", "fr", "gl", "is", "it", "nl", "pt", "sq", "sv")
_CENTRAL: Final = ("cs", "hr", "hu", "pl", "ro", "sk", "sl", "de")
_CYRILLIC: Final = ("ru", "bg", "uk", "sr", "be")
SINGLE: Final[dict[str, tuple[float, tuple[str, ...]]]] = {
    "windows-1252": (0.0, (*_WESTERN, "en")),
    "windows-1251": (-1.0, _CYRILLIC),
    "windows-1250": (-2.0, _CENTRAL),
    "iso-8859-2": (-2.5, _CENTRAL),
    "windows-1253": (-2.0, ("el",)),
    "windows-1254": (-2.0, ("tr",)),
    "windows-1255": (-2.0, ("he", "he-points", "yi")),
    "windows-1256": (-2.0, ("ar", "fa", "ur", "ar-points")),
    "windows-1257": (-2.5, ("lt", "lv", "et")),
    "windows-1258": (-3.0, ("vi",)),
    "windows-874": (-2.0, ("th",)),
    "iso-8859-7": (-3.0, ("el",)),
    "iso-8859-6": (-4.0, ("ar", "ar-points")),
    "iso-8859-13": (-4.0, ("lt", "lv", "et")),
    "iso-8859-5": (-4.0, ("ru", "bg", "sr", "be")),
    "koi8-r": (-2.0, ("ru", "bg")),
    "koi8-u": (-3.0, ("uk",)),
    "ibm866": (-5.0, ("ru", "bg")),
    "x-mac-cyrillic": (-4.0, _CYRILLIC),
}
# Encodings with the letters of another one.
ALIKE: Final = {"iso-8859-8": "windows-1255", "iso-8859-8-i": "windows-1255", "iso-8859-15": "windows-1252"}
_LATIN: Final = frozenset((*_WESTERN, *_CENTRAL, "tr", "lt", "lv", "vi"))

# Signs between words, and signs of Latin-1 beside numbers and in formulae.
_MARKS: Final = "\u00a0“”‘’„–—…»«©®°§€№·•´\u2011"
_OTHER_MARKS: Final = "£¥¢½¼¾²³¹×÷±µ¿¡¬¶ªº™¦\u00ad"
# (share of each of these, of each of the others) in English, which has few letters beyond ASCII, and elsewhere.
_MARKS_IN_ENGLISH: Final = (0.03, 0.012)
_MARKS_ELSEWHERE: Final = (4e-3, 1e-3)
# Share of capitals, and of them in texts that are all capitals, which are rare.
_CAPITALS: Final = 0.06
_ALL_CAPITALS: Final = 0.7
_TEXTS_IN_CAPITALS: Final = np.array([0.0, -5.0], dtype=np.float32)
_OTHER_LETTER: Final = 3e-5
_SIGN: Final = 3e-5
_NOTHING: Final = 1e-8
# The only signs between the letters of a word.
_WITHIN_WORDS: Final = frozenset("’·\u00ad´'")
_BETWEEN_SCRIPTS: Final = math.log(0.02)
_ACCENTS_IN_A_ROW: Final = math.log(0.2)
_CAPITAL_IN_A_WORD: Final = math.log(0.05)
_LONE_CAPITAL: Final = math.log(0.1)
_SIGN_IN_A_WORD: Final = math.log(0.02)
_BESIDE_DIGIT: Final = math.log(0.05)
# Cyrillic and Greek abbreviate units and endings by a letter.
_BESIDE_DIGIT_NOT_LATIN: Final = math.log(0.1)
# In a language that is not known here each letter has this share; other Cyrillic ones have mostly the letters of
# Russian.
_ANY_LETTER: Final = math.log(1 / 64)
_ANY_LETTER_NOT_LATIN: Final = -5.0
# Odd neighbours count more in a declared encoding than in a guessed one.
_ODDITIES_DECLARED: Final = 2.0
# A declared reading is text when its letters come within so many standard deviations of what a language gives, and so
# many nats.
_SPREAD: Final = 1.5
_SLACK: Final = 4.0
_ODD_SIGN: Final = -2.0
_SHARE: Final = re.compile(r"(\D)(\d+)")
_ASCII_LETTER, _ASCII_CAPITAL, _LOWER, _UPPER, _OTHER_SIGN, _DIGIT, _KINDS = 1, 2, 3, 4, 5, 6, 7


def guessed(name: str, data: Bytes, counts: Floats) -> float:
    """Log-likelihood under an encoding that is not declared.

    Args:
        name: one of `SINGLE`.
        counts: how often each of the 256 bytes occurs in the data.
    """
    prior, languages = SINGLE[name]
    score = max(float(np.max(_likelihoods(name, language) @ counts + _TEXTS_IN_CAPITALS)) for language in languages)
    return score + prior + _oddities(name, data)


def declared(name: str, data: Bytes, counts: Floats) -> tuple[float, bool]:
    """(log-likelihood, whether it reads like text) under a declared encoding."""
    expected = _expectations(name)
    letters = float(expected.letters @ counts)
    oddities = _ODDITIES_DECLARED * _oddities(name, data)
    known = expected.likelihoods @ counts
    unknown = letters * (_ANY_LETTER if _written_in(name)[0] in _LATIN else _ANY_LETTER_NOT_LATIN)
    score = max(float(np.max(known)), unknown) + float(expected.signs @ counts) + oddities
    short = float(np.max(known - letters * expected.means + _SPREAD * math.sqrt(letters) * expected.spreads))
    return score, short + float(expected.odd_signs @ counts) + oddities + _SLACK >= 0


@dataclass(frozen=True)
class _Expectations:
    """What text in a declared encoding is like, as float32 by byte, and by language and case.

    Attributes:
        letters: 1 for each letter of the script.
        signs: log-likelihood of bytes that are not letters.
        odd_signs: what such signs as are seldom seen count against the text.
        likelihoods: of letters, float32[languages x 2, 256].
        means: log-likelihood to be expected of one letter.
        spreads: its standard deviation.
    """

    letters: Floats
    signs: Floats
    odd_signs: Floats
    likelihoods: Floats
    means: Floats
    spreads: Floats


@cache
def _expectations(name: str) -> _Expectations:
    table = single_byte_table(name)
    kinds = _kinds(name)
    letters = (kinds == _LOWER) | (kinds == _UPPER)
    signs, odd = np.zeros(256), np.zeros(256)
    for byte in range(128, 256):
        character = table[byte]
        if letters[byte]:
            continue
        if _is_none(character):
            signs[byte] = odd[byte] = math.log(_NOTHING)
        elif character.isalpha() and character not in "ªº":
            signs[byte] = _ANY_LETTER
        else:
            signs[byte] = math.log(_MARKS_ELSEWHERE[0])
            odd[byte] = 0.0 if character in _MARKS or character in _OTHER_MARKS else _ODD_SIGN
    rows, means, spreads = [], [], []
    for language in _written_in(name):
        likelihoods = np.where(letters, _likelihoods(name, language), 0)
        shares = np.array(list(_shares(language).values()))
        mean = float(np.average(np.log(shares), weights=shares))
        spread = math.sqrt(float(np.average((np.log(shares) - mean) ** 2, weights=shares)) + 1)
        rows += [likelihoods[0], likelihoods[1]]
        means += [mean, mean + math.log(_ALL_CAPITALS)]
        spreads += [spread, spread]
    return _Expectations(
        *(np.array(column, dtype=np.float32) for column in (letters, signs, odd, rows, means, spreads))
    )


def _written_in(name: str) -> tuple[str, ...]:
    languages = SINGLE[ALIKE.get(name, name)][1]
    if languages[0] in _LATIN:
        return tuple(sorted(_LATIN))
    return _CYRILLIC if languages[0] in _CYRILLIC else languages


def _oddities(name: str, data: Bytes) -> float:
    """Log-likelihood of which letters, signs and digits are beside each other."""
    latin = _written_in(name)[0] in _LATIN
    kinds = _kinds(name)[data]
    pairs = np.bincount(kinds[:-1] * _KINDS + kinds[1:], minlength=_KINDS * _KINDS)
    score = float(_beside(latin) @ pairs)
    letters = (kinds >= _ASCII_LETTER) & (kinds <= _UPPER)
    score += _SIGN_IN_A_WORD * np.count_nonzero(letters[:-2] & (kinds[1:-1] == _OTHER_SIGN) & letters[2:])
    if latin:
        score += _LONE_CAPITAL * np.count_nonzero(~letters[:-2] & (kinds[1:-1] == _UPPER) & ~letters[2:])
    return score


@cache
def _beside(latin: bool) -> npt.NDArray[np.float64]:
    """Log-likelihood of each pair of kinds, the first times `_KINDS` plus the second."""
    out = np.zeros((_KINDS, _KINDS))
    ascii_letters, letters = [_ASCII_LETTER, _ASCII_CAPITAL], [_LOWER, _UPPER]
    for one in letters:
        out[one, _DIGIT] = out[_DIGIT, one] = _BESIDE_DIGIT if latin else _BESIDE_DIGIT_NOT_LATIN
        if latin:
            out[one, letters] = _ACCENTS_IN_A_ROW
        else:
            out[one, ascii_letters] = out[ascii_letters, one] = _BETWEEN_SCRIPTS
    out[_LOWER, _UPPER] += _CAPITAL_IN_A_WORD
    if latin:
        out[_ASCII_LETTER, _UPPER] = _CAPITAL_IN_A_WORD
    return out.ravel()


@cache
def _kinds(name: str) -> npt.NDArray[np.uint8]:
    kinds = np.zeros(256, dtype=np.uint8)
    latin = _written_in(name)[0] in _LATIN
    for byte, character in enumerate(single_byte_table(name)):
        if character.isdigit() and byte < 128:
            kinds[byte] = _DIGIT
        elif byte < 128 or (not latin and _is_latin(character)):
            kinds[byte] = _ASCII_CAPITAL if character.isupper() else _ASCII_LETTER if character.isalpha() else 0
        elif _is_letter(character):
            kinds[byte] = _UPPER if character.isupper() else _LOWER
        elif character not in _WITHIN_WORDS:
            kinds[byte] = _OTHER_SIGN
    return kinds


def _is_latin(character: str) -> bool:
    return character < "\u0250" and character.isalpha() and character not in "ªºµ"


def _is_none(character: str) -> bool:
    return character in "\ufffd\ufffe" or "\x80" <= character < "\xa0"


def _shares(language: str) -> dict[str, float]:
    return {letter: int(share) / 1000 for letter, share in _SHARE.findall(LETTERS[language])}


def _is_letter(character: str) -> bool:
    return (character.isalpha() and character not in "ªºµ") or unicodedata.category(character) == "Mn"


@cache
def _likelihoods(name: str, language: str) -> Floats:
    """Log-likelihood of each byte in a text as most are, and in one of capitals; float32[2, 256], nought for ASCII."""
    shares = _shares(language)
    mark, other_mark = _MARKS_IN_ENGLISH if language == "en" else _MARKS_ELSEWHERE
    out = np.zeros((2, 256), dtype=np.float32)
    for byte, character in enumerate(single_byte_table(name)):
        if byte < 128:
            continue
        lower = character.lower()
        if lower in shares and lower != character:
            out[:, byte] = math.log(shares[lower] * _CAPITALS), math.log(shares[lower] * _ALL_CAPITALS)
        elif lower in shares:
            cased = character.upper() != character
            out[:, byte] = math.log(shares[lower]), math.log(shares[lower] * (1 - _ALL_CAPITALS if cased else 1))
        elif character in _MARKS:
            out[:, byte] = math.log(mark)
        elif character in _OTHER_MARKS:
            out[:, byte] = math.log(other_mark)
        elif _is_letter(character):
            out[:, byte] = math.log(_OTHER_LETTER)
        else:
            out[:, byte] = math.log(_NOTHING if _is_none(character) else _SIGN)
    return out
