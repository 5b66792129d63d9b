"""Marks of business, on texts written by hand, and however documents are batched."""

from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pipeline.text.normalise import text_buffers
from pipeline.text.personal.business import count_business_marks
from tests.growth import check_growth
from tests.property.texts import any_text, buffers, thorough


def marks(*documents: str) -> list[int]:
    return [int(count) for count in count_business_marks(*buffers(list(documents)))]


@pytest.mark.parametrize(
    ("text", "count"),
    [
        # Legal forms: at the beginning, at the end, with dots, with the case as it is written.
        ("Acme Ltd", 1),
        ("Ltd", 1),
        ("Müller GmbH & Co. KGaA", 2),
        ("Rossi S.r.l.", 1),
        ("Dupont S.A.R.L. Lyon", 1),
        ("Lopez S.L.U", 1),
        ("Kowalski sp. z o.o. Kraków", 1),
        ("ltd", 0),
        ("Ltdx xLtd", 0),
        # Registers.
        ("HRB 1234, USt-Id DE1", 2),
        ("P. IVA 123", 1),
        # Titles need what follows or precedes a name.
        ("Dr. Lee", 1),
        ("Dr Lee", 0),
        ("Ann Lee MD", 1),
        # Places, in any case and several languages.
        ("Hôtel du Lac", 1),
        ("the HOTEL, the pub", 2),
        ("hotels", 0),
        ("Urząd Miasta", 1),
        ("real estate", 1),
        ("Fax: 030 1", 1),
        ("Öffnungszeiten", 1),
        ("öffnungszeiten", 1),
        ("Opening hours today", 1),
        # From and to.
        ("8:00-12:00", 1),
        ("8.00 bis 12.30", 1),
        ("9h30 à 18h00", 1),
        ("08:00–12:00 and 14:00–18:00", 2),
        ("8-12", 0),
        ("8:00 or 12:00", 0),
        ("", 0),
        ("nothing of the kind", 0),
    ],
)
def test_marks(text: str, count: int) -> None:
    assert marks(text) == [count]


def test_documents_are_borders() -> None:
    assert marks("Acme Gm", "bH", "Acme GmbH", "x", "Hôtel", "s", "", "Ltd") == [0, 0, 1, 0, 1, 0, 0, 1]
    assert marks() == []
    assert marks("", "") == [0, 0]


pieces = st.sampled_from(
    [
        "Acme",
        "GmbH",
        "Gm",
        "bH",
        "S.A",
        ".S",
        "S.A.R.L",
        "Hôtel",
        "hotel",
        "8:00",
        "-",
        "12:00",
        "Fax",
        "Dr. ",
        "é",
        ".",
    ]
)
texts = st.lists(st.tuples(pieces, st.sampled_from([" ", "", "\n"])), max_size=8).map(
    lambda pairs: "".join(piece + joint for piece, joint in pairs)
)


@thorough
@given(st.lists(st.one_of(texts, any_text), max_size=6))
@example(["Acme GmbH", "Next", "Hôtel"])
@example(["8:00-12:", "00", "", "GmbH"])
def test_batching_does_not_matter(documents: list[str]) -> None:
    together = marks(*documents)
    assert together == [marks(document)[0] for document in documents]
    array = pa.array(["GmbH", *documents, "GmbH"], pa.large_string()).slice(1, len(documents))
    assert count_business_marks(*text_buffers(array)).tolist() == together


@pytest.mark.hostile
@pytest.mark.parametrize("piece", ["Ltd ", "S.A.", "8:00-", "8:00-12:00 ", "hotel", "1"])
def test_growth(piece: str) -> None:
    marks("Ltd")
    check_growth(
        lambda size: buffers([piece * (size // len(piece))]), lambda made: count_business_marks(*made), start=4096
    )
