"""The first passage that differs, on texts that a person wrote."""

from __future__ import annotations

import pytest

from pipeline.decide.duplicates.report.passages import Excerpt, first_difference

FRAME = "one two three four five six seven eight nine ten eleven twelve thirteen"


def sides(kept: str, gone: str) -> tuple[str, str]:
    found = first_difference(kept, gone)
    assert found is not None
    return found.kept.differs, found.gone.differs


@pytest.mark.parametrize(
    ("kept", "gone", "expected"),
    [
        ("The red house stands here.", "The old blue house stands here.", ("red", "old blue")),
        ("A title\n\nThe house stands here today.", "The house stands here today.", ("A title", "")),
        ("The house stands here.", "The house stands here. Call us!", ("", "Call us")),
        ("He read 3 books in all, then slept.", "He read 4 books in all, then slept.", ("3", "4")),
        ("小明在手机上读了三本书。今天", "小明在手机上读了两本书。今天", ("三", "两")),
        ("", "words", ("", "words")),
    ],
)
def test_what_differs(kept: str, gone: str, expected: tuple[str, str]) -> None:
    assert sides(kept, gone) == expected
    assert sides(gone, kept) == expected[::-1]


def test_capitals_punctuation_and_space_do_not_differ() -> None:
    assert first_difference("The house, it STANDS.", "the  house\nit stands!") is None


def test_what_stands_around_it() -> None:
    found = first_difference(f"{FRAME} red\n{FRAME}", f"{FRAME} blue\n\n{FRAME}")
    assert found is not None
    after, before = " ".join(FRAME.split()[:12]), " ".join(FRAME.split()[1:])
    assert (found.word, found.ends) == (14, True)
    assert found.kept == Excerpt(before, "red", after, 0)
    assert found.gone == Excerpt(before, "blue", after, 0)


def test_a_passage_without_an_end_is_cut() -> None:
    one, other = (" ".join(f"{letter}{number}" for number in range(5000)) for letter in "ab")
    found = first_difference(f"same {one}", f"same {other}")
    assert found is not None
    assert not found.ends
    assert (found.word, found.kept.left_out, found.gone.left_out) == (2, 360, 360)
    assert found.kept.differs == " ".join(one.split()[:40])
