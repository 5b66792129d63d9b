import time

import pytest

from pipeline.readers.web.charset_declared import declared_in


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        (b"<meta charset=koi8-r>", "koi8-r"),
        (b"<META CHARSET = 'KOI8-R' >", "koi8-r"),
        (b'<meta name=a charset="koi8-r"/>', "koi8-r"),
        (b"<meta/charset=koi8-r>", "koi8-r"),
        (b'<meta http-equiv="Content-Type" content="text/html; charset=koi8-r">', "koi8-r"),
        (b"<meta content='text/html;charset = \"koi8-r\"' HTTP-EQUIV=content-type>", "koi8-r"),
        (b'<meta http-equiv=content-type content="text/html; charset=koi8-r;a=b">', "koi8-r"),
        (b'<meta content="text/html; charset=koi8-r">', None),
        (b'<meta http-equiv=refresh content="charset=koi8-r">', None),
        (b'<meta name="description" content="how to write charset=koi8-r">', None),
        (b"<!-- <meta charset=big5> --><meta charset=koi8-r>", "koi8-r"),
        (b"<!--><meta charset=koi8-r>", "koi8-r"),
        (b"<!-- <meta charset=koi8-r>", None),
        (b'<a title="<meta charset=big5>"><meta charset=koi8-r>', "koi8-r"),
        (b"<script>var a = '<meta charset=big5>'</script><meta charset=koi8-r>", "koi8-r"),
        (b"<STYLE><meta charset=big5></STYLE ><meta charset=koi8-r>", "koi8-r"),
        (b"<metadata charset=big5><meta charset=koi8-r>", "koi8-r"),
        (b"</meta charset=big5><meta charset=koi8-r>", "koi8-r"),
        (b"<meta charset=nonsense><meta charset=koi8-r>", "koi8-r"),
        (b"<meta charset=''><meta charset=koi8-r>", "koi8-r"),
        (b"<meta charset=big5 charset=koi8-r>", "big5"),
        (b"<?php a ?><!DOCTYPE html><meta charset=koi8-r>", "koi8-r"),
        (b"1 < 2 <meta charset=koi8-r>", "koi8-r"),
        (b"<script>" + b"a" * 20_000 + b"</script><meta charset=koi8-r>", "koi8-r"),
        (b"<meta charset=utf-16>", "utf-8"),
        (b"<meta charset=utf8>", "utf-8"),
        (b"<meta charset=x-user-defined>", "windows-1252"),
        (b'<?xml version="1.0" encoding="koi8-r"?><html>', "koi8-r"),
        (b'<?xml version="1.0" encoding="koi8-r"?><meta charset=big5>', "big5"),
        (b'x<?xml version="1.0" encoding="koi8-r"?>', None),
        (b"<meta charset='koi8-r", None),
        (b"<meta charset=", None),
        (b"", None),
    ],
)
def test_what_the_page_declares(head, expected):
    assert declared_in(head) == expected


@pytest.mark.parametrize(
    "unit",
    [
        b"<meta ",
        b"<",
        b"<a b='",
        b'<a b="x" ',
        b"<script>",
        b"<style><script>",
        b"<!--",
        b"<!",
        b"</",
        b"a=",
        b"< ",
        b"<?xml ",
    ],
)
def test_any_page_is_read_in_a_moment(unit):
    began = time.process_time()
    declared_in(unit * (200_000 // len(unit)))
    declared_in(b"<a " + unit * (200_000 // len(unit)))
    assert time.process_time() - began < 2
