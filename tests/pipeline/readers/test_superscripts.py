import time

import pytest

from pipeline.readers.superscripts import subscript, superscript

SUPERSCRIPTS = [
    # Powers of numbers are no other numbers.
    ("There are 10", "6", " cells", "^6"),
    ("2", "10", " bytes", "^10"),
    ("10", "\u22123", " grams", "^\u22123"),
    ("10", " -3 ", "", "^-3"),
    ("4\u00d710", "5", " K", "^5"),
    ("10", "1.5", "", "^1.5"),
    ("2", "n", "", "^n"),
    ("2", "2n", "", "^2n"),
    ("2", "n+1", "", "^(n+1)"),
    ("(a+b)", "2", "", "^2"),
    ("1990.", "12", "", "^12"),
    ("10", "6", "5", "^6 "),
    # Units and ordinals are as people type them.
    ("5 m", "2", "", "2"),
    ("km", "2", " large", "2"),
    ("E=mc", "2", "", "2"),
    ("the 1", "st", "", "st"),
    ("le 2", "e", "", "e"),
    ("M", "me", " Curie", "me"),
    ("5", "h", "30", "h"),
    ("Word", "TM", "", "TM"),
    ("5", "*", "", "*"),
    ("m s", "\u22121", "", "^\u22121"),
    ("x", "n", "", "^n"),
    ("Na", "+", "", "+"),
    ("Ca", "2+", "", "2+"),
    # Nothing before: isotopes, and numerators.
    ("", "14", "C", "14"),
    (" ", "1", "/", "1"),
    ("5", "1", "\u20442", " 1"),
    ("for $9", "99", "", ".99"),
    # Marks of notes go.
    ("text", "[1]", "", ""),
    ("text", "[1][2]", "", ""),
    ("1990", "[note 2]", "", ""),
    # Small print stays.
    ("Word", "this is a remark in small letters", "", "this is a remark in small letters"),
    ("a", "", "", ""),
]


@pytest.mark.parametrize(("before", "inside", "after", "expected"), SUPERSCRIPTS)
def test_superscripts(before, inside, after, expected):
    assert superscript(before, inside, after=after) == expected


SUBSCRIPTS = [
    ("H", "2", "O", "2"),
    ("CO", "2", "", "2"),
    ("10", "2", "", "_2"),
    ("x", "1", "", "1"),
    ("x", "i", "", "_i"),
    ("v", "max", "", "_max"),
    ("log", "2", "8", "2 "),
    ("1/", "2", "", "2"),
    ("Photo: ", "a photographer", "", "a photographer"),
    ("C6", "H", "", "_H"),
]


@pytest.mark.parametrize(("before", "inside", "after", "expected"), SUBSCRIPTS)
def test_subscripts(before, inside, after, expected):
    assert subscript(before, inside, after=after) == expected


@pytest.mark.parametrize(
    "text", ["[" * 100_000, "[1]" * 50_000, "1," * 50_000, "n+" * 50_000, "-" * 100_000, "9" * 100_000]
)
def test_hostile_texts_cost_what_their_size_costs(text):
    began = time.process_time()
    for _ in range(20):
        superscript(text, text, after=text)
        subscript(text, text, after=text)
    assert time.process_time() - began < 1
