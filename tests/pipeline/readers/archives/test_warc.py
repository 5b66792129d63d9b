import gzip
import io
import re
import zlib
from collections import Counter

import pytest
from fastwarc.warc import ArchiveIterator

from manifests.errors import GristmillError
from pipeline.losses import Tally
from pipeline.readers.archives import framing
from pipeline.readers.archives.framing import Frame, Gap, frames
from pipeline.readers.archives.warc import WARC, read_warc
from storage.compressed import opened
from tests.paths import SHARED
from tests.pipeline.readers.samples import members, page, pages, read, read_pieces, warc_record, write

FIXTURES = (
    sorted(path for path in (SHARED / "corpora" / "warc-fixtures").rglob("*") if path.is_file()) if SHARED else []
)
needs_fixtures = pytest.mark.skipif(SHARED is None, reason="../shared is not here")


def numbers(result):
    """Which of `pages()` came out."""
    return [int(re.search(r"page number (\d+)", text)[1]) for text in result.texts]


def events(path, data):
    return frames_of(write(path, data))


def frames_of(path):
    with opened(str(path)) as raw:
        return list(frames(raw, WARC))


@pytest.mark.parametrize("pack", [b"".join, members, lambda records: gzip.compress(b"".join(records))])
def test_pages_become_documents_with_url_and_id(tmp_path, pack):
    result = read(write(tmp_path / "f.warc", pack(pages(3))), "warc")
    assert result.texts == [f"This is page number {i}." for i in range(3)]
    assert [(r.name, r.url) for r in result.documents] == [
        (f"<urn:uuid:{i}>", f"http://example.org/{i}") for i in range(3)
    ]
    assert result.total == 3


def test_offsets_lead_back_to_the_record(tmp_path):
    plain, packed = b"".join(pages(4)), members(pages(4))
    for record in read(write(tmp_path / "plain", plain), "warc").documents:
        assert plain[record.offset :].startswith(pages(4)[int(record.name[10:-1])])
    for record in read(write(tmp_path / "packed", packed), "warc").documents:
        assert zlib.decompressobj(31).decompress(packed[record.offset :]) == pages(4)[int(record.name[10:-1])]


def test_other_records_are_skipped_under_their_reasons(tmp_path):
    ok = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n"
    records = [
        *(
            warc_record(0, b"x: y\r\n", kind=kind)
            for kind in ("warcinfo", "request", "metadata", "revisit", "resource", "continuation", "strange")
        ),
        warc_record(1, b"HTTP/1.1 404 Not Found\r\nContent-Type: text/html\r\n\r\n<p>no such page</p>"),
        warc_record(2, b"HTTP/1.1 200 OK\r\nContent-Type: image/png\r\n\r\n\x89PNG"),
        warc_record(3, ok + b"<p> </p>"),
        warc_record(4, ok),
        warc_record(5, ok + b"<" + b"div><" * 100_000 + b"p>deep"),
        warc_record(6, b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Encoding: zap\r\n\r\n\x01\x02\x03"),
        warc_record(7, b"20140301000000", media="text/dns"),
        *pages(1),
    ]
    result = read(write(tmp_path / "f.warc", b"".join(records)), "warc")
    assert numbers(result) == [0]
    assert result.skipped == {
        "warcinfo": 1,
        "request": 1,
        "metadata": 1,
        "revisit": 1,
        "resource": 1,
        "continuation": 1,
        "unknown_type": 1,
        "http_status": 1,
        "not_html": 1,
        "empty_text": 2,
        "html_too_complex": 1,
        "content_encoding": 1,
        "not_http": 1,
    }
    assert result.broken == []


def test_pages_in_resource_records_are_documents(tmp_path):
    html = b"<html><body><main><p>Kept without its response.</p></main></body></html>"
    odd = warc_record(2, html, kind="resource", media="text/html").replace(
        b"http://example.org/2", b"file:///tmp/page.html"
    )
    records = [
        warc_record(0, html, kind="resource", media="text/html; charset=utf-8"),
        warc_record(1, html, kind="resource", media="text/plain"),
        odd,
    ]
    result = read(write(tmp_path / "f.warc", b"".join(records)), "warc")
    assert result.texts == ["Kept without its response."]
    assert (result.skipped, result.broken) == ({"resource": 2}, [])


def test_a_member_that_begins_with_a_record_ends_headers_that_do_not_end(tmp_path):
    cut = gzip.compress(b"WARC/1.0\r\nWARC-Type: response\r\nContent-Length: 10\r\n")
    result = read(write(tmp_path / "f.warc.gz", members(pages(1)) + cut + members(pages(3)[1:])), "warc")
    assert (numbers(result), result.kinds) == ([0, 1, 2], ["invalid WARC headers"])


def test_a_long_record_ends_where_a_member_begins_with_another(tmp_path, monkeypatch):
    monkeypatch.setattr(framing, "MOST_BLOCK_BYTES", 10_000)
    lying = warc_record(8, page("x " * 9_000), length=10**6)
    result = read(write(tmp_path / "f.warc.gz", members([*pages(1), lying, *pages(3)[1:]])), "warc")
    assert (numbers(result), result.kinds) == ([0, 1, 2], ["record cut short"])
    plain = b"".join([*pages(1), lying, *pages(3)[1:], b" " * 2_000_000])
    result = read(write(tmp_path / "f.warc", plain), "warc")
    assert numbers(result) == [0, 1, 2]
    assert result.kinds == ["wrong Content-Length", "bytes outside records"]


def test_conversion_records_are_documents_as_they_are(tmp_path):
    records = [
        warc_record(0, b"w: 1\r\n", kind="warcinfo"),
        warc_record(1, "Zwei Zeilen:\nÜber <b>\n".encode(), kind="conversion"),
        warc_record(2, b" \n", kind="conversion"),
        warc_record(3, b"ab\xffcd", kind="conversion"),
    ]
    result = read(write(tmp_path / "f.wet.gz", members(records)), "wet")
    assert result.texts == ["Zwei Zeilen:\nÜber <b>\n"]
    assert result.skipped == {"warcinfo": 1, "empty_text": 1}
    assert [(b.name, b.error.split(":")[0], b.excerpt) for b in result.broken] == [
        ("<urn:uuid:3>", "invalid UTF-8", b"ab\xffcd")
    ]


# Content-Length lies: what the second of four records says instead of the truth (+n, -n, or a number of its own).
LIES = {
    "short": -40,
    "long into the next record": 60,
    "long over several records": 700,
    "beyond the end": 10**9,
    "one less": -1,
}


@pytest.mark.parametrize("pack", [b"".join, members, lambda records: gzip.compress(b"".join(records))])
@pytest.mark.parametrize("lie", LIES)
def test_a_lying_content_length_costs_its_record_only(tmp_path, lie, pack):
    records = pages(6)
    block = page("This is page number 1.")
    records[1] = warc_record(1, block, length=len(block) + LIES[lie])
    path = write(tmp_path / "f.warc", pack(records))
    result = read(path, "warc")
    assert numbers(result) == [0, 2, 3, 4, 5]
    (broken,) = result.broken
    assert broken.name == "<urn:uuid:1>"
    assert broken.error.startswith(("wrong Content-Length: ", "record cut short: Content-Length "))
    assert broken.excerpt == records[1][:200]


@pytest.mark.parametrize("value", ["-5", "ten", "", "1e3", "²", "9" * 30])
def test_an_unreadable_content_length_costs_its_record_only(tmp_path, value):
    records = pages(3)
    records[1] = warc_record(1, page("This is page number 1."), length=value)
    result = read(write(tmp_path / "f.warc", b"".join(records)), "warc")
    assert numbers(result) == [0, 2]
    assert result.kinds == ["invalid WARC headers"]
    assert result.broken[0].offset == len(records[0])


def test_missing_headers_and_a_missing_type_are_broken(tmp_path):
    records = pages(4)
    records[1] = records[1].replace(b"Content-Length: ", b"Content-Lenght: ")
    records[2] = warc_record(2, page("This is page number 2."), kind=None)
    result = read(write(tmp_path / "f.warc", members(records)), "warc")
    assert numbers(result) == [0, 3]
    assert [(b.name, b.error.split(" (")[0]) for b in result.broken] == [
        ("<urn:uuid:1>", "invalid WARC headers: Content-Length ''"),
        ("<urn:uuid:2>", "invalid WARC headers: no WARC-Type"),
    ]


def test_a_response_without_status_line_is_broken(tmp_path):
    records = [warc_record(0, b"<html>hello</html>"), *pages(2)[1:]]
    result = read(write(tmp_path / "f.warc", b"".join(records)), "warc")
    assert numbers(result) == [1]
    assert [(b.offset, b.error, b.excerpt) for b in result.broken] == [
        (0, "no HTTP status line", b"<html>hello</html>")
    ]


@pytest.mark.parametrize(
    "garbage",
    [b"garbage", b"garbage\r\nfoo: bar\r\n\r\nxxxx\r\n\r\n", b"\x00\xff" * 700_000, b"WARC/1.0 no version line\r\n"],
)
def test_garbage_between_records_is_one_broken_entry_with_offset_and_size(tmp_path, garbage):
    records = pages(3)
    data = records[0] + records[1] + garbage + b"\r\n" + records[2]
    result = read(write(tmp_path / "f.warc", data), "warc")
    assert numbers(result) == [0, 1, 2]
    (broken,) = result.broken
    assert broken.offset == len(records[0] + records[1])
    assert broken.error.startswith("bytes outside records: ")
    assert f"({len(garbage) + 2} bytes)" in broken.error
    assert broken.excerpt == (garbage + b"\r\n")[:200]


def test_garbage_before_the_first_and_after_the_last_record(tmp_path):
    result = read(write(tmp_path / "f.warc", b"<!doctype html>\n" + b"".join(pages(2)) + b"tail"), "warc")
    assert numbers(result) == [0, 1]
    assert [b.error.split(":")[0] for b in result.broken] == ["bytes outside records"] * 2


def test_truncated_files_deliver_all_whole_records(tmp_path):
    data = members(pages(5))
    last = len(members(pages(4)))
    for cut in range(last + 1, len(data) - 1, 7):
        result = read(write(tmp_path / "f.warc.gz", data[:cut]), "warc")
        assert numbers(result) == [0, 1, 2, 3]
        assert result.kinds == ["damaged gzip"]
        assert result.broken[0].offset == last
    plain = b"".join(pages(5))
    begin = len(b"".join(pages(4)))
    for cut in range(begin + 10, len(plain) - 5, 7):
        result = read(write(tmp_path / "f.warc", plain[:cut]), "warc")
        assert numbers(result) == [0, 1, 2, 3]
        assert (result.total, result.broken[0].offset) == (5, begin)


def test_a_corrupt_member_costs_its_record_only(tmp_path):
    packed = [members([record]) for record in pages(5)]
    for place in (3, 12, len(packed[2]) // 2, len(packed[2]) - 6):  # header, data, checksum
        bad = bytearray(packed[2])
        bad[place] ^= 0xFF
        result = read(write(tmp_path / "f.warc.gz", b"".join([*packed[:2], bytes(bad), *packed[3:]])), "warc")
        assert numbers(result) == [0, 1, 3, 4]
        assert result.kinds == ["damaged gzip"]
        assert result.broken[0].offset == len(packed[0] + packed[1])


def test_line_feeds_and_empty_members_between_records_are_no_damage(tmp_path):
    records = pages(3)
    loose = b"\r\n\r\n" + records[0].rstrip() + b"\r\n" + records[1] + b"\n" * 1000 + records[2].rstrip()
    assert read(write(tmp_path / "f.warc", loose), "warc").kinds == []
    packed = members([records[0]]) + gzip.compress(b"") + members(records[1:]) + b"\x00" * 512
    result = read(write(tmp_path / "f.warc.gz", packed), "warc")
    assert (numbers(result), result.broken) == ([0, 1, 2], [])


def test_records_longer_than_is_held_are_skipped_and_the_next_are_read(tmp_path, monkeypatch):
    monkeypatch.setattr(framing, "MOST_BLOCK_BYTES", 200_000)
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n"
    long, movie = head + b"<p>" + b"x " * 500_000, head.replace(b"text/html", b"video/mp4") + b"\x00" * 900_000
    records = [
        *pages(1),
        warc_record(8, long),
        warc_record(9, movie),
        warc_record(10, b"x " * 200_000, kind="conversion"),
        *pages(2)[1:],
    ]
    result = read(write(tmp_path / "f.warc.gz", members(records)), "warc")
    assert numbers(result) == [0, 1]
    assert result.skipped == {"html_too_large": 1, "not_html": 1, "text_too_large": 1}
    assert result.broken == []


def test_a_long_record_that_is_cut_is_broken(tmp_path, monkeypatch):
    monkeypatch.setattr(framing, "MOST_BLOCK_BYTES", 200_000)
    data = b"".join(pages(1)) + warc_record(8, b"HTTP/1.1 200 OK\r\n\r\n" + b"x " * 500_000)[:-300_000]
    result = read(write(tmp_path / "f.warc", data), "warc")
    assert (numbers(result), result.kinds) == ([0], ["record cut short"])


def test_headers_without_end_cost_little(tmp_path):
    data = b"".join(pages(1)) + b"WARC/1.0\r\n" + b"A: b\r\n" * 50_000 + b"\r\n" + b"".join(pages(2)[1:])
    result = read(write(tmp_path / "f.warc", data), "warc")
    assert (numbers(result), result.kinds) == ([0, 1], ["invalid WARC headers"])


@pytest.mark.parametrize("data", [b"", gzip.compress(b"", mtime=0)], ids=["nothing", "gzip of nothing"])
def test_an_empty_file_is_one_broken_entry(tmp_path, data):
    result = read(write(tmp_path / "f.warc", data), "warc")
    assert (result.total, result.kinds, result.broken[0].offset) == (1, ["empty file"], 0)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(GristmillError, match=r"gone\.warc: no such file"):
        read(tmp_path / "gone.warc", "warc")


def test_every_byte_is_in_a_frame_or_a_gap(tmp_path):
    records = pages(3)
    found = events(tmp_path / "f.warc", records[0] + b"junk\n" + records[1] + b"more junk\r\n\r\n" + records[2])
    assert [type(event) for event in found] == [Frame, Gap, Frame, Gap, Frame]
    assert [event.offset for event in found] == [
        0,
        (a := len(records[0])),
        a + 5,
        (b := a + 5 + len(records[1])),
        b + 13,
    ]


# What each file holds: (documents, skipped by reason, broken). Counted by types, status and media types with a naive
# scan for version lines over zlib's output, apart from this project's code; what that cannot count (damage, ARC) by
# hand.
DEMO = {"request": 2, "revisit": 1, "warcinfo": 2}
HELD = {
    "dolma/sample-0000.warc.gz": (22, {"metadata": 1, "request": 22, "resource": 2, "warcinfo": 1}, 0),
    "dolma/sample-0001.warc.gz": (15, {"metadata": 1, "request": 15, "resource": 2, "warcinfo": 1}, 0),
    "pywb/bad.arc": (0, {}, 4),  # three lengths that are no numbers, one block that is no response
    "pywb/dupes.warc.gz": (1, {"http_status": 1, "not_html": 1, "request": 12, "revisit": 9, "warcinfo": 1}, 0),
    "pywb/example-bad.warc.gz.bad": (1, {"http_status": 1, "request": 2, "revisit": 1, "warcinfo": 1}, 0),
    "pywb/example-extra.warc": (1, {"request": 2, "revisit": 2}, 1),  # a response without a status line
    "pywb/example-url-agnostic-orig.warc.gz": (1, {"warcinfo": 1}, 0),
    "pywb/example-url-agnostic-revisit.warc.gz": (0, {"revisit": 1, "warcinfo": 1}, 0),
    "pywb/example-wget-1-14.warc.gz": (1, {"request": 1, "resource": 3, "warcinfo": 1}, 0),
    "pywb/example-wpull.warc.gz": (1, {"request": 1, "resource": 1, "warcinfo": 1}, 0),
    "pywb/example.arc": (1, {"filedesc": 1}, 0),
    "pywb/example.arc.gz": (1, {"filedesc": 1}, 0),
    "pywb/example.warc": (
        1,
        {"http_status": 1, "request": 1, "revisit": 1, "warcinfo": 1},
        1,
    ),  # a request whose length lies
    "pywb/example.warc.gz": (1, {"http_status": 1, "request": 2, "revisit": 1, "warcinfo": 1}, 0),
    "pywb/example2.warc.gz": (1, {"request": 1, "warcinfo": 1}, 0),
    "pywb/httpbin-resource.warc.gz": (0, {"resource": 1}, 0),
    "pywb/iana.warc.gz": (16, {"http_status": 4, "not_html": 28, "request": 171, "revisit": 123, "warcinfo": 1}, 0),
    "pywb/missing-status-text.warc": (0, {}, 1),  # its lines end in two carriage returns
    "pywb/post-test.warc.gz": (0, {"not_html": 3, "request": 3}, 0),
    "resiliparse/block-sized-records.warc": (0, {"unknown_type": 3}, 0),
    "resiliparse/block-sized-records.warc.gz": (0, {"unknown_type": 3}, 0),
    "resiliparse/block-sized-records.warc.lz4": (0, {"unknown_type": 3}, 0),
    "resiliparse/clipped.warc.gz": (0, {}, 1),  # cut in its only record
    "resiliparse/clueweb-quirk.warc.gz": (29, {"warcinfo": 1}, 0),
    "resiliparse/warcfile.warc": (16, {"metadata": 16, "request": 17, "warcinfo": 1}, 0),
    "resiliparse/warcfile.warc.gz": (16, {"metadata": 16, "request": 17, "warcinfo": 1}, 0),
    "resiliparse/warcfile.warc.lz4": (16, {"metadata": 16, "request": 17, "warcinfo": 1}, 0),
    "warcio/bad.arc": (0, {}, 4),
    "warcio/example-bad-non-chunked.warc.gz": (1, DEMO, 0),
    "warcio/example-bad.warc.gz.bad": (1, {"http_status": 1, "request": 2, "revisit": 1, "warcinfo": 1}, 0),
    "warcio/example-digest.warc": (0, {"request": 4}, 0),
    "warcio/example-iana.org-chunked.warc": (1, {"request": 1, "warcinfo": 1}, 0),
    "warcio/example-resource.warc.gz": (1, {"warcinfo": 2}, 0),
    "warcio/example-space-in-target-uri.warc.gz": (0, {"resource": 1, "warcinfo": 1}, 0),
    "warcio/example-space-in-url.arc": (0, {"filedesc": 1}, 1),  # its length counts carriage returns that are gone
    "warcio/example-trunc.warc": (0, {"request": 1, "warcinfo": 2}, 1),  # a block shorter than its length
    "warcio/example-wget-bad-target-uri.warc.gz": (1, {"metadata": 1, "request": 1, "resource": 2, "warcinfo": 1}, 0),
    "warcio/example-wrong-chunks.warc.gz": (1, {"request": 1}, 0),
    "warcio/example.arc": (1, {"filedesc": 1}, 0),
    "warcio/example.arc.gz": (1, {"filedesc": 1}, 0),
    "warcio/example.warc": (1, DEMO, 0),
    "warcio/example.warc.gz": (1, DEMO, 0),
    "warcio/post-test.warc.gz": (0, {"not_html": 3, "request": 3}, 0),
    "whirlwind/CC-MAIN-2024-22.warc.paths.gz": (0, {}, 1),  # a list of files, no archive
    "whirlwind/whirlwind.warc.gz": (1, {"metadata": 1, "request": 1, "warcinfo": 1}, 0),
    "whirlwind/whirlwind.warc.wat.gz": (0, {"metadata": 1, "warcinfo": 1}, 0),
    "whirlwind/whirlwind.warc.wet.gz": (1, {"warcinfo": 1}, 0),
}


@needs_fixtures
@pytest.mark.corpora
@pytest.mark.parametrize("path", FIXTURES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_fixtures_are_read_to_the_end_with_every_record_accounted_for(path):
    result = read(path, "warc")
    assert (len(result.documents), result.skipped, len(result.broken)) == HELD[f"{path.parent.name}/{path.name}"]
    for budget in (500, 20_000, 200_000):
        if path.stat().st_size < 100 * budget:
            assert read_pieces(path, "warc", budget=budget) == result


@needs_fixtures
@pytest.mark.corpora
@pytest.mark.parametrize(
    "path", [path for path in FIXTURES if ".warc" in path.name], ids=lambda path: f"{path.parent.name}/{path.name}"
)
def test_frames_equal_those_of_fastwarc(path):
    ours = [event for event in frames_of(path) if isinstance(event, Frame)]
    theirs = []
    try:
        for record in ArchiveIterator(io.BytesIO(path.read_bytes()), parse_http=False):
            theirs.append(
                (record.headers.get("WARC-Record-ID"), record.stream_pos, record.content_length, record.reader.read())
            )
    except OSError:
        pass  # it stops at the first damage; we go on
    damaged = any(isinstance(event, Gap) for event in frames_of(path))
    # In files compressed as a whole the two count differently.
    per_record = path.suffix == ".warc" or (path.suffix == ".gz" and "chunk" not in path.name)
    expected = [
        (name, position if per_record else None, length, block)
        for name, position, length, block in theirs
        if len(block) == length
    ]
    found = [
        (frame.headers.get("warc-record-id"), frame.offset if per_record else None, frame.length, frame.block)
        for frame in ours
    ]
    if damaged:
        assert not Counter(found) - Counter(found + expected)
        assert len(set(expected) - set(found)) <= 1  # the record whose length lies is a record to fastwarc
    else:
        assert found == expected


def test_characters_that_could_not_be_read_are_counted_and_soup_is_dropped(tmp_path):
    korean = "오래된 시장은 항구 근처에 있습니다. 사람들은 아침 일찍 와서 생선과 채소를 삽니다. "

    def response(number, body):
        return warc_record(number, b"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=euc-kr\r\n\r\n" + body)

    html = f"<html><body><p>{korean * 5}</p></body></html>".encode("euc-kr")
    records = [
        response(0, html),
        response(1, html.replace(b"</p>", b" \xff</p>")),
        response(2, b"<html><body><p>" + bytes(range(0x80, 0x100)) * 20 + b"</p></body></html>"),
        warc_record(3, (korean * 5).encode() + b"\xff", kind="conversion"),
        warc_record(4, (korean[:9] + "\ufffd" * 20).encode(), kind="conversion"),
        warc_record(5, korean.encode("euc-kr"), kind="conversion"),
    ]
    path = str(write(tmp_path / "f", b"".join(records)))
    result = read(tmp_path / "f", "warc")
    assert [record.name for record in result.documents] == ["<urn:uuid:0>", "<urn:uuid:1>", "<urn:uuid:3>"]
    assert result.skipped == {"undecodable": 2}
    assert [broken.name for broken in result.broken] == ["<urn:uuid:5>"]
    tally = Tally()
    for batch in read_warc(path):
        tally.merge(batch.lost)
    (kind,) = tally.inside().values()
    assert (kind.documents, kind.count, sorted(kind.names)) == (2, 2, ["euc-kr", "utf-8"])
