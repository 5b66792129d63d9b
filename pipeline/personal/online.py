r"""E-mail addresses and the addresses of machines on the public internet.

Out: `PATTERNS` of the kinds `email` and `ip`.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from functools import cache
from ipaddress import AddressValueError, IPv6Address

from pipeline.personal.patterns import ANYTHING, Pattern, whole_if

# Networks whose addresses point at nobody: private, loopback, link-local, shared, documentation, benchmarking, reserved (IANA IPv4
# special-purpose address registry, RFC 6890) and multicast (RFC 5771). Written down: `ipaddress.is_global` has changed between Pythons.
_RESERVED_NETWORKS = (
    ("0.0.0.0", 8),
    ("10.0.0.0", 8),
    ("100.64.0.0", 10),
    ("127.0.0.0", 8),
    ("169.254.0.0", 16),
    ("172.16.0.0", 12),
    ("192.0.0.0", 24),
    ("192.0.2.0", 24),
    ("192.88.99.0", 24),
    ("192.168.0.0", 16),
    ("198.18.0.0", 15),
    ("198.51.100.0", 24),
    ("203.0.113.0", 24),
    ("224.0.0.0", 4),
    ("240.0.0.0", 4),
)
# Of 2000::/3, which holds all global unicast addresses (RFC 4291): protocol assignments with Teredo and ORCHID, documentation, 6to4, AS112
# (IANA IPv6 special-purpose address registry).
_RESERVED_NETWORKS_6 = (("2001::", 23), ("2001:db8::", 32), ("2002::", 16), ("2620:4f:8000::", 48), ("3fff::", 20))

_OCTET = rb"(?:25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])"
_DOTTED = rb"(?:" + _OCTET + rb"\.){3}" + _OCTET
# Four numbers with dots between them are also versions and sections of laws and manuals: after a word that says so, and where a line
# begins with them, if all are small as the numbers of sections are. 0.4 % of all addresses have four numbers below 64.
_VERSION_WORDS = (
    b"version versions ver v firmware release build kernel git section sections sec clause paragraph chapter ch article abschnitt ziffer"
    b" nummer nr punkt kapitel anlage absatz wersja wersji versie sectie versi\xc3\xb3n secci\xc3\xb3n versione sezione"
    b" paragraaf rozdzia\xc5\x82 pkt"
).split()


def _no_version() -> bytes:
    """Looks behind for each length of `_VERSION_WORDS`, what may stand between word and number, and programs: `Chrome/16.0.45.96`."""
    looks = []
    for length in sorted(set(map(len, _VERSION_WORDS))):
        words = b"|".join(word for word in _VERSION_WORDS if len(word) == length)
        looks += [rb"(?<!\b(?i:" + words + rb")" + between + rb")" for between in (rb" ", rb" {2}", rb"[.:] ", rb"[:=/]", rb" \(")]
    looks += [rb"(?<!\xc2\xa7)", rb"(?<!\xc2\xa7 )", rb"(?<!(?i:version)[\"'][:=])", rb"(?<!(?i:version|on_name)\\[\"']:\\[\"'])"]
    looks += [rb"(?<!(?i:version|on_name)[\"']: [\"'])"]
    # Most addresses stand after nothing of the kind: one look tells.
    quick = rb"(?<![\w\x80-\xff.: ] )(?<![A-Za-z\x80-\xff][:=/])(?<![A-Za-z\x80-\xff] \()(?<![\"'\xa7])"
    return rb"(?:" + quick + rb"|" + b"".join(looks) + rb")(?!(?<=[a-z]/)[0-9.]{7,15}(?![^ ;)\n\x00]))"


_SMALL = rb"(?:[0-9]|[1-5][0-9]|6[0-3])"
_LINE_START = rb"(?<![^\n\x00])[ \t>*#|\-]{0,16}"
_NUMBERED = _LINE_START + _SMALL + rb"(?:\." + _SMALL + rb"){3}(?![0-9])(?! ?-)"
# Last labels that are no top-level domains but endings of files: `icon@2x.png`.
_FILES = frozenset((b"png", b"jpg", b"jpeg", b"gif", b"svg", b"webp", b"bmp", b"css", b"js", b"json", b"html", b"php", b"pdf"))
# A time stamp: ten digits and more, or `1991Jul31.174523`.
_MESSAGE = re.compile(rb"[0-9]{10,}[.\-]|(?:19|20)[0-9]{2}[A-Z][a-z]{2}[0-9]{1,2}\.[0-9]{4}")
_TOP_LEVEL = re.compile(rb"[A-Za-z]{2,63}|xn--[A-Za-z0-9\-]{1,59}", re.IGNORECASE)


def mail_address(span: bytes) -> bool:
    """The last label is letters or Punycode, at least two (RFC 3696 section 2; ICANN delegates no other), and not the ending of a file.

    Identifiers of messages are no addresses (RFC 5322 section 3.6.4 suggests date, time and process before the `@`), nor is the one user of
    all git hosts.
    """
    local, _, domain = span.partition(b"@")
    label = domain.rpartition(b".")[2]
    if _TOP_LEVEL.fullmatch(label) is None or label.lower() in _FILES:
        return False
    return local != b"git" and _MESSAGE.match(local) is None


def public_address(span: bytes) -> bool:
    """An IPv4 address that can point at somebody; octets with leading zeros make a version number or the like."""
    octets = span.split(b".")
    if any(len(octet) > 1 and octet.startswith(b"0") for octet in octets):
        return False
    value = _address(octets)
    first, last = _reserved_ranges()
    index = bisect_right(first, value) - 1
    return index < 0 or value > last[index]


def public_address_6(span: bytes) -> bool:
    """An IPv6 address that can point at somebody, compressed or not."""
    try:
        value = int(IPv6Address(span.decode()))
    except AddressValueError:
        return False
    return not any(value >> (128 - bits) == network for network, bits in _reserved_networks_6())


def _address(octets: list[bytes]) -> int:
    return int.from_bytes(bytes(map(int, octets)), "big")


@cache
def _reserved_ranges() -> tuple[list[int], list[int]]:
    first = [_address(network.encode().split(b".")) for network, _ in _RESERVED_NETWORKS]
    return first, [start + (1 << (32 - bits)) - 1 for start, (_, bits) in zip(first, _RESERVED_NETWORKS, strict=True)]


@cache
def _reserved_networks_6() -> tuple[tuple[int, int], ...]:
    return tuple((int(IPv6Address(network)) >> (128 - bits), bits) for network, bits in _RESERVED_NETWORKS_6)


PATTERNS = (
    # RFC 5321 section 4.5.3.1: local part up to 64 characters; RFC 1035 section 2.3.4: labels up to 63.
    Pattern(
        kind="email",
        cores=(rb"[A-Za-z0-9._%+\-]@[A-Za-z0-9\-]",),
        pattern=rb"[A-Za-z0-9._%+\-]{1,64}@[A-Za-z0-9\-]{1,63}(?:\.[A-Za-z0-9\-]{1,63}){1,8}",
        before=rb"[\w.@%+\-]",
        after=rb"[\w@\-]",
        seen=rb"[\w.@%+\-]",
        longest=640,
        measure=whole_if(mail_address),
    ),
    Pattern(
        kind="ip",
        cores=(rb"[0-9]\.[0-9]{1,3}\.[0-9]{1,3}\.[0-9]",),
        pattern=rb"(?:" + _NUMBERED + rb"|(?=[0-9]{1,3}\.)" + _no_version() + rb"(?P<span>" + _DOTTED + rb"))",
        before=rb"[\w.@\-]",
        # Networks have a prefix length.
        after=rb"[\w@\-]|\.[0-9]|/[0-9]{1,2}(?![\w/.])",
        seen=ANYTHING,
        longest=44,
        measure=whole_if(public_address),
    ),
    # RFC 4291 section 2.2. Global unicast only, so the first group has four digits and begins with 2 or 3; no dotted quad inside.
    Pattern(
        kind="ip",
        cores=(rb"[23][0-9A-Fa-f]{3}:[0-9A-Fa-f:]",),
        pattern=rb"[23][0-9A-Fa-f]{3}(?::[0-9A-Fa-f]{0,4}){2,7}",
        before=rb"[\w.@:\-]",
        after=rb"[\w@:\-]|\.[0-9]",
        seen=rb"[\w.@:\-]",
        longest=39,
        measure=whole_if(public_address_6),
    ),
)
