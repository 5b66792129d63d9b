"""Characters that only newer Pythons know give the same texts on every Python.

Expected values were computed with Unicode 14.
"""

import hashlib
import re
import unicodedata

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernels.newer_characters import (
    as_without_newer,
    markup_with_stand_ins,
    newer_characters,
    with_stand_ins,
    without_stand_ins,
)
from manifests.corpus import TextSettings
from pipeline.decide.block_lists import host_suffixes, url_words
from pipeline.readers.latex.papers import latex_to_text
from pipeline.readers.superscripts import in_text, subscript, superscript
from pipeline.readers.web.html import html_to_text
from pipeline.readers.web.html_restore import _short_lines
from pipeline.readers.wiki.wikitext import extract_wikitext, wikitext_to_text
from pipeline.text.normalise import normalise
from pipeline.text.perplexity.score import normalised

# An ideograph (Unicode 15.0), another (15.1), a letter, a digit, an emoji (all 15.0), and combining marks that stand
# below (15.0).
MILL, OTHER, LETTER, DIGIT, FACE, BELOW = (
    "\U00031350",
    "\U0002ebf0",
    "\U0001e4d0",
    "\U00011f52",
    "\U0001fae8",
    "\U00010efd",
)
ALL = MILL + OTHER + LETTER + DIGIT + FACE + BELOW


def test_the_newer_are_all_that_python_knows_beyond_unicode_14() -> None:
    assert len(newer_characters()) == 4_489 + 627  # as the releases of 15.0 and 15.1 say
    assigned = bytes(
        unicodedata.category(chr(point)) != "Cn" and point not in newer_characters() for point in range(0x110000)
    )
    assert hashlib.sha256(assigned).hexdigest() == "e0e117f273e3ecbd9820ddf71d5a266264bac21b1f49abc9faa06bf43a3b96fc"


def test_stand_ins_have_the_same_properties_on_every_python() -> None:
    """All that texts are asked for: a Python in which an older character has another property shows here."""
    word, digit, space = re.compile(r"\w"), re.compile(r"\d"), re.compile(r"\s")
    properties = hashlib.sha256()
    for point in range(0x110000):
        if 0xD800 <= point < 0xE000:
            continue
        one = with_stand_ins(chr(point))
        asked = (
            unicodedata.category(one),
            unicodedata.combining(one),
            unicodedata.decomposition(one),
            one.isalpha(),
            one.isalnum(),
        )
        asked += (
            one.isdecimal(),
            one.isdigit(),
            one.isspace(),
            one.isupper(),
            one.isprintable(),
            one.lower(),
            one.upper(),
        )
        asked += (bool(word.match(one)), bool(digit.match(one)), bool(space.match(one)))
        asked += tuple(unicodedata.normalize(form, one) for form in ("NFC", "NFD", "NFKC", "NFKD"))
        properties.update(repr(asked).encode("ascii", "backslashreplace"))
    assert properties.hexdigest() == "5cd1f7dbe6b08a7289482e8b641bf7afe3275f22df6a742869717d3408600251"


def test_texts_without_newer_characters_are_the_same_object() -> None:
    for text in ("", "plain", "Stra\u00dfe \u4e2d \U0001f600", "\U00071350", "\ud800"):
        assert with_stand_ins(text) is text
        assert markup_with_stand_ins(text) is text


_ODD = st.text(
    st.sampled_from([*ALL, "a", "\u00e9", "\U0001f600", "\u0cf3", "\u2ffc", "\u31ef", "\U00071350", "\ud800"]),
    max_size=12,
)


@given(_ODD)
def test_there_and_back(text: str) -> None:
    changed = with_stand_ins(text)
    assert len(changed) == len(text)
    if changed is not text:
        assert without_stand_ins(changed) == text
    if "\U00071350" not in text:
        assert not newer_characters().intersection(map(ord, changed))
    assert as_without_newer(str, text) == text


def test_characters_that_are_written_by_their_numbers() -> None:
    changed = markup_with_stand_ins("&#x31350; &#0201552; &#X1FAE8 &#x1fae8f; &#65; &amp;#x31350;")
    assert changed == "&#463696; &#463696; &#391912; &#x1fae8f; &#65; &amp;#x31350;"


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (superscript(f"x{LETTER}", "2"), "2"),
        (superscript(f"10{DIGIT}", "6"), "6"),
        (superscript(f"10{DIGIT}", DIGIT), DIGIT),
        (superscript("10", f"-{DIGIT}"), f"-{DIGIT}"),
        (superscript("a", f"{LETTER}+1"), f"{LETTER}+1"),
        (subscript(MILL, "2"), "2"),
        (subscript("10", LETTER), LETTER),
        (in_text("sup", DIGIT, "6", after=DIGIT), "6"),
    ],
)
def test_powers(written: str, expected: str) -> None:
    assert written == expected


def test_wikitext() -> None:
    source = (
        f"A mill {MILL} is here. x{LETTER}<sup>2</sup> {{{{birth date|1{DIGIT}|{DIGIT}|3}}}} {{{{frac|{DIGIT}|2}}}} "
    )
    source += f"__{MILL}{MILL}{OTHER}__ {FACE}"
    text = wikitext_to_text(source)
    assert text == f"A mill {MILL} is here. x{LETTER}2 1{DIGIT} {DIGIT} 3 {DIGIT}/2 __{MILL}{MILL}{OTHER}__ {FACE}"
    for numbers in ("&#x{:x};", "&#{};"):
        written = "".join(
            numbers.format(ord(letter)) if ord(letter) in newer_characters() else letter for letter in source
        )
        assert wikitext_to_text(written) == text


def test_names_of_templates_and_the_title() -> None:
    found = extract_wikitext(f"{{{{{MILL}|{{{{a}}}}|b}}}} {{{{PAGENAME}}}}", title=f"The {MILL}")
    assert f"The {MILL}" in found.text
    assert {name for _, name in found.lost} & {MILL}


def test_latex() -> None:
    body = f"\\section{{A}} \\newcommand{{\\ab}}{{\\alpha}} mill \\ab {MILL} and \\ab{LETTER} {FACE}"
    text = latex_to_text({"a.tex": f"\\documentclass{{article}}\\begin{{document}}{body}\\end{{document}}"})
    assert text == f"\\section{{A}}  mill \\alpha {MILL} and \\alpha{LETTER} {FACE}\n"


def page(words: str) -> str:
    parts = "".join(
        f"<p>Paragraph {number} tells of the mill {words} and of the miller, for as long as paragraphs are.</p>"
        for number in range(9)
    )
    return f"<html><body><article>{parts}</article></body></html>"


@pytest.mark.parametrize("extraction", ["resiliparse", "trafilatura", "adaptive"])
def test_pages_keep_them(extraction) -> None:
    written = f"{ALL} x{LETTER}<sup>2</sup> \U0001f468\u200d\U0001f469 می\u200cخواهد \U0001fae9 &#x1fae8;"
    text = html_to_text(page(written), extraction=extraction)
    assert text.count(f"the mill {ALL} x{LETTER}2 \U0001f468\u200d\U0001f469 می\u200cخواهد \U0001fae9 {FACE} and") == 9


def test_pages_do_not_keep_what_is_no_text() -> None:
    text = html_to_text(page("a&#x7f;b\ue000c\ufdd0d\u202ee\U0001ffffef"), extraction="trafilatura")
    assert text.count("mill abcdeef and") == 9


def test_lists_of_a_page() -> None:
    assert _short_lines(f"{DIGIT}. rye\n1. oats") == {"rye", "oats"}


@pytest.mark.parametrize(
    ("form", "text", "expected"),
    [
        # Marks change places with those that are known, not with newer ones.
        ("NFC", f"a{BELOW}\u0301", f"a{BELOW}\u0301"),
        ("NFC", f"a\u0301{BELOW}\u0323", f"\u00e1{BELOW}\u0323"),
        ("NFC", f"e\u0301{FACE}", f"\u00e9{FACE}"),
        ("NFKC", "\U0001e030\ufb01", "\U0001e030fi"),
    ],
)
def test_normal_forms(form, text, expected) -> None:
    assert normalise(pa.array([text], pa.large_string()), TextSettings(unicode=form)).to_pylist() == [expected]


def test_what_language_models_are_shown() -> None:
    assert normalised(f"A{BELOW}\u0301 {DIGIT}7 {MILL}\u0ece") == f"a{BELOW} {DIGIT}0 {MILL}\u0ece"


def test_block_lists() -> None:
    assert url_words(f"https://mill.example/a{MILL}b/{DIGIT}") == ["a", "b", "example", "mill"]
    assert host_suffixes(f"{DIGIT}.{DIGIT}") == [f"{DIGIT}.{DIGIT}", DIGIT]
