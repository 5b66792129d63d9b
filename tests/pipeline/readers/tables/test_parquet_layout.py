"""Parquet files with bytes before or after them are reported, and never give another file's rows."""

import io
import random

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.readers.tables.parquet_layout import bytes_before
from tests.pipeline.readers.samples import read, read_pieces, write

OPTIONS = [
    {},
    {"compression": "none", "use_dictionary": False},
    {"row_group_size": 7, "write_page_index": True},
    {"compression": "zstd", "store_schema": False, "write_statistics": False},
    {"bloom_filter_options": {"text": True}},
]


def packed(prefix, options, rows=40):
    sink = io.BytesIO()
    table = pa.table(
        {"text": [f"{prefix} text {number:04d}" for number in range(rows)], "nested": [{"a": [1, 2]}] * rows}
    )
    try:
        pq.write_table(table, sink, **options)
    except TypeError:
        pytest.skip("this pyarrow writes no such file")
    return sink.getvalue()


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_a_whole_file_begins_where_its_footer_says(tmp_path, options):
    data = packed("a", options)
    assert bytes_before(io.BytesIO(data), len(data)) == 0
    assert len(read(write(tmp_path / "f.parquet", data), "parquet").texts) == 40


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_files_put_together_are_told(tmp_path, options):
    first, second = packed("a", options), packed("b", options)
    path = write(tmp_path / "f.parquet", first + second)
    result = read(path, "parquet")
    assert result.texts == []
    (broken,) = result.broken
    assert broken.error.startswith(
        f"damaged Parquet: {len(first)} bytes stand before the file that the footer describes"
    )
    assert read_pieces(path, "parquet", budget=300).broken == [broken]


@pytest.mark.parametrize("before", [b"garbage", b"PAR1", bytes(100)])
@pytest.mark.parametrize("after", [b"", b"garbage", bytes(8), b"PAR1"])
def test_other_bytes_are_told(tmp_path, before, after):
    result = read(write(tmp_path / "f.parquet", before + packed("a", {}) + after), "parquet")
    assert (result.texts, result.kinds) == ([], ["damaged Parquet"])


def test_damaged_footers_end(tmp_path):
    data = packed("a", {"row_group_size": 7})
    draw = random.Random(1)
    for _ in range(300):
        damaged = bytearray(data)
        for _ in range(3):
            damaged[draw.randrange(len(data) // 2, len(data) - 8)] = draw.randrange(256)
        assert 0 <= bytes_before(io.BytesIO(bytes(damaged)), len(data)) < len(data)
