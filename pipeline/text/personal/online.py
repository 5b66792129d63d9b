r"""Addresses of machines on the public internet.

Out: `PATTERNS` of the kind `ip`.
"""

from __future__ import annotations

from bisect import bisect_right
from functools import cache
from ipaddress import AddressValueError, IPv6Address

from pipeline.text.personal.patterns import ANYTHING, Pattern, whole_if
from pipeline.text.personal.versions import BACK, is_version

# Networks whose addresses point at nobody: private, loopback, link-local, shared, documentation, benchmarking, reserved
# (IANA IPv4 special-purpose address registry, RFC 6890) and multicast (RFC 5771). Written down: `ipaddress.is_global`
# has changed between Pythons.
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
# Within 2000::/3, which holds all global unicast addresses (RFC 4291): protocol assignments with Teredo and ORCHID,
# documentation, 6to4, AS112 (IANA IPv6 special-purpose address registry).
_RESERVED_NETWORKS_6 = (("2001::", 23), ("2001:db8::", 32), ("2002::", 16), ("2620:4f:8000::", 48), ("3fff::", 20))

_OCTET = rb"(?:25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])"
_DOTTED = rb"(?:" + _OCTET + rb"\.){3}" + _OCTET
# Bytes after an address that are looked at.
_AHEAD = 12
# Where a line begins with four numbers, all of them small as those of sections are. 0.4 % of all addresses have four
# numbers below 64.
_SMALL = rb"(?:[0-9]|[1-5][0-9]|6[0-3])"
_LINE_START = rb"(?<![^\n\x00])[ \t>*#|\-]{0,16}"
_NUMBERED = _LINE_START + _SMALL + rb"(?:\." + _SMALL + rb"){3}(?![0-9])(?! ?-)"


def public_place(text: bytes | memoryview, start: int, stop: int) -> tuple[int, int] | None:
    """Bounds of an IPv4 address that can point at somebody and is not a version or section; None for all others."""
    span = bytes(text[start:stop])
    if not public_address(span):
        return None
    before = bytes(text[max(0, start - BACK) : start]).rpartition(b"\x00")[2]
    return None if is_version(before, span, bytes(text[stop : stop + _AHEAD])) else (start, stop)


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
    Pattern(
        kind="ip",
        cores=(rb"[0-9]\.[0-9]{1,3}\.[0-9]{1,3}\.[0-9]",),
        pattern=rb"(?:" + _NUMBERED + rb"|(?=[0-9]{1,3}\.)(?P<span>" + _DOTTED + rb"))",
        before=rb"[\w.@\-]",
        # Networks have a prefix length or a mask.
        after=rb"[\w@\-]|\.[0-9]|/[0-9]{1,2}(?![\w/.])|/255\.",
        seen=ANYTHING,
        longest=44 + BACK,
        bounds=public_place,
    ),
    # RFC 4291 section 2.2. Global unicast only, so the first group has four digits and begins with 2 or 3; no dotted
    # quad inside.
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
