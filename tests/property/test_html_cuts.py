"""A parser's tree has the same elements and words after the parts of the markup that nobody reads are cut out."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from resiliparse.parse.html import HTMLTree, NodeType

from pipeline.readers.web.html_blocks import blocks_of
from pipeline.readers.web.html_cuts import without
from tests.property.texts import thorough

UNREAD = ("script", "style", "meta", "link")
BLOCKS = (
    "html", "head", "body", "p", "h1", "h2", "h3", "h4", "h5", "h6", "dt", "dd", "form", "tbody", "tr", "td", "th", "article", "aside",
    "blockquote", "div", "dl", "figure", "footer", "header", "li", "main", "nav", "ol", "pre", "section", "table", "template", "ul",
)  # fmt: skip


def cut(page: str) -> str:
    markup = page.encode()
    return without(markup, blocks_of(markup).cuts).decode()


def told(page: str) -> list[str]:
    """Tags and texts of a page's tree: white space as one space, and none beside blocks; in `pre` as it is, but for the
    beginning.
    """
    parts = [""]

    def tell(node: Any) -> None:
        if node.type == NodeType.TEXT:
            parts[-1] += node.value
        elif node.type == NodeType.ELEMENT and node.tag not in UNREAD:
            parts.extend((f"<{node.tag}", ""))
            for child in node.child_nodes[:]:
                tell(child)
            parts.extend((f">{node.tag}", ""))

    tell(next(node for node in HTMLTree.parse(page).document.child_nodes[:] if node.tag == "html"))
    texts, preformatted = [], 0
    for before, part, after in zip(["<html", *parts[:-1]], parts, [*parts[1:], ">html"], strict=True):
        preformatted += (part == "<pre") - (part == ">pre")
        text = part if preformatted else re.sub(r"\s+", " ", part)
        if before[1:] in BLOCKS and (not preformatted or before == "<pre" or not part.strip()):
            text = text.lstrip()
        if after[1:] in BLOCKS and not preformatted:
            text = text.rstrip()
        texts.append(text)
    return [text for text in texts if text]


words = st.sampled_from(["a", "b c", " d", "e\n", "\n", "  ", " \n ", "<", "&am", "&#12", "f >", "\u00a0"])
unread = st.sampled_from(
    ["<!-- a -->", "<!-- </p> <b> --!>", "<!---->", "<!--->", "<!-->", "<!-- b > c -- d --", "<!x>", "<?y?>", "</ z>",
     "<script>a<b</script>", "<SCRIPT async>'</scripts>'</SCRIPT >", "<script><!-- c --></script>", "<style><!-- p{} </style>",
     "<script/>", "<script src=d></script e>", "<script><!-- <script> d </script> <p>e</p> --></script>",
     "<script><!--<script></script></script>", "<svg><style>f</style></svg>", "<svg><style><p>g</p></style></svg><style>h</style>",
     "<math><script>i</script></math>", "<svg><style>j", "</svg>", "<plaintext>", "<textarea><script>k</script></textarea>",
     "<!-- <script> -->", "<script>l</script", "<template><style>m</style></template>", "<a title='<script>'>n</a>",
     "<select><script>o</script></select>", "<title><style>q</title>", "<style>r</style/>",
     "<style style='display:none !important'>s</style>", "<meta name=t hidden=until-found>", "<link rel=u>", "<LINK/>", "</meta>",
     "<svg><meta>v</svg>", "<svg><!-- w --></svg>", "<noscript><link></noscript>"]
)  # fmt: skip
tags = st.builds(
    "<{}{}>".format,
    st.sampled_from(["", "", "", "/"]),
    st.sampled_from(
        [*BLOCKS, "span", "select", "option", "table", "div", "li", "p", "pre", "caption", "br", "button", "P", "DIV\n"]
    ),
)
inline = st.tuples(words, unread | words).map(lambda pair: f"<i>{pair[0]}{pair[1]}</i>")


@thorough
@given(st.lists(unread | words | inline, max_size=8).map("".join))
def test_what_nobody_reads_is_left_out(page: str) -> None:
    assert told(cut(page)) == told(page)


# The same examples each time; 42,000 others were tried once.
@settings(thorough, derandomize=True)
@given(st.lists(tags | words | unread, max_size=14).map("".join))
def test_tags_in_any_order(page: str) -> None:
    assert told(cut(page)) == told(page)


@pytest.mark.parametrize(
    "page",
    ["a</div>\n</div>b", "<div>a</div>\n</div>\n</p>b", "a<tr>\n<td>b", "<div>a<body>\n<tr>b", "a</div> <!-- --> </div>b",
     "a<body>\n</div>b", "a<body>\n<table>b", "<select>a<div>\n<div>b</select>", "<pre>\n\n<div> </div>\n<div>a</pre>",
     "<b>a</b>\n<p>b</p>\nc", "<p>a\n<p>b", "a<form><form>\n<tr>b"],
)  # fmt: skip
def test_words_stay_apart(page: str) -> None:
    assert told(cut(page)) == told(page)


@pytest.mark.parametrize(
    ("page", "expected"),
    [
        ("<p>a<script>b</script><style>c</style>", "<p>a<script></script>"),
        ("<p>a</p> <script>b</script> <style>c</style>d", "<p>a</p>  <style></style>d"),
        ("<script><!-- b //--></script>ü", "ü"),
        ("<script><!-- <script>b</script> --></script>", None),
        ("<svg><style>b</style></svg><style>c</style>", "<svg><style>b</style></svg>"),
        ("<plaintext><style>b</style>", None),
        ("<script>b", "<script>"),
        ("<div><script>b</script></div><ul><!-- --></ul>", "<div><script></script></div><ul><!-- --></ul>"),
        ("<ul><li><script>b</script> </ul><style style='display:none !important'>c</style >", "<ul><li><script></script> </ul>"),
        ("<head>\n<meta id=b>\n<LINK rel=c/><!-- d -->\n</head>", "<head>\n\n\n</head>"),
        ("a<!-- b -->\n<!-- c --> <p>d", "a<!-- b -->\n <p>d"),
        ("<div>\n<ul>\n<li>\n<p>a</p>\n</li>\n<li>\n</ul>\n</div>\n<p>b", "<div><ul><li><p>a</p>\n</li><li>\n</ul>\n</div><p>b"),
        ("<div> <!-- a --> <p>b</p> <i>c</i> <p>d</p>\u00a0<p>", "<div> <p>b</p> <i>c</i> <p>d</p>\u00a0<p>"),
        (50 * "<i>ü<script>b</script></i>" + 50 * "<b>é<!-- c --></b>\n<!-- d -->",
         50 * "<i>ü<script></script></i>" + 50 * "<b>é<!-- c --></b>\n"),
    ],
)  # fmt: skip
def test_what_is_left_of_a_page(page: str, expected: str | None) -> None:
    assert cut(page) == (page if expected is None else expected)


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
        ("<script>'<p hidden=until-found>'</script><p hidden='Until-Found'>b", "<p >b"),
        (60 * "<p style='display:none !important'>" + 60 * "<p hidden=until-found>", 60 * "<p style='display:none'>" + 60 * "<p >"),
    ],
)  # fmt: skip
def test_what_is_hidden_is_so_for_resiliparse(page: str, expected: str | None) -> None:
    assert cut(page) == (page if expected is None else expected)
