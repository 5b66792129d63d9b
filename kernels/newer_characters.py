"""Characters that Python 3.12 and 3.13 know and Python 3.11 does not: they are treated everywhere as in 3.11, where
they are unassigned.

In: a text. Out: the text with stand-ins for these characters, which are unassigned in every version of Unicode; or with
them put back.

Python's `str` methods, `re` and `unicodedata` decide whether a character is a letter, a digit or a mark by the Unicode
version of the running Python: 14.0 in 3.11, 15.0 in 3.12, 15.1 in 3.13. Between these only `str.islower` and
`str.isnumeric` of a few older characters have changed, and no text is tested by those. Code that decides by such
properties works on texts with stand-ins, so that every Python gives the same bytes. `kernels.characters` is pinned to
14.0 too.

Sources: DerivedAge.txt of Unicode 15.1, ages 15.0 and 15.1.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache

import numpy as np
import numpy.typing as npt

# As point_classes writes them: first and last code point, hexadecimal.
_NEWER = (
    "CF3 ECE 2FFC-2FFF 31EF 10EFD-10EFF 1123F-11241 11B00-11B09 11F00-11F10 11F12-11F3A 11F3E-11F59 1342F 13439-13455"
    " 1B132 1B155 1D2C0-1D2D3 1DF25-1DF2A 1E030-1E06D 1E08F 1E4D0-1E4F9 1F6DC 1F774-1F776 1F77B-1F77F 1F7D9 1FA75-1FA77"
    " 1FA87-1FA88 1FAAD-1FAAF 1FABB-1FABD 1FABF 1FACE-1FACF 1FADA-1FADB 1FAE8 1FAF7-1FAF8 2B739 2EBF0-2EE5D 31350-323AF"
)
# The distance from a character to its stand-in, which is in planes 4 to 7, in which no version of Unicode has assigned
# anything.
_APART = np.uint32(0x40000)
_IS_NEWER, _STAND_IN = 1, 2
# How the UTF-8 of the newer characters and the stand-ins begins: all characters of four bytes in planes 1 to 7, and the
# few of three.
_BEGINNINGS = (b"\xf0", b"\xf1", b"\xe0\xb3\xb3", b"\xe0\xbb\x8e", b"\xe2\xbf", b"\xe3\x87\xaf")
# A reference to a character that is written by its number.
_REFERENCE = re.compile(r"&#(?:[xX]0*+([0-9a-fA-F]{3,5})(?![0-9a-fA-F])|0*+([0-9]{4,6})(?![0-9]));?")


@cache
def newer_characters() -> frozenset[int]:
    """The code points that Unicode 15.0 and 15.1 have assigned."""
    bounds = (part.partition("-") for part in _NEWER.split())
    return frozenset(point for first, _, last in bounds for point in range(int(first, 16), int(last or first, 16) + 1))


def as_without_newer(decide: Callable[..., str], *texts: str) -> str:
    """What `decide` makes of the texts on a Python that does not know the newer characters."""
    if all(map(str.isascii, texts)):
        return decide(*texts)
    changed = [with_stand_ins(text) for text in texts]
    found = decide(*changed)
    return found if all(one is other for one, other in zip(changed, texts, strict=True)) else without_stand_ins(found)


def with_stand_ins(text: str) -> str:
    """The text with stand-ins for its newer characters; the text itself where it has none, as nearly always.

    It has as many characters as before. A text with stand-ins of its own, which nobody writes, stays as it is.
    """
    if not _may_hold(text):
        return text
    points, kinds = _points_and_kinds(text)
    if not kinds.any() or kinds.max() == _STAND_IN:
        return text
    return _text(points + _APART * kinds)


def markup_with_stand_ins(text: str) -> str:
    """`with_stand_ins` for wikitext, where characters may be written by their numbers too."""
    changed = with_stand_ins(text)
    if "&#" not in text or (changed is text and _may_hold(text) and _points_and_kinds(text)[1].any()):
        return changed
    referred = _REFERENCE.sub(_referred, changed)
    return changed if referred == changed else referred


def without_stand_ins(text: str) -> str:
    """The text with its newer characters put back."""
    if not _may_hold(text):
        return text
    points, kinds = _points_and_kinds(text)
    return _text(points - _APART * (kinds == _STAND_IN)) if kinds.any() else text


def _may_hold(text: str) -> bool:
    if text.isascii():
        return False
    data = text.encode("utf-8", "surrogatepass")
    return any(beginning in data for beginning in _BEGINNINGS)


def _points_and_kinds(text: str) -> tuple[npt.NDArray[np.uint32], npt.NDArray[np.uint8]]:
    points = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), "<u4")
    return points, _kinds()[points]


def _text(points: npt.NDArray[np.uint32]) -> str:
    return points.astype("<u4").tobytes().decode("utf-32-le", "surrogatepass")


@cache
def _kinds() -> npt.NDArray[np.uint8]:
    """uint8[0x110000]: `_IS_NEWER`, `_STAND_IN` or 0."""
    kinds = np.zeros(0x110000, np.uint8)
    newer = np.array(sorted(newer_characters()))
    kinds[newer] = _IS_NEWER
    kinds[newer + _APART] = _STAND_IN
    return kinds


def _referred(match: re.Match[str]) -> str:
    point = int(match[1], 16) if match[1] else int(match[2])
    return f"&#{point + _APART};" if point in newer_characters() else match[0]
