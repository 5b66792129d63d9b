"""Dates and long numbers beside names, on texts written by hand."""

from __future__ import annotations

import pytest

from pipeline.text.personal.names import find_names
from pipeline.text.personal.near_names import NearNames, find_near_names
from tests.growth import check_growth
from tests.property.texts import buffers


def near(*documents: str) -> NearNames:
    made = buffers(list(documents))
    return find_near_names(*made, find_names(*made))


def kinds(text: str) -> list[str]:
    found = near(text)
    return ["date" if date else "number" for date in found.dates]


@pytest.mark.parametrize(
    "date",
    [
        "3.5.1970",
        "03.05.1970",
        "3. 5. 1970",
        "3/5/1970",
        "5/31/1970",
        "31-12-1970",
        "1970-05-03",
        "1970/5/3",
        "3 May 1970",
        "3. Mai 1970",
        "3 mai 1970",
        "3 de mayo de 1970",
        "3 maja 1970",
        "3 Sept. 1970",
        "May 3, 1970",
        "3 мая 1970",
        "1.1.1900",
        "31.12.2000",
        "2000-12-31",
        "1 January 1900",
    ],
)
def test_dates(date: str) -> None:
    assert kinds(f"Ann Lee {date}") == ["date"]
    assert kinds(f"{date} Ann Lee") == ["date"]
    assert kinds(date) == []


@pytest.mark.parametrize(
    "no_date",
    [
        "31.12.1899",
        "1.1.2001",
        "1899-12-31",
        "2001-01-01",
        "3 May 1899",
        "3 May 2001",
        "May 3, 2001",
        "32.1.1970",
        "13.13.1970",
        "0.5.1970",
        "1970-13-01",
        "1970-01-32",
        "3.5.70",
        "May 1970",
        "1970",
        "3 of the merry month 1970",
        "3 Mayyyyyyyyyyyyyyy 1970",
        "3 May 19700",
        "103 May 1970",
    ],
)
def test_no_dates(no_date: str) -> None:
    assert "date" not in kinds(f"Ann Lee {no_date}")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("1234567", []),
        ("12345678", ["number"]),
        ("1234567890123", ["number"]),
        ("12345678901234", []),
        ("1234567890123456789012345", []),
        ("+49 (0) 30 123-456/78", ["number"]),
        ("030.1234.5678", ["number"]),
        ("030,1234,5678", []),
        ("030  -1234567", ["number"]),
        ("030    1234567", []),
        ("12345678x", []),
        # Dates of other years are no numbers.
        ("31.12.1899", []),
        ("2015-05-03", []),
        ("31.12.2199", ["number"]),
        ("12345678é", []),
        ("12345678, 87654321", ["number", "number"]),
        ("111 222 333", ["number"]),
    ],
)
def test_numbers(text: str, found: list[str]) -> None:
    assert kinds(f"Ann Lee {text}") == found


def test_windows_end_somewhere_and_at_the_next_mention() -> None:
    assert kinds("Ann Lee" + " " * 80 + "3.5.1970") == ["date"]
    assert kinds("Ann Lee" + " " * 96 + "3.5.1970") == []
    assert kinds("3.5.1970" + " " * 40 + "Ann Lee") == ["date"]
    assert kinds("3.5.1970" + " " * 48 + "Ann Lee") == []
    # A date between two mentions is beside both; one beyond a mention is not beside the one before it.
    assert kinds("Ann Lee 3.5.1970 John Smith") == ["date", "date"]
    assert kinds("Ann Lee, John Smith 3.5.1970") == ["date"]


def test_documents_are_borders() -> None:
    assert near("Ann Lee ", "3.5.1970", "Ann Lee").dates.tolist() == []
    found = near("x", "Ann Lee 12345678", "x 3.5.1970 Ann Lee")
    assert found.documents.tolist() == [1, 2]
    assert found.dates.tolist() == [False, True]


def test_equal_values_have_equal_hashes() -> None:
    found = near("Ann Lee 3.5.1970, 4.5.1970", "John Smith 3.5.1970", "Ann Lee 030 1234567", "Ann Lee 030-1234567")
    hashes = found.hashes.tolist()
    assert hashes[0] == hashes[2]
    assert hashes[3] == hashes[4]
    assert len(set(hashes)) == 3


def test_nothing() -> None:
    assert [len(column) for column in near()] == [0, 0, 0]
    assert [len(column) for column in near("", "1234567890")] == [0, 0, 0]


@pytest.mark.hostile
@pytest.mark.parametrize(
    "piece", ["1", "1 ", "12345678,", "1 a ", "3 May ", "Ann Lee 1", "Ann Lee 3.5.1970 ", "Ann Lee " + "1 a " * 40]
)
def test_growth(piece: str) -> None:
    near("Ann Lee 3.5.1970")

    def make(size: int) -> tuple[object, object, object]:
        made = buffers(["Ann Lee " + piece * (size // len(piece)) + " Ann Lee"])
        return (*made, find_names(*made))

    check_growth(make, lambda made: find_near_names(*made), start=4096)


def test_days_of_death_after_a_dagger_count_as_nothing() -> None:
    assert kinds("Ann Lee (* 3.5.1930, † 4. 6. 1990)") == ["date"]
    assert kinds("Ann Lee †4 June 1990") == []
