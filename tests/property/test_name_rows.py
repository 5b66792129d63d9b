"""Names in a row are those of a slow reference written from the description, however documents are batched."""

from __future__ import annotations

import re

from hypothesis import example, given
from hypothesis import strategies as st

from pipeline.text.personal.name_rows import names_in_row
from pipeline.text.personal.names import find_names
from tests.property.test_names import FIRST_NAMES, PARTICLES, WORD, Word
from tests.property.texts import any_text, buffers, thorough


def in_row(between: str) -> bool:
    if len(between.encode()) > 60 or ":" in between:
        return False
    words = [Word(0, 0, found[0]) for found in WORD.finditer(between)]
    for word in words:
        if word.key in FIRST_NAMES or not (word.text in PARTICLES or word.key in PARTICLES or word.capital):
            return False
    digits = len(re.findall("[0-9]", between))
    return len(words) <= 4 and digits <= (4 if words else 6)


def reference(text: str, mentions: list[tuple[int, int]]) -> int:
    data, longest, row = text.encode(), 0, 0
    for number, (start, _) in enumerate(mentions):
        between = data[mentions[number - 1][1] : start].decode() if number else ":"
        row = row + 1 if in_row(between) else 1
        longest = max(longest, row)
    return longest


pieces = st.sampled_from(
    ["Ann Lee", "John Smith", "Lee Ann", "Leeds", "van", "Bob", "and", "12", "123", "É", "x-Y", "O'Brien"]
)
joints = st.sampled_from([" ", ", ", "\n", " | ", "; ", ") ", ": ", "", " " * 25, "–", "."])
listed = st.lists(st.tuples(pieces, joints), max_size=14).map(
    lambda pairs: "".join(piece + joint for piece, joint in pairs)
)


@thorough
@given(st.lists(st.one_of(listed, any_text), max_size=5))
@example(["Ann Lee 1 Ann Lee 123456 Ann Lee", "Ann Lee Leeds 1234 Ann Lee", "Ann Lee Leeds 12345 Ann Lee"])
def test_rows_are_those_of_the_reference(documents: list[str]) -> None:
    made = buffers(documents)
    mentions = find_names(*made)
    expected = []
    for number, document in enumerate(documents):
        here = mentions.documents == number
        places = list(zip(mentions.starts[here].tolist(), mentions.stops[here].tolist(), strict=True))
        expected.append(reference(document, places))
    assert names_in_row(*made, mentions).tolist() == expected
