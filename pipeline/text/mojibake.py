"""Mojibake: UTF-8 that was read in another encoding, found and undone by ftfy (Speer 2019), after a gate that lets
clean text pass.

In: texts. Out: whether ftfy could change them; repaired texts. A text that the gate calls clean is never changed by
`ftfy.fix_encoding`, nor is any line of it.

ftfy first searches a text for sequences of characters that real text hardly holds and leaves it alone when there are
none (`ftfy.badness.BADNESS_RE`). The gate is a weaker form of that expression, read off the installed one: for each
alternative, the two neighbouring characters that are rarest together, as a table of which class of characters may not
follow which.

ftfy errs where accented letters are often followed by typographic signs: of the 75,000 documents of the development
corpora it changes 93, and 64 of them wrongly, from a Bible in a Chinantec language (`á` and a raised `ˆ` for a tone).
For sources in such languages: `mojibake: keep`.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from functools import cache
from re import _parser  # type: ignore[attr-defined]  # the standard library's own reading of a pattern; without it there is no table
from typing import Any, NamedTuple

import numba as nb
import numpy as np
import numpy.typing as npt

from kernels.arrays import Bools, Bytes, Int64s, Integer
from kernels.compiled import kernel
from kernels.utf8 import code_point

# Beyond the Basic Multilingual Plane all characters are treated alike: as its last code point, which is not a
# character.
CODE_POINTS = 0x10000
_LINE_FEED = 10
_Characters = npt.NDArray[np.bool_]


class Gate(NamedTuple):
    """Tables for a kernel.

    Attributes:
        classes: uint8[0x10000], class of each code point; what is beyond has the last one's.
        bad: bool[classes, classes], whether a text with the first class right before the second may be mojibake.
        alone: bool[classes], whether the class itself says so.
    """

    classes: npt.NDArray[np.uint8]
    bad: npt.NDArray[np.bool_]
    alone: npt.NDArray[np.bool_]


@cache
def gate() -> Gate:
    """Built once, in a fifth of a second; read-only.

    Raises:
        ValueError: ftfy's expression has a form that is not known here.
    """
    from ftfy.badness import BADNESS_RE

    singles: list[_Characters] = []
    pairs: list[tuple[_Characters, _Characters]] = []
    parsed = list(_parser.parse(BADNESS_RE.pattern, BADNESS_RE.flags))
    if len(parsed) != 1 or str(parsed[0][0]) != "BRANCH":
        raise ValueError("ftfy's badness is not a list of alternatives")
    for alternative in parsed[0][1][1]:
        items = [_characters(*item) for item in alternative]
        neighbours = [
            (first, second)
            for first, second in zip(items, items[1:], strict=False)
            if first is not None and second is not None
        ]
        known = [item for item in items if item is not None]
        if neighbours:
            pairs.append(min(neighbours, key=lambda pair: int(pair[0].sum()) * int(pair[1].sum())))
        elif known:
            singles.append(min(known, key=lambda item: int(item.sum())))
        else:
            raise ValueError("an alternative of ftfy's badness names no character")
    # Characters that no set distinguishes are one class.
    told = np.stack([*singles, *(member for pair in pairs for member in pair)])
    packed = np.packbits(told, axis=0)
    columns = np.ascontiguousarray(packed.T).view(np.dtype((np.void, len(packed)))).ravel()
    keys, examples, classes = np.unique(columns, return_index=True, return_inverse=True)
    if len(keys) > 256:
        raise ValueError("ftfy's badness tells more than 256 classes of characters apart")
    alone = np.any([single[examples] for single in singles], axis=0)
    bad = np.any([np.logical_and.outer(first[examples], second[examples]) for first, second in pairs], axis=0)
    result = Gate(classes.ravel().astype(np.uint8), bad, alone)
    for table in result:
        table.flags.writeable = False
    return result


def repair(text: str) -> str:
    """The text with each line's mojibake undone; lines are repaired one by one, since pasted text has its own history.

    What ftfy would turn into half a surrogate pair stays.
    """
    data = np.frombuffer(text.encode(), np.uint8)
    tables = gate()
    suspects = np.empty((int(np.count_nonzero(data == _LINE_FEED)) + 1, 2), np.int64)
    found = _suspect_lines(data, *tables, suspects)
    if not found:
        return text
    fix_encoding = _fix_encoding()
    pieces: list[bytes] = []
    last = 0
    for start, end in suspects[:found].tolist():
        fixed = fix_encoding(data[start:end].tobytes().decode())
        if not _SURROGATES.search(fixed):
            pieces += [data[last:start].tobytes(), fixed.encode()]
            last = end
    return b"".join([*pieces, data[last:].tobytes()]).decode()


_SURROGATES = re.compile("[\ud800-\udfff]")


@kernel
def suspicious(data: Bytes, start: Integer, end: Integer, classes: Bytes, bad: Bools, alone: Bools) -> bool:
    """Whether ftfy could change the text in data[start:end], which is valid UTF-8; the last three are a `Gate`'s."""
    previous = -1
    index = start
    while index < end:
        point, width = code_point(data, index)
        index += width
        kind = nb.int64(classes[min(point, CODE_POINTS - 1)])
        if alone[kind] or (previous >= 0 and bad[previous, kind]):
            return True
        previous = kind
    return False


@kernel
def _suspect_lines(data: Bytes, classes: Bytes, bad: Bools, alone: Bools, out: Int64s) -> int:
    """Fill `out`, [lines, 2], with begin and end of the suspicious lines, without their line feed. Returns how many."""
    found = 0
    start = 0
    for index in range(len(data) + 1):
        if index == len(data) or data[index] == _LINE_FEED:
            if suspicious(data, start, index, classes, bad, alone):
                out[found, 0], out[found, 1] = start, index
                found += 1
            start = index + 1
    return found


@cache
def _fix_encoding() -> Callable[[str], str]:
    # Imported when first needed.
    from ftfy import TextFixerConfig, fix_encoding

    configuration = TextFixerConfig(explain=False)
    logging.getLogger("ftfy").setLevel(logging.CRITICAL + 1)
    return lambda line: fix_encoding(line, configuration)


def _characters(operation: object, value: Any) -> _Characters | None:
    """Which code points one item of a pattern matches; None for what is not a set of characters."""
    name = str(operation)
    if name not in ("LITERAL", "IN"):
        return None
    members = np.zeros(CODE_POINTS, np.bool_)
    negated = False
    for part, argument in [(operation, value)] if name == "LITERAL" else value:
        kind = str(part)
        if kind == "LITERAL":
            members[argument] = True
        elif kind == "RANGE":
            # The last code point represents all that follow.
            if argument[1] >= CODE_POINTS - 1:
                raise ValueError("ftfy's badness names characters beyond the Basic Multilingual Plane")
            members[argument[0] : argument[1] + 1] = True
        elif kind == "NEGATE":
            negated = True
        else:
            return None
    return ~members if negated else members
