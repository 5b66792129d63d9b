import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from manifests.errors import GristmillError
from tests.pipeline.readers.samples import read, write


def make(path, columns, **options):
    pq.write_table(pa.table(columns), path, **options)
    return path


def test_rows_with_their_numbers_over_row_groups(tmp_path):
    texts = [f"text {i}" for i in range(1_000)]
    path = make(
        tmp_path / "f.parquet",
        {"id": list(range(1_000)), "url": [f"http://e.org/{i}" for i in range(1_000)], "text": texts, "x": texts},
        row_group_size=77,
    )
    result = read(path, "parquet")
    assert [(r.offset, r.name, r.url, r.text) for r in result.documents] == [
        (i, str(i), f"http://e.org/{i}", f"text {i}") for i in range(1_000)
    ]


@pytest.mark.parametrize(
    "kind", [pa.string(), pa.large_string(), pa.binary(), pa.large_binary(), pa.dictionary(pa.int32(), pa.string())]
)
def test_kinds_of_text_columns(tmp_path, kind):
    values = ["a", None, "ü", " ", "a"]
    column = (
        pa.array(values, pa.string()).dictionary_encode()
        if pa.types.is_dictionary(kind)
        else pa.array(values, pa.string()).cast(kind)
    )
    result = read(make(tmp_path / "f.parquet", {"body": column}), "parquet", text_field="body")
    assert [(r.offset, r.text) for r in result.documents] == [(0, "a"), (2, "ü"), (4, "a")]
    assert result.skipped == {"empty_text": 2}
    assert result.broken == []


def test_a_text_that_is_not_utf8_costs_its_row_only(tmp_path):
    raw = pa.array([b"good", b"ba\xffd", b"fine"], pa.binary())
    lying = pa.StringArray.from_buffers(3, raw.buffers()[1], raw.buffers()[2])
    for name, column in (("binary", raw), ("string", lying)):
        result = read(make(tmp_path / name, {"text": column, "id": ["a", "b", "c"]}), "parquet")
        assert result.texts == ["good", "fine"]
        (broken,) = result.broken
        assert (broken.offset, broken.name, broken.excerpt) == (1, "b", b"ba\xffd")
        assert broken.error.startswith("invalid UTF-8: ")


def test_a_missing_text_column_names_file_columns_and_remedy(tmp_path):
    path = make(tmp_path / "f.parquet", {"content": ["a"], "id": ["b"]})
    with pytest.raises(GristmillError) as caught:
        read(path, "parquet")
    assert (
        str(caught.value)
        == "f.parquet: has no column `text`; columns: content, id\n  remedy: set `text_field` of source `sample`"
    )


def test_a_text_column_of_another_type_is_an_error(tmp_path):
    with pytest.raises(GristmillError, match=r"column `text` holds int64, not text"):
        read(make(tmp_path / "f.parquet", {"text": [1, 2]}), "parquet")


def test_a_damaged_row_group_costs_its_rows_only(tmp_path):
    texts = [f"{i} " * 200 for i in range(300)]
    path = make(tmp_path / "f.parquet", {"text": texts}, row_group_size=100, compression="gzip", use_dictionary=False)
    column = pq.ParquetFile(path).metadata.row_group(1).column(0)
    data = bytearray(path.read_bytes())
    start = column.data_page_offset
    data[start : start + column.total_compressed_size] = b"\xff" * column.total_compressed_size
    result = read(write(path, bytes(data)), "parquet")
    assert result.texts == texts[:100] + texts[200:]
    assert [(broken.offset, broken.error.split(" cannot")[0]) for broken in result.broken] == [
        (100, "damaged Parquet: rows 100 to 199")
    ]


@pytest.mark.parametrize("data", [b"PAR1", b"hello, this is no Parquet file at all", b"PAR1" + b"\xff" * 100 + b"PAR1"])
def test_what_is_no_parquet_is_one_broken_entry(tmp_path, data):
    result = read(write(tmp_path / "f.parquet", data), "parquet")
    assert (result.total, result.kinds, result.broken[0].offset) == (1, ["damaged Parquet"], 0)


def test_a_truncated_file_is_one_broken_entry(tmp_path):
    path = make(tmp_path / "f.parquet", {"text": ["a"] * 1_000})
    assert read(write(path, path.read_bytes()[:-20]), "parquet").kinds == ["damaged Parquet"]


def test_an_empty_file_is_one_broken_entry(tmp_path):
    result = read(write(tmp_path / "f.parquet", b""), "parquet")
    assert (result.total, result.kinds) == (1, ["empty file"])


def test_a_file_without_rows_has_no_records(tmp_path):
    assert read(make(tmp_path / "f.parquet", {"text": pa.array([], pa.string())}), "parquet").total == 0


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(GristmillError, match=r"gone\.parquet: no such file"):
        read(tmp_path / "gone.parquet", "parquet")


def test_batches_of_long_rows_are_bounded(tmp_path):
    from manifests.corpus import Source
    from pipeline.readers import read_records

    path = make(tmp_path / "f.parquet", {"text": [f"{i}" + "x" * 1_000_000 for i in range(40)]}, use_dictionary=False)
    batches = read_records(str(path), name="f", source=Source(name="s", format="parquet", files=["*"], licence="none"))
    sizes = [sum(map(len, records.documents["text"].to_pylist())) for records in batches]
    assert sum(sizes) >= 40_000_000
    assert max(sizes) <= 9 << 20
