"""What Parquet and Arrow share: fields inside structs, fields of odd types, missing fields."""

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from manifests.corpus import Source
from manifests.errors import GristmillError
from pipeline.readers import read_records
from pipeline.readers.tables import columns
from tests.pipeline.readers.samples import read


def make(path, table, format):
    if format == "parquet":
        pq.write_table(table, path)
    else:
        with (pa.ipc.new_file if format == "file" else pa.ipc.new_stream)(str(path), table.schema) as writer:
            writer.write_table(table)
    return path


FORMATS = {"parquet": "parquet", "file": "arrow", "stream": "arrow"}


@pytest.mark.parametrize("format", FORMATS)
def test_fields_within_structs(tmp_path, format):
    rows = [
        {"text": "one", "meta": {"url": "u", "id": 1}},
        None,
        {"text": None, "meta": {"url": "v", "id": 2}},
        {"text": "four", "meta": None},
    ]
    kind = pa.struct([("text", pa.string()), ("meta", pa.struct([("url", pa.string()), ("id", pa.int64())]))])
    table = pa.table({"page": pa.array(rows, kind), "page.text": ["not this"] * 4, "other": [1, 2, 3, 4]}).drop_columns(
        "page.text"
    )
    path = make(tmp_path / "f", table, format)
    result = read(path, FORMATS[format], text_field="page.text", url_field="page.meta.url", id_field="page.meta.id")
    assert [(r.offset, r.text, r.url, r.name) for r in result.documents] == [
        (0, "one", "u", "1"),
        (3, "four", None, None),
    ]
    assert result.skipped == {"empty_text": 2}
    for setting, field in (("text_field", "page.body"), ("url_field", "page.link"), ("id_field", "page.text.id")):
        with pytest.raises(
            GristmillError, match=f"has no column `{field}`; columns: page, other\n  remedy: set `{setting}`"
        ):
            read(path, FORMATS[format], **{"text_field": "page.text", setting: field})


@pytest.mark.parametrize("format", FORMATS)
def test_a_text_within_a_struct_that_is_not_utf8_costs_its_row_only(tmp_path, format):
    raw = pa.array([b"good", b"ba\xffd", b"fine"], pa.binary())
    lying = pa.StringArray.from_buffers(3, raw.buffers()[1], raw.buffers()[2])
    path = make(tmp_path / "f", pa.table({"page": pa.StructArray.from_arrays([lying], names=["text"])}), format)
    result = read(path, FORMATS[format], text_field="page.text")
    assert result.texts == ["good", "fine"]
    assert [broken.offset for broken in result.broken] == [1]


@pytest.mark.parametrize("format", FORMATS)
def test_names_and_urls_that_are_no_text(tmp_path, format):
    table = pa.table({"text": ["one", "two"], "id": [{"a": 1}, None], "url": [["u"], ["v"]]})
    result = read(make(tmp_path / "f", table, format), FORMATS[format])
    assert [(r.text, r.name, r.url) for r in result.documents] == [("one", '{"a": 1}', None), ("two", None, None)]


@pytest.mark.parametrize("format", FORMATS)
def test_a_column_of_nulls_holds_no_text(tmp_path, format):
    result = read(make(tmp_path / "f", pa.table({"text": pa.nulls(3)}), format), FORMATS[format])
    assert (result.documents, result.skipped, result.broken) == ([], {"empty_text": 3}, [])


@pytest.mark.parametrize("format", FORMATS)
def test_a_text_over_the_limit_costs_its_row_only(tmp_path, format, monkeypatch):
    monkeypatch.setattr(columns, "MOST_TEXT_BYTES", 100)
    path = make(tmp_path / "f", pa.table({"text": ["a" * 101, "b" * 100, None, "ü" * 51], "id": [1, 2, 3, 4]}), format)
    result = read(path, FORMATS[format])
    assert result.texts == ["b" * 100]
    assert result.skipped == {"empty_text": 1}
    assert [(broken.offset, broken.name, broken.error) for broken in result.broken] == [
        (0, "1", "text too large: 101 bytes, at most 100 are read"),
        (3, "4", "text too large: 102 bytes, at most 100 are read"),
    ]


@pytest.mark.parametrize("kind", [pa.string(), pa.binary(), pa.string_view(), pa.dictionary(pa.int8(), pa.string())])
def test_portions_hold_a_batch_of_text_or_one_row(kind, monkeypatch):
    monkeypatch.setattr(columns, "BATCH_TEXT_BYTES", 10)
    monkeypatch.setattr(columns, "MOST_BATCH_ROWS", 4)
    values = ["aaaa", None, "bbbbbb", "c", "d" * 30, "", "", "", "", "", "aaaa", "aaaa", "aaaa"]
    column = (
        pa.array(values).dictionary_encode().cast(kind) if pa.types.is_dictionary(kind) else pa.array(values).cast(kind)
    )
    assert columns.portions(column) == [(0, 3), (3, 4), (4, 5), (5, 9), (9, 12), (12, 13)]
    assert columns.portions(column.slice(3, 2)) == [(0, 1), (1, 2)]
    assert columns.portions(column.slice(0, 0)) == []


def test_a_dictionary_of_one_long_text_gives_bounded_batches(tmp_path):
    text = "long " * 200_000
    column = pa.DictionaryArray.from_arrays(pa.array([0] * 40, pa.int8()), pa.array([text]))
    source = Source(name="s", format="arrow", files=["*"], licence="none")
    path = make(tmp_path / "f", pa.table({"text": column}), "file")
    sizes = [records.documents.num_rows for records in read_records(str(path), name="f", source=source)]
    assert sum(sizes) == 40
    assert max(sizes) <= 8


def test_values_that_python_has_none_for_cost_no_row(tmp_path):
    """Dates beyond its calendar, times to the nanosecond: written by Arrow, or left out."""
    columns = [
        pa.array([1, 2**62], pa.int64()).view(pa.timestamp("us")),
        pa.array([0, 2_000_000_000], pa.int32()).view(pa.date32()),
        pa.array([1, 1_000_000_001], pa.int64()).view(pa.timestamp("ns")),
        pa.array([1, 2**62], pa.int64()).view(pa.duration("s")),
        pa.array([[["a"]], [[["b"] * 3][0]]]),
        pa.array([1.5, float("nan")]),
    ]
    for column in columns:
        table = pa.table({"id": column, "text": ["one", "two"]})
        pq.write_table(table, tmp_path / "f.parquet")
        with pa.OSFile(str(tmp_path / "f.arrow"), "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
            writer.write_table(table)
        result = read(tmp_path / "f.arrow", "arrow")
        assert (result.texts, result.broken) == (["one", "two"], []), column.type
        assert read(tmp_path / "f.parquet", "parquet").texts == ["one", "two"]


def test_an_id_that_is_too_large_costs_its_row_and_a_url_itself(tmp_path):
    table = pa.table(
        {"id": ["a", "i" * 70_000, None], "url": ["u" * 70_000, "v", "w"], "text": ["one", "two", "three"]}
    )
    pq.write_table(table, tmp_path / "f.parquet")
    result = read(tmp_path / "f.parquet", "parquet")
    assert [(record.name, record.url, record.text) for record in result.documents] == [
        ("a", None, "one"),
        (None, "w", "three"),
    ]
    assert [(broken.offset, broken.error) for broken in result.broken] == [
        (1, "id too large: at most 65536 bytes are read")
    ]
