"""What a page is made of: one pass over its bytes, against a separate scan from each place where a tag may begin."""

from __future__ import annotations

import re

from hypothesis import example, given
from hypothesis import strategies as st

from pipeline.readers.web.html_census import (
    _ATTRIBUTE,
    _ENDED,
    _NAME,
    Census,
    _next,
    take_census,
)
from pipeline.readers.web.html_tags import FORMATTING
from tests.property.texts import thorough

_PIECES = ("<", ">", "</", "<a ", "<div ", "<ul>", "<UL ", "<figure ", "<sup>", "<b ", "<b>", "<font/", "<abcdefghij ", "<!--", "-->", "<1",
           " ", "\n", "/", "=", "'", '"', "x", "x=y ", "hidden=until-found ", 'hidden="until-found" ', "style='display:none !important'",
           " none!", "hidden !", "é", "x" * 70, " a='" + "y" * 80 + "' ",
           ' b="' + "z<u" * 30 + '" ', "<script>if (a<b) c</script>",
           '<a id="x"/>', "<a name='y' />")  # fmt: skip
pages = st.lists(st.sampled_from(_PIECES), max_size=30).map("".join)
_EMPTY_ANCHOR = re.compile(r"""<a\s(?:[a-z]+=(?:"[^"<>]*"|'[^'<>]*'|[a-z]+)\s?){0,3}/>""")


def reference(page: str) -> Census:
    data = page.encode()
    counts = {"formatting": 0, "attributes": 0, "lists": 0, "raised": 0}
    for begin in re.finditer(rb"<(/?)([a-zA-Z][a-zA-Z0-9]{0,7})?", data):
        if begin[2] is None:
            continue
        name, behind = begin[2].lower().decode(), data[begin.end() : begin.end() + 1]
        if not begin[1] and (not behind or behind <= b" " or behind in b"/>"):
            counts["lists"] += name == "ul"
            counts["raised"] += name in ("sup", "sub")
            counts["formatting"] += name in FORMATTING and behind not in (b"", b">")
        counts["attributes"] = max(counts["attributes"], walk(data, begin.start() + 1))
    return Census(**counts, empty_anchors=0)


def walk(data: bytes, at: int) -> int:
    """Attributes of the tag that begins before a place."""
    state, found = _NAME, 0
    for place in range(at, len(data)):
        following = _next(state, data[place])
        if following == _ENDED:
            break
        found += following == _ATTRIBUTE and state != _ATTRIBUTE
        state = following
    return found


@thorough
@given(pages)
@example("<a b='" + "c" * 100 + "' d=\"" + "e<f g='" * 20 + '" h i>')
@example("<div title='a<b' hidden=until-found>")
@example("<p style='" + "x" * 64 + "display:none !important'>")
@example("<div " + "a=b " * 40 + "<ul>" + "c='" * 40)
def test_the_census_is_that_of_all_tags_one_by_one(page: str) -> None:
    taken = take_census(page.encode())
    # Of tags that may be empty anchors only whether there are any is used; those there are must be seen.
    assert taken.empty_anchors or not _EMPTY_ANCHOR.search(page)
    assert taken._replace(empty_anchors=0) == reference(page)
