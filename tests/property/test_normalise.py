"""Normalised texts against a slow, obvious reference, on arbitrary Unicode."""

from __future__ import annotations

import re
import unicodedata

import ftfy
import pyarrow as pa
import pytest
import xxhash
from ftfy.badness import is_bad
from hypothesis import example, given
from hypothesis import strategies as st

from kernels.characters import SPACE, classes
from manifests.corpus import TextSettings
from pipeline.text.mojibake import gate, repair
from pipeline.text.normalise import document_ids, normalise, text_buffers
from tests.property.texts import any_text, thorough

KEEP = TextSettings(mojibake="keep")
ALL_SETTINGS = [
    TextSettings(mojibake=mojibake, unicode=form) for mojibake in ("repair", "keep") for form in ("none", "NFC", "NFKC")
]

# What is broken by reading UTF-8 in another encoding, once or twice, beside text of several scripts and what separates.
CHARACTERS = "éüßœ’“”–…°£€ àÃÂâ€™ˆ˜ÐØÙабвЂГрцκΒβ€中文한ا😀\u0301\u0308\u1100\u1161\u11a8\u212b\ufb01②"
whole = st.text(
    st.one_of(
        st.characters(codec="utf-8"), st.sampled_from(CHARACTERS), st.sampled_from("ab .\r\n\x00\ufeff\u3000\x92")
    ),
    max_size=30,
)


def _misread(text: str, encoding: str) -> str:
    return text.encode().decode(encoding, "replace")


broken = st.builds(
    _misread,
    st.text(st.sampled_from(CHARACTERS + "ab "), max_size=12),
    st.sampled_from(["latin-1", "cp1252", "cp1251", "mac_roman"]),
)
twice = st.builds(_misread, broken, st.sampled_from(["latin-1", "cp1252"]))
mixed = st.lists(st.one_of(whole, broken, twice, any_text), max_size=4).map("".join)
lists = st.lists(mixed, max_size=5)


def reference(text: str, settings: TextSettings) -> str:
    before = None
    while before != text:
        before = text
        text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\x00", "")
        if settings.mojibake == "repair":
            lines = [ftfy.fix_encoding(line) for line in text.split("\n")]
            text = "\n".join(
                old if re.search("[\ud800-\udfff]", new) else new
                for old, new in zip(text.split("\n"), lines, strict=True)
            )
        if settings.unicode != "none":
            text = unicodedata.normalize(settings.unicode, text)
        while text and (text[0] == "\ufeff" or classes()[ord(text[0])] & SPACE):
            text = text[1:]
        while text and classes()[ord(text[-1])] & SPACE:
            text = text[:-1]
    return text


def strings(texts: list[str]) -> pa.Array:
    return pa.array(texts, pa.large_string())


@pytest.mark.parametrize("settings", ALL_SETTINGS, ids=str)
@thorough
@given(lists)
@example(
    [
        "\ufeff \ufeffa\ufeff",
        "\r\x00\n x",
        "\x00",
        "",
        "sÃ³ \nvoilÃ le",
        "A\u030a",
        "e\u0301\u0323",
        "\u1100\u1161\u11a8",
        "©Â",
        "\x92",
    ]
)
def test_normalise_equals_the_reference(settings: TextSettings, documents: list[str]) -> None:
    array = normalise(strings(documents), settings)
    assert array.type == pa.large_string()
    assert array.to_pylist() == [reference(document, settings) for document in documents]


@pytest.mark.parametrize("settings", ALL_SETTINGS, ids=str)
@thorough
@given(lists)
def test_normalising_twice_changes_nothing(settings: TextSettings, documents: list[str]) -> None:
    once = normalise(strings(documents), settings)
    assert normalise(once, settings) == once


@thorough
@given(mixed)
def test_what_the_gate_calls_clean_is_left_alone_by_ftfy(text: str) -> None:
    """The gate is `normalise`'s: it lets a text pass when no class of characters follows one that it may not."""
    tables = gate()
    kinds = [int(tables.classes[min(ord(character), 0xFFFF)]) for character in text]
    if not any(tables.alone[kind] for kind in kinds) and not any(
        tables.bad[pair] for pair in zip(kinds, kinds[1:], strict=False)
    ):
        assert not is_bad(text)
        assert ftfy.fix_encoding(text) == text
        assert repair(text) == text


@thorough
@given(lists, st.integers(0, 5), st.integers(0, 5))
def test_ids_and_buffers_belong_to_the_text_also_in_slices(documents: list[str], start: int, length: int) -> None:
    array = normalise(strings(documents).slice(min(start, len(documents)), length))
    texts = [text.encode() for text in array.to_pylist()]
    assert array.to_pylist() == normalise(strings(documents)).slice(min(start, len(documents)), length).to_pylist()
    data, offsets = text_buffers(array)
    assert [data[first:last].tobytes() for first, last in zip(offsets[:-1], offsets[1:], strict=True)] == texts
    assert document_ids(array).to_pylist() == [xxhash.xxh3_128(text).digest() for text in texts]
