"""Names in a row: what may stand between them, and what may not."""

from __future__ import annotations

import pytest

from pipeline.text.personal.name_rows import names_in_row
from pipeline.text.personal.names import find_names
from tests.property.texts import buffers


def longest(*documents: str) -> list[int]:
    made = buffers(list(documents))
    rows: list[int] = names_in_row(*made, find_names(*made)).tolist()
    return rows


@pytest.mark.parametrize(
    "between",
    [
        "\n",
        ", ",
        " | ",
        "; 14) ",
        "\n123.\n",
        " (Leeds), ",
        " (Den Haag)\n12. ",
        " Qzx, Bad Nauheim; ",
        " " * 60,
        " MR\n24C ",
    ],
)
def test_in_a_row(between: str) -> None:
    assert longest(f"Ann Lee{between}John Smith{between}Julia Meyer") == [3]


@pytest.mark.parametrize(
    "between",
    [
        " and ",
        ": ",
        " (mother), ",
        # A role in a film, which is a first name.
        " (Bob), ",
        # A result: rank, year and time.
        " | 1968 | 46.32\n2 | ",
        " 13.05.1970\n",
        "\n1234567. ",
        " (A B C D E), ",
        " " * 61,
    ],
)
def test_not_in_a_row(between: str) -> None:
    assert longest(f"Ann Lee{between}John Smith{between}Julia Meyer") == [1]


def test_the_longest_row_of_each_document() -> None:
    few, many = "Ann Lee, John Smith", "Ann Lee, John Smith, Julia Meyer"
    assert longest(f"{few} and then {many} and {few}", "", few, "no name") == [3, 0, 2, 0]
    # A row ends with its document.
    assert longest("Ann Lee, ", "John Smith") == [1, 1]
    assert longest() == []
