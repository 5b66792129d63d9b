"""Blocks read from the markup are those of a parser's tree, on pages that are written as they should be, and on some that are not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from resiliparse.parse.html import HTMLTree

from pipeline.web.html import _cut
from pipeline.web.html_attributes import HIDES, LINKS, MISREAD, SHORT, TITLED, read_attributes
from pipeline.web.html_blocks import BLOCKS, FRAMES, NAMES, blocks_of
from pipeline.web.html_tree import is_hidden
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
inline = st.one_of(words, words.map(lambda text: f"<b>{text}</b>"), words.map(lambda text: f'<a href="a>b" title=\'"\'>{text}</a>'))
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
     (b" id=a-b_c>x", TITLED), (b" id='a-b'>x", 0), (b" ID = \"--\" href>x", TITLED | LINKS), (b" class='b jp'>x", SHORT)],
)  # fmt: skip
def test_what_attributes_tell(attributes: bytes, telling: int) -> None:
    assert read_attributes(np.frombuffer(attributes, np.uint8), 0) == (len(attributes) - 1, telling)


@pytest.mark.parametrize(
    ("page", "expected"),
    [
        ("<p style='display:none !important;color:red' id=a>b", "<p style='display:none;color:red' id=a>b"),
        ('<p style="a:b; visibility: hidden!important">b', '<p style="a:b; visibility: hidden">b'),
        ("<p style='display:none!important;visibility:collapse ! important;c:d !important'>b",
         "<p style='display:none;visibility:collapse;c:d !important'>b"),
        ("<p style=display:none!important>b", "<p style=display:none>b"),
        ("<p style='display:none!important", "<p style='display:none"),
        ("<p style='color:red !important'>b", None),
        ("<p hidden=until-found class=c>b", "<p  class=c>b"),
        ("<p hidden>b<p hidden=''>c", None),
        ("<script>'<p hidden=until-found>'</script><p hidden='Until-Found'>b", "<script></script><p >b"),
        (60 * "<p style='display:none !important'>" + 60 * "<p hidden=until-found>", 60 * "<p style='display:none'>" + 60 * "<p >"),
    ],
)  # fmt: skip
def test_what_is_hidden_is_so_for_resiliparse(page: str, expected: str | None) -> None:
    assert _cut(page.encode(), blocks_of(page.encode())).decode() == (page if expected is None else expected)


scripts = st.sampled_from(
    ["<script>a<b</script>", "<SCRIPT async>'</scripts>'</SCRIPT >", "<script><!-- c --></script>", "<style><!-- p{} </style>", "<script/>",
     "<script><!-- <script> d </script> <p>e</p> --></script>", "<script><!--<script></script></script>", "<svg><style>f</style></svg>",
     "<svg><style><p>g</p></style></svg><style>h</style>", "<math><script>i</script></math>", "<svg><style>j", "</svg>", "<plaintext>",
     "<textarea><script>k</script></textarea>", "<!-- <script> -->", "<script>l</script", "<template><style>m</style></template>",
     "<a title='<script>'>n</a>", "<select><script>o</script></select>", "<title><style>q</title>", "<style>r</style/>"]
)  # fmt: skip


@thorough
@given(st.lists(scripts | inline, max_size=6).map("".join))
def test_a_page_without_what_its_scripts_hold_is_the_same_otherwise(page: str) -> None:
    def without(markup: str) -> str:
        tree = HTMLTree.parse(markup)
        document: Any = tree.document
        for element in document.query_selector_all("script,style,template")[:]:
            # What a template holds is no child of it.
            element.remove() if element.tag == "template" else element.replace_children()
        return str(document.html)

    markup = page.encode()
    assert without(_cut(markup, blocks_of(markup)).decode()) == without(page)


@pytest.mark.parametrize(
    ("page", "expected"),
    [
        ("<p>a<script>b</script><style>c</style>", "<p>a<script></script><style></style>"),
        ("<script><!-- b //--></script>ü", "<script></script>ü"),
        ("<script><!-- <script>b</script> --></script>", None),
        ("<svg><style>b</style></svg><style>c</style>", "<svg><style>b</style></svg><style></style>"),
        ("<plaintext><style>b</style>", None),
        ("<script>b", "<script>"),
        (50 * "<script>b</script>é" + 50 * "<style>c</style>", 50 * "<script></script>é" + 50 * "<style></style>"),
    ],
)
def test_what_scripts_hold_is_left_out(page: str, expected: str | None) -> None:
    assert _cut(page.encode(), blocks_of(page.encode())).decode() == (page if expected is None else expected)
