"""Hashed values are those of a slow reference over the spans, one value at a time."""

from __future__ import annotations

import re

from hypothesis import example, given
from hypothesis import strategies as st

from pipeline.text.personal import find_spans
from pipeline.text.personal.addresses import Owner, owner_of
from pipeline.text.personal.names import find_names
from pipeline.text.personal.near_names import find_near_names
from pipeline.text.personal.values import ValueKind, personal_values
from tests.property.texts import any_text, buffers, thorough

MASK = (1 << 64) - 1
SEED, MULTIPLIER = 0xCBF29CE484222325, 0x9E3779B97F4A7C15
MOST = 64


def mixed(values: bytes) -> int:
    result = SEED
    for value in values:
        result = ((result ^ value) * MULTIPLIER) & MASK
        result ^= result >> 32
    return result


def kind_of(kind: str, text: bytes, start: int, stop: int, site: str | None) -> ValueKind:
    if kind == "email":
        owners = {Owner.PRIVATE: ValueKind.EMAIL, Owner.WORK: ValueKind.WORK_EMAIL, Owner.OFFICE: ValueKind.OFFICE}
        return owners[owner_of(text[start:stop], site)]
    if kind == "date_of_birth":
        before = text[max(0, start - 3) : start]
        field = re.fullmatch(rb"[0-9][0-9./\- ]*", text[start:stop]) or b":" in before or b"|" in before
        return ValueKind.DATE_OF_BIRTH_FIELD if field else ValueKind.DATE_OF_BIRTH
    return ValueKind[kind.upper()]


def hash_of(kind: str, span: bytes) -> int:
    if kind == "phone":
        digits = re.sub(rb"[^0-9]", b"", span)
        return (mixed(digits[: max(len(digits) - 4, 0)]) % (1 << 13) << 14) | mixed(digits) % (1 << 14)
    return mixed(re.sub(rb"[^0-9a-z@\x80-\xff]", b"", span.lower())) % (1 << 27)


def reference(text: str, site: str | None) -> list[int]:
    made, data = buffers([text]), text.encode()
    names = find_names(*made)
    found: dict[tuple[int, int], bool] = {}
    for name in names.names.tolist():
        found[ValueKind.NAME, name % (1 << 27)] = False
    near = find_near_names(*made, names)
    for date, value in zip(near.dates, near.hashes.tolist(), strict=True):
        kind = ValueKind.DATE_NEAR_NAME if date else ValueKind.NUMBER_NEAR_NAME
        found[kind, value % (1 << 27)] = False
    for kind_name, spans in find_spans(*made).items():
        for start, stop in zip(spans.starts.tolist(), spans.stops.tolist(), strict=True):
            key = kind_of(kind_name, data, start, stop, site), hash_of(kind_name, data[start:stop])
            named = any(start - 160 <= name < stop + 80 for name in names.starts.tolist())
            found[key] = found.get(key, False) or named
    kept = []
    for kind in ValueKind:
        hashes = sorted(value for of, value in found if of == kind)[:MOST]
        kept += [(kind << 28) | (found[kind, value] << 27) | value for value in hashes]
    return sorted(kept)


pieces = st.sampled_from(
    [
        *("Ann Lee", "John Smith", "Lee, Ann", "qzx@gmail.com", "QZX@gmail.com", "info@gmail.com", "a@acme-mill.com"),
        *("a@other.org", "+49 30 901820", "+49 30 901821", "(212) 555-0100", "Berliner Straße 12", "12 Oak Street"),
        *("born on March 3, 1970", "Date of birth: 03.03.1970", "* 3. Mai 1970", "DE89 3704 0044 0532 0130 00"),
        *("4111 1111 1111 1111", "078-05-1121", "8.8.4.4", "3.5.1970", "44051401359", "12345678", " " * 70, " " * 150),
    ]
)
texts = st.lists(st.tuples(pieces, st.sampled_from([" ", " ", "\n", ", ", "|", ": ", ""])), max_size=10).map(
    lambda pairs: "".join(piece + joint for piece, joint in pairs)
)
documents_and_sites = st.lists(
    st.tuples(st.one_of(texts, any_text), st.sampled_from([None, "acme-mill.com", "other.org"])), max_size=4
)


@thorough
@given(documents_and_sites)
@example([("qzx@gmail.com Ann Lee", None), ("Ann Lee", None), ("|", None), ("* 3. Mai 1970", None)])
@example([(" ".join(f"q{number}@gmail.com Ann Lee" for number in range(100)), None)])
def test_values_are_those_of_the_reference(pairs: list[tuple[str, str | None]]) -> None:
    made = buffers([text for text, _ in pairs])
    found = personal_values(*made, find_spans(*made), find_names(*made), [site for _, site in pairs])
    assert found.to_pylist() == [reference(text, site) for text, site in pairs]
