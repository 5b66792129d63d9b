"""For any page, all three choices find its text or refuse it; the page's counts are those of a parser's tree."""

from __future__ import annotations

import contextlib

from hypothesis import given
from hypothesis import strategies as st
from resiliparse.parse.html import HTMLTree

from pipeline.readers.web.html import TooComplex, html_to_text
from pipeline.readers.web.html_blocks import blocks_of
from pipeline.readers.web.html_cuts import without
from tests.property.texts import thorough

_SENTENCE = "The miller grinds the grain of the whole valley, and nobody has ever complained about the flour. "
names = st.sampled_from(
    ["html", "head", "body", "frameset", "frame", "noframes", "template", "select", "option", "table", "tr", "td", "caption", "colgroup",
     "svg", "math", "foreignobject", "title", "desc", "mi", "annotation-xml", "p", "div", "article", "main", "ul", "ol", "li", "dl", "dd",
     "a", "b", "code", "sup", "figure", "figcaption", "blockquote", "pre", "form", "nav", "textarea", "style", "script", "noscript",
     "iframe", "plaintext", "br", "img", "button", "input", "details", "summary", "object", "marquee"]
)  # fmt: skip
attributes = st.sampled_from(
    ["", "", " class=nav", " id=a-b-c", " hidden", " hidden=until-found", " style='display:none !important'", " class='jp wa'",
     " a b c d=e/", " href=x", " href='mailto:a@b.c'", " a='>' b=\"<i c>\"", "/", " role=menu", " class=comment"]
)  # fmt: skip
tags = st.builds("<{}{}{}>".format, st.sampled_from(["", "", "", "/"]), names, attributes)
words = st.sampled_from(
    [
        "a",
        " ",
        "\n",
        _SENTENCE,
        _SENTENCE * 5,
        "&amp;",
        "<",
        "</",
        "<!-- a > b -->",
        "<![CDATA[",
        "]]>",
        "<!doctype html>",
    ]
)
pages = st.lists(tags | words, max_size=24).map("".join)


@thorough
@given(pages)
def test_any_page_is_read_or_refused(page: str) -> None:
    for extraction in ("resiliparse", "adaptive", "trafilatura"):
        with contextlib.suppress(TooComplex):
            assert isinstance(html_to_text(page, extraction=extraction), str)


@thorough
@given(pages)
def test_what_is_counted_in_passing_is_on_the_page(page: str) -> None:
    blocks = blocks_of(page.encode())
    tree = HTMLTree.parse(without(page.encode(), blocks.cuts).decode())
    if blocks.census is None or tree.document is None:
        return
    for element in tree.document.query_selector_all("*")[:]:
        assert len(element.attrs) <= blocks.census.attributes
    for selector, count in (
        ("sup,sub", blocks.census.raised),
        ("ul", blocks.census.lists),
        ("b[a]", blocks.census.formatting),
    ):
        assert count or tree.document.query_selector(selector) is None
