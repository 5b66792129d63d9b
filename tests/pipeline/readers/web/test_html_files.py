import gzip

import pytest

from manifests.errors import GristmillError
from pipeline.readers.web import html_files
from pipeline.readers.web.html_files import page_url, read_html_files
from tests.pipeline.readers.collected import collect
from tests.pipeline.readers.samples import write

WORDS = "The mill stands by the river and has ground corn since the twelfth century."


def page(head: str = "", *, words: str = WORDS) -> str:
    return f"<!doctype html><html><head><title>Mill</title>{head}</head><body><main><p>{words}</p></main></body></html>"


def read(path):
    return collect(read_html_files(str(path), name=f"folder/{path.name}"))


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_one_file_is_one_page(tmp_path, pack):
    data = page('<link rel="canonical" href="https://example.org/mill">').encode()
    result = read(write(tmp_path / "mill.html", pack(data)))
    (record,) = result.documents
    assert (record.offset, record.name, record.url, record.text) == (
        0,
        "folder/mill.html",
        "https://example.org/mill",
        WORDS,
    )
    assert result.total == 1


@pytest.mark.parametrize(
    ("charset", "declaration"),
    [
        ("utf-8", ""),
        ("utf-8-sig", ""),
        ("utf-16", ""),
        ("iso-8859-2", '<meta charset="iso-8859-2">'),
        ("koi8-r", '<meta charset="koi8-r">'),
    ],
)
def test_the_charset_is_marked_declared_or_utf_8(tmp_path, charset, declaration):
    words = "Мельница стоит у реки." if charset == "koi8-r" else "Młyn stoi nad rzeką od wieków."
    (record,) = read(write(tmp_path / "a.html", page(declaration, words=words).encode(charset))).documents
    assert record.text == words


@pytest.mark.parametrize(
    ("head", "url"),
    [
        ("", None),
        ('<link rel="canonical" href="https://a.org/x?a=1&amp;b=2">', "https://a.org/x?a=1&b=2"),
        ("<LINK HREF=http://a.org/x REL=Canonical>", "http://a.org/x"),
        ("<link href='http://a.org/x' rel='nofollow canonical'/>", "http://a.org/x"),
        ('<link rel="canonical" href="/relative"><base href="https://b.org/folder/">', "https://b.org/folder/"),
        ('<base href="https://b.org/"><link rel=canonical href="https://a.org/">', "https://a.org/"),
        ('<link rel="stylesheet" href="https://a.org/x.css"><base target="_top">', None),
        ('<!-- <link rel="canonical" href="https://a.org/x"> -->', None),
        ("<!-- saved from url=(0021)https://saved.org/p -->", "https://saved.org/p"),
        ('<link rel="canonical" data-href="https://a.org/wrong" href="https://a.org/right">', "https://a.org/right"),
        ('<link rel="canonical" href="javascript:void(0)">', None),
        ('<link rel="canonical" href="https://a.org/' + "x" * 10_000 + '">', None),
    ],
)
def test_the_url_that_a_page_gives_as_its_own(head, url):
    assert page_url(page(head)) == url


@pytest.mark.parametrize(
    "piece", ["<link ", '<link rel="', "<base href=", "<!--", "<!-- saved from url=(1)", "rel=", "<link a=' "]
)
@pytest.mark.timeout(20)
def test_looking_for_the_url_takes_linear_time(piece):
    assert page_url(piece * (2_000_000 // len(piece))) is None


def test_what_is_no_page_is_skipped_under_its_reason(tmp_path, monkeypatch):
    monkeypatch.setattr(html_files, "MOST_HTML_BYTES", 10_000)
    deep = b"<div>" * 4_000
    monkeypatch.setattr("pipeline.readers.web.html.MOST_DEPTH", 512)
    cases = {
        "a.html": (b"%PDF-1.7 <</Type/Catalog>>", "not_html"),
        "b.html": (b"\x89PNG\r\n\x1a\n<<<", "not_html"),
        "c.html": (b"\x00\x01\x02<html>", "not_html"),
        "d.html": (b"no markup at all", "not_html"),
        "e.html": (b"<html><body></body></html>", "empty_text"),
        "f.html": (page(words="x " * 10_000).encode(), "html_too_large"),
        "g.html": (gzip.compress(b" " * 5_000_000), "html_too_large"),
    }
    for name, (data, reason) in cases.items():
        result = read(write(tmp_path / name, data))
        assert (result.total, result.skipped) == (1, {reason: 1}), name
    monkeypatch.setattr(html_files, "MOST_HTML_BYTES", 1 << 20)
    assert read(write(tmp_path / "h.html", b"<html><body>" + deep + b"x")).skipped == {"html_too_complex": 1}


def test_damage_and_emptiness_are_broken(tmp_path):
    packed = gzip.compress(page(words="".join(map(str, range(5_000)))).encode())
    for name, data, kind in (
        ("a", packed[:-500], "damaged gzip"),
        ("b", b"", "empty file"),
        ("c", gzip.compress(b""), "empty file"),
    ):
        result = read(write(tmp_path / name, data))
        assert (result.total, result.kinds, result.broken[0].name) == (1, [kind], f"folder/{name}")


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(GristmillError, match=r"gone\.html: no such file"):
        read(tmp_path / "gone.html")
