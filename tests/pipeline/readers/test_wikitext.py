import pytest

from pipeline.readers.wikitext import wikitext_to_text


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
        ("__NOTOC__\nText ({{IPA|x}}; 1894) and ({{lang-el|y}}) end.", "Text (1894) and end."),
        ("it is {{convert|5|km}} {{nowrap|by road}}", "it is 5 km by road"),
        ("x <math>\\frac{{1}}{{2}}</math> y <gallery>\na.jpg|b\n</gallery>", "x y"),
        ("", ""),
        ("unclosed {{template and [[link and {| table", "unclosed {{template and [[link and {| table"),
        ("closed }} and ]] alone\n|}", "closed }} and ]] alone\n|}"),
        ("[[a {{b]] c}}", "a {{b c}}"),  # an opening that another closing overtakes is plain text
    ],
)
def test_wikitext(source, text):
    assert wikitext_to_text(source) == text


def test_namespaces_of_other_languages():
    assert wikitext_to_text("[[Datei:a.jpg|mini|Bild]]Text[[Kategorie:X]]", dropped_namespaces={"datei", "kategorie"}) == "Text"


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
]


@pytest.mark.timeout(60)
@pytest.mark.parametrize("piece", PATHOLOGICAL)
def test_no_source_costs_more_than_linear_time(piece):
    # Two MB, as large as a page may be: in quadratic time each of these takes many minutes.
    text = wikitext_to_text(piece * (2_000_000 // len(piece)))
    assert len(text) <= 2_000_000


def test_links_in_links_to_any_depth():
    source = "[[a|" * 1_000 + "words" + "]]" * 1_000
    assert "words" in wikitext_to_text(source)
