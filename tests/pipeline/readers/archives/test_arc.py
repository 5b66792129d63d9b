import gzip

import pytest

from tests.pipeline.readers.samples import page, read, write

HEAD = b"filedesc://f.arc 0.0.0.0 20140216050221 text/plain 20\n1 0 Some Capture Co\n\n\n"


def record(url, block, *, media="text/html", length=None, fields="", end=b"\n"):
    return (
        f"{url} 1.2.3.4 20140216050221 {media} {fields}{len(block) if length is None else length}\n".encode()
        + block
        + end
    )


def some_pages(count):
    return [record(f"http://example.org/{number}", page(f"This is page number {number}.")) for number in range(count)]


@pytest.mark.parametrize("format", ["arc", "warc"])
@pytest.mark.parametrize(
    "pack", [b"".join, lambda parts: b"".join(map(gzip.compress, parts)), lambda parts: gzip.compress(b"".join(parts))]
)
def test_pages_become_documents_with_their_url(tmp_path, pack, format):
    result = read(write(tmp_path / "f", pack([HEAD, *some_pages(3)])), format)
    assert result.texts == [f"This is page number {number}." for number in range(3)]
    assert [record.url for record in result.documents] == [f"http://example.org/{number}" for number in range(3)]
    assert (result.skipped, result.broken) == ({"filedesc": 1}, [])


def test_offsets_lead_back_to_the_record(tmp_path):
    plain = HEAD + b"".join(some_pages(3))
    for document in read(write(tmp_path / "f.arc", plain), "arc").documents:
        assert plain[document.offset :].startswith(document.url.encode())


def test_urls_with_spaces_and_the_fields_of_version_2(tmp_path):
    block = page("Some words.")
    records = [
        HEAD,
        record("http://e.org/a b c?d=e f", block),
        record("http://e.org/2", block, fields="200 abc123 - 1234 f.arc.gz "),
    ]
    result = read(write(tmp_path / "f.arc", b"".join(records)), "arc")
    assert [document.url for document in result.documents] == ["http://e.org/a b c?d=e f", "http://e.org/2"]
    assert result.broken == []


def test_what_is_no_page_is_skipped_under_its_reason(tmp_path):
    ok = b"HTTP/1.1 200 OK\r\nContent-Type: %s\r\n\r\n"
    records = [
        HEAD,
        record("dns:example.org", b"20140216050221\nexample.org. 1 IN A 1.2.3.4", media="text/dns"),
        record("http://e.org/1", b"HTTP/1.0 404 Not Found\r\nContent-Type: text/html\r\n\r\n<p>no"),
        record("http://e.org/2", ok % b"image/png" + b"\x89PNG", media="image/png"),
        record("http://e.org/3", ok % b"text/html" + b"<p> </p>"),
        record("http://e.org/4", b"no response"),
        *some_pages(1),
    ]
    result = read(write(tmp_path / "f.arc", b"".join(records)), "arc")
    assert result.texts == ["This is page number 0."]
    assert result.skipped == {"filedesc": 1, "not_http": 1, "http_status": 1, "not_html": 1, "empty_text": 1}
    assert result.kinds == ["no HTTP status line"]


@pytest.mark.parametrize("length", [-1, "abc", 5, 10**6, 10**17])
def test_a_wrong_length_costs_its_record_only(tmp_path, length):
    records = [HEAD, *some_pages(3)]
    records[2] = record("http://example.org/1", page("This is page number 1."), length=length)
    for pack in (b"".join, lambda parts: b"".join(map(gzip.compress, parts))):
        result = read(write(tmp_path / "f.arc", pack(records)), "arc")
        assert result.texts == ["This is page number 0.", "This is page number 2."]
        assert len(result.broken) == 1


def test_a_damaged_member_costs_its_record_only(tmp_path):
    packed = [gzip.compress(part) for part in [HEAD, *some_pages(4)]]
    packed[2] = packed[2][:-9] + b"\xff" + packed[2][-8:]
    result = read(write(tmp_path / "f.arc.gz", b"".join(packed)), "arc")
    assert result.texts == ["This is page number 0.", "This is page number 2.", "This is page number 3."]
    assert result.kinds == ["damaged gzip"]
