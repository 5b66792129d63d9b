"""Normalised texts and their ids: cases on which published files depend."""

import gzip
import json
import time
import unicodedata

import ftfy
import numpy as np
import pyarrow as pa
import pytest

from manifests.corpus import TextSettings
from pipeline.text.mojibake import gate, repair, suspicious
from pipeline.text.normalise import document_ids, normalise, text_buffers
from tests.paths import SHARED


def _normal(texts: list[str], **settings: str) -> list[str]:
    return normalise(pa.array(texts, pa.large_string()), TextSettings.model_validate(settings)).to_pylist()


def test_line_ends_marks_and_blanks() -> None:
    raw = ["\ufeff\r\n a\r\nb\rc\x00d \u3000\x1f\n", "in\u00a0side", " \t\n", "\ufeff", "a"]
    assert _normal(raw) == ["a\nb\ncd", "in\u00a0side", "", "", "a"]


def test_inner_byte_order_marks_stay() -> None:
    assert _normal(["a\ufeffb\ufeff"]) == ["a\ufeffb\ufeff"]


def test_texts_that_are_normal_are_not_copied() -> None:
    array = pa.array(["plain", "", "naïve – «œuvre» “quoted” 中文 Привет"], pa.large_string())
    assert normalise(array) is array


def test_mojibake_is_repaired_line_by_line() -> None:
    mixed = "un dÃ©tail\nun détail – “déjà vu”\nitâ€™s"
    assert _normal([mixed, "fine"]) == ["un détail\nun détail – “déjà vu”\nit’s", "fine"]
    assert _normal([mixed], mojibake="keep") == [mixed]


def test_unicode_forms() -> None:
    texts = ["e\u0301", "\ufb01n ②", "é", "가"]
    assert _normal(texts) == texts
    assert _normal(texts, unicode="NFC") == ["é", "\ufb01n ②", "é", "가"]
    assert _normal(texts, unicode="NFKC") == ["é", "fin 2", "é", "가"]


def test_ids_are_published_values() -> None:
    """xxh3-128 of these bytes by the xxHash specification's reference; stored ids depend on it for ever."""
    ids = document_ids(pa.array(["", "a"], pa.large_string()))
    assert ids.type == pa.binary(16)
    assert [value.hex() for value in ids.to_pylist()] == [
        "99aa06d3014798d86001c324468d497f",
        "a96faf705af16834e6c632b61e964e1f",
    ]


def test_buffers_are_not_copied() -> None:
    array = pa.array(["abc", "d"], pa.large_string())
    data, offsets = text_buffers(array)
    assert data.ctypes.data == array.buffers()[2].address
    assert offsets.ctypes.data == array.buffers()[1].address


def test_no_texts() -> None:
    empty = normalise(pa.array([], pa.large_string()))
    data, offsets = text_buffers(empty)
    assert (len(data), offsets.tolist(), document_ids(empty).to_pylist()) == (0, [0], [])


@pytest.mark.corpora
@pytest.mark.skipif(SHARED is None, reason="the development corpora are not beside the project")
@pytest.mark.parametrize(
    "file",
    [
        "multilingual/fortunes",
        "multilingual/udhr",
        "multilingual/gnome-help",
        "neardup/license-texts",
        "scientific/acl",
    ],
)
def test_the_gate_misses_nothing_in_real_text(file: str) -> None:
    assert SHARED is not None
    passed = stopped = 0
    with gzip.open(SHARED / "corpora" / f"{file}.jsonl.gz", "rt", encoding="utf-8") as lines:
        # Of many small documents every fifth: ftfy itself reads some 30 MB/s.
        for line in [*lines][:: 5 if "fortunes" in file else 2]:
            text = json.loads(line)["text"]
            data = np.frombuffer(text.encode(), np.uint8)
            if suspicious(data, 0, len(data), *gate()):
                stopped += 1
            else:
                passed += 1
                assert ftfy.fix_encoding(text) == text
                assert repair(text) == text
    assert passed > 50
    assert stopped < passed / 10


def test_rows_of_marks_that_no_language_has_keep_their_form() -> None:
    """Sorting them costs the square of their number: 160,000 took seconds, millions would take hours."""
    some, many = "e" + "\u0301\u0323" * 500, "e" + "\u0301\u0323" * 2_000_000
    began = time.process_time()
    assert _normal([many, some], unicode="NFC") == [many, unicodedata.normalize("NFC", some)]
    assert time.process_time() - began < 10


def test_bytes_of_texts_are_of_one_type_however_they_came_about() -> None:
    """A kernel is compiled for each type that it is called with: an array that can be written is another type."""
    built = pa.array(["plain", "naïve"], pa.large_string())
    sink = pa.BufferOutputStream()
    with pa.ipc.new_file(sink, pa.schema([("text", pa.large_string())])) as writer:
        writer.write_batch(pa.record_batch([built], ["text"]))
    read = pa.ipc.open_file(sink.getvalue()).get_batch(0).column(0)
    arrays = (built, read, read[1:], pa.array([], pa.large_string()), pa.array([None], pa.large_string()))
    assert [pa.array(built).equals(read), read[1:].to_pylist()] == [True, ["naïve"]]
    for data, offsets in map(text_buffers, arrays):
        assert (data.dtype, offsets.dtype) == (np.uint8, np.int64)
        assert not data.flags.writeable
        assert not offsets.flags.writeable
