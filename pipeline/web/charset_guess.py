"""Which legacy encoding bytes are in, told by how likely each makes them.

In: bytes that are not UTF-8. Out: for each encoding the log-likelihood of the visible bytes beyond ASCII, under the best language that is
written in it. A character counts with its share in the language (`pipeline.web.charset_letters`); what no language has there counts little,
what the encoding does not have next to nothing. Letters of two scripts in a word, and signs within one, speak against an encoding.

The same bytes give the same answer; the cost does not grow beyond `_MOST_BYTES` looked at.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np
import numpy.typing as npt

from pipeline.web.charset_decoders import decode_as, single_byte_table
from pipeline.web.charset_letters import COMMON, LETTERS

Floats = npt.NDArray[np.float32]

# Looked at: text between tags that holds bytes beyond ASCII.
_MOST_BYTES: Final = 32 << 10
_LONGEST_PIECE: Final = 4 << 10
# How much likelier an encoding is than others before anything is seen: the web's shares, roughly, in nats.
_WESTERN: Final = ("ca", "da", "de", "es", "et", "fi", "fr", "gl", "is", "it", "nl", "pt", "sq", "sv")
_CENTRAL: Final = ("cs", "hr", "hu", "pl", "ro", "sk", "sl", "de")
_CYRILLIC: Final = ("ru", "bg", "uk", "sr", "be")
_SINGLE: Final[dict[str, tuple[float, tuple[str, ...]]]] = {
    "windows-1252": (0.0, _WESTERN),
    "windows-1251": (-1.0, _CYRILLIC),
    "windows-1250": (-2.0, _CENTRAL),
    "iso-8859-2": (-2.5, _CENTRAL),
    "windows-1253": (-2.0, ("el",)),
    "windows-1254": (-2.0, ("tr",)),
    "windows-1255": (-2.0, ("he",)),
    "windows-1256": (-2.0, ("ar", "fa")),
    "windows-1257": (-2.5, ("lt", "lv", "et")),
    "windows-1258": (-3.0, ("vi",)),
    "windows-874": (-2.0, ("th",)),
    "iso-8859-7": (-3.0, ("el",)),
    "iso-8859-6": (-4.0, ("ar",)),
    "iso-8859-13": (-4.0, ("lt", "lv", "et")),
    "iso-8859-5": (-4.0, ("ru", "bg", "sr", "be")),
    "koi8-r": (-2.0, ("ru", "bg")),
    "koi8-u": (-3.0, ("uk",)),
    "ibm866": (-5.0, ("ru", "bg")),
    "x-mac-cyrillic": (-4.0, _CYRILLIC),
}
_MULTIPLE: Final[dict[str, float]] = {"shift_jis": -1.0, "gbk": -1.0, "euc-kr": -1.5, "big5": -2.0, "euc-jp": -2.0}

_MARKS: Final = "\u00a0“”‘’„–—…»«©®°§€№·•´\u2011"
# Share of capitals, and of them in texts that are all capitals, which are rare.
_CAPITALS: Final = 0.06
_ALL_CAPITALS: Final = 0.7
_TEXTS_IN_CAPITALS: Final = np.array([0.0, -5.0], dtype=np.float32)
_OTHER_LETTER: Final = 3e-5
_SIGN: Final = 3e-5
_NOTHING: Final = 1e-8
# Between letters of a word stand no signs but these.
_WITHIN_WORDS: Final = frozenset("’·\u00ad´'")
_BETWEEN_SCRIPTS: Final = math.log(0.02)
_ACCENTS_IN_A_ROW: Final = math.log(0.2)
_CAPITAL_IN_A_WORD: Final = math.log(0.05)
_SIGN_IN_A_WORD: Final = math.log(0.02)
# Below this score a character it is no text. On the development texts right readings had -4.3 and more (of pairs of bytes -9.9, lists in
# Chinese with lines drawn around), UTF-8 with holes that is read as a single-byte encoding, and noise, -5.9 and less (-13).
_LEAST_SCORE: Final = -5.2
_LEAST_SCORE_OF_PAIRS: Final = -11.0
_FEW_CHARACTERS: Final = 20
_SHARE: Final = re.compile(r"(\D)(\d+)")


@dataclass(frozen=True)
class Guess:
    """How likely bytes are in an encoding.

    Attributes:
        score: log-likelihood.
        characters: how many characters beyond ASCII it was counted on.
    """

    encoding: str
    score: float
    characters: int

    @property
    def plausible(self) -> bool:
        """False for what reads like no language; of few characters that cannot be said."""
        least = _LEAST_SCORE_OF_PAIRS if self.encoding in _MULTIPLE else _LEAST_SCORE
        return self.characters < _FEW_CHARACTERS or self.score > least * self.characters


def visible(body: bytes) -> bytes:
    """Text between tags that holds bytes beyond ASCII, without scripts and styles; at most `_MOST_BYTES`."""
    found: list[bytes] = []
    size = 0
    hidden = b""
    for at, piece in enumerate(body.split(b"<")):
        text = piece
        if at:
            if hidden:
                if piece[: len(hidden)].lower() != hidden:
                    continue
                hidden = b""
            name = piece[:6].lower()
            if name == b"script" or name.startswith(b"style"):
                hidden = b"/script" if name == b"script" else b"/style"
                continue
            end = piece.find(b">")
            text = piece[end + 1 :] if end >= 0 else piece
        if text.isascii():
            continue
        for line in text.splitlines() if len(text) > _LONGEST_PIECE else [text]:
            if not line.isascii():
                found.append(_around(line))
                size += len(found[-1])
                if size >= _MOST_BYTES:
                    return _joined(found)
    return _joined(found)


def _around(text: bytes) -> bytes:
    """A long text without what goes before its first byte beyond ASCII, cut."""
    if len(text) <= _LONGEST_PIECE:
        return text
    first = _BEYOND_ASCII.search(text)
    return text[max(0, first.start() - 64) if first else 0 :][:_LONGEST_PIECE]


def _joined(found: list[bytes]) -> bytes:
    return _REPEATED.sub(rb"\1", b"\n".join(found))


# Lines drawn with characters say nothing.
_REPEATED: Final = re.compile(rb"([\x80-\xff]{1,2})\1{3,}", re.DOTALL)
_BEYOND_ASCII: Final = re.compile(rb"[\x80-\xff]")


def guess(sample: bytes, *, among: tuple[str, ...] | None = None) -> list[Guess]:
    """Encodings by their likelihood, the likeliest first.

    Args:
        sample: what `visible` gives.
        among: the encodings that are asked about; all that are known when not given.
    """
    data = np.frombuffer(sample, dtype=np.uint8)
    counts = np.bincount(data, minlength=256).astype(np.float32)
    guesses = [_single(name, data, counts) for name in _SINGLE if among is None or name in among]
    guesses += [_multiple(name, sample) for name in _MULTIPLE if among is None or name in among]
    return sorted(guesses, key=lambda of: -of.score)


KNOWN: Final = (*_SINGLE, *_MULTIPLE)


def _single(name: str, data: npt.NDArray[np.uint8], counts: Floats) -> Guess:
    prior, languages = _SINGLE[name]
    kinds = _kinds(name)[data]
    score = max(float(np.max(_likelihoods(name, language) @ counts + _TEXTS_IN_CAPITALS)) for language in languages)
    pairs = np.bincount(kinds[:-1] * _KINDS + kinds[1:], minlength=_KINDS * _KINDS).reshape(_KINDS, _KINDS)
    if languages[0] in _NOT_LATIN:
        score += _BETWEEN_SCRIPTS * (pairs[_ASCII_LETTER, _LOWER : _UPPER + 1].sum() + pairs[_LOWER : _UPPER + 1, _ASCII_LETTER].sum())
    else:
        score += _ACCENTS_IN_A_ROW * pairs[_LOWER : _UPPER + 1, _LOWER : _UPPER + 1].sum()
    score += _CAPITAL_IN_A_WORD * pairs[_LOWER, _UPPER]
    letters = (kinds == _ASCII_LETTER) | (kinds == _LOWER) | (kinds == _UPPER)
    score += _SIGN_IN_A_WORD * np.count_nonzero(letters[:-2] & (kinds[1:-1] == _OTHER_SIGN) & letters[2:])
    return Guess(name, score + prior, int(counts[128:].sum()))


_NOT_LATIN: Final = frozenset({"ar", "be", "bg", "el", "fa", "he", "ru", "sr", "th", "uk"})
_ASCII_LETTER, _LOWER, _UPPER, _OTHER_SIGN, _KINDS = 1, 2, 3, 4, 5


@cache
def _kinds(name: str) -> npt.NDArray[np.uint8]:
    kinds = np.zeros(256, dtype=np.uint8)
    for byte, character in enumerate(single_byte_table(name)):
        if byte < 128:
            kinds[byte] = _ASCII_LETTER if character.isalpha() else 0
        elif _is_letter(character):
            kinds[byte] = _UPPER if character.isupper() else _LOWER
        elif character not in _WITHIN_WORDS:
            kinds[byte] = _OTHER_SIGN
    return kinds


def _is_letter(character: str) -> bool:
    return (character.isalpha() and character not in "ªº") or "\u0300" <= character <= "\u036f" or "\u0e30" <= character <= "\u0e4e"


@cache
def _likelihoods(name: str, language: str) -> Floats:
    """Log-likelihood of each byte in a text as most are, and in one of capitals; float32[2, 256], nought for ASCII."""
    shares = {letter: int(share) / 1000 for letter, share in _SHARE.findall(LETTERS[language])}
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
            out[:, byte] = math.log(4e-3)
        elif _is_letter(character):
            out[:, byte] = math.log(_OTHER_LETTER)
        else:
            out[:, byte] = math.log(_NOTHING if character == "\ufffd" or "\x80" <= character < "\xa0" else _SIGN)
    return out


def _multiple(name: str, sample: bytes) -> Guess:
    text = decode_as(sample, name)
    points = np.frombuffer(text.encode("utf-32-le", "replace"), dtype=np.uint32)
    points = points[points >= 128]
    table = _character_likelihoods(name)
    score = float(table[np.minimum(points, len(table) - 1)].sum())
    return Guess(name, score + _MULTIPLE[name], len(points))


@cache
def _character_likelihoods(name: str) -> Floats:
    """Log-likelihood of each code point of the first plane; the last entry stands for all beyond."""
    table = np.full(0x10000, math.log(1e-7), dtype=np.float32)
    table[0xE000:0xF900] = table[0xFFFD] = math.log(1e-9)
    table[0x80:0xA0] = math.log(1e-9)
    table[0xFF61:0xFFA0] = math.log(1e-6)
    for first, last in _COMMON_ROWS[name]:
        _set(table, name, first, last, 1.0 - _SHARES[name] - 0.1)
    for characters, share in _common(name):
        weights = [1 / (rank + 8) for rank in range(len(characters))]
        for character, weight in zip(characters, weights, strict=True):
            table[ord(character)] = math.log(share * weight / sum(weights))
    for character in "、。，「」":
        table[ord(character)] = math.log(0.02)
    for character in "　・（）！？：；“”‘’…《》『』【】～·":
        table[ord(character)] = math.log(2e-3)
    table[0xA0] = math.log(2e-3)  # GB 18030 has it in four bytes
    for first, last in ((0xFF10, 0xFF5B), (0x2460, 0x2474), (0x2190, 0x2194), (0x2500, 0x2610)):
        table[first:last] = np.maximum(table[first:last], math.log(5e-5))
    return table


# Rows of the characters in daily use, as lead bytes; the share of the commonest characters among all; how they fall into lists.
_COMMON_ROWS: Final = {
    "gbk": ((0xB0, 0xD7),),
    "big5": ((0xA4, 0xC6),),
    "euc-kr": ((0xB0, 0xC8),),
    "shift_jis": ((0x88, 0x97),),
    "euc-jp": ((0xB0, 0xCF),),
}
_SHARES: Final = {"gbk": 0.45, "big5": 0.45, "euc-kr": 0.65, "shift_jis": 0.7, "euc-jp": 0.7}


def _common(name: str) -> list[tuple[str, float]]:
    if name in ("shift_jis", "euc-jp"):
        return [(COMMON["hiragana"], 0.45), (COMMON["katakana"], 0.15), (COMMON["kanji"], 0.1)]
    return [(COMMON[{"gbk": "zh", "big5": "zh-hant", "euc-kr": "ko"}[name]], _SHARES[name])]


def _set(table: Floats, name: str, first: int, last: int, share: float) -> None:
    """Gives the characters of some rows an even share, and those of the rows after them, which are rare, a small one."""
    # Rows of characters in use, and up to the end of the double-byte plane what is rarer.
    trails = [*range(0x40, 0x7F), *range(0x80, 0xFF)] if name in ("shift_jis", "big5") else list(range(0xA1, 0xFF))
    for leads, value in ((range(last + 1, 0xFB), 3e-6), (range(first, last + 1), 0.0)):
        characters = set(decode_as(b" ".join(bytes([lead, trail]) for lead in leads for trail in trails), name))
        points = [point for point in map(ord, characters) if 0x3400 <= point < 0xE000 or 0xF900 <= point < 0xFB00]
        table[points] = math.log(value or share / max(len(points), 1))
