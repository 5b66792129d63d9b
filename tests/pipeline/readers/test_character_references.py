"""Character references of any length become their characters; invalid ones are counted."""

import html
from collections import Counter

import pytest

from pipeline.readers.character_references import unescaped
from pipeline.readers.posts.post_html import extract_post
from pipeline.readers.web.html_files import page_url
from pipeline.readers.wiki.wikitext import extract_wikitext
from tests.growth import check_growth

REPLACED = {("replaced_characters", "references"): 1}
LONG = "1" * 5_000


@pytest.mark.parametrize(
    ("source", "text", "count"),
    [
        ("a &amp; b &lt &bogus; &", "a & b < &bogus; &", 0),
        ("&#955;&#x3bb;&#X3BB;&#128512;", "λλλ😀", 0),
        ("&#0000000000065;&#x00000000000041;&#" + "0" * 5_000 + "65;", "AAA", 0),
        ("&#150;&#x80;", "–€", 0),  # as windows-1252 has them
        *(
            (f"a{number}b", "a\ufffdb", 1)
            for number in ("&#0;", "&#xD800;", "&#57343;", "&#x110000;", f"&#{LONG};", f"&#x{LONG};")
        ),
        (f"a&#{LONG}", "a\ufffd", 1),
        ("&#0A", "\ufffdA", 1),
        ("\ufffd &#xFFFD; &#65533; &#x0fffd; &#0;", "\ufffd \ufffd \ufffd \ufffd \ufffd", 1),
        ("&amp;#0;", "&#0;", 0),
        ("&#; &#x; &#xg", "&#; &#x; &#xg", 0),
    ],
)
def test_references_become_characters(source, text, count):
    lost = Counter()
    assert (unescaped(source, lost=lost), sum(lost.values())) == (text, count)
    assert unescaped(source) == text
    if LONG not in source and "0" * 5_000 not in source:
        assert text == html.unescape(source)


@pytest.mark.parametrize("reference", ["&#0;", "&#xD800;", "&#x110000;", f"&#{LONG};", f"&#x{LONG};", f"&#{LONG}"])
def test_no_reader_fails_for_a_reference_and_each_counts_it(reference):
    for source in (
        f"a {reference} b",
        f"a<sup>{reference}</sup> b",
        f"a <math>{reference}</math> b",
        f"a <nowiki>{reference}</nowiki> b",
        f"a <pre>{reference}</pre> b",
        f"a {{{{lang|de|{reference}}}}} b",
        f"a [[{reference}]] b",
    ):
        extracted = extract_wikitext(source)
        assert (extracted.text.count("\ufffd"), dict(extracted.lost)) == (1, REPLACED), source
    for source in (f"<p>a {reference} b</p>", f"<pre>{reference}</pre>", f"10<sup>{reference}</sup>"):
        extracted = extract_post(source)
        assert (extracted.text.count("\ufffd"), dict(extracted.lost)) == (1, REPLACED), source
    head = f'<link rel="canonical" href="https://a.example/{reference}">'
    assert page_url(head) is None
    assert page_url(head + '<base href="https://b.example/">') == "https://b.example/"


@pytest.mark.parametrize(
    "title",
    ["birth date", "start date", "age", "death date and age", "ordinal", "percentage", "frac", "film date", "as of"],
)
def test_numbers_of_any_length_cost_no_page(title):
    for arguments in (
        f"{LONG}|{LONG}|{LONG}",
        f"1900|{LONG}|3",
        "|".join((LONG,) * 6),
        f"1990|1|2|1900|3|{LONG}",
        f"1|2|{LONG}",
    ):
        assert "words" in extract_wikitext(f"Some words {{{{{title}|{arguments}}}}} and more.").text


@pytest.mark.parametrize("piece", ["&#", "&#0", "&#x0", "&#1", "&", "&amp", "&#0;", "&#65533", "&#x0fff", "0", "1"])
def test_references_take_linear_time(piece):
    check_growth(lambda size: "&#" + piece * size, lambda text: unescaped(text, lost=Counter()))
