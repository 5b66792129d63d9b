r"""What one way of writing personal information down looks like: the form that all pattern modules fill in.

A pattern sees bytes: `\w` is ASCII, a letter of another alphabet is a boundary. No pattern may match or look for NUL,
the border between runs, and all repeats are bounded.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

# What may not touch a number: it would be part of a longer number, an address or a name.
BEFORE_NUMBER = rb"[\w.@\-]"
AFTER_NUMBER = rb"[\w@\-]"
# Between a word that announces a number and the number: at most 24 bytes without a digit.
GAP = rb"[^0-9\x00]{0,24}?"
# What follows such a word in every match: the number has a digit among its first ten characters.
GAP_AND_DIGIT = rb"[^0-9\x00]{0,34}[0-9]"
ANYTHING = rb"[^\x00]"


class Pattern(NamedTuple):
    """One way to write one kind of personal information down.

    Attributes:
        kind: as in `manifests.corpus.PersonalInformationKind`.
        cores: the gate looks for these; every match of `pattern` holds one, whatever is beside the match.
        pattern: what is searched for. The span is the group `span` if there is one (the rest announces it), else the
            match. A match without this group is passed over: what it covers is something else, and no other match
            begins in it.
        before, after: what may not touch the match; by default what would make a number a part of something longer.
        seen: class of the bytes that `pattern`, `before` and `after` can match; all others are borders. Never NUL.
        longest: bytes of the longest match, and what `bounds` looks at beside it.
        measure: bytes of the span from its start on that count, 0 for none; or None, all of it.
        bounds: takes the text, start and stop of the span, and gives the span that counts, which may begin before the
            match, or None.
    """

    kind: str
    cores: tuple[bytes, ...]
    pattern: bytes
    seen: bytes
    longest: int
    before: bytes = BEFORE_NUMBER
    after: bytes = AFTER_NUMBER
    measure: Callable[[bytes], int] | None = None
    bounds: Callable[[bytes | memoryview, int, int], tuple[int, int] | None] | None = None


def whole_if(accepts: Callable[[bytes], bool]) -> Callable[[bytes], int]:
    """A `measure` that takes the whole span or nothing."""
    return lambda span: len(span) if accepts(span) else 0


def digits_of(span: bytes) -> bytes:
    """The ASCII digits of a span."""
    return bytes(byte for byte in span if 48 <= byte <= 57)
