import pyarrow as pa
import pytest

from manifests.errors import GristmillError
from tests.pipeline.readers.samples import read, write

MAKERS = {"file": pa.ipc.new_file, "stream": pa.ipc.new_stream}


def make(path, columns, *, kind="file", rows=77, compression=None):
    table = pa.table(columns)
    with (
        pa.OSFile(str(path), "wb") as sink,
        MAKERS[kind](sink, table.schema, options=pa.ipc.IpcWriteOptions(compression=compression)) as writer,
    ):
        writer.write_table(table, max_chunksize=rows)
    return path


@pytest.mark.parametrize("kind", MAKERS)
@pytest.mark.parametrize("compression", [None, "lz4", "zstd"])
def test_rows_with_their_numbers_over_batches(tmp_path, kind, compression):
    texts = [f"text {i}" for i in range(1_000)]
    columns = {"x": texts, "url": [f"http://e.org/{i}" for i in range(1_000)], "id": list(range(1_000)), "text": texts}
    result = read(make(tmp_path / "f.arrow", columns, kind=kind, compression=compression), "arrow")
    assert [(r.offset, r.name, r.url, r.text) for r in result.documents] == [
        (i, str(i), f"http://e.org/{i}", f"text {i}") for i in range(1_000)
    ]
    assert (result.skipped, result.broken) == ({}, [])


KINDS = [
    pa.string(),
    pa.large_string(),
    pa.binary(),
    pa.large_binary(),
    pa.string_view(),
    pa.dictionary(pa.int32(), pa.string()),
]


@pytest.mark.parametrize("kind", MAKERS)
@pytest.mark.parametrize("type", KINDS, ids=str)
def test_kinds_of_text_columns(tmp_path, type, kind):
    values = ["a", None, "ü", " \u2003", "a", "", "\u3000中"]
    column = pa.array(values).dictionary_encode() if pa.types.is_dictionary(type) else pa.array(values).cast(type)
    result = read(make(tmp_path / "f.arrow", {"body": column}, kind=kind, rows=3), "arrow", text_field="body")
    assert [(r.offset, r.text) for r in result.documents] == [(0, "a"), (2, "ü"), (4, "a"), (6, "\u3000中")]
    assert (result.skipped, result.broken) == ({"empty_text": 3}, [])


def test_a_text_that_is_not_utf8_costs_its_row_only(tmp_path):
    raw = pa.array([b"good", b"ba\xffd", b"fine"], pa.binary())
    lying = pa.StringArray.from_buffers(3, raw.buffers()[1], raw.buffers()[2])
    for name, column in (
        ("binary", raw),
        ("string", lying),
        ("dictionary", pa.DictionaryArray.from_arrays([0, 1, 2], lying)),
    ):
        result = read(make(tmp_path / name, {"text": column, "id": ["a", "b", "c"]}), "arrow")
        assert result.texts == ["good", "fine"]
        (broken,) = result.broken
        assert (broken.offset, broken.name, broken.excerpt) == (1, "b", b"ba\xffd")


@pytest.mark.parametrize("kind", MAKERS)
def test_a_missing_text_column_and_one_of_another_type_are_errors(tmp_path, kind):
    with pytest.raises(GristmillError, match=r"f\.arrow: has no column `text`; columns: content"):
        read(make(tmp_path / "f.arrow", {"content": ["a"]}, kind=kind), "arrow")
    with pytest.raises(GristmillError, match=r"column `text` holds int64, not text"):
        read(make(tmp_path / "f.arrow", {"text": [1]}, kind=kind), "arrow")


def test_a_damaged_batch_of_a_file_costs_its_rows_only(tmp_path):
    texts = [f"{i} " * 200 for i in range(300)]
    path = make(tmp_path / "f.arrow", {"text": texts}, rows=100, compression="zstd")
    data = bytearray(path.read_bytes())
    frames = [at for at in range(len(data)) if data[at : at + 4] == b"\x28\xb5\x2f\xfd"]
    at = frames[len(frames) // 2]
    data[at : at + 40] = b"\xff" * 40
    result = read(write(path, bytes(data)), "arrow")
    assert result.texts == texts[:100] + texts[200:]
    assert [(broken.offset, broken.error.split(" cannot")[0]) for broken in result.broken] == [
        (100, "damaged Arrow: rows 100 to 199")
    ]


def test_a_cut_stream_gives_the_batches_before(tmp_path):
    texts = [f"{i} " * 200 for i in range(300)]
    data = make(tmp_path / "f.arrow", {"text": texts}, kind="stream", rows=100).read_bytes()
    result = read(write(tmp_path / "f.arrow", data[: len(data) - 20_000]), "arrow")
    assert result.texts == texts[:200]
    assert [(broken.offset, broken.error.split(" (")[0]) for broken in result.broken] == [
        (200, "damaged Arrow: rows from 200 on cannot be read")
    ]


@pytest.mark.parametrize(
    "data",
    [b"ARROW1", b"hello, this is no Arrow file at all", b"ARROW1\x00\x00" + b"\xff" * 100 + b"ARROW1", b"FEA1" * 9],
)
def test_what_is_no_arrow_file_is_one_broken_entry(tmp_path, data):
    result = read(write(tmp_path / "f.arrow", data), "arrow")
    assert (result.total, result.kinds, result.broken[0].offset) == (1, ["damaged Arrow"], 0)


def test_an_empty_file_is_one_broken_entry_and_one_without_rows_has_none(tmp_path):
    assert read(write(tmp_path / "f.arrow", b""), "arrow").kinds == ["empty file"]
    assert read(make(tmp_path / "f.arrow", {"text": pa.array([], pa.string())}), "arrow").total == 0


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(GristmillError, match=r"gone\.arrow: no such file"):
        read(tmp_path / "gone.arrow", "arrow")
