"""Hand-made raw files, and a reader's result for one."""

import gzip
import json
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from manifests.corpus import Source
from pipeline.readers import read_records
from pipeline.readers.pieces import Piece, split
from pipeline.readers.records import RAW, Broken, Record


@dataclass
class Read:
    documents: list[Record] = field(default_factory=list)
    broken: list[Broken] = field(default_factory=list)
    skipped: Counter = field(default_factory=Counter)

    @property
    def total(self):
        return len(self.documents) + len(self.broken) + sum(self.skipped.values())

    @property
    def texts(self):
        return [record.text for record in self.documents]

    @property
    def kinds(self):
        """The kinds of errors: what the ledger counts by."""
        return [record.problem.kind for record in self.broken]


def read(path: Path, format: str, *, piece: Piece | None = None, **fields) -> Read:
    source = Source(name="sample", format=format, files=["*"], licence="none", **fields)
    result = Read()
    for records in read_records(str(path), name=path.name, source=source, piece=piece):
        assert records.documents.schema == RAW
        result.documents += [Record(**row) for row in records.documents.to_pylist()]
        result.broken += records.broken
        result.skipped.update(records.skipped)
    assert all(len(record.excerpt) <= 200 for record in result.broken)
    return result


def read_pieces(path: Path, format: str, *, budget: int, **fields) -> Read:
    """All pieces of a file, one after the other."""
    result = Read()
    for piece in split(path.name, format=format, size=path.stat().st_size, budget=budget):
        one = read(path, format, piece=piece, **fields)
        result.documents += one.documents
        result.broken += one.broken
        result.skipped.update(one.skipped)
    return result


def write(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


def json_lines(*values) -> bytes:
    return b"".join(json.dumps(value).encode() + b"\n" for value in values)


def page(words: str) -> bytes:
    """An HTTP response with one HTML page."""
    html = f"<html><body><main><p>{words}</p></main></body></html>".encode()
    return b"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\n\r\n" + html


def warc_record(
    number: int,
    block: bytes,
    *,
    kind: str | None = "response",
    length: int | str | None = None,
    media: str | None = None,
    end: bytes = b"\r\n\r\n",
) -> bytes:
    """A WARC record; `length` is what Content-Length says when it lies."""
    if media is None:
        media = "application/http; msgtype=response" if kind == "response" else "text/plain"
    lines = [
        "WARC/1.0",
        f"WARC-Record-ID: <urn:uuid:{number}>",
        f"WARC-Target-URI: http://example.org/{number}",
        f"Content-Type: {media}",
        f"Content-Length: {len(block) if length is None else length}",
    ]
    if kind is not None:
        lines.insert(1, f"WARC-Type: {kind}")
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + block + end


def pages(count: int) -> list[bytes]:
    return [warc_record(number, page(f"This is page number {number}.")) for number in range(count)]


def members(records: list[bytes]) -> bytes:
    """Each record a gzip member of its own."""
    return b"".join(gzip.compress(record, mtime=0) for record in records)


SITE = """<mediawiki xmlns="http://www.mediawiki.org/xml/export-0.10/" xml:lang="de">
  <siteinfo>
    <base>https://de.wikipedia.org/wiki/Wikipedia:Hauptseite</base>
    <namespaces><namespace key="6" case="first-letter">Datei</namespace><namespace key="14">Kategorie</namespace></namespaces>
  </siteinfo>
"""


def wiki_page(
    number: int, text: str, *, title: str | None = None, namespace: int = 0, extra: str = "", model: str = "wikitext"
) -> str:
    return f"""  <page>
    <title>{title or f"Page {number}"}</title><ns>{namespace}</ns><id>{number}</id>{extra}
    <revision><id>{number + 1000}</id><contributor><id>7</id></contributor><model>{model}</model>
      <text xml:space="preserve">{text}</text></revision>
  </page>
"""


def wiki_dump(*wiki_pages: str) -> bytes:
    return (SITE + "".join(wiki_pages) + "</mediawiki>\n").encode()
