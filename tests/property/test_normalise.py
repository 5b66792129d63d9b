"""Normalised texts against a slow, obvious reference, on arbitrary Unicode with surrogates."""

from __future__ import annotations

import pyarrow as pa
import xxhash
from hypothesis import example, given
from hypothesis import strategies as st

from dedup.characters import SPACE, classes
from pipeline.normalise import document_ids, normalise, text_buffers
from tests.property.texts import thorough

HIGH, LOW = range(0xD800, 0xDC00), range(0xDC00, 0xE000)

with_surrogates = st.text(st.one_of(st.characters(), st.sampled_from("\r\n\x00\ufeff \u3000a\ud800\udbff\udc00\udfff")), max_size=30)
lists = st.lists(with_surrogates, max_size=5)


def reference(text: str) -> str:
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\x00", "")
    repaired, index = "", 0
    while index < len(text):
        point, after = ord(text[index]), ord(text[index + 1]) if index + 1 < len(text) else 0
        if point in HIGH and after in LOW:
            repaired += chr(0x10000 + (point - 0xD800) * 0x400 + (after - 0xDC00))
            index += 2
        else:
            repaired += "\ufffd" if point in HIGH or point in LOW else text[index]
            index += 1
    while repaired and (repaired[0] == "\ufeff" or classes()[ord(repaired[0])] & SPACE):
        repaired = repaired[1:]
    while repaired and classes()[ord(repaired[-1])] & SPACE:
        repaired = repaired[:-1]
    return repaired


@thorough
@given(lists)
@example(["\ufeff \ufeffa\ufeff", "\r\x00\n x", "\ud83d\ude00", "\udc00\ud800", "", "\x00"])
def test_normalise_equals_the_reference(documents: list[str]) -> None:
    array = normalise(documents)
    assert array.type == pa.large_string()
    assert array.to_pylist() == [reference(document) for document in documents]


@thorough
@given(lists)
def test_normalising_twice_changes_nothing(documents: list[str]) -> None:
    once = normalise(documents)
    assert normalise(once.to_pylist()) == once


@thorough
@given(lists, st.integers(0, 5), st.integers(0, 5))
def test_ids_and_buffers_belong_to_the_text_also_in_slices(documents: list[str], start: int, length: int) -> None:
    array = normalise(documents).slice(min(start, len(documents)), length)
    texts = [text.encode() for text in array.to_pylist()]
    data, offsets = text_buffers(array)
    assert [data[first:last].tobytes() for first, last in zip(offsets[:-1], offsets[1:], strict=True)] == texts
    assert document_ids(array).to_pylist() == [xxhash.xxh3_128(text).digest() for text in texts]
