import gzip
import io
import random

import lz4.frame
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.readers import pieces
from pipeline.readers.archives import framing
from pipeline.readers.pieces import Piece, split
from tests.pipeline.readers.samples import json_lines, members, page, pages, read, read_pieces, warc_record, write

MB = 1 << 20


def zstd(records):
    return b"".join(zstandard.ZstdCompressor().compress(record) for record in records)


def zstd_with_dictionary(records):
    """As the WARC-over-zstd specification has it: the dictionary in a skippable frame, then a frame for each record."""
    dictionary = zstandard.train_dictionary(
        2048, [bytes(record) + str(i).encode() for i in range(50) for record in pages(8)]
    )
    compressor = zstandard.ZstdCompressor(dict_data=dictionary)
    data = dictionary.as_bytes()
    return (
        b"\x5d\x2a\x4d\x18"
        + len(data).to_bytes(4, "little")
        + data
        + b"".join(compressor.compress(record) for record in records)
    )


def lz4_frames(records):
    return b"".join(lz4.frame.compress(record, store_size=False) for record in records)


def whole_gzip(records):
    return gzip.compress(b"".join(records))


def unaligned(records):
    """Members of 300 bytes, as some tools for random access write them."""
    data = b"".join(records)
    return b"".join(gzip.compress(data[at : at + 300]) for at in range(0, len(data), 300))


def by_threes(records):
    return b"".join(gzip.compress(b"".join(records[at : at + 3])) for at in range(0, len(records), 3))


def stored(records):
    """Not compressed at all: archives within are seen from outside."""
    return b"".join(gzip.compress(record, 0) for record in records)


PACKS = {
    "plain": b"".join,
    "gzip": members,
    "zstd": zstd,
    "dictionary": zstd_with_dictionary,
    "lz4": lz4_frames,
    "whole": whole_gzip,
    "unaligned": unaligned,
    "threes": by_threes,
    "stored": stored,
}
SUFFIX = {"plain": "", "zstd": ".zst", "dictionary": ".zst", "lz4": ".lz4"}


def test_pieces_cover_the_file_and_are_nearly_equal():
    for size in (0, 1, 255, 256, 257, 1000, 12_345):
        for budget in (1, 7, 256, 10**6):
            found = split("f.warc.gz", format="warc", size=size, budget=budget)
            assert [piece.index for piece in found] == list(range(len(found)))
            assert [found[0].start, *(piece.stop for piece in found)] == [*(piece.start for piece in found), size]
            lengths = [piece.stop - piece.start for piece in found]
            assert max(lengths) <= budget
            assert max(lengths) - min(lengths) <= 1


@pytest.mark.parametrize(
    ("name", "format", "count"),
    [
        ("f.warc", "warc", 4),
        ("f.warc.gz", "warc", 4),
        ("F.WARC.GZ", "warc", 4),
        ("f.warc.wet.gz", "wet", 4),
        ("f.arc.gz", "arc", 4),
        ("f.warc.zst", "warc", 4),
        ("f.warc.lz4", "warc", 4),
        ("f.warc.bz2", "warc", 1),
        ("f.warc.xz", "warc", 1),
        ("f.jsonl", "jsonl", 4),
        ("f.json", "jsonl", 4),
        ("f.jsonl.gz", "jsonl", 1),
        ("f.jsonl.zst", "jsonl", 1),
        ("f.parquet", "parquet", 4),
        ("f.zstd.parquet", "parquet", 4),
        ("f.arrow", "arrow", 4),
        ("dump.xml", "mediawiki", 1),
        ("page.html", "html", 1),
        ("book.txt", "text", 1),
    ],
)
def test_what_can_be_split(name, format, count):
    assert len(split(name, format=format, size=1000 * MB)) == count
    assert split(name, format=format, size=256 * MB) == [Piece(0, 0, 256 * MB)]


def junk(number):
    return [
        b"junk\r\n",
        b"\n\n\n",
        b"WARC/1.0 no\r\n",
        b"WARC/1.0\r\nA: b\r\n",
        b"\x00" * 40,
        b"x" * 700,
        b"WARC/1.0\r\n\r\n",
    ][number % 7]


def damage(data, number):
    data = bytearray(data)
    data[number % len(data)] ^= 1 << (number % 8)
    return bytes(data)


def some_records(numbers):
    """Records of all kinds: pages, long ones, lying ones, archives within archives, junk."""
    records = []
    for place, number in enumerate(numbers):
        good = page(f"This is page number {place}. " + "word " * (number % 50))
        inner = b"".join(pages(3)) if number % 2 else members(pages(3))
        records.append(
            {
                0: warc_record(place, good, length=len(good) + number % 900 - 300),
                1: junk(number),
                2: warc_record(place, b"HTTP/1.1 200 OK\r\nContent-Type: image/png\r\n\r\n" + bytes(number % 5000)),
                3: warc_record(place, b"HTTP/1.1 200 OK\r\nContent-Type: application/warc\r\n\r\n" + inner),
            }.get(number % 11, warc_record(place, good))
        )
    return records


@settings(max_examples=150, deadline=None)
@given(
    numbers=st.lists(st.integers(0, 10**6), min_size=1, max_size=14),
    pack=st.sampled_from(sorted(PACKS)),
    budget=st.integers(20, 4000),
    broken=st.lists(st.integers(0, 10**6), max_size=2),
)
def test_archives_in_pieces_equal_the_whole(tmp_path_factory, numbers, pack, budget, broken):
    folder = tmp_path_factory.getbasetemp()
    data = PACKS[pack](some_records(numbers))
    for number in broken:
        data = damage(data, number)
    path = write(folder / f"f.warc{SUFFIX.get(pack, '.gz')}", data)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(framing, "LOOK_BACK_BYTES", 4096)
        assert read_pieces(path, "warc", budget=budget) == read(path, "warc")


def arc_file(count, pack):
    lines = ["filedesc://f.arc 0.0.0.0 20140216050221 text/plain 20\n1 0 Some Capture Co\n\n"]
    for number in range(count):
        block = page(f"This is page number {number}.").decode()
        lines.append(f"http://example.org/{number} 1.2.3.4 20140216050221 text/html {len(block)}\n{block}\n")
    return pack([line.encode() for line in lines])


@pytest.mark.parametrize("pack", ["plain", "gzip", "whole", "zstd"])
def test_arc_in_pieces_equals_the_whole(tmp_path, monkeypatch, pack):
    monkeypatch.setattr(framing, "LOOK_BACK_BYTES", 300)
    path = write(tmp_path / f"f.arc{SUFFIX.get(pack, '.gz')}", arc_file(20, PACKS[pack]))
    expected = read(path, "arc")
    assert len(expected.documents) == 20
    for budget in (100, 333, 1000):
        assert read_pieces(path, "arc", budget=budget) == expected


def test_pieces_of_an_archive_share_the_work(tmp_path, monkeypatch):
    """Not all in the first piece: that would be right as well, and useless."""
    monkeypatch.setattr(framing, "LOOK_BACK_BYTES", 1000)
    for pack in ("plain", "gzip", "zstd", "dictionary", "lz4"):
        records = [warc_record(i, page(random.Random(i).randbytes(300).hex())) for i in range(40)]
        path = write(tmp_path / f"f.warc{SUFFIX.get(pack, '.gz')}", PACKS[pack](records))
        size = path.stat().st_size
        counts = [
            len(read(path, "warc", piece=piece).documents)
            for piece in split(path.name, format="warc", size=size, budget=size // 4 + 1)
        ]
        assert sum(counts) == 40
        assert min(counts) >= 7


@settings(max_examples=100, deadline=None)
@given(
    data=st.lists(
        st.sampled_from(
            [b"\n", b"\r\n", b'{"text":"a"}\n', b'{"text":"b c"}', b"no\n", b"\xff", b"   ", b'{"id":"' + b"x" * 90]
        ),
        max_size=12,
    ),
    budget=st.integers(1, 60),
    packed=st.booleans(),
)
def test_json_lines_in_pieces_equal_the_whole(tmp_path_factory, data, budget, packed):
    content = b"".join(data)
    path = write(tmp_path_factory.getbasetemp() / "f.jsonl", gzip.compress(content) if packed else content)
    assert read_pieces(path, "jsonl", budget=budget) == read(path, "jsonl")


def test_pieces_of_json_lines_do_not_read_from_the_beginning(tmp_path, monkeypatch):
    path = write(tmp_path / "f.jsonl", json_lines(*({"text": f"line {i}"} for i in range(100_000))))
    size = path.stat().st_size
    read_bytes = []
    real = pieces.split

    class Counted(io.FileIO):
        def read(self, *arguments):
            data = super().read(*arguments)
            read_bytes.append(len(data))
            return data

    monkeypatch.setattr("storage.compressed.open_stream", lambda path: Counted(path))
    last = real(path.name, format="jsonl", size=size, budget=size // 8 + 1)[-1]
    assert 12_000 < len(read(path, "jsonl", piece=last).documents) < 13_000
    assert sum(read_bytes) < size // 8 + (256 << 10)


def texts(count):
    return [None if i % 17 == 3 else " " if i % 13 == 2 else f"text {i} " * (i % 7 + 1) for i in range(count)]


@pytest.mark.parametrize("budget", [50, 700, 5000, 10**6])
def test_tables_in_pieces_equal_the_whole(tmp_path, budget):
    table = pa.table({"text": texts(900), "id": [str(i) for i in range(900)]})
    parquet = tmp_path / "f.parquet"
    pq.write_table(table, parquet, row_group_size=70)
    arrow = tmp_path / "f.arrow"
    with pa.OSFile(str(arrow), "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table, max_chunksize=70)
    stream = tmp_path / "stream.arrow"
    with pa.OSFile(str(stream), "wb") as sink, pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table, max_chunksize=70)
    expected = read(parquet, "parquet")
    assert [record.offset for record in expected.documents] == [
        i for i, text in enumerate(texts(900)) if text and text.strip()
    ]
    assert read_pieces(parquet, "parquet", budget=budget) == expected
    for path in (arrow, stream):
        assert read(path, "arrow") == expected
        assert read_pieces(path, "arrow", budget=budget) == expected
    if budget == 5000:
        for path, format in ((parquet, "parquet"), (arrow, "arrow")):
            found = split(path.name, format=format, size=path.stat().st_size, budget=budget)
            assert sum(read(path, format, piece=piece).total > 0 for piece in found) >= min(3, len(found))


@pytest.mark.parametrize("format", ["warc", "jsonl", "parquet", "arrow"])
def test_what_is_wrong_with_a_file_as_a_whole_is_said_once(tmp_path, format):
    for data in (
        b"",
        b"hello, this is nothing",
        b"PAR1" + b"\xff" * 100 + b"PAR1",
        b"ARROW1\x00\x00" + b"\x01" * 90 + b"ARROW1",
    ):
        path = write(tmp_path / "f", data)
        expected = read(path, format)
        assert expected.total == len(expected.broken) == 1
        assert read_pieces(path, format, budget=8) == expected


def test_a_file_that_is_not_what_its_name_says_comes_out_right(tmp_path):
    lines = json_lines({"text": "a"}, {"text": "b"}, {"text": "c"})
    for name, format, data in (
        ("f.jsonl", "jsonl", gzip.compress(lines)),
        ("f.jsonl.gz", "jsonl", lines),
        ("f.warc", "warc", members(pages(5))),
        ("f.warc.gz", "warc", b"".join(pages(5))),
        ("f.warc.gz", "warc", zstd(pages(5))),
    ):
        path = write(tmp_path / name, data)
        expected = read(path, format)
        assert len(expected.documents) >= 3
        assert read_pieces(path, format, budget=100) == expected


def test_formats_that_are_not_split_belong_to_the_first_piece(tmp_path):
    path = write(tmp_path / "f.xml", b"<mediawiki></mediawiki>")
    assert read(path, "mediawiki", piece=Piece(1, 10, 20)).total == 0
