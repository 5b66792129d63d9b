"""Lists of URLs: which documents of a crawl Wikipedia cites.

In: a list of URLs, one a line; or Wikipedia's dump of its external links. Out: hashes to look URLs up in; or such a
list.

URLs are the same if they differ only in scheme, `www.`, user, a default port, the case or the writing of the host
(international or ASCII), what follows `#`, or a `/` at the end.
"""

from __future__ import annotations

import gzip
import re
import zlib
from collections.abc import Iterable, Iterator, Sequence
from typing import BinaryIO

import numpy as np
import xxhash

from kernels.arrays import Bools, Uint64s
from manifests.errors import GristmillError
from pipeline.text.sites import ascii_host
from storage.files import open_stream, publish

_SCHEME = re.compile(r"(?:[a-z][a-z0-9+.-]*:)?//", re.IGNORECASE)
_DEFAULT_PORT = re.compile(r":(?:80|443)?$")
# A piece of a list that is held as text.
_PIECE = 8 << 20
_COLUMN = re.compile(rb"\s*`(\w+)` ")
# One value of a row: a string with backslashes before quotes, or a word such as 12 or NULL.
_VALUE = re.compile(rb"'((?:[^'\\]|\\.)*)'|([^,()']+)", re.DOTALL)
_ESCAPED = re.compile(rb"\\(.)", re.DOTALL)
_REMEDY = "give the dump `…-externallinks.sql.gz` of a Wikipedia (dumps.wikimedia.org)"


def bare_url(url: str) -> str:
    """What is compared of a URL."""
    rest = url.strip().partition("#")[0]
    scheme = _SCHEME.match(rest)
    rest = rest[scheme.end() :] if scheme else rest
    end = min((place for mark in "/?" if (place := rest.find(mark)) >= 0), default=len(rest))
    host = _DEFAULT_PORT.sub("", rest[:end].rpartition("@")[2].lower()).removeprefix("www.").rstrip(".")
    return ascii_host(host) + rest[end:].rstrip("/")


def read_url_hashes(path: str) -> Uint64s:
    """64-bit hashes of the URLs of a list, sorted, each once; eight bytes of memory for each.

    Raises:
        GristmillError: the file is missing, is not UTF-8, or holds no URL.
    """
    pieces: list[Uint64s] = []
    try:
        with open_stream(path) as file, _unpacked(file) as lines:
            while piece := lines.readlines(_PIECE):
                urls = (line.decode().strip() for line in piece)
                pieces.append(np.array([_hash(url) for url in urls if url], np.uint64))
    except FileNotFoundError:
        raise GristmillError("no such file", where=path, remedy="check `factual_urls`") from None
    except (UnicodeDecodeError, gzip.BadGzipFile, EOFError) as error:
        raise GristmillError(
            f"is no list of URLs: {error}", where=path, remedy="give one URL a line, as UTF-8, plain or gzip"
        ) from None
    hashes = np.unique(np.concatenate(pieces)) if pieces else np.empty(0, np.uint64)
    if not len(hashes):
        raise GristmillError("holds no URL", where=path, remedy="give one URL a line")
    return hashes


def listed(urls: Sequence[str | None], hashes: Uint64s) -> Bools:
    """Which URLs are in the list, bool[n]."""
    wanted = np.array([0 if url is None else _hash(url) for url in urls], np.uint64)
    places = np.minimum(np.searchsorted(hashes, wanted), len(hashes) - 1)
    present = np.array([url is not None for url in urls], np.bool_)
    return np.asarray((hashes[places] == wanted) & present, np.bool_)


def write_links(dump: str, out: str) -> int:
    """Write the URLs of a dump of external links as a gzip list, in the order of the dump; returns how many.

    Raises:
        GristmillError: the file is missing, or not such a dump.
    """
    count = 0

    def lines() -> Iterator[bytes]:
        nonlocal count
        for url in external_links(dump):
            count += 1
            yield url.encode() + b"\n"

    packed = list(_packed(lines()))
    if not count:
        raise GristmillError("holds no external link", where=dump, remedy=_REMEDY)
    publish(out, packed)
    return count


def external_links(path: str) -> Iterator[str]:
    """The web addresses of Wikipedia's dump of the table `externallinks`, without mail and other schemes.

    Since MediaWiki 1.41 a link is `el_to_domain_index`, the host's labels in reverse order (`https://org.example.`),
    and `el_to_path` (includes/ExternalLinks/LinkFilter.php, `makeIndexes`); before that it was `el_to`.

    Raises:
        GristmillError: not such a dump.
    """
    columns: list[bytes] = []
    try:
        with open_stream(path) as file, _unpacked(file) as lines:
            for line in lines:
                if (column := _COLUMN.match(line)) is not None:
                    columns.append(column[1])
                elif line.startswith(b"INSERT INTO"):
                    yield from _links(line, columns, path)
    except (gzip.BadGzipFile, EOFError) as error:
        raise GristmillError(f"the dump is damaged: {error}", where=path, remedy="download it again") from None


def _links(line: bytes, columns: Sequence[bytes], path: str) -> Iterator[str]:
    whole, host, rest = (
        columns.index(name) if name in columns else -1 for name in (b"el_to", b"el_to_domain_index", b"el_to_path")
    )
    if whole < 0 and (host < 0 or rest < 0):
        raise GristmillError("is no dump of the table `externallinks`", where=path, remedy=_REMEDY)
    begin = line.index(b"(", line.index(b"VALUES"))
    values: list[bytes | None] = [match[1] for match in _VALUE.finditer(line, begin)]
    # What follows the last row, `;`, is a value by the same expression.
    for start in range(0, len(values) - len(columns) + 1, len(columns)):
        row = values[start : start + len(columns)]
        url = _text(row[whole]) if whole >= 0 else _from_index(_text(row[host])) + _text(row[rest])
        if url.startswith(("http://", "https://", "//")):
            yield url


def _text(value: bytes | None) -> str:
    return "" if value is None else _ESCAPED.sub(rb"\1", value).decode(errors="replace")


def _from_index(index: str) -> str:
    """`https://www.example.org:80` of `https://org.example.www.:80`; addresses are `V4.` or `V6.` and the labels."""
    scheme, mark, rest = index.partition("://")
    name, colon, port = rest.partition(":")
    labels = name.rstrip(".").split(".")
    if labels[0] == "V4":
        host = ".".join(labels[1:])
    elif labels[0] == "V6":
        host = f"[{':'.join(labels[1:])}]"
    else:
        host = ".".join(reversed(labels))
    return scheme + mark + host + colon + port


def _hash(url: str) -> int:
    return xxhash.xxh3_64_intdigest(bare_url(url).encode())


def _unpacked(file: BinaryIO) -> BinaryIO:
    packed = file.read(2) == b"\x1f\x8b"
    file.seek(0)
    return gzip.GzipFile(fileobj=file) if packed else file  # type: ignore[return-value]


def _packed(lines: Iterable[bytes]) -> Iterator[bytes]:
    """gzip, without a name or time, so that the same lines give the same bytes."""
    packer = zlib.compressobj(6, zlib.DEFLATED, 31)
    for line in lines:
        if data := packer.compress(line):
            yield data
    yield packer.flush()
