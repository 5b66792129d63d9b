"""The first passage in which two texts differ, word by word, with what stands around it in both.

In: two texts. Out: a `Passage`. Words are those that shingles are made of (`dedup.signatures`): what differs in
capitals A to Z, in punctuation or in space alone does not differ here, as it does not for MinHash.

Both texts are walked together to the first word that differs; the passage ends where `SAME_WORDS` words follow that are
the same (`difflib.SequenceMatcher` on the next `WINDOW` words, Ratcliff and Obershelp 1988). So a text is read only as
far as it is the same, and no pair of texts takes the square of their lengths.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import islice, zip_longest

from kernels.character_ranges import MARKS, UNSPACED

WINDOW = 400
SAME_WORDS = 4
_CONTEXT = 12
_LONGEST = 40


def _ranges(runs: str) -> str:
    """Run lengths of `kernels.character_ranges` as ranges of a regular expression."""
    found, point = [], 0
    numbers = [int(number) for number in runs.split()]
    for gap, run in zip(numbers[::2], numbers[1::2], strict=True):
        point += gap
        found.append(f"\\U{point:08x}-\\U{point + run - 1:08x}")
        point += run
    return "".join(found)


_ALONE, _MARKS = _ranges(UNSPACED), _ranges(MARKS)
WORD = re.compile(rf"[{_ALONE}][{_MARKS}]*|[^\W{_ALONE}](?:[^\W{_ALONE}]|[{_MARKS}])*")
_SMALL = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz")


@dataclass(frozen=True)
class Excerpt:
    """One text's side of a passage, on one line each.

    Attributes:
        before, after: the words around it.
        differs: what the other text has not, or has otherwise; empty if the other one goes on without a gap.
        left_out: words at the end of `differs` that are not shown.
    """

    before: str
    differs: str
    after: str
    left_out: int


@dataclass(frozen=True)
class Passage:
    """The first passage that differs.

    Attributes:
        word: which word of both texts it begins with, from 1.
        ends: whether the texts were seen to go on with the same words behind it, or to end.
    """

    word: int
    kept: Excerpt
    gone: Excerpt
    ends: bool


def first_difference(kept: str, gone: str) -> Passage | None:
    """The first passage that differs between the text that stays and the one that goes; None if their words are the
    same.
    """
    ours, theirs = WORD.finditer(kept), WORD.finditer(gone)
    before: deque[tuple[int, int]] = deque(maxlen=_CONTEXT)
    same = 0
    for one, other in zip_longest(ours, theirs):
        if one is None or other is None or _small(one) != _small(other):
            break
        before.append((one.start(), other.start()))
        same += 1
    else:
        return None
    mine, other_side = _window(one, ours), _window(other, theirs)
    (mine_end, other_end), ends = _rejoin(mine, other_side)
    mine_start, other_start = before[0] if before else (0, 0)
    return Passage(
        word=same + 1,
        kept=_excerpt(kept, mine_start, mine, mine_end),
        gone=_excerpt(gone, other_start, other_side, other_end),
        ends=ends,
    )


def _window(first: re.Match[str] | None, rest: Iterator[re.Match[str]]) -> list[re.Match[str]]:
    """The next words, with those behind the window that may be shown; none where a text has ended."""
    return [] if first is None else [first, *islice(rest, WINDOW + _CONTEXT - 1)]


def _small(match: re.Match[str]) -> str:
    return match[0].translate(_SMALL)


def _rejoin(ours: Sequence[re.Match[str]], theirs: Sequence[re.Match[str]]) -> tuple[tuple[int, int], bool]:
    """How many words of each the passage has, and whether both are seen to go on together, or to end, behind it."""
    one, other = ([_small(match) for match in window[:WINDOW]] for window in (ours, theirs))
    whole = len(one) == len(ours) and len(other) == len(theirs)
    matcher = SequenceMatcher(None, one, other, autojunk=False)
    for block in matcher.get_matching_blocks():
        at_end = whole and (block.a + block.size, block.b + block.size) == (len(one), len(other))
        if block.size >= SAME_WORDS or at_end:
            return (block.a, block.b), True
    return (len(one), len(other)), False


def _excerpt(text: str, start: int, window: Sequence[re.Match[str]], stop: int) -> Excerpt:
    first = window[0].start() if window else len(text)
    shown = min(stop, _LONGEST)
    end = window[shown - 1].end() if shown else first
    after = window[stop : stop + _CONTEXT]
    return Excerpt(
        before=_one_line(text[start:first]),
        differs=_one_line(text[first:end]),
        after=_one_line(text[after[0].start() : after[-1].end()]) if after else "",
        left_out=stop - shown,
    )


def _one_line(text: str) -> str:
    return " ".join(text.split())
