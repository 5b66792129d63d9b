import gzip
import zlib

import brotli
import pytest
import zstandard

from pipeline.web.http import HttpError, Response, UnusableBody, content_type, decode_body, decode_text, is_html, parse_response

HTML = "<html><body><p>Grüße, Wörter und Sätze.</p></body></html>"


def response(body=b"", **headers):
    return Response(200, tuple((name.replace("_", "-"), value) for name, value in headers.items()), body)


def chunked(body, size=7):
    return b"".join(b"%x\r\n%s\r\n" % (len(body[i : i + size]), body[i : i + size]) for i in range(0, len(body), size)) + b"0\r\n\r\n"


def test_status_headers_and_body():
    parsed = parse_response(
        b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nset-cookie: a\r\nSet-Cookie: b\r\nX-Long: one\r\n  two\r\n\r\nbody\r\n\r\nmore"
    )
    assert parsed.status == 200
    assert parsed.header("content-type") == "text/html"
    assert parsed.header("set-cookie") == "a, b"
    assert parsed.header("x-long") == "one two"
    assert parsed.header("absent") is None
    assert parsed.body == b"body\r\n\r\nmore"


@pytest.mark.parametrize(
    ("block", "status", "body"),
    [
        (b"HTTP/1.0 404 Not Found\n\nx", 404, b"x"),
        (b"HTTP/1.1 204\r\n\r\n", 204, b""),
        (b"HTTP/2 200 \r\nA: b\r\n\r\nx", 200, b"x"),
        (b"HTTP/1.1 200 OK\r\nno colon here\r\n\r\nx", 200, b"x"),
        (b"HTTP/1.1 200 OK\r\nA: b", 200, b""),
        (b"HTTP/1.1 200 \xfc\xff\r\nA: \xff\r\n\r\nx", 200, b"x"),
    ],
)
def test_odd_heads(block, status, body):
    parsed = parse_response(block)
    assert (parsed.status, parsed.body) == (status, body)


@pytest.mark.parametrize(
    "block", [b"", b"<html>", b"HTTP/1.1 OK\r\n\r\n", b"HTTPX/1.1 200 OK\r\n\r\n", b"HTTP/1.1 2000 OK\r\n\r\n", b"\r\n\r\n"]
)
def test_without_a_status_line_it_is_no_response(block):
    with pytest.raises(HttpError, match="no HTTP status line"):
        parse_response(block)


def test_media_types():
    assert content_type(response(content_type="Text/HTML; charset=x")) == "text/html"
    assert content_type(response()) == ""
    assert content_type(Response(200, (("content-type", "text/plain"), ("content-type", "text/html")), b"")) == "text/html"
    assert is_html("application/xhtml+xml", b"")
    assert is_html("", b"\n <!-- a --> <!DOCTYPE html><p>")
    assert not is_html("", b"%PDF-1.4")
    assert not is_html("text/plain", b"<html>")


@pytest.mark.parametrize(
    ("encoding", "encode"),
    [
        ("gzip", gzip.compress),
        ("x-gzip", gzip.compress),
        ("deflate", zlib.compress),
        ("deflate", lambda body: zlib.compress(body)[2:-4]),
        ("br", brotli.compress),
        ("zstd", zstandard.compress),
        ("gzip, br", lambda body: brotli.compress(gzip.compress(body))),
        ("", gzip.compress),  # said by nobody
        ("gzip", lambda body: gzip.compress(gzip.compress(body))),  # said once, done twice
        ("identity", bytes),
        # Lies: the archiver has decoded the body and kept the header.
        ("gzip", bytes),
        ("deflate", bytes),
        ("br", bytes),
        ("zstd", bytes),
        ("utf-8", bytes),
    ],
)
@pytest.mark.parametrize("transfer", ["", "chunked", "gzip, Chunked"])
def test_encodings_and_their_lies(encoding, encode, transfer):
    body = HTML.encode()
    stored = encode(body)
    given = response(chunked(stored) if transfer == "chunked" else stored, content_encoding=encoding, transfer_encoding=transfer)
    assert decode_body(given, most=1_000) == body


def test_chunks_that_break_off_or_lie_lose_nothing():
    body = HTML.encode()
    broken = chunked(body[:21]).removesuffix(b"0\r\n\r\n") + body[21:]
    assert decode_body(response(broken, transfer_encoding="chunked"), most=1_000) == body
    three_chunks_and_two_bytes = chunked(body)[: 3 * len(b"7\r\n-------\r\n") + len(b"7\r\n--")]
    assert decode_body(response(three_chunks_and_two_bytes, transfer_encoding="chunked"), most=1_000) == body[:23]
    assert decode_body(response(b"5;name=value\nhello\n0\n\n", transfer_encoding="chunked"), most=1_000) == b"hello"


def test_a_truncated_encoding_gives_what_came_before():
    body = (HTML * 2_000).encode()
    for encoding, stored in (("gzip", gzip.compress(body, 0)), ("deflate", zlib.compress(body, 0))):
        decoded = decode_body(response(stored[: len(stored) // 2], content_encoding=encoding), most=1 << 20)
        assert body.startswith(decoded)
        assert len(decoded) > len(body) // 3


def test_unknown_or_corrupt_encodings_are_named():
    for encoding, body in (
        ("zap", b"\x01\x02"),
        ("deflate", b"\xff\xfe\x00\x01"),
        ("br", b"\xff\xff\xff\xff"),
        ("gzip", b"\x1f\x8b\xff\xff"),
        ("", b"\x1f\x8b\x08\x00\xff"),
        ("zstd", b"\x28\xb5\x2f\xfd\xff\xff"),
    ):
        with pytest.raises(UnusableBody) as caught:
            decode_body(response(body, content_encoding=encoding), most=1_000)
        assert caught.value.reason == "content_encoding"


@pytest.mark.parametrize("encode", [gzip.compress, zlib.compress, brotli.compress, zstandard.compress, bytes])
def test_a_body_over_the_budget_is_too_large_also_when_it_is_a_bomb(encode):
    name = {gzip.compress: "gzip", zlib.compress: "deflate", brotli.compress: "br", zstandard.compress: "zstd", bytes: "identity"}[encode]
    with pytest.raises(UnusableBody) as caught:
        decode_body(response(encode(b" " * 20_000_000), content_encoding=name), most=1_000_000)
    assert caught.value.reason == "html_too_large"


@pytest.mark.parametrize(
    ("body", "header"),
    [
        (HTML.encode(), None),
        (HTML.encode(), "text/html; charset=utf-8"),
        (HTML.encode(), "text/html; charset=iso-8859-1"),  # declared wrongly: valid UTF-8 wins
        (b"\xef\xbb\xbf" + HTML.encode(), "text/html; charset=windows-1251"),
        (HTML.encode("utf-16"), None),
        (HTML.encode("utf-16-le"), "text/html; charset=utf-16le"),
        (HTML.encode("latin-1"), "text/html; charset=ISO-8859-1"),
        (HTML.encode("latin-1"), 'text/html; charset="iso-8859-15"'),
        (HTML.encode("latin-1"), "text/html"),
        (HTML.encode("latin-1"), "text/html; charset=utf-8"),  # declared wrongly: invalid UTF-8
        (HTML.encode("latin-1"), "text/html; charset=nonsense"),
    ],
)
def test_text_in_german(body, header):
    assert decode_text(body, header=header) == HTML


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("Привет, мир! Это страница.", "windows-1251"),
        ("Привет, мир!", "koi8-r"),
        ("日本語のページです", "shift_jis"),
        ("日本語のページです", "euc-jp"),
        ("日本語のページです", "iso-2022-jp"),
        ("中文网页", "gb2312"),
        ("中文網頁", "big5"),
        ("한국어 페이지", "euc-kr"),
    ],
)
def test_text_in_other_encodings_by_header_and_by_meta(text, encoding):
    html = f"<html><p>{text}</p></html>"
    assert decode_text(html.encode(encoding), header=f"text/html; charset={encoding}") == html
    html = f'<html><head><meta http-equiv="Content-Type" content="text/html; charset={encoding}"></head><p>{text}</p></html>'
    assert decode_text(html.encode(encoding), header="text/html") == html


def test_the_declaration_of_xhtml_says_the_encoding():
    text = '<?xml version="1.0" encoding="windows-1251"?>\n<html><p>Привет, мир!</p></html>'
    assert decode_text(text.encode("windows-1251"), header="application/xhtml+xml") == text
    assert decode_text(text.encode("windows-1251"), header="text/html; charset=koi8-r") != text


def test_undeclared_encodings_are_detected():
    html = "<html><body><p>" + "Съешь же ещё этих мягких французских булок, да выпей чаю. " * 20 + "</p></body></html>"
    assert decode_text(html.encode("windows-1251"), header=None) == html


def test_a_few_bad_bytes_do_not_change_the_encoding():
    body = ("<p>" + "Grüße aus Köln. " * 100).encode()
    assert decode_text(body + b"\xff", header=None) == body.decode() + "\ufffd"
