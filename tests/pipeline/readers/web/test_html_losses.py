"""The inside ledger of a page: elements whose text is missing from the extracted text."""

from __future__ import annotations

import pytest

from manifests.corpus import Extraction
from pipeline.readers.web import html_losses
from pipeline.readers.web.html import extract_html, html_to_text
from pipeline.readers.web.html_blocks import blocks_of
from pipeline.readers.web.html_losses import BEYOND, lists_with_losses, lost_elements

CHOICES: tuple[Extraction, ...] = ("resiliparse", "trafilatura", "adaptive")
WORDS = "The mill by the river grinds the corn of four villages, and its wheel has turned since the year of the flood. "
ARTICLE = "".join(f"<p>Paragraph {number}. {WORDS * 3}</p>" for number in range(6))
MENU = "<nav><ul><li><a href=/a>Imprint of the site</a></li><li><a href=/b>Contact to the site</a></li></ul></nav>"
HIDDEN = "<p style='display:none'>What nobody is to see here.</p><template><p>An empty form of words.</p></template>"


def page(inside: str) -> str:
    return (
        f"<html><body>{MENU}<main><article><h1>About the mill by the river</h1>{inside}</article></main></body></html>"
    )


@pytest.mark.parametrize("extraction", CHOICES)
def test_a_menu_counts_as_one_and_an_article_that_is_whole_as_nothing(extraction: Extraction) -> None:
    found = extract_html(page(ARTICLE), extraction=extraction)
    assert found.text == html_to_text(page(ARTICLE), extraction=extraction)
    lost = {name: count for (_, name), count in found.lost.items()}
    # Trafilatura leaves a heading out that stands alone before the paragraphs' element for `adaptive` too.
    assert lost.pop("h1", 0) <= 1
    assert lost == {"nav": 1}


@pytest.mark.parametrize("extraction", CHOICES)
def test_what_is_not_shown_is_counted_by_its_kind(extraction: Extraction) -> None:
    found = extract_html(page(ARTICLE + HIDDEN), extraction=extraction)
    assert "nobody" not in found.text
    assert "empty form" not in found.text
    assert found.lost["dropped_elements", "hidden"] == 1
    # A template is stock for scripts: no part of the page, and no loss.
    assert ("dropped_elements", "template") not in found.lost


def test_lists_and_tables_that_a_text_lost_are_counted_apart_from_menus() -> None:
    items = "<ul><li>200 grams of flour</li><li>two eggs, beaten</li></ul>"
    rows = "<table><tr><td>Monday of the week</td></tr><tr><td>Tuesday of the week</td></tr></table>"
    html = page(ARTICLE + items + rows)
    paragraphs = "\n".join(f"Paragraph {number}. {WORDS * 3}" for number in range(6))
    text = f"About the mill by the river\n{paragraphs}"
    assert dict(lost_elements(html, text)) == {
        ("dropped_elements", "nav"): 1,
        ("dropped_elements", "li"): 2,
        ("dropped_elements", "tr"): 2,
    }
    kept = f"{text}\n• 200 grams of flour\n• two eggs, beaten\nMonday of the week\nTuesday of the week"
    assert dict(lost_elements(html, kept)) == {("dropped_elements", "nav"): 1}


def test_what_is_beyond_the_limits_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    deep = "".join(f"<blockquote>word {number} of them" for number in range(600))
    lost = lost_elements(f"<p>{WORDS}</p>{deep}", WORDS)
    assert lost["dropped_elements", BEYOND] == 600 - 512
    assert lost["dropped_elements", "blockquote"] == 1  # those within it are counted with it
    monkeypatch.setattr(html_losses, "_MOST_SEARCHED", 100)
    items = "".join(f"<li>item number {number}</li>" for number in range(10))
    lost = lost_elements(f"<p>{WORDS}</p><ul>{items}</ul>", WORDS)
    assert lost["dropped_elements", "li"] + lost["dropped_elements", BEYOND] == 10
    assert lost["dropped_elements", BEYOND] > 0


@pytest.mark.parametrize(
    ("page", "text", "lost"),
    [
        # What stands elsewhere is not the item.
        ("<ul><li><b>peanut oil</b> 60 g</li></ul>", "Pour the peanut oil into the pan.", {"li": 1}),
        ("<ul><li><b>peanut oil</b> 60 g</li></ul>", "Pour the peanut oil into the pan.\n- peanut oil 60 g", {}),
        # A word of a link is missing.
        (
            "<ul><li>Boiling the fries <a href=/x>gelates</a> their starch</li></ul>",
            "- Boiling the fries their starch",
            {"li": 1},
        ),
        # Numbers, hyphens and lines between cells are no words of the page.
        (
            "<ol><li>Mix the flour<ol><li>rye from the mill</li></ol></li></ol>",
            "1. Mix the flour\n  12. rye from the mill",
            {},
        ),
        (
            "<ul><li>Mix the flour<ul><li>rye from the mill</li></ul></li></ul>",
            "- Mix the flour\n  - rye from the mill",
            {},
        ),
        ("<table><tr><td>Magnesium<td>98 mg<td><td>(33 %)</table>", "| Magnesium | 98 mg | | (33 %) |", {}),
        ("<table><tr><td>Income tax<sup>2</sup><td>510 €</table>", "| Income tax2 | 510 € |", {}),
        ("<table><tr><td>Magnesium<td>98 mg<td><td>(33 %)</table>", "| Magnesium | 99 mg | | (33 %) |", {"tr": 1}),
    ],
)
def test_a_block_is_there_when_its_first_words_and_the_next_ones_are(
    page: str, text: str, lost: dict[str, int]
) -> None:
    assert {name: count for (_, name), count in lost_elements(page, text).items()} == lost


@pytest.mark.parametrize(
    ("page", "text", "expected"),
    [
        ("<ul><li>oak and beech</li></ul><ol><li>birch and alder</li></ol>", "birch and alder", [True, False]),
        (
            "<ul><li>oak and beech</li></ul><ol><li>birch and alder</li></ol>",
            "oak and beech\nbirch and alder",
            [False, False],
        ),
        # A list in a list, and lists in what is lost whole.
        (
            "<ul><li>oak and beech<ul><li>red beech</li></ul></li></ul><ul><li>elm tree</li></ul>",
            "oak and beech\nelm tree",
            [True, True, False],
        ),
        ("<table><tr><td>trees of the park<ul><li>elm tree</li></ul></td></tr></table>", "no word of it", [True]),
        # What stands elsewhere is no list.
        ("<ul><li><a>peanut oil</a> 60 g</li></ul>", "Pour the peanut oil into the pan.", [True]),
        # Lists in frames are not looked into.
        ("<nav><ul><li>elm tree</li></ul></nav>", "elm tree", [True]),
        ("<p>no list</p>", "", []),
        ("<ul></ul>", "", [False]),
    ],
)
def test_lists_in_which_something_may_be_lost(page: str, text: str, expected: list[bool]) -> None:
    assert lists_with_losses(blocks_of(page.encode()), text).tolist() == expected


def test_on_pages_that_are_not_searched_to_their_end_every_list_may_have_lost_something(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("pipeline.readers.web.html_losses._MOST_SEARCHED", -1)
    assert lists_with_losses(
        blocks_of(b"<ul><li>oak and beech</li></ul><ul><li>elm</li></ul>"), "oak and beech\nelm"
    ).tolist() == [
        True,
        True,
    ]
