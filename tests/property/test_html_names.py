"""Lookup of tag and reference names in kernels, against Python's dictionaries."""

from __future__ import annotations

from html.entities import html5

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernels.arrays import Int64s
from kernels.compiled import kernel
from pipeline.readers.web.html_names import number_of, numbered, packed
from pipeline.readers.web.html_tags import HIDDEN, IS_BLOCK, IS_RAW, IS_VOID, NAMES, SCOPES, TAGS, facts_of, kind_of

WORDS = st.text("abcdefghijklmnopqrstuvwxyz0123456789-", min_size=1, max_size=9)


@kernel
def ask(table: Int64s, name: int) -> int:
    return number_of(table, name)


@given(st.dictionaries(WORDS, st.integers(0, 1 << 40), max_size=60), st.lists(WORDS))
def test_a_name_gives_its_number_and_any_other_none(numbers: dict[str, int], others: list[str]) -> None:
    known = {packed(name): number for name, number in numbers.items()}
    table = numbered({name: known[packed(name)] for name in numbers})
    for name in [*numbers, *others]:
        assert ask(table, packed(name)) == known.get(packed(name), -1)


@kernel
def kind(name: int) -> int:
    return kind_of(facts_of(TAGS, name))


@given(WORDS)
def test_tags(name: str) -> None:
    kinds = [*NAMES[:HIDDEN], "(no tag)", *SCOPES]
    assert kind(packed(name)) == (kinds.index(name) if name in kinds else -1)


def test_every_tag_and_reference_of_the_standard_is_one_thing() -> None:
    known = {packed(name): number for number, name in enumerate((*NAMES, *SCOPES)) if name != "hidden"}
    words = {name.rstrip(";") for name in html5} | {
        "div",
        "span",
        "a",
        "b",
        "section",
        "main",
        "script",
        "img",
        "br",
        "svg",
    }
    for word in words:
        assert kind(packed(word)) == known.get(packed(word), -1)
    told = {name: max(0, ask(TAGS, packed(name))) for name in ("script", "title", "p", "br", "source", "li", "span")}
    assert [name for name in told if told[name] & IS_RAW] == ["script", "title"]
    assert [name for name in told if told[name] & IS_VOID] == ["br", "source"]
    assert [name for name in told if told[name] & IS_BLOCK] == ["p", "li"]


def test_an_empty_name_is_refused() -> None:
    with pytest.raises(ValueError, match="empty"):
        numbered({"\0": 1})
