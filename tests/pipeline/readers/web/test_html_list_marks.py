"""Which lists are ruled out by the markup, before a parser's tree is used."""

from __future__ import annotations

from typing import Any

import pytest
from resiliparse.parse.html import HTMLTree

from pipeline.readers.web.html import html_to_text
from pipeline.readers.web.html_blocks import blocks_of
from pipeline.readers.web.html_list_marks import IS_FRAMED, SETTLED
from pipeline.readers.web.html_lists import all_lists, bulleted_lists

MENU = "<ul><li><a href=/a>Home of the site</a></li><li><a href=/b>Imprint</a></li></ul>"
TEXT = "<ul><li>two hundred grams of flour</li><li>three eggs and <a href=/milk>milk</a></li></ul>"


def looked_at(page: str) -> tuple[list[str], list[str]]:
    body = HTMLTree.parse(page).body
    blocks = blocks_of(page.encode())
    found, bulleted = all_lists(body, blocks), bulleted_lists(body, blocks).bulleted
    assert [element.text for element, _ in bulleted] == [element.text for element, _ in found.bulleted]
    return [element.text[:5] for element, _ in bulleted], [element.text[:5] for element, _ in found.outer]


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
    assert len(bulleted_lists(body, blocks_of(MENU.encode())).bulleted) in (0, 2)
    assert len(bulleted_lists(body, blocks_of((MENU + TEXT + TEXT).encode())).bulleted) == 2


DEEP, SHALLOW = "<div>" * 5, "<div>" * 4


@pytest.mark.parametrize(
    ("before", "items", "settled"),
    [
        (DEEP, "<li>rye</li>", True),
        (SHALLOW, "<li>rye</li>", False),
        (SHALLOW + "<section>", "<li>rye</li>", True),
        (SHALLOW + "<span>", "<li>rye</li>", False),
        (DEEP + "</div>", "<li>rye</li>", False),
        (DEEP + "</p></span>", "<li>rye</li>", True),
        # What is around an element ends with it.
        ("<table><tr><td>" + DEEP + "</table>", "<li>rye</li>", False),
        ("<ul><li>" + DEEP + "</ul>", "<li>rye</li>", False),
        ("<p>" + SHALLOW + "<p>" + DEEP, "<li>rye</li>", True),
        (DEEP + "<div id=how-the-mill-works>", "<li>rye</li>", False),
        (DEEP + "<p id=how-the-mill-works></p>", "<li>rye</li>", False),
        (DEEP + "<div id=how-the-mill-works></div>", "<li>rye</li>", True),
        (DEEP + "<div id=the-mill>", "<li>rye</li>", True),
        ("<div id=how-the-mill-works>" + DEEP, "<li>rye</li>", True),
        (DEEP, f"<li>{'rye ' * 20}<a href=/oats>oats</a></li>", True),
        (DEEP, f"<li>{'rye ' * 20}<a href=/oats>oats, barley</a></li>", False),
        (DEEP, f"<li>{'rye ' * 20}<a name=here>o</a></li>", False),
        (DEEP, f"<li>{'rye ' * 20}<span hidden><a href=/oats>oats, barley</a></span></li>", False),
        (DEEP, "<li></li>", False),
    ],
)
def test_lists_that_are_text_for_sure_are_not_asked_for(before: str, items: str, settled: bool) -> None:
    marks = blocks_of(f"<html><body>{before}<ul>{items}</ul>".encode()).lists
    assert (marks[-1] & SETTLED == SETTLED) == settled


@pytest.mark.parametrize(
    ("page", "framed"),
    [
        ("<nav><ul><li>rye</ul></nav>", [True]),
        ("<header><div><ul><li>rye</ul></div></header><ul><li>oats</ul>", [True, False]),
        ("<aside><nav><ol><li>rye</ol></nav><ul><li>oats</ul></aside>", [True, True]),
        ("<nav><ul><li>rye</ul>", [False]),
        ("<div><nav></div><ul><li>rye</ul></nav>", [False]),
        ("<div><nav><p>a</p></nav></div><ul><li>rye</ul>", [False]),
        ("<form><ul><li>rye</ul></form>", [False]),
        ("<nav><ul><li><nav><ul><li>rye</ul></nav></ul></nav>", [True, True]),
    ],
)
def test_lists_in_frames_that_end_are_not_asked_for(page: str, framed: list[bool]) -> None:
    marks = blocks_of(f"<html><body>{page}".encode()).lists
    assert (marks & IS_FRAMED != 0).tolist() == framed
    body: Any = HTMLTree.parse(f"<html><body>{page}").body
    inside = [element.closest("nav,header,footer,aside") is not None for element in body.query_selector_all("ul,ol")[:]]
    assert [told and not true for told, true in zip(framed, inside, strict=True)] == [False] * len(inside)


def test_a_list_behind_an_unclosed_form_is_text() -> None:
    words = (
        "<p>The mill by the river grinds the corn of four villages, and its wheel has turned since the year of the"
        " flood.</p>" * 4
    )
    page = (
        f"<html><body><div><form action=/find></div><main><article>{words}{TEXT}{words}</article></main></body></html>"
    )
    assert "three eggs and milk" in html_to_text(page)
