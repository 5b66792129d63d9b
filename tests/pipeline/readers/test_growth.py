"""Hostile files that grow by factors of 2, 4 and 8: the cost grows with the size, whatever the bytes."""

import gzip
import io
import random
import tarfile
import time
from pathlib import Path

import lz4.frame
import pyarrow as pa
import pytest
import zstandard

from pipeline.readers.xml_stream import MOST_UNPARSED
from tests.growth import Limits, check_growth
from tests.pipeline.readers.samples import page, read, warc_record

pytestmark = pytest.mark.hostile


def lying_members(size: int) -> bytes:
    return b"".join(gzip.compress(warc_record(number, page("a"), length=30_000_000), 1) for number in range(400 * size))


def members_without_records(size: int) -> bytes:
    """Records that wait for a far end among members that begin with none."""
    one = gzip.compress(b"just some bytes\n", 1)
    return b"".join(
        gzip.compress(warc_record(number, page("a"), length=30_000_000), 1) + one * 20 for number in range(60 * size)
    )


def members_without_line_feeds(size: int) -> bytes:
    return b"".join(
        gzip.compress(warc_record(number, b"x", length=30_000_000, end=b""), 1) for number in range(400 * size)
    )


def first_lines(size: int) -> bytes:
    return b"WARC/1.0\r\n" * 2_000 * size


def headers_without_end(size: int) -> bytes:
    return (b"WARC/1.0\r\n" + b"a: b\r\n" * 200) * 100 * size


def lying_records(size: int) -> bytes:
    return b"".join(warc_record(number, b"x", length=20_000_000) for number in range(500 * size))


def empty_records(size: int) -> bytes:
    return b"".join(warc_record(number, b"") for number in range(2_000 * size))


def archive_lines(size: int) -> bytes:
    return (
        b"http://e.org/"
        + b" 1 12345678 a" * 100 * size
        + b" 5\nabcde\n"
        + (b"a:" + b" 1 12345678 x" * 200 + b"\n") * 40 * size
    )


def nested_members(size: int) -> bytes:
    """Gzip members within members, stored, each cut by the end of the file."""
    count = 400 * size
    data = b""
    for _ in range(count):
        inner = b"WARC/1.0\r\n" + data
        part = inner[:60_000]
        data = (
            b"\x1f\x8b\x08\0\0\0\0\0\0\xff\0"
            + len(part).to_bytes(2, "little")
            + (len(part) ^ 0xFFFF).to_bytes(2, "little")
            + inner
        )
    return data


def magic_without_members(size: int) -> bytes:
    return gzip.compress(b"WARC/1.0\r\n")[:-9] + b"\x1f\x8b\x08" * 20_000 * size


def skippable_frames(size: int) -> bytes:
    return zstandard.compress(b'{"text": "a"}\n') + (b"\x50\x2a\x4d\x18" + bytes(4)) * 20_000 * size


def tiny_frames(size: int) -> bytes:
    return zstandard.compress(b'{"text": "a"}\n') * 4_000 * size


def tiny_lz4_frames(size: int) -> bytes:
    return lz4.frame.compress(b'{"text": "a"}\n') * 4_000 * size


def tiny_members(size: int) -> bytes:
    return gzip.compress(b'{"text": "a"}\n', 1) * 4_000 * size


def broken_lines(size: int) -> bytes:
    return b"{no\n" * 5_000 * size


def quotes_in_a_line(size: int) -> bytes:
    return b"{" + b'\\"[' * 200_000 * size + b"\n"


def brackets_in_a_line(size: int) -> bytes:
    return b'{"a": NaN, "b": [' + b"[]," * 100_000 * size + b'[]], "text": "a"}\n'


def tokens_of_an_array(size: int) -> bytes:
    return b"[\n" + b"1,\n" * 50_000 * size


def many_objects_on_a_line(size: int) -> bytes:
    return b'{"text": "a"}' * 50_000 * size


def keys_of_an_object(size: int) -> bytes:
    return b"{" + b",".join(b'"%d":1' % number for number in range(30_000 * size)) + b"}\n"


def xml(start: bytes, middle: bytes, end: bytes = b"") -> "object":
    return lambda size: (
        b"<mediawiki><page>" + start + middle * (300_000 * size // len(middle)) + end + b"</page></mediawiki>"
    )


def attributes(size: int) -> bytes:
    return b"<mediawiki><page " + b" ".join(b'a%d=""' % number for number in range(20_000 * size)) + b"/>"


def posts(middle: bytes) -> "object":
    return lambda size: b"<posts>" + middle * (20_000 * size // len(middle)) + b"</posts>"


def post_body(body: bytes) -> "object":
    return lambda size: (
        b'<posts><row Id="1" PostTypeId="1" Title="a" Body="' + body * (400_000 * size // len(body)) + b'" /></posts>'
    )


def blocks_of_no_archive(size: int) -> bytes:
    sink = io.BytesIO()
    with tarfile.open(fileobj=sink, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("a.tex"))
    return sink.getvalue()[:512] + (b"0000000 " * 64) * 1_000 * size


def licences(size: int) -> bytes:
    return (b"*** START OF THE PROJECT GUTENBERG " + b"*** " * 90 + b"x\n") * 400 * size


def streams(size: int) -> bytes:
    sink = io.BytesIO()
    with pa.ipc.new_stream(sink, pa.schema([("text", pa.string())])):
        pass
    return sink.getvalue() * 300 * size


def magics(size: int) -> bytes:
    sink = io.BytesIO()
    with pa.ipc.new_file(sink, pa.schema([("text", pa.string())])):
        pass
    return sink.getvalue()[:-10] + b"ARROW1" * 100_000 * size


def random_bytes(size: int) -> bytes:
    return random.Random(size).randbytes(500_000 * size)


CASES = {
    "lying members": ("warc", "f.warc.gz", lying_members),
    "members without records": ("warc", "f.warc.gz", members_without_records),
    "members without line feeds": ("warc", "f.warc.gz", members_without_line_feeds),
    "first lines": ("warc", "f.warc", first_lines),
    "headers without end": ("warc", "f.warc", headers_without_end),
    "lying records": ("warc", "f.warc", lying_records),
    "empty records": ("warc", "f.warc", empty_records),
    "archive lines": ("arc", "f.arc", archive_lines),
    "magic without members": ("warc", "f.warc.gz", magic_without_members),
    "skippable frames": ("jsonl", "f.zst", skippable_frames),
    "tiny frames": ("jsonl", "f.zst", tiny_frames),
    "tiny lz4 frames": ("jsonl", "f.lz4", tiny_lz4_frames),
    "tiny members": ("jsonl", "f.gz", tiny_members),
    "broken lines": ("jsonl", "f.jsonl", broken_lines),
    "quotes in a line": ("jsonl", "f.jsonl", quotes_in_a_line),
    "brackets in a line": ("jsonl", "f.jsonl", brackets_in_a_line),
    "tokens of an array": ("jsonl", "f.jsonl", tokens_of_an_array),
    "objects on a line": ("jsonl", "f.jsonl", many_objects_on_a_line),
    "keys of an object": ("jsonl", "f.jsonl", keys_of_an_object),
    "tag": ("mediawiki", "f.xml", xml(b"<a ", b"a")),
    "attribute": ("mediawiki", "f.xml", xml(b'<a b="', b"a", b'"/>')),
    "attribute of references": ("mediawiki", "f.xml", xml(b'<a b="', b"&lt;", b'"/>')),
    "comment": ("mediawiki", "f.xml", xml(b"<!--", b"- ")),
    "instruction": ("mediawiki", "f.xml", xml(b"<?a ", b"? ")),
    "character data": ("mediawiki", "f.xml", xml(b"<![CDATA[", b"] ")),
    "reference": ("mediawiki", "f.xml", xml(b"&", b"a")),
    "document type": ("mediawiki", "f.xml", lambda size: b'<!DOCTYPE a PUBLIC "' + b"a" * 500_000 * size),
    "prologue": ("mediawiki", "f.xml", lambda size: b"<!--" + b"a " * 250_000 * size),
    "rows without end": ("stackexchange", "Posts.xml", posts(b"<row ")),
    "broken rows": ("stackexchange", "Posts.xml", posts(b'<row Id="1"< />\n')),
    "rows of other types": ("stackexchange", "Posts.xml", posts(b'<row PostTypeId="9" />\n')),
    "open tags of a post": ("stackexchange", "Posts.xml", post_body(b"&lt;a ")),
    "comments of a post": ("stackexchange", "Posts.xml", post_body(b"&lt;!--")),
    "lists of a post": ("stackexchange", "Posts.xml", post_body(b"&lt;ol&gt;&lt;li&gt;a ")),
    "blanks of a post": ("stackexchange", "Posts.xml", post_body(b"&lt;pre&gt; &#xA; &lt;/pre&gt;")),
    "digits of a post": ("stackexchange", "Posts.xml", post_body(b"&amp;#000" + b"9" * 40)),
    "one number of a post": (
        "stackexchange",
        "Posts.xml",
        lambda size: post_body(b"9")(size).replace(b"999", b"&amp;#99", 1),
    ),
    "licences": ("text", "f.txt", licences),
    "streams": ("arrow", "f.arrow", streams),
    "magics": ("arrow", "f.arrow", magics),
    "random arrow": ("arrow", "f.arrow", random_bytes),
    "random parquet": ("parquet", "f.parquet", lambda size: b"PAR1" + random_bytes(size)),
}


# The parser holds an unfinished tag of up to `xml_stream.MOST_UNPARSED`, and looks at it again for each MiB that comes:
# until then the cost grows faster. Both these sizes are beyond it.
HELD = ("comment", "instruction", "reference", "document type", "prologue", "tag", "attribute")


@pytest.mark.parametrize("name", CASES)
def test_cost_grows_with_the_size(tmp_path: Path, name: str) -> None:
    format, file, make = CASES[name]

    def work(size):
        path = tmp_path / f"{size}" / file
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(make(size))
        return lambda: read(path, format)

    start = 64 if name in HELD else 1
    check_growth(work, lambda reading: reading(), start=start, limits=Limits(most=4 * start, cpu_s=60))


@pytest.mark.parametrize("name", HELD)
def test_a_tag_that_does_not_end_costs_seconds_at_most(tmp_path: Path, name: str) -> None:
    """As much of it as the parser holds."""
    format, file, make = CASES[name]
    (tmp_path / file).write_bytes(make(80))
    assert (tmp_path / file).stat().st_size > MOST_UNPARSED
    began = time.process_time()
    read(tmp_path / file, format)
    assert time.process_time() - began < 5


def test_as_many_attributes_as_a_tag_can_hold(tmp_path: Path) -> None:
    """The costliest tag of that size: each attribute goes through tables of the parser and of Python."""
    (tmp_path / "f.xml").write_bytes(attributes(70))
    assert MOST_UNPARSED * 0.9 < (tmp_path / "f.xml").stat().st_size < MOST_UNPARSED
    began = time.process_time()
    read(tmp_path / "f.xml", "mediawiki")
    assert time.process_time() - began < 30


def test_members_within_members_are_not_read_again_and_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each is damaged where the file ends: without a bound it would be read as often as there are members."""
    monkeypatch.setattr("storage.compressed._MOST_AGAIN", 1 << 16)

    def work(size):
        path = tmp_path / f"{size}.warc.gz"
        path.write_bytes(nested_members(size))
        return lambda: read(path, "warc")

    check_growth(work, lambda reading: reading(), start=1, limits=Limits(most=4))


def test_all_lying_records_are_told(tmp_path: Path) -> None:
    (tmp_path / "f.warc.gz").write_bytes(lying_members(1))
    assert read(tmp_path / "f.warc.gz", "warc").kinds == ["wrong Content-Length"] * 399 + ["record cut short"]
