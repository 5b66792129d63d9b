"""Mentions of persons by name, on texts written by hand."""

from __future__ import annotations

import pyarrow as pa
import pytest

from pipeline.text.normalise import text_buffers
from pipeline.text.personal.names import find_names, first_names_of_faker
from tests.growth import check_growth
from tests.property.texts import buffers


def mentions(text: str) -> list[str]:
    found = find_names(*buffers([text]))
    encoded = text.encode()
    return [encoded[start:stop].decode() for start, stop in zip(found.starts, found.stops, strict=True)]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("Ann Lee", ["Ann Lee"]),
        ("by Ann Lee and John Smith.", ["Ann Lee", "John Smith"]),
        ("JOHN SMITH was here", ["JOHN SMITH"]),
        # Initials, further first names, hyphens and apostrophes.
        ("John F. Kennedy spoke", ["John F. Kennedy"]),
        ("John R. R. Tolkien wrote", ["John R. R. Tolkien"]),
        ("Anna Élise É. Martin", ["Anna Élise É. Martin"]),
        ("John Paul George, drummer", ["John Paul George"]),
        ("John Paul Smith", ["John Paul Smith"]),
        ("John Paul-Qzxw", ["John Paul-Qzxw"]),
        ("Ann Smith-Jones", ["Ann Smith-Jones"]),
        ("Peter O'Brien", ["Peter O'Brien"]),
        # Particles.
        ("Vincent van Gogh painted", ["Vincent van Gogh"]),
        ("Ludwig van der Berg", ["Ludwig van der Berg"]),
        ("Oscar de la Torre", ["Oscar de la Torre"]),
        ("Ludwig Von Trapp", ["Ludwig Von Trapp"]),
        ("Anna Van", ["Anna Van"]),
        # Languages and scripts.
        ("Jürgen Müller und Łukasz Żak", ["Jürgen Müller", "Łukasz Żak"]),
        ("Émile Zola, José García", ["Émile Zola", "José García"]),
        ("Иван Петров пришёл", ["Иван Петров"]),
        ("Γιώργος Παπαδόπουλος", ["Γιώργος Παπαδόπουλος"]),
        # `Surname, Given` where a line or a cell begins, and nowhere else.
        ("Lee, Ann", ["Lee, Ann"]),
        ("x\n  Qzurname, Ann 1970", ["Qzurname, Ann"]),
        ("| Qzurname, Ann | Qzother, John |", ["Qzurname, Ann", "Qzother, John"]),
        ("1\tQzurname, Ann", ["Qzurname, Ann"]),
        ("we met Qzurname, Ann said", []),
        # None.
        ("ann lee", []),
        ("Ann lee", []),
        ("Ann", []),
        ("Ann, Qzxw", []),
        # Of a first name with a hyphen the part before it is looked up.
        ("Jean-Luc Picard, Ann-Qzxw Lee", ["Jean-Luc Picard", "Ann-Qzxw Lee"]),
        ("Qzxw-Ann Qzyw", []),
        # Lists have the family name first: where an entry begins, and nothing goes on behind the first names.
        ("Qzxw Ann\nQzyw Ann Mary B.; Qzzw Ann (3)", ["Qzxw Ann", "Qzyw Ann", "Qzzw Ann"]),
        ("1) Qzxw Ann\n2. Qzyw Ann | 3 Qzzw Ann | Qzvw Ann", ["Qzxw Ann", "Qzyw Ann", "Qzzw Ann", "Qzvw Ann"]),
        ("so Qzxw Ann", []),
        ("Qzxw Ann said", []),
        ("Qzxw Ann. Qzxw Ann's", []),
        ("Dear Ann, King John; Saint Peter", []),
        # In capitals anywhere.
        ("so QZXW Ann said, ÉZ Ann", ["QZXW Ann", "ÉZ Ann"]),
        ("so QZXW ANN said", []),
        ("QZXW ANN\n12C QZXW/ANN MRS, Qzxw/Ann", ["QZXW ANN", "QZXW/ANN"]),
        # Marks and spaces beyond ASCII are no letters.
        ("“Ann Lee” said Ann Lee’s –Ann Lee–", ["Ann Lee", "Ann Lee", "Ann Lee"]),
        ("\u00a0Ann Lee\u00a0x «Ann Lee»", ["Ann Lee", "Ann Lee"]),
        ("Ann-“Lee", []),
        ("Ann  Lee", []),
        ("Ann\nLee", []),
        ("Ann L", []),
        ("Ann 1970", []),
        ("xAnn Lee", []),
        ("Mary-Ann", []),
        ("x-Ann Lee", []),
        ("O'Ann Qzyw", []),
        ("Sunday Morning, April Fools, Paris Match, Will Power", []),
        ("Qzxw Qzyw", []),
        ("", []),
    ],
)
def test_mentions(text: str, names: list[str]) -> None:
    assert mentions(text) == names


def test_four_words_between_are_too_many() -> None:
    assert mentions("John A. B. C. Smith") == ["John A. B. C. Smith"]
    assert mentions("John A. B. C. D. Smith") == []


def test_a_name_has_one_hash_however_it_is_written() -> None:
    found = find_names(*buffers(["Ann Lee", "Lee, Ann", "ANN LEE", "Ann Lea", "Anna Lee"]))
    assert found.documents.tolist() == [0, 1, 2, 3, 4]
    assert len(set(found.names[:3].tolist())) == 1
    assert len(set(found.names.tolist())) == 3


def test_the_list_of_first_names() -> None:
    names = first_names_of_faker()
    assert len(names) > 20_000
    assert list(names) == sorted(set(names))
    assert not {"May", "Paris", "Sunday", "Van", "The"} & set(names)
    assert {"Ann", "Jürgen", "Łukasz", "Иван"} <= set(names)


def test_slices_whose_offsets_begin_elsewhere() -> None:
    texts = pa.array(["Ann Lee ", "x Ann Lee", "John", " Smith", "Lee, Ann"], pa.large_string())
    whole = find_names(*text_buffers(texts))
    assert whole.documents.tolist() == [0, 1, 4]
    for start in range(len(texts)):
        part = find_names(*text_buffers(texts.slice(start)))
        here = whole.documents >= start
        assert part.documents.tolist() == (whole.documents[here] - start).tolist()
        assert part.starts.tolist() == whole.starts[here].tolist()
        assert part.stops.tolist() == whole.stops[here].tolist()
        assert part.names.tolist() == whole.names[here].tolist()


def test_no_documents() -> None:
    assert [len(column) for column in find_names(*buffers([]))] == [0, 0, 0, 0]
    assert [len(column) for column in find_names(*buffers(["", ""]))] == [0, 0, 0, 0]


@pytest.mark.hostile
@pytest.mark.parametrize(
    "piece",
    ["Ann ", "Ann Lee ", "A. ", "Ann A. ", "A-", "a-A", "van ", "Ann van ", "A", "É", " ", "Lee, ", "\nLee, Ann"],
)
def test_growth(piece: str) -> None:
    find_names(*buffers(["Ann Lee"]))
    check_growth(
        lambda size: buffers(["Ann " + piece * (size // len(piece))]), lambda made: find_names(*made), start=4096
    )
