"""The gate in front of the exact patterns loses nothing and adds nothing, on texts made of what the patterns look at."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pipeline import personal_information
from pipeline.personal_information import KINDS, KINDS_OF_SPANS, count_spans, find_spans, search
from tests.property.texts import any_text, buffers, thorough

matching = st.one_of([st.from_regex(kind.pattern.decode(), fullmatch=True) for kind in KINDS_OF_SPANS])
alphabet = st.text("ab_125789.@-+() %\n,é\x00中", max_size=25)
pieces = st.lists(st.one_of(matching, alphabet, st.sampled_from([" ", "\n", ",", ".", "-", "@", "("])), max_size=12).map("".join)
batches = st.lists(st.one_of(pieces, any_text), max_size=5)


def reference(documents: list[str]) -> dict[str, list[tuple[int, int, int]]]:
    return {
        name: [(number, start, stop) for number, document in enumerate(documents) for start, stop in search(document.encode(), kind)]
        for kind, name in enumerate(KINDS)
    }


def found(documents: list[str]) -> dict[str, list[tuple[int, int, int]]]:
    return {name: list(zip(*(column.tolist() for column in spans), strict=True)) for name, spans in find_spans(*buffers(documents)).items()}


@thorough
@given(batches)
@example([])
@example(["", "a@b.c", "", "x@y.z"])
@example(["123-45", "-6789", "8.8.8", ".8", "a@", "b.c"])
@example(["8.8.8.8 8.8.8.8.8 8.8.8.8-", "212 555 0100 212 555 0100", "a@b.c@d.e f@g.h"])
def test_spans_are_those_of_the_exact_patterns(documents: list[str]) -> None:
    assert found(documents) == reference(documents)


@thorough
@given(batches)
def test_counts_count_the_spans(documents: list[str]) -> None:
    expected = reference(documents)
    counts = count_spans(*buffers(documents))
    assert list(counts) == list(KINDS)
    for name in KINDS:
        assert counts[name].tolist() == [sum(span[0] == number for span in expected[name]) for number in range(len(documents))]


@thorough
@given(batches)
def test_too_many_cores_change_nothing(documents: list[str]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(personal_information, "MOST_CORES", 1)
        assert found(documents) == reference(documents)


@thorough
@given(st.one_of(matching, pieces), st.integers(0, 400))
def test_a_cut_between_documents_is_a_border(text: str, cut: int) -> None:
    documents = [text[:cut], text[cut:]]
    assert found(documents) == reference(documents)
