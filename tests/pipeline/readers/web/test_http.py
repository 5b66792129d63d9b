import time

import pytest

from pipeline.readers.web.http import HttpError, Response, content_type, parse_headers, parse_response


def test_status_headers_and_body():
    parsed = parse_response(
        b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nset-cookie: a\r\nSet-Cookie: b\r\nX-Long: one\r\n "
        b" two\r\n\r\nbody\r\n\r\nmore"
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
    "block",
    [b"", b"<html>", b"HTTP/1.1 OK\r\n\r\n", b"HTTPX/1.1 200 OK\r\n\r\n", b"HTTP/1.1 2000 OK\r\n\r\n", b"\r\n\r\n"],
)
def test_without_a_status_line_it_is_no_response(block):
    with pytest.raises(HttpError, match="no HTTP status line"):
        parse_response(block)


def test_the_media_type_comes_from_all_headers_of_that_name():
    assert content_type(Response(200, (), b"")) == ("", None)
    headers = (("content-type", "text/plain"), ("x", "y"), ("content-type", "text/html; charset=a"))
    assert content_type(Response(200, headers, b"")) == ("text/html", "a")


def test_a_header_folded_over_many_lines_costs_as_much_as_it_is_long():
    def seconds(lines):
        began = time.process_time()
        parse_headers([b"A: b"] + [b" " + b"c" * 20] * lines)
        return time.process_time() - began

    assert min(seconds(80_000) for _ in range(3)) < 5 * max(0.01, min(seconds(40_000) for _ in range(3)))
