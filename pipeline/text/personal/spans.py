r"""Where the spans of each kind are, and how many: a gate over the batch, then the exact patterns around what it found.

In: UTF-8 bytes and offsets of n documents. Out: spans per kind in the order of documents and positions, or int32[n] per
kind, row-aligned. A row depends on its own document only.

Two stages. One hyperscan call over the batch finds the cores of all patterns, such as an `@` between two address
characters. Around each core the run of bytes is cut out that a match with this core could cover or look at: bytes that
the pattern sees, no further away than its longest match. Python's `re` searches these runs with the exact pattern,
which also says what must not come before and after; validators follow. A match holds a core and so lies within one run,
and what borders a run makes no difference to the pattern: the spans are those of the exact patterns over the whole
texts.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from kernels.arrays import Bools, Bytes, Int64s
from kernels.compiled import kernel
from pipeline.text.personal import accounts, birth, mail, national, online, phone, street

# Columns of signals are named after these; new kinds are added at the end.
KINDS = ("email", "phone", "ip", "national_id", "iban", "payment_card", "street_address", "date_of_birth")
PATTERNS = (
    *mail.PATTERNS,
    *online.PATTERNS,
    *phone.PATTERNS,
    *national.PATTERNS,
    *accounts.PATTERNS,
    *street.PATTERNS,
    *birth.PATTERNS,
)

# A batch with more cores than this consists mostly of them: the gate does not pay, and their positions would fill the
# memory.
MOST_CORES = 1 << 20
# What `before`, `after` and word boundaries look at beyond a match, in bytes.
_LOOK = 4
# NUL separates runs: no pattern matches it or looks for it.
_BORDER = 0


class Spans(NamedTuple):
    """m spans of one kind, in the order of documents and positions: int64[m] each; `starts` and `stops` are bytes
    within the document.
    """

    documents: Int64s
    starts: Int64s
    stops: Int64s


def count_spans(data: npt.NDArray[np.uint8], offsets: Int64s) -> dict[str, npt.NDArray[np.int32]]:
    """Spans per kind and document.

    Args:
        data: UTF-8 bytes.
        offsets: int64[n + 1] into `data`, less than 4 GiB apart.

    Returns:
        int32[n] for each of `KINDS`.
    """
    return counts(find_spans(data, offsets), len(offsets) - 1)


def counts(found: dict[str, Spans], documents: int) -> dict[str, npt.NDArray[np.int32]]:
    """int32[documents] for each kind of `find_spans`: how many spans each document has."""
    return {name: np.bincount(spans.documents, minlength=documents).astype(np.int32) for name, spans in found.items()}


def find_spans(data: npt.NDArray[np.uint8], offsets: Int64s) -> dict[str, Spans]:
    """Spans of a batch for each of `KINDS`. Those of one kind do not overlap; those of different kinds may."""
    cores = cores_of(data[offsets[0] : offsets[-1]])
    return {kind: spans_of_kind(data, offsets, cores, kind) for kind in KINDS}


def spans_of_kind(data: npt.NDArray[np.uint8], offsets: Int64s, cores: list[Int64s] | None, kind: str) -> Spans:
    """Spans of one kind around the cores of `cores_of`; in the whole texts when it gave up."""
    places = []
    for index, pattern in enumerate(PATTERNS):
        if pattern.kind != kind:
            continue
        if cores is None:
            starts, stops = offsets[:-1], offsets[1:]
        elif len(cores[index]):
            starts, stops = _runs(data, offsets, cores[index] + offsets[0], _seen(index), pattern.longest + _LOOK)
        else:
            continue
        joined, heads = _join(data, starts, stops)
        matches = np.array(search_pattern(joined.data, index), np.int64).reshape(-1, 2)
        if len(matches):
            run = np.searchsorted(heads, matches[:, 0], side="right") - 1
            places.append(matches + (starts - heads)[run, None])
    return _spans(places, offsets)


def search(text: bytes, kind: str) -> list[tuple[int, int]]:
    """(start, stop) of the spans of one kind by the exact patterns and their validators alone: what `find_spans` must
    find.
    """
    places = [
        place for index, pattern in enumerate(PATTERNS) if pattern.kind == kind for place in search_pattern(text, index)
    ]
    joined: list[tuple[int, int]] = []
    for start, stop in sorted(places):
        if joined and start < joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], stop))
        else:
            joined.append((start, stop))
    return joined


def search_pattern(text: bytes | memoryview, index: int) -> list[tuple[int, int]]:
    """(start, stop) of the spans of one of `PATTERNS`."""
    group = "span" if "span" in exact_patterns()[index].groupindex else 0
    measure, bounds = PATTERNS[index].measure, PATTERNS[index].bounds
    matches = exact_patterns()[index].finditer(text)
    if bounds is not None:
        found = [bounds(text, *match.span(group)) for match in matches if match.start(group) >= 0]
        return [place for place in found if place is not None]
    if measure is None:
        return [match.span(group) for match in matches if match.start(group) >= 0]
    places = []
    for match in matches:
        start = match.start(group)
        if start < 0:
            continue
        length = measure(bytes(match[group]))
        if length:
            places.append((start, start + length))
    return places


def _spans(places: list[npt.NDArray[np.int64]], offsets: Int64s) -> Spans:
    """Spans of one kind from those of its patterns, int64[m, 2] of places in the buffer: sorted, with overlapping ones
    merged.
    """
    if not places:
        nothing = np.empty(0, np.int64)
        return Spans(nothing, nothing, nothing)
    together = np.concatenate(places)
    together = together[np.argsort(together[:, 0], kind="stable")]
    reached = np.maximum.accumulate(together[:, 1])
    first = np.flatnonzero(np.append(True, together[1:, 0] >= reached[:-1]))
    starts, stops = together[first, 0], np.maximum.reduceat(together[:, 1], first)
    documents = np.searchsorted(offsets, starts, side="right") - 1
    return Spans(documents, starts - offsets[documents], stops - offsets[documents])


@kernel
def _runs(data: Bytes, offsets: Int64s, ends: Int64s, seen: Bools, reach: int) -> tuple[Int64s, Int64s]:
    """Runs of seen bytes at most `reach` from the cores that end at `ends` (ascending), joined where they meet: start,
    stop.
    """
    starts = np.empty(len(ends), np.int64)
    stops = np.empty(len(ends), np.int64)
    count = document = 0
    for end in ends:
        # A core may cross from one document into the next: it counts for the document that it ends in, where the exact
        # pattern judges it.
        while offsets[document + 1] < end:
            document += 1
        last = end - 1
        reached = stops[count - 1] if count else offsets[0]
        joins = count > 0 and starts[count - 1] >= offsets[document] and last <= reached
        stop = max(last, reached) if joins else last
        farthest = min(offsets[document + 1], end + reach)
        while stop < farthest and seen[data[stop]]:
            stop += 1
        if joins:
            stops[count - 1] = max(reached, stop)
            continue
        floor = max(offsets[document], last - reach)
        if count:
            floor = max(floor, reached)
        start = last
        while start > floor and seen[data[start - 1]]:
            start -= 1
        if count and start == reached and starts[count - 1] >= offsets[document]:
            stops[count - 1] = stop
            continue
        starts[count], stops[count] = start, stop
        count += 1
    return starts[:count], stops[:count]


@kernel
def _join(data: Bytes, starts: Int64s, stops: Int64s) -> tuple[Bytes, Int64s]:
    """The runs one after the other, a border after each; and where each begins."""
    joined = np.empty((stops - starts).sum() + len(starts), np.uint8)
    heads = np.empty(len(starts), np.int64)
    position = 0
    for run in range(len(starts)):
        heads[run] = position
        length = stops[run] - starts[run]
        joined[position : position + length] = data[starts[run] : stops[run]]
        joined[position + length] = _BORDER
        position += length + 1
    return joined, heads


def cores_of(data: npt.NDArray[np.uint8]) -> list[Int64s] | None:
    """The gate: where cores end, int64[] for each of `PATTERNS`; None if there are more than `MOST_CORES`."""
    import hyperscan

    ends: list[list[int]] = [[] for _ in PATTERNS]
    room = MOST_CORES

    gate, patterns = _gate()

    def note(core: int, _start: int, stop: int, _flags: int, _context: object) -> bool:
        nonlocal room
        for index in patterns[core]:
            ends[index].append(stop)
        room -= 1
        return room < 0

    try:
        gate.scan(data.data, match_event_handler=note)
    except hyperscan.ScanTerminated:
        return None
    # hyperscan promises no order.
    return [np.sort(np.array(found, np.int64)) for found in ends]


@cache
def _seen(index: int) -> npt.NDArray[np.bool_]:
    """bool[256]: the bytes that a pattern can match or look at."""
    pattern = re.compile(PATTERNS[index].seen)
    return np.array([pattern.match(bytes([byte])) is not None for byte in range(256)])


@cache
def exact_patterns() -> tuple[re.Pattern[bytes], ...]:
    """The exact patterns, each with what may not touch it."""
    return tuple(
        re.compile(
            b"".join(rb"(?<!" + byte + rb")" for byte in _alternatives(pattern.before))
            + pattern.pattern
            + (rb"(?!" + pattern.after + rb")" if pattern.after else b"")
        )
        for pattern in PATTERNS
    )


def _alternatives(before: bytes) -> list[bytes]:
    """`before` is one class, or several apart: each becomes a look of its own."""
    return before.split(b"|") if before else []


@cache
def _gate() -> tuple[Any, list[list[int]]]:
    """The compiled cores, each once, and which patterns have each."""
    import hyperscan

    cores = list(dict.fromkeys(core for pattern in PATTERNS for core in pattern.cores))
    gate = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
    gate.compile(expressions=cores, ids=list(range(len(cores))), flags=[0] * len(cores))
    return gate, [[index for index, pattern in enumerate(PATTERNS) if core in pattern.cores] for core in cores]
