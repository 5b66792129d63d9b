"""Normalised texts and their ids: cases that files depend on."""

import pyarrow as pa

from pipeline.normalise import document_ids, normalise, text_buffers


def test_line_ends_marks_and_blanks() -> None:
    raw = ["\ufeff\r\n a\r\nb\rc\x00d \u3000\x1f\n", "in\u00a0side", " \t\n", "\ufeff"]
    assert normalise(raw).to_pylist() == ["a\nb\ncd", "in\u00a0side", "", ""]


def test_inner_byte_order_marks_stay() -> None:
    assert normalise(["a\ufeffb\ufeff"]).to_pylist() == ["a\ufeffb\ufeff"]


def test_one_text_with_a_surrogate_does_not_change_the_others() -> None:
    texts = ["é", "x\ud800y", "中"]
    assert normalise(texts).to_pylist() == ["é", "x\ufffdy", "中"]


def test_ids_are_published_values() -> None:
    """xxh3-128 of these bytes by the xxHash specification's reference; stored ids depend on it for ever."""
    ids = document_ids(pa.array(["", "a"], pa.large_string()))
    assert ids.type == pa.binary(16)
    assert [value.hex() for value in ids.to_pylist()] == ["99aa06d3014798d86001c324468d497f", "a96faf705af16834e6c632b61e964e1f"]


def test_buffers_are_not_copied() -> None:
    array = pa.array(["abc", "d"], pa.large_string())
    data, offsets = text_buffers(array)
    assert data.ctypes.data == array.buffers()[2].address
    assert offsets.ctypes.data == array.buffers()[1].address


def test_no_texts() -> None:
    empty = normalise([])
    data, offsets = text_buffers(empty)
    assert (len(data), offsets.tolist(), document_ids(empty).to_pylist()) == (0, [0], [])
