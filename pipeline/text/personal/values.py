"""What the spans of a document are hashed to: enough to count different values on a site, too little to find one again.

In: UTF-8 bytes and offsets of n documents, their spans, and their sites. Out, row-aligned: a list of uint32 for each
document, its different values in ascending order, at most `MOST_VALUES` of each kind (those with the smallest hashes).

A value is 4 bits of its kind (`ValueKind`), one bit that says whether a person's name stands near it, and 27 bits of a
hash. Telephone numbers have 13 bits for all but their last four digits, their *block*, and 14 bits for the number
within it, so that numbers of one switchboard can be told. Some eighty telephone numbers of a country of ten thousand
million possible ones share each value; two addresses of a site of 10,000 are taken for one with a probability of 1 in
13,000 each.

`pipeline.text.personal.addresses` says whose an e-mail address is.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from enum import IntEnum

import numba as nb
import numpy as np
import pyarrow as pa

from kernels.arrays import Bytes, Int64s, Uint32s, Uint64s
from kernels.compiled import kernel
from kernels.hashing import SEED, mix
from pipeline.text.personal.addresses import Owner, owner_of
from pipeline.text.personal.names import Mentions
from pipeline.text.personal.near_names import find_near_names
from pipeline.text.personal.spans import Spans

VALUES = pa.field("personal_values", pa.list_(pa.field("item", pa.uint32(), nullable=False)), nullable=False)
BUSINESS = pa.field("business_marks", pa.int32(), nullable=False)

# Of one kind in one document: a page that holds more is heavy whatever the others are.
MOST_VALUES = 64
KIND_SHIFT = 28
NAMED = np.uint32(1 << 27)
HASH = np.uint32((1 << 27) - 1)
BLOCK_SHIFT = 14
# Bytes before and after a span within which a name is near it: a line or two.
_BEFORE = 160
_AFTER = 80
# Bytes before a date within which a colon or a bar makes it a field of a form.
_LABEL = 3


class ValueKind(IntEnum):
    """What a value is; stored, so new kinds are added at the end. At most 16."""

    EMAIL = 0  # at a provider for private persons
    OFFICE = 1
    PHONE = 2
    STREET_ADDRESS = 3
    DATE_OF_BIRTH = 4  # in running text
    DATE_OF_BIRTH_FIELD = 5  # in figures, or after a colon: as in a form
    NATIONAL_ID = 6
    IBAN = 7
    PAYMENT_CARD = 8
    IP = 9
    NAME = 10
    DATE_NEAR_NAME = 11  # that no word calls a date of birth
    NUMBER_NEAR_NAME = 12  # that no word calls a telephone number
    WORK_EMAIL = 13  # neither an office's nor at a provider for private persons


_KINDS = {
    "phone": ValueKind.PHONE,
    "street_address": ValueKind.STREET_ADDRESS,
    "national_id": ValueKind.NATIONAL_ID,
    "iban": ValueKind.IBAN,
    "payment_card": ValueKind.PAYMENT_CARD,
    "ip": ValueKind.IP,
}
_EMAILS = {Owner.PRIVATE: ValueKind.EMAIL, Owner.WORK: ValueKind.WORK_EMAIL, Owner.OFFICE: ValueKind.OFFICE}
_FIGURES = re.compile(rb"[0-9][0-9./\- ]*")


def personal_values(
    data: Bytes, offsets: Int64s, spans: dict[str, Spans], names: Mentions, sites: Sequence[str | None]
) -> pa.ListArray:
    """The different values of each document.

    Args:
        data: UTF-8 bytes.
        offsets: int64[n + 1] into `data`.
        spans: of `find_spans`.
        names: of `find_names`, over the same bytes.
        sites: of each document.

    Returns:
        n lists of uint32.
    """
    near_names = find_near_names(data, offsets, names)
    kinds = np.where(near_names.dates, ValueKind.DATE_NEAR_NAME, ValueKind.NUMBER_NEAR_NAME)
    documents = [names.documents, near_names.documents]
    values = [
        _packed(np.full(len(names.names), ValueKind.NAME), names.names),
        _packed(kinds, near_names.hashes),
    ]
    name_starts = names.starts + offsets[names.documents]
    for kind, found in spans.items():
        if not len(found.documents):
            continue
        starts, stops = found.starts + offsets[found.documents], found.stops + offsets[found.documents]
        first, end = offsets[found.documents], offsets[found.documents + 1]
        near = _near(starts, stops, first, end, name_starts)
        documents.append(found.documents)
        of = [sites[number] for number in found.documents]
        values.append(_values_of(kind, data, starts, stops, first, of) | near)
    return _lists(np.concatenate(documents), np.concatenate(values), len(offsets) - 1)


def _values_of(
    kind: str, data: Bytes, starts: Int64s, stops: Int64s, first: Int64s, sites: list[str | None]
) -> Uint32s:
    """The values of spans of one kind, in documents that begin at `first`, without the bit for names: uint32[m]."""
    hashes = (_phone_hashes if kind == "phone" else _hashes)(data, starts, stops)
    if kind == "email":
        texts = [data[start:stop].tobytes() for start, stop in zip(starts, stops, strict=True)]
        kinds = np.array([_EMAILS[owner_of(text, site)] for text, site in zip(texts, sites, strict=True)])
    elif kind == "date_of_birth":
        field = np.array([_is_field(data, *places) for places in zip(starts, stops, first, strict=True)])
        kinds = np.where(field, ValueKind.DATE_OF_BIRTH_FIELD, ValueKind.DATE_OF_BIRTH)
    else:
        kinds = np.full(len(starts), _KINDS[kind])
    return _packed(kinds, hashes)


def _is_field(data: Bytes, start: np.int64, stop: np.int64, first: np.int64) -> bool:
    before = data[max(first, start - _LABEL) : start].tobytes()
    return _FIGURES.fullmatch(data[start:stop].tobytes()) is not None or b":" in before or b"|" in before


def _packed(kinds: Int64s, hashes: Uint64s) -> Uint32s:
    return (kinds.astype(np.uint32) << np.uint32(KIND_SHIFT)) | (hashes & np.uint64(HASH)).astype(np.uint32)


def _near(starts: Int64s, stops: Int64s, first: Int64s, end: Int64s, names: Int64s) -> Uint32s:
    """`NAMED` for spans near which a name begins in their own document, from `first` to `end`, else 0: uint32[m]."""
    if not len(names):
        return np.zeros(len(starts), np.uint32)
    last = np.searchsorted(names, np.minimum(stops + _AFTER, end)) - 1
    near = (last >= 0) & (names[np.maximum(last, 0)] >= np.maximum(starts - _BEFORE, first))
    return np.where(near, NAMED, np.uint32(0)).astype(np.uint32)


@kernel
def _hashes(data: Bytes, starts: Int64s, stops: Int64s) -> Uint64s:
    """Hashes of letters, digits, `@` and what is not ASCII; ASCII letters as small ones."""
    out = np.empty(len(starts), np.uint64)
    for span in range(len(starts)):
        value = SEED
        for place in range(starts[span], stops[span]):
            byte = data[place]
            if 0x41 <= byte <= 0x5A:
                byte |= 0x20
            if 0x30 <= byte <= 0x39 or 0x61 <= byte <= 0x7A or byte >= 0x80 or byte == 0x40:
                value = mix(value, nb.uint64(byte))
        out[span] = value
    return out


@kernel
def _phone_hashes(data: Bytes, starts: Int64s, stops: Int64s) -> Uint64s:
    """Hashes of telephone numbers: in the bits that values keep, the block's above the number's."""
    out = np.empty(len(starts), np.uint64)
    for span in range(len(starts)):
        digits = 0
        for place in range(starts[span], stops[span]):
            digits += 0x30 <= data[place] <= 0x39
        block, number, seen = SEED, SEED, 0
        for place in range(starts[span], stops[span]):
            byte = data[place]
            if 0x30 <= byte <= 0x39:
                seen += 1
                number = mix(number, nb.uint64(byte))
                if seen <= digits - 4:
                    block = mix(block, nb.uint64(byte))
        low = nb.uint64((1 << BLOCK_SHIFT) - 1)
        out[span] = (block << nb.uint64(BLOCK_SHIFT)) | (number & low)
    return out


def _lists(documents: Int64s, values: Uint32s, count: int) -> pa.ListArray:
    """Different values by document, ascending; of each kind the `MOST_VALUES` with the smallest hashes.

    A value that has a name near it anywhere in the document has the bit for it.
    """
    keys, place = np.unique(documents.astype(np.uint64) << np.uint64(32) | (values & ~NAMED), return_inverse=True)
    named = np.zeros(len(keys), np.uint64)
    np.bitwise_or.at(named, place, (values & NAMED).astype(np.uint64))
    groups = keys >> np.uint64(KIND_SHIFT)
    first = np.flatnonzero(np.diff(groups, prepend=np.uint64(1 << 63)))
    rank = np.arange(len(keys)) - np.repeat(first, np.diff(first, append=len(keys)))
    kept = np.sort((keys | named)[rank < MOST_VALUES])
    sizes = np.bincount((kept >> np.uint64(32)).astype(np.int64), minlength=count)
    offsets = np.concatenate([np.zeros(1, np.int32), np.cumsum(sizes)]).astype(np.int32)
    return pa.ListArray.from_arrays(pa.array(offsets), pa.array(kept.astype(np.uint32)), type=VALUES.type)
