"""The factual model's file: read as it was written, and refused when it is damaged; the text pass with it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from manifests.corpus import CorpusManifest, Factual
from manifests.errors import GristmillError
from pipeline.extract.settings import extract_job, extract_settings
from pipeline.extract.text_pass import make_text_pass, run_text_pass, signal_schema
from pipeline.readers.records import Record, raw_batch
from pipeline.text.factual.model import Model, factual_settings, make_model, model_bytes, read_model, scores
from tests.property.texts import buffers

WEIGHTS = np.arange(1 << 10) * 37 % 1_024 / 512 - 1


def model(**changed: object) -> Model:
    made = make_model(WEIGHTS, 0.5, name="m", pairs=True, training={"seed": 3}, report={"auc": 0.75})
    return Model(made.weights, made.header.model_copy(update=changed))


def written(path: Path, data: bytes | pa.Buffer) -> str:
    path.write_bytes(data)
    return str(path)


def test_a_model_is_read_as_it_was_written(tmp_path: Path) -> None:
    path = written(tmp_path / "m", model_bytes(model()))
    found = read_model(path)
    assert found.header == model().header
    assert np.array_equal(found.weights, model().weights)
    assert np.abs(found.weights).max() == 32_767
    assert factual_settings(Factual(model=path)) == found.header.sha256
    assert factual_settings(None) is None
    assert model_bytes(found).equals(model_bytes(model()))


def test_a_model_of_nothing_scores_its_bias() -> None:
    empty = make_model(np.zeros(1 << 10), -0.125, name="m", pairs=True, training={}, report={})
    assert scores(*buffers(["some words", ""]), empty).tolist() == [-0.125, -0.125]


def _with_metadata(
    metadata: dict[bytes, bytes] | None, weights: pa.Array | None = None, name: str = "weights"
) -> bytes:
    column = pa.array(model().weights.astype(np.int16)) if weights is None else weights
    batch = pa.RecordBatch.from_arrays([column], schema=pa.schema([pa.field(name, column.type)], metadata=metadata))
    sink = pa.BufferOutputStream()
    with pa.ipc.new_file(sink, batch.schema) as writer:
        writer.write_batch(batch)
    return bytes(sink.getvalue())


WHOLE = bytes(model_bytes(model()))


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "is no factual model"),
        (b"\x80\x04K\x01.", "is no factual model"),  # a pickle
        (WHOLE[:-20], "is no factual model"),
        (WHOLE[: len(WHOLE) // 2], "is no factual model"),
        (_with_metadata(None), "is no factual model"),
        (_with_metadata({b"gristmill": b"{"}), "not valid JSON"),
        (_with_metadata({b"gristmill": b"{}"}), "is no factual model: name"),
        (_with_metadata({b"gristmill": b'{"format": "gristmill-factual/2"}'}), "is no factual model: format"),
        (bytes(model_bytes(model(bias=0.25))), "damaged: its sha256 is another"),
        (bytes(model_bytes(model(bits=11))), "damaged"),
        (bytes(model_bytes(model(sha256="0" * 64))), "damaged"),
        (bytes(model_bytes(Model(model().weights + 1, model().header))), "damaged"),
    ],
)
def test_a_damaged_file_is_refused(tmp_path: Path, data: bytes, message: str) -> None:
    path = written(tmp_path / "m", data)
    with pytest.raises(GristmillError, match=message) as raised:
        read_model(path)
    assert str(tmp_path) in str(raised.value)


def test_every_changed_byte_is_noticed_or_harmless(tmp_path: Path) -> None:
    """What is read from a file with one byte changed is the model that was written, or an error that names the file."""
    whole = bytearray(WHOLE)
    refused = 0
    for place in range(0, len(whole), 7):
        damaged = bytes(whole[:place]) + bytes([whole[place] ^ 0x55]) + bytes(whole[place + 1 :])
        path = written(tmp_path / "m", damaged)
        try:
            found = read_model(path)
        except GristmillError as error:
            refused += 1
            assert str(tmp_path) in str(error)  # noqa: PT017
            continue
        assert np.array_equal(found.weights, model().weights)
        assert found.header == model().header
    assert refused > 100


def test_a_missing_file() -> None:
    with pytest.raises(GristmillError, match="no such file"):
        factual_settings(Factual(model="/nowhere/model.arrow"))


def _manifest(factual: Factual | None) -> CorpusManifest:
    source = {"name": "s", "format": "jsonl", "files": ["x"], "licence": "made up"}
    return CorpusManifest.model_validate(
        {
            "name": "c",
            "sources": [source],
            "tokenizer": {"train": {}},
            "factual": None if factual is None else factual.model_dump(),
        }
    )


def test_the_text_pass_scores_what_it_stores(tmp_path: Path) -> None:
    manifest = _manifest(Factual(model=written(tmp_path / "m", model_bytes(model()))))
    text_pass = make_text_pass(extract_job(manifest, folder="unused"))
    texts = ["  The mill of the town.\r\n", "Grain", "Ämter und Mühlen"]
    records = [Record(offset=number, name=None, url=None, text=text) for number, text in enumerate(texts)]
    passed = run_text_pass(raw_batch(records), text_pass)
    assert passed.signals.schema == signal_schema(bad_words=False, perplexity=False, factual=True)
    stored = passed.documents["text"].to_pylist()
    assert passed.signals["factual"].to_pylist() == scores(*buffers(stored), model()).tolist()
    plain = run_text_pass(raw_batch(records), make_text_pass(extract_job(_manifest(None), folder="unused")))
    assert "factual" not in plain.signals.schema.names


def test_settings_depend_on_the_model_and_not_on_its_place_or_the_bands(tmp_path: Path) -> None:
    first = written(tmp_path / "a", model_bytes(model()))
    second = written(tmp_path / "b", model_bytes(model()))
    other = make_model(WEIGHTS, 0.75, name="m", pairs=True, training={}, report={})
    third = written(tmp_path / "c", model_bytes(other))
    settings = [extract_settings(_manifest(Factual(model=path))) for path in (first, second, third)]
    assert settings[0] == settings[1] != settings[2]
    assert settings[0] == extract_settings(_manifest(Factual(model=first, bands=None)))
