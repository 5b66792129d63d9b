"""Sites of URLs."""

from __future__ import annotations

import pytest

from pipeline.text.sites import site_of, sites


@pytest.mark.parametrize(
    ("url", "site"),
    [
        ("https://www.example.co.uk/a/b?c=d#e", "example.co.uk"),
        ("http://example.com", "example.com"),
        ("HTTP://WWW.Example.COM.:8080/", "example.com"),
        ("https://user:secret@shop.example.org/", "example.org"),
        ("https://example.org?u=http://other.net/", "example.org"),
        ("http://www.city.kawasaki.jp/", "city.kawasaki.jp"),
        ("http://a.b.kawasaki.jp/", "a.b.kawasaki.jp"),
        # Below the private part of the list, where a hoster gives names to others.
        ("https://someone.blogspot.com/2010/", "someone.blogspot.com"),
        ("https://www.someone.blogspot.com/", "someone.blogspot.com"),
        ("https://blogspot.com/", "blogspot.com"),
        ("https://ann.github.io/blog", "ann.github.io"),
        ("https://github.io/", "github.io"),
        ("https://github.com/ann", "github.com"),
        ("https://a.b.example.co.uk/", "example.co.uk"),
        ("http://93.184.216.34:80/x", "93.184.216.34"),
        ("http://[2001:DB8::1]:80/x", "[2001:db8::1]"),
        ("http://localhost:5000/", "localhost"),
        ("http://co.uk/", "co.uk"),
        ("http://host.unknowntoplevel/", "host.unknowntoplevel"),
        ("https://www.müller.de/", "xn--mller-kva.de"),
        ("https://www.xn--mller-kva.de/", "xn--mller-kva.de"),
        ("  https://example.com/ ", "example.com"),
        ("ftp://ftp.example.com/pub", "example.com"),
        ("http://ü..de/", "ü..de"),
        (f"http://{'a.' * 121}example.com/", "example.com"),
        (f"http://{'a.' * 122}example.com/", None),
        (f"http://{'ä.' * 100_000}example.com/", None),
        ("http:///path", None),
        ("/relative/path", None),
        ("example.com", None),
        ("mailto:a@b.c", None),
        ("", None),
    ],
)
def test_site_of(url: str, site: str | None) -> None:
    assert site_of(url) == site


def test_sites_keeps_order_and_missing_urls() -> None:
    assert sites(["http://b.example.org", None, "nothing", "http://a.example.org"]) == [
        "example.org",
        None,
        None,
        "example.org",
    ]
