"""What spans are hashed to."""

from __future__ import annotations

import random

import numpy as np
import pyarrow as pa
import pytest

from pipeline.text.normalise import text_buffers
from pipeline.text.personal import find_spans
from pipeline.text.personal.names import find_names
from pipeline.text.personal.spans import Spans
from pipeline.text.personal.values import (
    BLOCK_SHIFT,
    HASH,
    KIND_SHIFT,
    MOST_VALUES,
    NAMED,
    VALUES,
    ValueKind,
    personal_values,
)
from tests.property.texts import buffers


def values(*documents: str, site: str | None = "acme-mill.com") -> list[list[int]]:
    made = buffers(list(documents))
    found = personal_values(*made, find_spans(*made), find_names(*made), [site] * len(documents))
    assert found.type == VALUES.type
    return found.to_pylist()


def kinds(text: str, *, site: str | None = "acme-mill.com") -> list[tuple[str, bool]]:
    """Kind of each value but names, and whether a name stands near it."""
    (found,) = values(text, site=site)
    named = [(ValueKind(value >> KIND_SHIFT).name, bool(value & int(NAMED))) for value in found]
    return [entry for entry in named if entry[0] != "NAME"]


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("write to qzx@gmail.com", "EMAIL"),
        ("write to info@gmail.com", "OFFICE"),
        ("write to qzx@acme-mill.com", "OFFICE"),
        ("write to qzx@other-mill.com", "WORK_EMAIL"),
        ("call +49 30 901820", "PHONE"),
        ("at Berliner Straße 12, 10115 Berlin", "STREET_ADDRESS"),
        ("born on March 3, 1970 there", "DATE_OF_BIRTH"),
        ("Date of birth: 03.03.1970", "DATE_OF_BIRTH_FIELD"),
        ("SSN 078-05-1121 ok", "NATIONAL_ID"),
        ("DE89 3704 0044 0532 0130 00", "IBAN"),
        ("card 4111 1111 1111 1111", "PAYMENT_CARD"),
        ("at 93.184.216.34 now", "IP"),
    ],
)
def test_kinds(text: str, kind: str) -> None:
    assert kinds(text) == [(kind, False)]


def test_beside_names() -> None:
    assert kinds("Ann Lee 3.5.1970") == [("DATE_NEAR_NAME", False)]
    assert kinds("Ann Lee 12345678") == [("NUMBER_NEAR_NAME", False)]
    (found,) = values("Ann Lee and John Smith and Ann Lee")
    assert [value >> KIND_SHIFT for value in found] == [ValueKind.NAME] * 2


def test_a_name_near_a_value() -> None:
    address = "qzx@gmail.com"
    for text in (
        f"Ann Lee {address}",
        f"{address} Ann Lee",
        "Ann Lee" + " " * 150 + address,
        address + " " * 79 + "Ann Lee",
        # A value that stands near a name once is named.
        f"{address}" + " " * 500 + f"Ann Lee {address}",
    ):
        assert kinds(text) == [("EMAIL", True)], text
    for text in ("Ann Lee" + " " * 160 + address, address + " " * 80 + "Ann Lee", address):
        assert kinds(text) == [("EMAIL", False)], text


def test_neighbours_in_the_batch_change_nothing() -> None:
    documents = [
        "qzx@gmail.com Ann Lee",
        "Ann Lee",
        "qzx@gmail.com",
        "Ann Lee: ",
        "* 3. Mai 1970 in Kassel geboren",
        "b|",
        "* 3. Mai 1970",
    ]
    assert values(*documents) == [values(document)[0] for document in documents]
    array = pa.array(documents, pa.large_string())
    for start in range(len(documents)):
        made = text_buffers(array.slice(start))
        found = personal_values(
            *made, find_spans(*made), find_names(*made), ["acme-mill.com"] * (len(documents) - start)
        )
        assert found.to_pylist() == values(*documents)[start:]


def test_the_same_value_however_it_is_written() -> None:
    (first,), (second,), (other,) = (
        values(text)[0] for text in ("x QZX@Gmail.com", "y qzx@gmail.com", "y qzy@gmail.com")
    )
    assert first == second != other
    (first,), (second,) = (values(text)[0] for text in ("call +49 30 901820", "call +49 (30) 90-1820"))
    assert first == second


def test_numbers_of_a_switchboard_share_their_block() -> None:
    (found,) = values("call +49 30 901820, +49 30 901821, +49 30 909999 or +49 40 771820")
    blocks = {value >> BLOCK_SHIFT for value in found}
    assert len(found) == 4
    assert len(blocks) == 2
    assert {value >> KIND_SHIFT for value in found} == {ValueKind.PHONE}


def test_the_smallest_hashes_of_each_kind_are_kept() -> None:
    draw = random.Random(1)
    addresses = [f"q{draw.randrange(10**9)}@gmail.com" for _ in range(3 * MOST_VALUES)]
    everything = sorted(value for address in addresses for value in values(address)[0])
    (found,) = values("\n".join([*addresses, *addresses, "93.184.216.34", "192.30.255.112"]))
    assert found[:MOST_VALUES] == everything[:MOST_VALUES]
    assert [value >> KIND_SHIFT for value in found[MOST_VALUES:]] == [ValueKind.IP] * 2


def test_order_of_spans_does_not_matter() -> None:
    documents = ["Ann Lee qzx@gmail.com qzy@gmail.com +49 30 901820 +49 30 901821 John Smith", "x qzz@gmail.com"]
    made = buffers(documents)
    spans = find_spans(*made)
    turned = {
        kind: Spans(*(np.ascontiguousarray(column[::-1]) for column in found))
        for kind, found in reversed(list(spans.items()))
    }
    names = find_names(*made)
    assert personal_values(*made, turned, names, [None, None]) == personal_values(*made, spans, names, [None, None])


def test_values_are_ascending_and_different() -> None:
    for found in values("Ann Lee qzx@gmail.com qzx@gmail.com, John Smith 3.5.1970 3.5.1970", "", "qzx@gmail.com"):
        assert found == sorted(set(found))
    assert values() == []
    assert values("", "") == [[], []]


def test_too_little_is_kept_to_find_a_value_again() -> None:
    """Of 2^18 addresses some 256 pairs share a value, as 27 bits let expect: 2^18 squared, halved, over 2^27."""
    count = 1 << 18
    documents = [f"q{number}@gmail.com" for number in range(count)]
    encoded = [document.encode() for document in documents]
    offsets = np.cumsum([0, *map(len, encoded)]).astype(np.int64)
    data = np.frombuffer(b"".join(encoded), np.uint8)
    numbers = np.arange(count, dtype=np.int64)
    spans = {"email": Spans(numbers, np.zeros(count, np.int64), np.diff(offsets))}
    nobody = find_names(*buffers([]))
    found = personal_values(data, offsets, spans, nobody, [None] * count).flatten().to_numpy()
    assert len(found) == count
    assert ((found & ~HASH) == 0).all()
    pairs = count - len(np.unique(found))
    assert 256 - 5 * 16 < pairs < 256 + 5 * 16
