"""Variants of Gopher's rules, and FineWeb's: for each rule a document that fails it; where the variants disagree."""

from __future__ import annotations

import pytest

from manifests.filters import REASONS, FilterSpec, FineWeb, GopherDatatrove, GopherDolma, GopherPaper
from pipeline.filters import verdicts
from pipeline.text.signals import compute_signals
from tests.property.texts import buffers

NAMES = [
    f"{first}{second}{third}"
    for first in ("al", "be", "co", "du")
    for second in ("ra", "mi", "so", "fe")
    for third in "nskx"
]
PROSE = " ".join(["the", "and", *NAMES]) + "."
LINES = [" ".join(["the", "of", *NAMES[start : start + 12]]) + "." for start in range(0, 52, 13)]

MOST_TWICE = "\n".join([PROSE, "x y.", "z w.", "v u.", "t s.", "r q.", PROSE])


def reason(text: str, section: FilterSpec) -> str:
    return REASONS[verdicts(compute_signals(*buffers([text])), filters=[section]).codes[0]]


@pytest.mark.parametrize(
    ("text", "paper", "datatrove", "dolma"),
    [
        (PROSE, "kept", "kept", "kept"),
        ("\n".join(LINES), "kept", "kept", "kept"),
        ("too short", "gopher_words", "gopher_top_ngrams", "gopher_words"),
        # Punctuation of its own is a word to the paper and to dolma.
        (" ".join(["the", "and", *NAMES[:44], *"!?;:,()["]), "kept", "gopher_words", "kept"),
        (
            " ".join(["the", "and", *(name * 3 for name in NAMES)]),
            "gopher_mean_word_length",
            "gopher_mean_word_length",
            "gopher_median_word_length",
        ),
        # Half of the words are short, the others very long: the mean is too large, the median is not.
        (
            " ".join(["the", "and", *NAMES[:33], *(name * 6 for name in NAMES[33:])]),
            "gopher_mean_word_length",
            "gopher_mean_word_length",
            "kept",
        ),
        (PROSE + " #" * 9, "gopher_hash_symbols", "gopher_hash_symbols", "gopher_symbol_words"),
        # Many # in one word are one word with a symbol.
        (PROSE + " " + "#" * 9, "gopher_hash_symbols", "gopher_hash_symbols", "kept"),
        (PROSE.replace(" b", "... b"), "gopher_ellipses", "gopher_ellipses", "kept"),
        ("\n".join("\u2022 " + line for line in LINES), "gopher_bullet_lines", "gopher_bullet_lines", "kept"),
        ("\n".join("* " + line for line in LINES), "gopher_bullet_lines", "kept", "gopher_bullet_lines"),
        ("\n".join(" - " + line for line in LINES), "gopher_bullet_lines", "gopher_bullet_lines", "kept"),
        ("\n".join(line[:-1] + "..." for line in LINES), "gopher_ellipsis_lines", "gopher_ellipsis_lines", "kept"),
        (
            "\n".join(line[:-1] + "\u2026" for line in LINES),
            "gopher_ellipsis_lines",
            "gopher_ellipsis_lines",
            "gopher_ellipsis_lines",
        ),
        (
            PROSE + "".join(f" {number}" for number in range(100, 120)),
            "gopher_letter_words",
            "gopher_letter_words",
            "gopher_letter_words",
        ),
        # One stop word twice is two occurrences.
        (" ".join(["the", *NAMES, "the"]), "gopher_stop_words", "gopher_stop_words", "kept"),
        # Of six lines one is there twice: a sixth are repeats, a third have a copy.
        ("\n".join([*LINES, "of the", "of the"]), "kept", "kept", "gopher_repeated_lines"),
        (
            "\n\n".join([*LINES, "of the", "of the", "of the", "of the"]),
            "gopher_repeated_lines",
            "gopher_repeated_paragraphs",
            "gopher_repeated_lines",
        ),
        ("\n".join([*LINES, LINES[0]]), "gopher_repeated_ngrams", "gopher_repeated_ngrams", "gopher_repeated_lines"),
        (
            MOST_TWICE,
            "gopher_repeated_line_characters",
            "gopher_repeated_line_characters",
            "gopher_repeated_line_characters",
        ),
    ],
)
def test_each_variant_gives_its_own_reason(text: str, paper: str, datatrove: str, dolma: str) -> None:
    assert [reason(text, section) for section in (GopherPaper(), GopherDatatrove(), GopherDolma())] == [
        paper,
        datatrove,
        dolma,
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (PROSE, "kept"),
        ("\n".join(LINES), "kept"),
        (" \n ", "fineweb_punctuated_lines"),
        ("\n".join([*(line[:-1] for line in LINES * 2), "End."]), "fineweb_punctuated_lines"),
        # Space behind the full stop hides it.
        ("\n".join(line + " " for line in LINES), "fineweb_punctuated_lines"),
        ("\n".join([LINES[0], "One line.", "Two lines.", "Three lines."]), "fineweb_short_lines"),
        ("\n".join([*LINES, LINES[0]]), "fineweb_repeated_line_characters"),
        ("\n".join([*LINES, LINES[0] + "\t."]), "kept"),
        ("\n" * 30 + PROSE, "fineweb_newlines"),
    ],
)
def test_fineweb(text: str, expected: str) -> None:
    assert reason(text, FineWeb()) == expected


def test_thresholds_can_be_changed() -> None:
    text = "\n".join([*LINES, LINES[0]])
    assert reason(text, FineWeb(max_repeated_line_characters=0.3)) == "kept"
    assert reason(MOST_TWICE, GopherDolma(max_copied_line_characters=2)) == "gopher_repeated_ngrams"
    assert reason("too short", GopherDolma(min_words=2, max_top_2gram=1, min_stop_words=0)) == "kept"
