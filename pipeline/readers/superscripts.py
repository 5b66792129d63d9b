"""Raised and lowered characters in running text: powers stay powers, whatever markup they come from.

In: the text before a superscript or subscript, and the text in it. Out: what to write in its place.

Text has no raised characters of its own for most of them, and `10<sup>6</sup>` without its mark is another number. A
caret or underscore is set only where the bare characters would read as something else; units (km2), ordinals (1st),
formulas (H2O) and marks (TM) stay as people type them.
"""

from __future__ import annotations

import html
import re
from collections.abc import Sequence

from kernels.newer_characters import as_without_newer, with_stand_ins

# Longer passages are small print, not powers.
_LONGEST = 24
# The hyphen comes first, for character classes.
_SIGNS = "-+\u2212\u2013"
_NUMBER = re.compile(r"\d+(?:[.,/]\d+)*")
_SIGNED = re.compile(rf"[{_SIGNS}][ \u202f\u2009]?[\d.,/]*\w?")
_TERMS = re.compile(rf"\w+(?:[ ]?[{_SIGNS}*/\u00b7\u00d7][ ]?\w+)+")
# Marks of notes: [1], [note 2], [citation needed].
_NOTE = re.compile(r"\[[^\[\]]{1,40}\]")
_NOTES = re.compile(rf"{_NOTE.pattern}(?:[,; ]{{0,2}}{_NOTE.pattern}){{0,20}}")
# Letters that represent a number in a power; others after a number are ordinals (1st, 2e, 3o), hours (5h) or marks of
# notes (1990a).
_VARIABLES = frozenset("ijknpqtxyzNT\u03b1\u03b2\u03bb\u03bc\u03c0\u03c3\u03c9")
_PRICE = re.compile(r"[$\u00a3\u20ac\u00a5] ?\d{1,6}\Z")
_SLASHES = "/\u2044\u2215"
_CLOSING = frozenset(")]}|")
# "in 1990.<sup>12</sup>" is not 1990.12.
_POINTS = frozenset(".,")
# How much of the text before is looked at.
BEFORE = 16
# Tags between it and the text after it that are passed over, and how much of that text is looked at: a character or its
# reference.
_MOST_TAGS = 8
_AFTER = 12


def in_text(tag: str, before: str, inside: str, *, after: str = "") -> str:
    """What replaces an element, `sup` or `sub`, in the text of its line; two numbers never become one."""
    marked = (superscript if tag == "sup" else subscript)(before, inside, after=after)
    if before[-1:].isdecimal() and marked[:1].isdecimal() and with_stand_ins(before[-1] + marked[0]).isdecimal():
        return f"{'^' if tag == 'sup' else '_'}{marked}"
    return marked


def last_of(parts: Sequence[str]) -> str:
    """The last characters of a text in parts: what comes before."""
    found: list[str] = []
    size = 0
    for part in reversed(parts):
        found.append(part[-BEFORE:])
        size += len(found[-1])
        if size >= BEFORE:
            break
    return "".join(reversed(found))


def first_behind(source: str, position: int, *, tag: re.Pattern[str]) -> str:
    """The first character of the text after a place: what comes next. Tags are passed over, and a reference is its
    character.

    Before another power or index it is empty: that one is kept apart when its turn comes.

    Args:
        tag: what is passed over; its groups `name` and `end` are the tag's name and, of an end, its slash.
    """
    for _ in range(_MOST_TAGS):
        found = tag.match(source, position)
        if found is None:
            break
        if not found["end"] and (found["name"] or "").lower() in ("sup", "sub"):
            return ""
        position = found.end()
    return html.unescape(source[position : position + _AFTER])[:1]


def superscript(before: str, inside: str, *, after: str = "") -> str:
    """What replaces a superscript: `^6` for the 6 of 10<sup>6</sup>, `2` for that of km<sup>2</sup>, nothing for the
    mark of a note.

    Args:
        before: the text before it, or the last `BEFORE` characters of it.
        inside: the text in it.
        after: the text after it, or the first character of it.
    """
    raised = inside.strip()
    if _NOTES.fullmatch(raised):
        return ""
    if not raised or len(raised) > _LONGEST:
        return inside
    return as_without_newer(_raised, before[-BEFORE:], raised, after[:1])


def _raised(before: str, raised: str, after: str) -> str:
    last = before[-1:]
    number = _NUMBER.fullmatch(raised) is not None
    if last.isdecimal() and number:
        if after and after in _SLASHES:
            return " " + raised
        if len(raised) == 2 and _PRICE.search(before):
            return "." + raised
    if _is_power(before[-2:], raised):
        return _apart("^" + raised, after)
    if not number and (last.isalnum() or last in _CLOSING) and _TERMS.fullmatch(raised):
        return f"^({raised})"
    return _apart(raised, after)


def _is_power(before: str, raised: str) -> bool:
    """Whether the bare characters would read as another number or word.

    Args:
        before: the two characters before it.
    """
    last = before[-1:]
    signed = raised[0] in _SIGNS and raised[-1].isalnum() and _SIGNED.fullmatch(raised) is not None
    if last.isdecimal() or last in _CLOSING or (last in _POINTS and before[:-1].isdecimal()):
        return signed or _NUMBER.fullmatch(raised) is not None or _is_variable(raised)
    return last.isalpha() and (signed or (_is_variable(raised) and not before[:-1].isalpha()))


def subscript(before: str, inside: str, *, after: str = "") -> str:
    """What replaces a subscript: `_2` for the 2 of 10<sub>2</sub>, `_i` for the i of x<sub>i</sub>, `2` for that of
    H<sub>2</sub>O.

    Args:
        before: the text before it, or the last `BEFORE` characters of it.
        inside: the text in it.
        after: the text after it, or the first character of it.
    """
    lowered = inside.strip()
    if not lowered:
        return inside
    if len(lowered) > _LONGEST:
        return _apart(lowered, after)
    return as_without_newer(_lowered, before[-2:], lowered, after[:1])


def _lowered(before: str, lowered: str, after: str) -> str:
    last = before[-1:]
    if not last or not (last.isalnum() or last in _CLOSING):
        return _apart(lowered, after)
    if last.isdecimal() and lowered[0].isalnum():
        return _apart("_" + lowered, after)
    if last.isalpha() and not before[-2:-1].isalpha() and lowered[0].isalpha() and lowered.isalnum():
        return "_" + lowered
    return _apart(lowered, after)


def _is_variable(text: str) -> bool:
    """n, 2n, -x: a letter that represents a number, alone or with a factor."""
    return text[-1] in _VARIABLES and all(character.isdecimal() or character in _SIGNS for character in text[:-1])


def _apart(text: str, after: str) -> str:
    """The text, with a space where it would run into a number that follows."""
    return text + " " if text[-1].isdecimal() and after[:1].isdecimal() else text
