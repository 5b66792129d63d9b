"""Cost grows with size, whatever the bytes: HTTP responses, pages, wikitext, LaTeX, personal information, manifests."""

from __future__ import annotations

import gzip

import pytest

from tests import layers
from tests.growth import Limits, measure
from tests.hostile import halves, late, run

pytestmark = pytest.mark.hostile

RUNS = {
    "http response": ("a: b\r\n", " a\r\n", "\n", "\r", "\r\n", "a", "content-encoding: gzip,", ": "),
    "content types": ("'", "a", "a/", "charset=", "charset= ", " ", '"', ",", "charset", "=", "text/html,", "/"),
    "http body": ("<!---->", "<!--", "<", "<!", " ", "<?", 'charset="', "<meta "),
    "chunked body": ("1\r\na\r\n", "0\r\n", "\r\n", "1", "1;", "ffffffff\r\n"),
    "html, fast": ("<!--", "<", "<a ", "&", "&#", 'a="', "<a b='>'", "</p>"),
    "wikitext": (
        "{{", "[[", "{|", "<ref>", "<ref name=a", "<!--", "<nowiki>", "[", "[http://a ", "''", "'''''", "=", "== a ==\n", "{{{", "{{a|",
        "[[a|", "[[File:", "<math>", "<", "&", "-{", "\n:", "\n*", "<div ", "__",
    ),
    "latex": (
        "\\begin{a}", "\\begin{", "{", "$", "%", "\\", "\\a{", "\\verb|", "\\[", "\\left", "\\item", "\\footnote{", "\\begin{verbatim}",
        "\\begin{equation}", "\\iffalse", "\\input{a}", "\\def\\a{", "\\let\\a", "[", "\n\n", "~", "\\'", "\\csname",
    ),
    "latex preamble": ("\\newcommand{\\a}[9]{", "\\def\\a{", "\\def\\a#1", "{", "%", "\\newcommand{\\a}{\\a}"),
    "post": ("<", "<p>", "&", "<a ", "<pre>", "<code>", "<!--"),
    "gutenberg": ("*", "*** START", "*** END", "\n", " ", "Project Gutenberg"),
    "jsonl": ("[", "{", "[\n", '"', "\\", '{"a":', '{"text":"a"}\n', "1", "\n", " "),
    "personal": (
        "a@", "a", "a.", "@", "1", "1.", "1-", "1 ", "+1", ":", "ab:", "2001:", "(", "12 Street ", "Street ", "DE00", "-", "a@a.", "born ",
        "tel. ", "192.168.", "ä@", "%", "(1)", "/1",
    ),
    "yaml": ("- ", "a: ", "#", " ", "'", '"', "\n"),
}  # fmt: skip
CLOSED_LATER = {
    "wikitext": (("{{", "}}"), ("[[", "]]"), ("{{a|", "}}"), ("[[a|", "]]"), ("{|", "|}"), ("<div>", "</div>")),
    "latex": (("{", "}"), ("\\begin{a}", "\\end{a}"), ("\\[", "\\]"), ("\\iffalse", "\\fi")),
    "jsonl": (("[", "]"), ('{"a":', "}")),
    "content types": (("charset=", " "), ("charset", " "), ("'", "a"), ("a/", "'"), ('"', "a")),
}
ONE_END = {
    "http body": (("<!---->", "<p>"), ("<!--", "-->")),
    "html, fast": (("<a " + "b='>' " * 40, ">"), ("<!--", "-->")),
    "personal": (("a.", "@a.org"), ("a", "@a.org"), ("a-", "@a.org")),
}


@pytest.mark.parametrize("layer", sorted(RUNS))
def test_markup(layer):
    take = layers.ready(layer)
    cases = {piece: run(piece) for piece in RUNS[layer]}
    cases |= {f"{first}…{second}": halves(first, second) for first, second in CLOSED_LATER.get(layer, ())}
    cases |= {f"{first[:20]}… {second}": late(first, second) for first, second in ONE_END.get(layer, ())}
    wrong = {name: measure(make, take, start=1 << 9, limits=Limits()) for name, make in cases.items()}
    assert not {name: told for name, told in wrong.items() if told}


def test_tags_with_attributes_and_quoted_ends():
    """A quoted `>` does not end a tag, and does not hide how long it is."""

    def make(size):
        return "<a " + "".join(f"b{i}={'>' if i % 4000 == 0 else 1!r} " for i in range(size // 8)) + ">"

    assert measure(make, layers.ready("html, fast"), start=1 << 12, limits=Limits()) is None


def test_compressed_body_is_cut_at_its_limit_while_it_is_decompressed():
    from pipeline.readers.web.content_coding import decode_body
    from pipeline.readers.web.http import Response, UnusableBody

    body = gzip.compress(bytes(64 << 20))

    def take(copies):
        for _ in range(copies):
            with pytest.raises(UnusableBody):
                decode_body(Response(200, (("content-encoding", "gzip"),), body), most=1 << 20)

    assert measure(lambda size: size, take, start=1, limits=Limits()) is None
