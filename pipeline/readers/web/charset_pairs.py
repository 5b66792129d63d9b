"""How likely encodings of two bytes for a character make bytes: those of Chinese, Japanese and Korean.

In: bytes and one of `MULTIPLE`. Out: the log-likelihood of the characters beyond ASCII: the commonest have their share,
those in daily use an even one, rare ones and invalid ones next to nothing. A declared encoding may hold what nobody
guesses: half-width kana, and letters of other scripts.
"""

from __future__ import annotations

import math
from functools import cache
from typing import Final

import numpy as np
import numpy.typing as npt

from pipeline.readers.web.charset_decoders import decode_as
from pipeline.readers.web.charset_letters import COMMON

Floats = npt.NDArray[np.float32]

# How much likelier an encoding is than others before anything is seen, in nats.
MULTIPLE: Final[dict[str, float]] = {"shift_jis": -1.0, "gbk": -1.0, "euc-kr": -1.5, "big5": -2.0, "euc-jp": -2.0}
# What a declared encoding may hold: code points, and the log-likelihood of each. Half-width marks are few in text, but
# many in EUC-JP that is read as Shift_JIS; so are kana beside Chinese.
_DECLARED: Final = (
    (0xA0, 0x3041, math.log(1 / 128)),
    (0x3041, 0x3100, -6.5),
    (0x3100, 0x3400, math.log(1 / 128)),
    (0xFF01, 0xFF61, math.log(1 / 128)),
    (0xFF61, 0xFF66, math.log(1e-6)),
    (0xFF66, 0xFFA0, math.log(1 / 64)),
)
_HANJA: Final = -9.0
# Text has so much a character or more. On the development texts right readings had -7.2 and more, except for a few
# characters, and those of another encoding -8.5 and less.
_LEAST_SCORE: Final = -7.6
_SPREAD: Final = 2.0
_SLACK: Final = 8.0


def guessed(name: str, sample: bytes) -> tuple[float, int]:
    """(log-likelihood, characters beyond ASCII) for an encoding that is not declared."""
    score, characters = _summed(_character_likelihoods(name), name, sample)
    return score + MULTIPLE[name], characters


def declared(name: str, sample: bytes) -> tuple[float, int, bool]:
    """(log-likelihood, characters beyond ASCII, whether it reads like text) for a declared encoding."""
    score, characters = _summed(_declared_likelihoods(name), name, sample)
    return score, characters, score > _LEAST_SCORE * characters - _SPREAD * math.sqrt(characters) - _SLACK


def _summed(table: Floats, name: str, sample: bytes) -> tuple[float, int]:
    points = np.frombuffer(decode_as(sample, name).encode("utf-32-le", "replace"), dtype=np.uint32)
    points = points[points >= 128]
    return float(table[np.minimum(points, len(table) - 1)].sum()), len(points)


@cache
def _declared_likelihoods(name: str) -> Floats:
    table = _character_likelihoods(name).copy()
    for first, last, least in _DECLARED:
        table[first:last] = np.maximum(table[first:last], least)
    if name == "euc-kr":
        table[0x4E00:0x9FA6] = np.maximum(table[0x4E00:0x9FA6], _HANJA)
    return table


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
        whole = math.fsum(weights)  # `sum` adds more precisely since Python 3.12
        for character, weight in zip(characters, weights, strict=True):
            table[ord(character)] = math.log(share * weight / whole)
    for character in "、。，「」":
        table[ord(character)] = math.log(0.02)
    for character in "　・（）！？：；“”‘’…《》『』【】～·":
        table[ord(character)] = math.log(2e-3)
    table[0xA0] = math.log(2e-3)  # GB 18030 has it in four bytes
    for first, last in ((0xFF10, 0xFF5B), (0x2460, 0x2474), (0x2190, 0x2194), (0x2500, 0x2610)):
        table[first:last] = np.maximum(table[first:last], math.log(5e-5))
    return table


# Rows of the characters in daily use, as lead bytes; the share of the commonest characters among all; how they fall
# into lists.
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
    """Gives the characters of some rows an even share, and those of the rows after them, which are
    rare, a small one.
    """
    # Rows of characters in use, and up to the end of the double-byte plane what is rarer.
    trails = [*range(0x40, 0x7F), *range(0x80, 0xFF)] if name in ("shift_jis", "big5") else list(range(0xA1, 0xFF))
    for leads, value in ((range(last + 1, 0xFB), 3e-6), (range(first, last + 1), 0.0)):
        characters = set(decode_as(b" ".join(bytes([lead, trail]) for lead in leads for trail in trails), name))
        points = [point for point in map(ord, characters) if 0x3400 <= point < 0xE000 or 0xF900 <= point < 0xFB00]
        table[points] = math.log(value or share / max(len(points), 1))
