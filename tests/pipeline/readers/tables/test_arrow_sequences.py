"""Bytes after the end of an Arrow stream or file are read or reported, never silently lost."""

import io
import itertools
import struct

import pyarrow as pa
import pytest

from tests.pipeline.readers.samples import read, read_pieces, write


def make(kind, texts, *, legacy=False, column="text", rows=3, extra=None, compression=None):
    columns = {column: texts} if extra is None else {"extra": [extra] * len(texts), column: texts}
    table = pa.table(
        {name: pa.array(values, pa.string()) if name == column else values for name, values in columns.items()}
    )
    sink = io.BytesIO()
    options = pa.ipc.IpcWriteOptions(use_legacy_format=legacy, compression=compression)
    with {"file": pa.ipc.new_file, "stream": pa.ipc.new_stream}[kind](sink, table.schema, options=options) as writer:
        writer.write_table(table, max_chunksize=rows)
    return sink.getvalue()


A, B, C = ([f"{name} {number}" for number in range(8)] for name in ("first", "second", "third"))
ZEROS = [b"", bytes(4), bytes(8), bytes(64), bytes(4_096)]


@pytest.mark.parametrize("kinds", itertools.product(["stream", "file", "legacy"], repeat=2))
@pytest.mark.parametrize("zeros", ZEROS, ids=len)
def test_streams_and_files_after_each_other_are_all_read(tmp_path, kinds, zeros):
    parts = [
        make("stream" if kind == "legacy" else kind, texts, legacy=kind == "legacy")
        for kind, texts in zip([*kinds, kinds[0]], (A, B, C), strict=True)
    ]
    result = read(write(tmp_path / "f.arrow", b"".join(part + zeros for part in parts)), "arrow")
    assert (result.texts, result.broken) == (A + B + C, [])
    assert [record.offset for record in result.documents] == list(range(24))


@pytest.mark.parametrize("kind", ["stream", "file"])
def test_files_of_equal_layout_are_not_taken_for_each_other(tmp_path, kind):
    """A footer gives places from its own file's beginning: in the file before it they hold other rows."""
    other = [text.upper() for text in A]
    path = write(tmp_path / "f.arrow", make(kind, A) + make(kind, other))
    assert read(path, "arrow").texts == A + other
    pieces = read_pieces(path, "arrow", budget=500)
    assert [(record.offset, record.text) for record in pieces.documents] == list(enumerate(A + other))


@pytest.mark.parametrize("kind", ["stream", "file"])
@pytest.mark.parametrize(
    "after",
    [b"x", b"garbage", b"garbage" * 900, b"\0\0\0\0\1", b"\xff" * 8, b"\xff\xff\xff\xff\x10\0\0\0", b"ARROW1\0\0" * 3],
)
def test_other_bytes_that_follow_are_one_broken_entry(tmp_path, kind, after):
    result = read(write(tmp_path / "f.arrow", make(kind, A) + after), "arrow")
    assert result.texts == A
    (broken,) = result.broken
    assert broken.error.startswith("damaged Arrow: ")
    assert f"{len(make(kind, A))}" in broken.error or "follow" in broken.error


@pytest.mark.parametrize("kind", ["stream", "file"])
@pytest.mark.parametrize("compression", [None, "zstd"])
def test_wherever_it_is_cut_something_is_told(tmp_path, kind, compression):
    texts = ["x" * 40 + text for text in A]
    data = make(kind, texts, compression=compression)
    for size in range(1, len(data)):
        result = read(write(tmp_path / "f.arrow", data[:size]), "arrow")
        assert result.texts == texts[: len(result.texts)]
        assert len(result.broken) == 1, size
        assert result.broken[0].offset == len(result.texts)


def test_a_cut_second_stream_and_a_stream_without_its_mark(tmp_path):
    first, second = make("stream", A), make("stream", B)
    result = read(write(tmp_path / "f.arrow", first + second[:-30]), "arrow")
    assert result.texts[:8] == A
    assert len(result.broken) == 1
    result = read(write(tmp_path / "f.arrow", first[:-8]), "arrow")
    assert result.texts == A
    assert [broken.error for broken in result.broken] == [
        "damaged Arrow: the file ends without the end mark of its stream: rows may be missing"
    ]


def test_tables_of_other_columns_and_empty_ones(tmp_path):
    wide = make("stream", B, extra=7)
    assert read(write(tmp_path / "f.arrow", make("stream", A) + wide + make("file", [])), "arrow").texts == A + B
    assert (
        read(write(tmp_path / "f.arrow", make("stream", []) + make("stream", []) + make("stream", A)), "arrow").texts
        == A
    )
    result = read(
        write(tmp_path / "f.arrow", make("stream", A) + make("stream", B, column="body") + make("stream", C)), "arrow"
    )
    assert result.texts == A
    assert "is another table: has no column `text`; columns: body" in result.broken[0].error


def test_a_length_that_lies_takes_no_memory(tmp_path):
    data = bytearray(make("stream", A))
    schema = 8 + struct.unpack_from("<i", data, 4)[0]
    for length in (0x7FFFFFF0, 1 << 28, -5):
        lying = data[:]
        struct.pack_into("<i", lying, schema + 4, length)
        result = read(write(tmp_path / "f.arrow", bytes(lying)), "arrow")
        assert (result.texts, result.kinds) == ([], ["damaged Arrow"])
