"""Blocks read from the markup are those of a parser's tree, on well-formed pages and on some that are not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from resiliparse.parse.html import HTMLTree

from pipeline.readers.web.html_attributes import HIDES, LINKS, MISREAD, SHORT, TITLED, read_attributes
from pipeline.readers.web.html_blocks import blocks_of
from pipeline.readers.web.html_tags import BLOCKS, FRAMES, NAMES
from pipeline.readers.web.html_tree import is_hidden
from tests.property.texts import squeezed, thorough

words = st.sampled_from(
    [
        "a",
        "rye and oats",
        "Grüße",
        "日本",
        "x &amp; y",
        "1 &lt; 2",
        "&eacute;t&#233;&#xe9;",
        "\u00a0&nbsp; \n",
        "&unknown; & so",
        "• point",
        "𝄞",
    ]
)
inline = st.one_of(
    words, words.map(lambda text: f"<b>{text}</b>"), words.map(lambda text: f'<a href="a>b" title=\'"\'>{text}</a>')
)
nothing = st.sampled_from(
    [
        "<!-- <p>no</p> -->",
        "<script>'<li>no</li>'</script>",
        "<style>p > b {}</style>",
        "<br>",
        "<img alt='a > b'/>",
        "<!--->",
        "<textarea><p>no</textarea>",
    ]
)
attributes = st.sampled_from(
    ["", " class=a", " hidden", " HIDDEN=''", " hidden=until-found", " style='color: red; display : none'", ' style="display:nonesuch"',
     " aria-hidden=true", " aria-hidden = false", " data-style='display:none'", " style=visibility:hidden", " STYLE='visibility:collapse;'"]
)  # fmt: skip


def element(tag: str, inside: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.tuples(attributes, inside).map(lambda pair: f"<{tag}{pair[0]}>{pair[1]}</{tag}>")


def several(one: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.lists(one, max_size=3).map("".join)


def larger(flow: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    content = several(st.one_of(flow, inline, nothing))
    containers = ["div", "blockquote", "figure", "nav", "header", "footer", "aside", "section", "noscript", "template"]
    return st.one_of(
        *[element(tag, content) for tag in containers],
        *[element(tag, several(element("li", content))) for tag in ("ul", "ol")],
        element("dl", several(st.one_of(element("dt", inline), element("dd", content)))),
        element("table", element("tbody", several(element("tr", several(element("td", content)))))),
    )


paragraphs = st.one_of(*[element(tag, several(st.one_of(inline, nothing))) for tag in ("p", "h1", "h3", "h6")])
pages = several(st.recursive(paragraphs, larger, max_leaves=12)).map(
    lambda body: f"<html><head><title>No</title></head><body>{body}</body></html>"
)


def expected(page: str) -> list[tuple[str, bytes]]:
    """Blocks with text from a parser's tree, without what is not shown."""
    body: Any = HTMLTree.parse(page).body
    for element in body.query_selector_all("template,noscript,script,style,textarea,[hidden],[style],[aria-hidden]")[:]:
        if element.tag in ("template", "noscript", "script", "style", "textarea") or is_hidden(element):
            element.remove()
    frames = ",".join(FRAMES)
    found = body.query_selector_all(f":is({','.join((*BLOCKS, *FRAMES))}):not(:is({frames}) *)")[:]
    return [(element.tag, squeezed(element.text)) for element in found if squeezed(element.text)]


def read(page: str) -> list[tuple[str, bytes]]:
    blocks = blocks_of(page.encode())
    text = blocks.text.tobytes()
    kinds = [NAMES[kind] for kind in blocks.kinds]
    shown = [number for number, kind in enumerate(kinds) if kind not in ("hidden", "noscript")]
    parts = [(kinds[number], text[blocks.starts[number] : blocks.stops[number]]) for number in shown]
    return [(kind, part) for kind, part in parts if part]


@thorough
@given(pages)
def test_blocks_are_those_of_the_tree(page: str) -> None:
    assert read(page) == expected(page)


@thorough
@given(pages)
def test_what_lies_in_a_block_is_what_begins_before_it_ends(page: str) -> None:
    blocks = blocks_of(page.encode())
    for number, after in enumerate(blocks.afters):
        assert number < after <= len(blocks.kinds)
        for inner in range(number + 1, after):
            assert blocks.afters[inner] <= after
    shown = [NAMES[kind] not in ("hidden", "noscript") for kind in blocks.kinds]
    assert (blocks.starts[shown] <= blocks.firsts[shown]).all()
    assert (blocks.firsts[shown] <= blocks.stops[shown]).all()


@pytest.mark.parametrize(
    "page",
    [
        "<ul><li>a<li>b<ul><li>c<li>d</ul><li>e</ul><p>f<p>g<div>h</div>",
        "<table><tr><td>a<td>b<tr><td>c</table><dl><dt>a<dd>b<dt>c</dl>",
        "<p>a<ul><li>b</ul>c<h2>d</h2><P>e</P></div></p>f",
        "<LI CLASS=x>A</LI ><li\n>b</li\n><li/>c",
        "<p>a < b <3 <p>c</ 4><p>d<!-- e > f",
        "<p>a<![CDATA[b]]><?php c ?></p><p>d",
    ],
)
def test_pages_whose_ends_are_implied(page: str) -> None:
    assert read(page) == expected(page)


@given(st.binary(max_size=200) | st.text("<>/!-=\"' ahidenpl&#;\u00e9", max_size=60).map(str.encode))
def test_any_bytes_are_read_to_their_end(markup: bytes) -> None:
    blocks = blocks_of(markup)
    assert len(blocks.text) <= len(markup)
    assert ((blocks.starts >= 0) & (blocks.starts <= len(blocks.text))).all()


@pytest.mark.parametrize(
    ("attributes", "telling"),
    [(b" style='a:b;display:none !important'>x", HIDES | MISREAD), (b" a=1 hidden/>x", HIDES), (b" style=' visibility : hidden'>x", HIDES),
     (b" hidden=' UNTIL-FOUND '>x", MISREAD), (b" style='display:none-such'>x", 0), (b" b=\"style='display:none'\">x", 0),
     (b" id=a-b_c>x", TITLED), (b" id='a-b'>x", 0), (b" ID = \"--\" href>x", TITLED | LINKS), (b" class='b jp'>x", SHORT),
     (b" href=' MailTo:a'>x", 0)],
)  # fmt: skip
def test_what_attributes_tell(attributes: bytes, telling: int) -> None:
    assert read_attributes(np.frombuffer(attributes, np.uint8), 0)[:2] == (len(attributes) - 1, telling)
