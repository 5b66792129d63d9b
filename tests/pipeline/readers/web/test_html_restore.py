"""Lists that an extractor left out are put back: each item once, at its place."""

from __future__ import annotations

import pytest
from resiliparse.parse.html import HTMLTree

from manifests.corpus import Extraction
from pipeline.readers.web.html import html_to_text
from pipeline.readers.web.html_blocks import blocks_of
from pipeline.readers.web.html_lists import all_lists
from pipeline.readers.web.html_restore import restore_lists

BEFORE = "A hundred redundant bluebirds colour the greenery of the old park by the river."
AFTER = "They leave it again before the first snow falls."


def restored(text: str, *items: str, tag: str = "ul") -> str:
    page = f"<p>{BEFORE}</p><{tag}>{''.join(f'<li>{item}</li>' for item in items)}</{tag}><p>{AFTER}</p>"
    body = HTMLTree.parse(page).body
    return restore_lists(text, body, all_lists(body, blocks_of(page.encode())))


def test_a_list_is_put_where_it_stood() -> None:
    assert restored(f"{BEFORE}\n{AFTER}", "oak and beech", "birch") == f"{BEFORE}\n- oak and beech\n- birch\n{AFTER}"


def test_only_the_items_that_lack_are_written() -> None:
    text = f"{BEFORE}\n- oak and beech\n{AFTER}"
    assert restored(text, "oak and beech", "birch and alder").count("oak and beech") == 1
    assert "- birch and alder" in restored(text, "oak and beech", "birch and alder")


def test_a_word_within_another_is_no_item() -> None:
    assert restored(f"{BEFORE}\n{AFTER}", "red", "blue", "green") == f"{BEFORE}\n- red\n- blue\n- green\n{AFTER}"


@pytest.mark.parametrize(
    "lines",
    [
        "- red\n- blue\n- green",
        "1. red\n2. blue\n3. green",
        "red, blue, green",
        "  \u2022 red\n\n  \u2022 blue\n  \u2022 green",
    ],
)
def test_a_list_that_is_there_stays_as_it_is(lines: str) -> None:
    assert restored(f"{BEFORE}\n{lines}\n{AFTER}", "red", "blue", "green") == f"{BEFORE}\n{lines}\n{AFTER}"


def test_a_list_whose_surroundings_are_no_text_stays_out() -> None:
    assert restored(AFTER, "oak and beech", "birch") == AFTER


@pytest.mark.parametrize("extraction", ["adaptive", "resiliparse", "trafilatura"])
def test_paragraphs_that_are_not_shown_do_not_tell_where_the_text_is(extraction: Extraction) -> None:
    shown = "".join(f"<p>{number}. {BEFORE} {AFTER}</p>" for number in range(6))
    unseen = "".join(
        f"<p>{number}. Nobody is to read this in the window, which opens later. {AFTER * 4}</p>" for number in range(12)
    )
    text = html_to_text(
        f"<body><div><main>{shown}</main></div><div aria-hidden=true>{unseen}</div></body>", extraction=extraction
    )
    assert "5. A hundred" in text
    assert "Nobody" not in text
