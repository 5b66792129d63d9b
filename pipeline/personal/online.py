r"""E-mail addresses and the addresses of machines on the public internet.

Out: `PATTERNS` of the kinds `email` and `ip`.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from functools import cache
from ipaddress import AddressValueError, IPv6Address

from pipeline.personal.patterns import Pattern, whole_if

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
# Last labels that are no top-level domains but endings of files: `icon@2x.png`.
_FILES = frozenset((b"png", b"jpg", b"jpeg", b"gif", b"svg", b"webp", b"bmp", b"css", b"js", b"json", b"html", b"php", b"pdf"))
_TOP_LEVEL = re.compile(rb"[A-Za-z]{2,63}|xn--[A-Za-z0-9\-]{1,59}", re.IGNORECASE)


def mail_domain(span: bytes) -> bool:
    """The last label is letters or Punycode, at least two (RFC 3696 section 2; ICANN delegates no other), and not the ending of a file."""
    label = span.rpartition(b".")[2]
    return _TOP_LEVEL.fullmatch(label) is not None and label.lower() not in _FILES


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
        measure=whole_if(mail_domain),
    ),
    Pattern(
        kind="ip",
        cores=(rb"[0-9]\.[0-9]{1,3}\.[0-9]{1,3}\.[0-9]",),
        pattern=rb"(?:" + _OCTET + rb"\.){3}" + _OCTET,
        before=rb"[\w.@\-]",
        after=rb"[\w@\-]|\.[0-9]",
        seen=rb"[\w.@\-]",
        longest=15,
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
