import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.readers.wiki.templates import _RENDER
from pipeline.readers.wiki.wikitext import wikitext_to_text
from tests.property.texts import any_text, thorough


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("'''Foo''' is ''a'' [[bar|baz]] of [[qux]].", "Foo is a baz of qux."),
        ("a{{template|with=[[link]] and {{inner|x}}}}b", "ab"),
        ("{{Infobox\n| name = x\n| image = [[File:a.jpg]]\n}}\nText.", "Text."),
        ("Text.<ref name=a>cited {{cite|x}}</ref> More.<ref name=a /> End.", "Text. More. End."),
        ("one<!-- hidden [[x]] -->two<!-- never closed", "onetwo"),
        ("before\n{| class=x\n! head\n|-\n| cell {{t}}\n{|\n| nested\n|}\n|}\nafter", "before\n\nafter"),
        ("[[File:a.jpg|thumb|A [[caption]] with {{t}}]]Text", "Text"),
        ("[[Category:Rivers]] [[de:Fluss]] Text", "Text"),
        ("[[:Category:Rivers]] and [[wikt:run|run]]", "Category:Rivers and run"),
        ("[http://e.org the label] and [https://e.org] http://bare.org", "the label and http://bare.org"),
        ("[[page#section|]] [[a_b]]", "page#section a b"),
        ("* one\n** two\n# three\n: indented\n; term\n*\n", "• one\n• two\n• three\nindented\nterm"),
        (
            "Lead.\n== Used ==\nText.\n== Empty ==\n=== Empty below ===\n{{reflist}}\n== Last ==\nEnd.",
            "Lead.\n\nUsed\n\nText.\n\nLast\n\nEnd.",
        ),
        ("== A ==\n=== B ===\ntext", "A\n\nB\n\ntext"),
        ("a &amp; b&nbsp;c &lt;b&gt; <b>bold</b><br/>new line", "a & b\u00a0c <b> bold\nnew line"),
        ("__NOTOC__\nText ({{IPA|x}}; 1894) and ({{lang-el|y}}) end.", "Text (1894) and (y) end."),
        ("it is {{convert|5|km}} {{nowrap|by road}}", "it is 5 km by road"),
        ("x <math>\\frac{{1}}{{2}}</math> y <gallery>\na.jpg|b\n</gallery>", "x $\\frac{{1}}{{2}}$ y"),
        ("", ""),
        # Templates in a sentence.
        ("A (named {{IPAc-en|eɪ}}, plural {{x}}) is {{x}}, {{y}}, and {{z}}.", "A (named, plural) is, and."),
        ("in {{lang|fr|texte}}, {{lang-el|λ}}, {{Transl|ar|ALA|''Allāh''}}", "in texte, λ, Allāh"),
        ("{{convert|5|to|10|km|mi|abbr=on}}, {{convert|3|x|4|m}}, {{cvt|7}}", "5 to 10 km, 3 × 4 m, 7"),
        (
            "{{chem|H|2|O}} {{frac|1|2}} {{frac|3|1|2}} {{val|6.2|e=18|u=m}} {{formatnum: 3003}}",
            "H2O 1/2 3 1/2 6.2×10^18 m 3003",
        ),
        ("{{As of|2010|5}} to {{as of|2011|lc=y}} or {{as of|2012|alt=then}}", "As of May 2010 to as of 2011 or then"),
        (
            "{{HMS|Ajax|22|6}}{{snd}}{{ship|USS|Monitor}} {{circa|1850}} a{{nbsp}}b",
            "HMS Ajax – USS Monitor c. 1850 a\u00a0b",
        ),
        ("He said:{{quote|text=All is well.|author=x}}So.", "He said:\nAll is well.\nSo."),
        (
            "{{nowrap|1=a = b}} {{Nihongo|tea|茶|cha}} {{#if:x|y}} {{PAGENAME}} {{abbr|Mr|Mister}}",
            "a = b tea (茶, cha) y Mr",
        ),
        ("Fact.{{cn|date=x}} More{{efn|x}} text{{sfn|A|2000}}, end {{cn}}.", "Fact. More text, end."),
        # What is no wikitext.
        ("<nowiki>[[a]] ''b'' {{c}} &amp;</nowiki> d", "[[a]] ''b'' {{c}} & d"),
        ("a\n<pre>\n  x = [[1]]\n    y\n</pre>\nb", "a\n\n  x = [[1]]\n    y\n\nb"),
        (
            "if <math display=block>f''(x)\n < [a]</math> then <chem>H2O</chem><math/> ",
            "if $f''(x) < [a]$ then $\\ce{H2O}$",
        ),
        ("<score>x</score>a<includeonly>b</includeonly><noinclude>c</noinclude>", "ac"),
        ("a\n<table class=x><tr><td>b<table><tr><td>c</table></table>d", "a\nd"),
        ('<ref name=x/>a<ref name="y" />b<REF>c</REF>d<references/>', "abd"),
        # Apostrophes, switches, variants.
        ("l''''amour''' est '''''fort''''' et ''''''x'''''", "l'amour est fort et 'x"),
        ("dell'''Iliade'' e l'''Odissea''", "dellIliade e lOdissea"),
        ("nell'''Iliade'' c'è", "nell'Iliade c'è"),
        ("du mot l'''idée'' et '''gras'''", "du mot l'idée et gras"),
        ("__TOC__ __KEIN_INHALTSVERZEICHNIS__ __БЕЗ_ОГЛ__ __init__", "__init__"),
        ("-{Beograd}- -{zh-cn:一; zh-tw:二}- -{T|x}-", "Beograd 一 x"),
        ("[[File:a.jpg|thumb|[[b]] and [http://c d] {{e|[[f]]}}|alt]]g", "g"),
        ("[[Image:x.png]][[:File:y.png|see]] [[#History|above]] [[a (b)|]]", "see above a (b)"),
        ("unclosed {{template and [[link and {| table", "unclosed {{template and [[link and {| table"),
        ("closed }} and ]] alone\n|}", "closed }} and ]] alone\n|}"),
        ("[[a {{b]] c}}", "a {{b c}}"),  # an opening that another closing overtakes is plain text
    ],
)
def test_wikitext(source, text):
    assert wikitext_to_text(source) == text


def test_namespaces_of_other_languages():
    assert (
        wikitext_to_text("[[Datei:a.jpg|mini|Bild]]Text[[Kategorie:X]]", dropped_namespaces={"datei", "kategorie"})
        == "Text"
    )


PATHOLOGICAL = [
    "{{",
    "[[",
    "{{a|",
    "[[a|",
    "'''",
    "<b>",
    "{|\n",
    "\n{|",
    "[http://",
    "[http://a ",
    "<ref>",
    "<ref name=",
    "{{{",
    "==",
    "=",
    "&",
    "<!--",
    "}}",
    "|}",
    "]]",
    "(",
    "(,",
    "( ",
    " ",
    "\n*",
    "\n==",
    "__A",
    "{{a}}",
    "[[a|b]]",
    "{{[[",
    "<ref/>",
    "<",
    "&#",
    "\n\n",
    "[[a|[[",
    "-->",
    "<table>",
    "</table>",
    "<table ",
    "<nowiki>",
    "<pre>x</pre>",
    "<math>",
    "''''",
    "a'''b'' ",
    "{{a}} ",
    ", {{a}}",
    "-{",
    "-{a|",
    "{{lang|a|",
    "{{convert|1|to|",
    "__a",
    "&lt;",
]


@pytest.mark.timeout(60)
@pytest.mark.parametrize("piece", PATHOLOGICAL)
def test_no_source_costs_more_than_linear_time(piece):
    # In quadratic time each of these takes minutes.
    text = wikitext_to_text(piece * (400_000 // len(piece)))
    assert len(text) <= 400_000


DEAR = [
    "[//" + "a" * 4_000,
    "[http://" + "a" * 1_999 + " " + "b" * 2_001,
    "[//" + "a" * 1_000 + " ",
    "{{convert|" + "1" * 300 + "|m}} ",
]


@pytest.mark.parametrize("piece", DEAR)
def test_no_byte_is_dear(piece):
    # At twenty microseconds a byte, as when a link is tried again from each of its lengths, this takes ten seconds.
    source = piece * (500_000 // len(piece))
    began = time.process_time()
    wikitext_to_text(source)
    assert time.process_time() - began < 2


@pytest.mark.hostile
@pytest.mark.timeout(120)
@pytest.mark.parametrize(
    "part", ["1", "1,", "1 ", "1.", "a", "1-", "1e", "1/", "//", "-", "+", ", ", "&#1", "(", "a:", "1|", "a=|"]
)
def test_a_long_argument_costs_no_more_than_its_length(part):
    one_of_each = {render: name for name, render in _RENDER.items()}.values()
    for name in (
        *one_of_each,
        "unknown",
        "#expr:",
        "formatnum:",
        "#ifeq:a|",
        "#switch:a|",
        "padleft:a|9|",
        "km to mi",
        "inrconvert",
    ):
        source = f"a {{{{{name}|{part * (40_000 // len(part))}|m}}}} b"
        assert any(cpu_seconds(source) < 0.5 for _ in range(3)), name


def cpu_seconds(source: str) -> float:
    """Of one reading; one of several is without what other work of the machine costs it."""
    began = time.process_time()
    wikitext_to_text(source)
    return time.process_time() - began


def test_links_in_links_to_any_depth():
    source = "[[a|" * 1_000 + "words" + "]]" * 1_000
    assert "words" in wikitext_to_text(source)


@pytest.mark.timeout(60)
@pytest.mark.parametrize("piece", ["{{{{{{", "[[[["])
def test_ten_megabytes_of_openings_cost_seconds(piece):
    assert wikitext_to_text(piece * (10_000_000 // len(piece)))


pieces = st.sampled_from(
    ["{{", "}}", "[[", "]]", "{|", "|}", "|", "\n", "<ref>", "</ref>", "<ref/>", "<!--", "-->", "<nowiki>", "</nowiki>",
    "<math>", "</math>", "''", "'''",
     "==", "*", "(", ")", ",", " ", "__TOC__", "-{", "}-", "<table>", "</table>", "&lt;", "&#2;", "File:", "convert|", "\x01",
     "\x02", "\x020\x02", "1"]
)  # fmt: skip


@given(st.lists(st.one_of(pieces, any_text), max_size=40).map("".join))
@thorough
def test_any_source_becomes_text_without_marks(source):
    text = wikitext_to_text(source)
    assert "\x01" not in text
    assert "\x02" not in text
    assert text == text.strip()


@given(
    st.text(
        st.characters(
            codec="utf-8", exclude_characters="{}[]|<>&='_*#:;()-", exclude_categories=("Zs", "Zl", "Zp", "Cc")
        ),
        max_size=60,
    )
)
@thorough
def test_plain_words_stay_as_they_are(word):
    assert wikitext_to_text(f"a {word} b") == (f"a {word} b" if word else "a b")
