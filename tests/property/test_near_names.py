"""Dates and numbers beside names are those of a slow reference over the windows of the mentions."""

from __future__ import annotations

import re

import pyarrow as pa
from hypothesis import example, given
from hypothesis import strategies as st

from pipeline.text.normalise import text_buffers
from pipeline.text.personal.names import find_names
from pipeline.text.personal.near_names import find_near_names
from tests.property.texts import any_text, buffers, thorough

BEFORE, AFTER = 48, 96
PARTS = rb"[ ()\-./+]{1,3}"
DIGITS = rb"[0-9]{1,18}"
GROUPS = re.compile(DIGITS + rb"(?:" + PARTS + DIGITS + rb")*")
THREE = re.compile(rb"(" + DIGITS + rb")" + PARTS + rb"(" + DIGITS + rb")" + PARTS + rb"(" + DIGITS + rb")")
LETTER = rb"[A-Za-z\x80-\xff]"
WITH_MONTH = re.compile(rb"([0-9]{1,2})(?:, |\.?(?: " + LETTER + rb"{1,14}[.,]*){1,3} )([0-9]{4})(?![0-9])")


def is_year(digits: bytes) -> bool:
    return len(digits) == 4 and 1000 <= int(digits) <= 2099


def kind_of(year: bytes) -> str | None:
    return "date" if 1900 <= int(year) <= 2000 else None


def is_date(first: bytes, second: bytes, third: bytes) -> bool:
    if is_year(third):
        day_or_month = sorted((int(first), int(second)))
        return day_or_month[0] >= 1 and day_or_month[0] <= 12 and day_or_month[1] <= 31
    year_first = 1000 <= int(first) <= 2099 and len(second) <= 2 and len(third) <= 2
    return year_first and 1 <= int(second) <= 12 and 1 <= int(third) <= 31


def read(text: bytes) -> tuple[int, str | None, tuple[object, ...]]:
    """What begins at this digit: its length, kind, and what its hash depends on."""
    month = WITH_MONTH.match(text)
    if month and is_year(month[2]):
        return month.end(), kind_of(month[2]), (month[0],)
    three = THREE.match(text)
    if three and is_date(*three.groups()):
        year = max(three[1], three[3], key=int)
        return three.end(), kind_of(year), tuple(int(group) for group in three.groups())
    groups = GROUPS.match(text)
    assert groups is not None
    digits = re.findall(rb"[0-9]+", groups[0])
    touched = re.match(LETTER, text[groups.end() :])
    if touched or not 8 <= sum(map(len, digits)) <= 13:
        return groups.end(), None, ()
    return groups.end(), "number", tuple(int(group) for group in digits)


def reference(text: bytes, mentions: list[tuple[int, int]]) -> list[tuple[str, tuple[object, ...]]]:
    found = []
    for number, (start, stop) in enumerate(mentions):
        low = mentions[number - 1][1] if number else 0
        high = mentions[number + 1][0] if number + 1 < len(mentions) else len(text)
        for begin, end in ((max(low, start - BEFORE), start), (stop, min(high, stop + AFTER))):
            place = begin
            while place < end:
                inside = place > low and text[place - 1 : place].isdigit()
                if not text[place : place + 1].isdigit() or inside:
                    place += 1
                    continue
                length, kind, value = read(text[place:end])
                dead = kind == "date" and re.search("† *\\Z".encode(), text[low:place])
                if kind is not None and not dead:
                    found.append((kind, value))
                place += length
    return found


pieces = st.sampled_from(
    [
        *(
            "Ann Lee",
            "John Smith",
            "Lee, Ann",
            "3.5.1970",
            "1970-05-03",
            "1899",
            "2000",
            "2001",
            "2100",
            "3.5.1870",
            "†",
            "May",
            "de mayo de",
        ),
        *("3", "31", "1", "12345678", "44051401359", "111222333", "12345678901234", "030", "x", "é", "+49 (0)"),
    ]
)
joints = st.sampled_from([" ", " ", " ", "", ", ", ". ", ".", "/", "-", "   ", "\n", " " * 40, "(", "a" * 13])
near_text = st.lists(st.tuples(pieces, joints), max_size=16).map(
    lambda pairs: "".join(piece + joint for piece, joint in pairs)
)
batches = st.lists(st.one_of(near_text, any_text), max_size=5)


def found_in(documents: list[str]) -> list[list[tuple[str, int]]]:
    made = buffers(documents)
    found = find_near_names(*made, find_names(*made))
    lists: list[list[tuple[str, int]]] = [[] for _ in documents]
    for document, date, value in zip(*(column.tolist() for column in found), strict=True):
        lists[document].append(("date" if date else "number", value))
    return lists


@thorough
@given(batches)
@example(["Ann Lee 3.5.1970 4.5.1970", "1" * 40 + "Ann Lee" + "1" * 40, "Ann Lee 1.1.1900.5", "12345678Ann Lee"])
@example(["Ann Lee " + "1.1.1970 " * 20, "9.9.1999 " * 20 + "Ann Lee", "Ann Lee" + "1, 1970," * 30])
@example(["Ann Lee 3", "5.1970 Ann Lee", "Ann Lee 1970-1-1", "1"])
def test_what_is_beside_names_is_that_of_the_reference(documents: list[str]) -> None:
    mentions = find_names(*buffers(documents))
    expected = []
    for number, document in enumerate(documents):
        here = mentions.documents == number
        places = list(zip(mentions.starts[here].tolist(), mentions.stops[here].tolist(), strict=True))
        expected.append(reference(document.encode(), places))
    found = found_in(documents)
    assert [[kind for kind, _ in of] for of in found] == [[kind for kind, _ in of] for of in expected]
    hashes: dict[tuple[object, ...], int] = {}
    for (_, value), (_, known) in zip(
        [entry for of in found for entry in of], [entry for of in expected for entry in of], strict=True
    ):
        assert hashes.setdefault(known, value) == value


@thorough
@given(batches)
def test_batching_does_not_matter(documents: list[str]) -> None:
    assert found_in(documents) == [found_in([document])[0] for document in documents]
    made = text_buffers(pa.array(["Ann Lee 1", *documents, "1 Ann Lee"], pa.large_string()).slice(1, len(documents)))
    sliced = find_near_names(*made, find_names(*made))
    assert sliced.hashes.tolist() == [value for of in found_in(documents) for _, value in of]
