r"""Personal information: the spans of each kind that documents hold, and how many.

In: UTF-8 bytes and offsets of n documents. Out: int32[n] per kind, row-aligned; a row depends on its own document only.

Two stages. One hyperscan call over the batch finds the cores of the patterns, such as an `@` between two address characters. Around each
core the run of bytes that the exact pattern could match or look at is cut out, and Python's `re` searches these runs with the exact
pattern, which says also what must not stand before and after; validators follow. A match lies within one run and holds a core, and what
borders a run is as good as nothing to the pattern: the spans are those of the exact patterns over the whole texts.
Patterns see bytes: `\w` is ASCII, a letter of another alphabet is a boundary.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

import numba as nb
import numpy as np
import numpy.typing as npt

Integers = npt.NDArray[np.int64]


class Kind(NamedTuple):
    """One kind of personal information.

    Attributes:
        name: as in `manifests.corpus.PersonalInformationKind`.
        core: what every match of `pattern` holds; the gate looks for it.
        pattern: what a span is.
        before, after: what may not stand there.
        seen: class of the bytes that `pattern`, `before` and `after` can match; all others are borders.
        accepts: what a match must also satisfy, or None.
    """

    name: str
    core: bytes
    pattern: bytes
    before: bytes
    after: bytes
    seen: bytes
    accepts: Callable[[bytes], bool] | None = None


class Spans(NamedTuple):
    """m spans of one kind, in the order of documents and positions: int64[m] each; `starts` and `stops` are bytes within the document."""

    documents: Integers
    starts: Integers
    stops: Integers


# Networks whose addresses point at nobody: private, loopback, link-local, shared, documentation, benchmarking, reserved (IANA IPv4
# special-purpose address registry, RFC 6890) and multicast (RFC 5771). Written down: `ipaddress.is_global` has changed between Pythons.
_RESERVED_NETWORKS = (
    ("0.0.0.0", 8),
    ("10.0.0.0", 8),
    ("100.64.0.0", 10),
    ("127.0.0.0", 8),
    ("169.254.0.0", 16),
    ("172.16.0.0", 12),
    ("192.0.0.0", 24),
    ("192.0.2.0", 24),
    ("192.88.99.0", 24),
    ("192.168.0.0", 16),
    ("198.18.0.0", 15),
    ("198.51.100.0", 24),
    ("203.0.113.0", 24),
    ("224.0.0.0", 4),
    ("240.0.0.0", 4),
)


def _public_address(match: bytes) -> bool:
    """An IPv4 address that can point at somebody; octets with leading zeros make a version number or the like."""
    octets = match.split(b".")
    if any(len(octet) > 1 and octet.startswith(b"0") for octet in octets):
        return False
    value = _address(octets)
    first, last = _reserved_ranges()
    index = bisect_right(first, value) - 1
    return index < 0 or value > last[index]


def _address(octets: list[bytes]) -> int:
    return int.from_bytes(bytes(map(int, octets)), "big")


@cache
def _reserved_ranges() -> tuple[list[int], list[int]]:
    first = [_address(network.encode().split(b".")) for network, _ in _RESERVED_NETWORKS]
    return first, [start + (1 << (32 - bits)) - 1 for start, (_, bits) in zip(first, _RESERVED_NETWORKS, strict=True)]


def _social_security_number(match: bytes) -> bool:
    """Numbers that the US Social Security Administration can issue: area not 000, 666 or 900-999, group not 00, serial not 0000."""
    area, group, serial = match.split(b"-")
    return area not in (b"000", b"666") and area < b"900" and group != b"00" and serial != b"0000"


_OCTET = rb"(?:25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])"

KINDS_OF_SPANS = (
    # RFC 5321 section 4.5.3.1: local part up to 64 characters; RFC 1035 section 2.3.4: labels up to 63.
    Kind(
        "email",
        rb"[A-Za-z0-9._%+\-]@[A-Za-z0-9\-]",
        rb"[A-Za-z0-9._%+\-]{1,64}@[A-Za-z0-9\-]{1,63}(?:\.[A-Za-z0-9\-]{1,63}){1,8}",
        rb"[\w.@%+\-]",
        rb"[\w@\-]",
        rb"[\w.@%+\-]",
    ),
    # North American Numbering Plan, with separators; other plans come with the deeper text pass.
    Kind(
        "phone",
        rb"[0-9]{3}[ .\-][0-9]{4}",
        rb"(?:\+?1[ .\-]?)?(?:\([2-9][0-9]{2}\) ?|[2-9][0-9]{2}[ .\-])[2-9][0-9]{2}[ .\-][0-9]{4}",
        rb"[\w.@\-+(]",
        rb"[\w@\-]",
        rb"[\w.@\-+() ]",
    ),
    Kind(
        "ip",
        rb"[0-9]\.[0-9]{1,3}\.[0-9]{1,3}\.[0-9]",
        rb"(?:" + _OCTET + rb"\.){3}" + _OCTET,
        rb"[\w.@\-]",
        rb"[\w@\-]|\.[0-9]",
        rb"[\w.@\-]",
        _public_address,
    ),
    Kind(
        "national_id",
        rb"[0-9]{3}-[0-9]{2}-[0-9]{4}",
        rb"[0-9]{3}-[0-9]{2}-[0-9]{4}",
        rb"[\w.@\-]",
        rb"[\w@\-]",
        rb"[\w.@\-]",
        _social_security_number,
    ),
)
KINDS = tuple(kind.name for kind in KINDS_OF_SPANS)

# A batch with more cores than this is one of their text: the gate does not pay, and their positions would fill the memory.
MOST_CORES = 1 << 20


def count_spans(data: npt.NDArray[np.uint8], offsets: Integers) -> dict[str, npt.NDArray[np.int32]]:
    """Spans per kind and document.

    Args:
        data: UTF-8 bytes.
        offsets: int64[n + 1] into `data`, less than 4 GiB apart.

    Returns:
        int32[n] for each of `KINDS`.
    """
    count = len(offsets) - 1
    return {name: np.bincount(spans.documents, minlength=count).astype(np.int32) for name, spans in find_spans(data, offsets).items()}


def find_spans(data: npt.NDArray[np.uint8], offsets: Integers) -> dict[str, Spans]:
    """Spans of a batch for each of `KINDS`. Those of one kind do not overlap; those of different kinds may."""
    cores = _cores(data[offsets[0] : offsets[-1]])
    found = {}
    for index, kind in enumerate(KINDS_OF_SPANS):
        if cores is None:
            documents, starts, stops = np.arange(len(offsets) - 1), offsets[:-1], offsets[1:]
        else:
            documents, starts, stops = _runs(data, offsets, cores[index] + offsets[0], _seen(index))
        joined, heads = _join(data, starts, stops)
        matches = np.array(search(joined.data, index), np.int64).reshape(-1, 2)
        run = np.searchsorted(heads, matches[:, 0], side="right") - 1
        shift = (starts - heads)[run] - offsets[documents[run]]
        found[kind.name] = Spans(documents[run], matches[:, 0] + shift, matches[:, 1] + shift)
    return found


def search(text: bytes | memoryview, kind: int) -> list[tuple[int, int]]:
    """(start, stop) of the spans of `KINDS[kind]` by the exact pattern and its validator alone: what `find_spans` must find."""
    accepts = KINDS_OF_SPANS[kind].accepts
    matches = exact_patterns()[kind].finditer(text)
    return [match.span() for match in matches if accepts is None or accepts(bytes(match.group()))]


@nb.njit(cache=True, nogil=True)
def _runs(data: Any, offsets: Any, ends: Any, seen: Any) -> Any:
    """Runs of seen bytes around the cores that end at `ends` (ascending), each once: document, start, stop."""
    documents = np.empty(len(ends), np.int64)
    starts = np.empty(len(ends), np.int64)
    stops = np.empty(len(ends), np.int64)
    count = document = 0
    reached = offsets[0]
    for end in ends:
        if end <= reached:
            continue
        # A core may cross from one document into the next: it counts for the document that it ends in, where the exact pattern judges it.
        while offsets[document + 1] < end:
            document += 1
        start = stop = end - 1
        while start > offsets[document] and seen[data[start - 1]]:
            start -= 1
        while stop < offsets[document + 1] and seen[data[stop]]:
            stop += 1
        documents[count], starts[count], stops[count] = document, start, stop
        count += 1
        reached = stop
    return documents[:count], starts[:count], stops[:count]


@nb.njit(cache=True, nogil=True)
def _join(data: Any, starts: Any, stops: Any) -> Any:
    """The runs one after the other, a line feed after each, which no pattern sees; and where each begins."""
    joined = np.empty((stops - starts).sum() + len(starts), np.uint8)
    heads = np.empty(len(starts), np.int64)
    position = 0
    for run in range(len(starts)):
        heads[run] = position
        length = stops[run] - starts[run]
        joined[position : position + length] = data[starts[run] : stops[run]]
        joined[position + length] = 10
        position += length + 1
    return joined, heads


def _cores(data: npt.NDArray[np.uint8]) -> list[Integers] | None:
    """Where cores end, per kind, int64[]; None if there are more than `MOST_CORES`."""
    import hyperscan

    ends: list[list[int]] = [[] for _ in KINDS]
    room = MOST_CORES

    def note(kind: int, _start: int, stop: int, _flags: int, _context: object) -> bool:
        nonlocal room
        ends[kind].append(stop)
        room -= 1
        return room < 0

    try:
        _gate().scan(data.data, match_event_handler=note)
    except hyperscan.ScanTerminated:
        return None
    # hyperscan promises no order.
    return [np.sort(np.array(found, np.int64)) for found in ends]


@cache
def _seen(kind: int) -> npt.NDArray[np.bool_]:
    """bool[256]: the bytes that a pattern can match or look at."""
    pattern = re.compile(KINDS_OF_SPANS[kind].seen)
    return np.array([pattern.match(bytes([byte])) is not None for byte in range(256)])


@cache
def exact_patterns() -> tuple[re.Pattern[bytes], ...]:
    """The exact pattern of each kind, with what may not touch it."""
    return tuple(re.compile(rb"(?<!" + kind.before + rb")" + kind.pattern + rb"(?!" + kind.after + rb")") for kind in KINDS_OF_SPANS)


@cache
def _gate() -> Any:
    import hyperscan

    gate = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
    gate.compile(expressions=[kind.core for kind in KINDS_OF_SPANS], ids=list(range(len(KINDS))), flags=[0] * len(KINDS))
    return gate
