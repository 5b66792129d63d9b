import time

import pytest

from pipeline.readers.web.mime import begins_like_html, is_html, media_type


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([], ("", None)),
        (["text/html"], ("text/html", None)),
        (["Text/HTML; Charset=UTF-8"], ("text/html", "UTF-8")),
        (["text/html, text/html; charset=utf-8"], ("text/html", "utf-8")),
        (["text/html; charset=koi8-r, text/html"], ("text/html", "koi8-r")),
        (["text/html; charset=koi8-r", "text/html"], ("text/html", "koi8-r")),
        (["text/html; charset=a, text/html; charset=b"], ("text/html", "b")),
        (["text/html; charset=a, text/plain"], ("text/plain", None)),
        (["text/plain", "text/html"], ("text/html", None)),
        (["text/html,"], ("text/html", None)),
        ([",text/html"], ("text/html", None)),
        (["text/html, */*; charset=x"], ("text/html", None)),
        (["text/html ;charset=utf-8"], ("text/html", "utf-8")),
        (["text/html;;charset=utf-8"], ("text/html", "utf-8")),
        (["\ttext/html\t"], ("text/html", None)),
        (['text/html;charset="utf-8'], ("text/html", "utf-8")),
        (['text/html; charset="utf-8", text/html'], ("text/html", "utf-8")),
        (['text/html; a="b, image/png"; charset=utf-8'], ("text/html", "utf-8")),
        (["text/html; charset='utf-8'"], ("text/html", "utf-8")),
        (["text/html; charset = utf-8"], ("text/html", "utf-8")),
        (["text/html charset=utf-8"], ("text/html", "utf-8")),
        (["text/html(comment)"], ("text/html", None)),
        (['"text/html"; charset=utf-8'], ("text/html", "utf-8")),
        (["'text/html'; charset=utf-8"], ("text/html", "utf-8")),
        (['text/html; charset=  "  utf-8 "'], ("text/html", "utf-8")),
        (["charset=utf-8"], ("", "utf-8")),
        (["text/html; x-charset=nonsense"], ("text/html", None)),
        (["html"], ("", None)),
        (["text / html"], ("", None)),
        (["text/"], ("", None)),
        (["*/*"], ("", None)),
        (["unknown/unknown"], ("", None)),
        (["application/unknown"], ("", None)),
        (["application/xhtml+xml; charset=utf-8"], ("application/xhtml+xml", "utf-8")),
    ],
)
def test_the_media_type_that_browsers_take(values, expected):
    assert media_type(values) == expected


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"<!DOCTYPE html><p>", True),
        (b"<!doctype  HTML PUBLIC>", True),
        (b"\n <!-- a --> <!DOCTYPE html><p>", True),
        (b"\xef\xbb\xbf<html>", True),
        (b'<?xml version="1.0"?>\n<!DOCTYPE html>', True),
        (b"<TABLE border=0>", True),
        (b"<p>text", True),
        (b"<br/>text", True),
        (b"<meta charset=utf-8>", True),
        (b"<!--" + b"x" * 5_000, True),
        (b"<?xml version='1.0'?><rss>", False),
        (b"<pre>", False),
        (b"<bold>", False),
        (b"< html>", False),
        (b"%PDF-1.4", False),
        (b'{"html": "<p>"}', False),
        (b"", False),
        (b" " * 2_000 + b"<html>", False),
    ],
)
def test_html_is_told_by_its_first_tag(body, expected):
    assert begins_like_html(body) is expected
    assert is_html("", body) is expected
    assert not is_html("text/plain", body)
    assert is_html("text/html", body)


@pytest.mark.parametrize("unit", [b"<!---->", b"<!-- -->\n", b" ", b"<!--", b"<!", b"<?xml ?>", b"<?xml "])
def test_the_first_tag_is_found_at_once_whatever_stands_before_it(unit):
    began = time.process_time()
    begins_like_html(unit * 100_000 + b"<p>")
    begins_like_html(unit * 60 + b"<p>")
    assert time.process_time() - began < 1


def test_many_media_types_cost_as_much_as_they_are_long():
    for unit in ("text/html,", "a" * 9 + '"', ",", "charset  ", "text/html; charset=x\t"):
        began = time.process_time()
        media_type([unit * 100_000])
        assert time.process_time() - began < 5
