"""Which lists the markup rules out, before a parser's tree is asked."""

from __future__ import annotations

import pytest
from resiliparse.parse.html import HTMLTree

from pipeline.web.html import html_to_text
from pipeline.web.html_blocks import blocks_of
from pipeline.web.html_lists import all_lists, bulleted_lists

MENU = "<ul><li><a href=/a>Home of the site</a></li><li><a href=/b>Imprint</a></li></ul>"
TEXT = "<ul><li>two hundred grams of flour</li><li>three eggs and <a href=/milk>milk</a></li></ul>"


def looked_at(page: str) -> tuple[list[str], list[str]]:
    body = HTMLTree.parse(page).body
    marks = blocks_of(page.encode()).lists
    found, bulleted = all_lists(body, marks), bulleted_lists(body, marks).bulleted
    assert [element.text for element in bulleted] == [element.text for element in found.bulleted]
    return [element.text[:5] for element in bulleted], [element.text[:5] for element, _ in found.outer]


@pytest.mark.parametrize(
    ("inside", "expected"),
    [
        (MENU, []),
        (TEXT, ["two h"]),
        (MENU + TEXT, ["two h"]),
        (f"<nav>{TEXT}</nav>", []),
        # The form ends with the element around it, whatever the markup leaves open.
        (f"<div><form></div>{TEXT}", ["two h"]),
        (f"<a href=/x>{TEXT}", ["two h"]),
        # What is done with a list around it may change what a list is.
        (f"<ul><li>eight words of text that no link holds{MENU}</ul>", ["eight", "Home "]),
    ],
)
def test_lists_that_the_tree_is_asked_for(inside: str, expected: list[str]) -> None:
    bulleted, outer = looked_at(f"<html><body>{inside}</body></html>")
    assert bulleted == expected
    assert outer == expected


def test_other_lists_in_the_tree_than_in_the_markup_are_all_looked_at() -> None:
    page = f"<html><body>{MENU}{TEXT}</body></html>"
    body = HTMLTree.parse(page).body
    marks = blocks_of(MENU.encode()).lists
    assert len(bulleted_lists(body, marks).bulleted) in (0, 2)
    assert len(bulleted_lists(body, blocks_of((MENU + TEXT + TEXT).encode()).lists).bulleted) == 2


def test_a_list_behind_an_unclosed_form_is_text() -> None:
    words = "<p>The mill by the river grinds the corn of four villages, and its wheel has turned since the year of the flood.</p>" * 4
    page = f"<html><body><div><form action=/find></div><main><article>{words}{TEXT}{words}</article></main></body></html>"
    assert "three eggs and milk" in html_to_text(page)
