"""The site of a URL: whoever answers for it, by the Public Suffix List that the installed package carries.

In: URLs. Out, row-aligned: the registered domain, `example.co.uk` for `https://www.example.co.uk/a`; below a suffix of
the list's private part, where a hoster gives names to others, the name given, `ann.github.io` for
`https://ann.github.io/blog`; the address itself for IP hosts; None where there is no host. Lower case, international
names in their ASCII form, so that a site has one name. The result changes with the list, that is with the version of
`publicsuffixlist`, and with nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import suppress
from functools import cache, lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from publicsuffixlist import PublicSuffixList

_HOST = re.compile(r"\s*[a-z][a-z0-9+.-]*://(?:[^/?#@]*@)?(\[[0-9a-f:.]+\]|[^/?#:\s]+)", re.IGNORECASE)
# Characters of a name in the Domain Name System (RFC 1035, section 2.3.4: 255 octets, two of which are not of the
# text).
LONGEST_HOST = 253
_ADDRESS = re.compile(r"(?:[0-9]{1,3}\.){3}[0-9]{1,3}|\[.*")


def sites(urls: Sequence[str | None]) -> list[str | None]:
    """The sites of many URLs, in order; None for None."""
    return [None if url is None else site_of(url) for url in urls]


def site_of(url: str) -> str | None:
    """The site of one absolute URL, or None if it names no host.

    A host that is itself a public suffix, or has no dot, is its own site. A name too long for a host is not one.
    """
    match = _HOST.match(url)
    host = match.group(1).lower().rstrip(".") if match else ""
    return _of_host(host) if len(host) <= LONGEST_HOST else None


@lru_cache(maxsize=100_000)
def _of_host(host: str) -> str | None:
    if _ADDRESS.fullmatch(host):
        return host
    host = ascii_host(host)
    domain = _suffixes().privatesuffix(host)
    return str(domain) if domain else host or None


def ascii_host(host: str) -> str:
    """A host in ASCII (RFC 3490); as it is where it has no such form or is too long to be one."""
    if not host.isascii() and len(host) <= LONGEST_HOST:
        with suppress(UnicodeError):
            return host.encode("idna").decode()
    return host


@cache
def _suffixes() -> PublicSuffixList:
    from publicsuffixlist import PublicSuffixList

    return PublicSuffixList()
