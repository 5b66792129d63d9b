"""Numbers with dots, and other identifiers, that are neither IP addresses nor telephone numbers. All are made up."""

from __future__ import annotations

import pytest

from pipeline.text.personal import search

NOTHING = (
    "Running iOS 17.3.1.2 on it.",
    "We use nginx/1.25.3.1 here.",
    "The firmware FW 12.4.5.6 is out.",
    "OpenSSL 1.1.1.1 and PHP 8.3.2.1 too.",
    "kernel 5.15.0.91 generic",
    "pip install foo==1.2.3.4",
    'foo>=1.2.3.4,<2 foo ~= 1.2.3.4 foo!=1.2.3.4 "foo": "^1.2.3.4" \'~1.2.3.4\' foo@1.2.3.4 foo @ 1.2.3.4',
    "foo-1.2.3.4.tar.gz foo_1.2.3.4 v1.2.3.4 V1.2.3.4 app 1.2.3.4.zip lib 1.2.3.4+git tool 1.2.3.4-rc1",
    (
        "tensor of shape 1.2.3.4, OID 1.3.6.1, OID: 1.3.6.1, .1.3.6.1, 1.3.6.1.4.1, Table 3.2.1.4, Lemma 2.3.1.1, step"
        " 1.2.3.4"
    ),
    (
        "RFC 1918 defines 10.0.0.0/8 and 192.168.1.1, netmask 255.255.255.0, 8.8.8.0/255.255.255.0, 8.8.8.0/24,"
        " wildcard 0.0.0.255"
    ),
    "192.0.2.1 198.51.100.7 203.0.113.9 2001:db8::1 3fff::1 fe80::1",
    (
        "MyTool 3.2.1.0 works; the LibreOffice 7.4.2.3 build; Photoshop 22.1.0.94; Chrome 120.0.6099.71; Chrome"
        " 99.0.4.51; Zoom (5.13.4.11)"
    ),
    (
        'nach Unterabschnitt 1.8.3.3, Regel II-2/5.3.2.1, § 5.3.1.1, §§ 5.3.1.1, {"version": "1.2.3.4"},'
        ' version="1.2.3.4", revision 1.91.2.7'
    ),
    (
        "ISBN 978-3-16-148410-0, ISSN 2049-3630, DOI 10.1000/182, arXiv:2101.12345, order 302-1234567-1234567,"
        " 2024-01-02 03:04:05, 1700000000"
    ),
    (
        "uuid 123e4567-e89b-12d3-a456-426614174000 price $1,234,567.89 coordinates 48.8584, 2.2945 line 12345678"
        " B08N5WRWNW 4006381333931"
    ),
    "[2024-03-04 10:11:12.345] ERROR 12345 --- id=0123456789 tel: none, thread 0x7f, pid 2125550100, ref 212-555-01001",
    "2024-03-04T10:11:12+01:00 200 1234567 5551234567 0x1234567 1-800-FLOWERS UTC+01 00:11:22:33:44:55",
    "1234567890abcdef1234567890abcdef12345678",
)


@pytest.mark.parametrize("text", NOTHING)
@pytest.mark.parametrize("kind", ["ip", "phone", "email"])
def test_identifiers(text: str, kind: str) -> None:
    data = text.encode()
    assert [data[start:stop] for start, stop in search(data, kind)] == []


@pytest.mark.parametrize(
    ("text", "count"),
    [
        (
            (
                "Contact 93.184.216.34 or 8.8.8.8; DNS 8.8.8.8, IP 1.2.3.4, IPv4: 1.2.3.4, Server 5.9.12.33, host"
                " 8.8.8.8, from 8.8.8.8"
            ),
            8,
        ),
        (
            (
                "google (8.8.8.8); Received: from x (9.9.9.9); User 93.184.216.34; Herr Meier 93.184.216.34;"
                " http://8.8.8.8/x; 1.2.3.4:8000"
            ),
            6,
        ),
        ('1.2.3.4 alone, [\'1.2.3.4\'], ip=1.2.3.4, "ip": "1.2.3.4"', 3),
    ],
)
def test_addresses_stay_addresses(text: str, count: int) -> None:
    assert len(search(text.encode(), "ip")) == count
