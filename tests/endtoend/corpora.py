"""Writes a small corpus of every format from a seed, and says what must happen to each record."""

from __future__ import annotations

import bz2
import gzip
import hashlib
import json
import random
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import yaml
import zstandard

from tests.pipeline.readers.samples import SITE, json_lines, members, page, warc_record

_STOP_WORDS = ("the", "of", "and", "to", "that", "with", "have", "be")
_SYLLABLES = ("ka", "ri", "mo", "ten", "la", "sur", "vi", "nor", "pel", "du", "gan", "ho", "bre", "sti", "wen")


@dataclass
class Corpus:
    """A manifest on disk, and what must become of its records.

    Attributes:
        records: records of all files together.
        fates: record name to reason (`kept`, a reason of decide), for the records that become documents.
    """

    path: Path
    records: int = 0
    fates: dict[str | None, str] = field(default_factory=dict)

    def document(self, name: str | None, fate: str = "kept") -> str | None:
        self.records += 1
        self.fates[name] = fate
        return name


def prose(seed: str, *, words: int = 160) -> str:
    """Text that passes the filters, different for every seed; sentences, two paragraphs."""
    draw = random.Random(seed)
    vocabulary = ["".join(draw.choice(_SYLLABLES) for _ in range(draw.randint(1, 3))) for _ in range(words)]
    chosen = [draw.choice(_STOP_WORDS) if draw.random() < 0.3 else draw.choice(vocabulary) for _ in range(words)]
    sentences = [" ".join(chosen[at : at + 12]).capitalize() + "." for at in range(0, words, 12)]
    half = len(sentences) // 2
    return " ".join(sentences[:half]) + "\n\n" + " ".join(sentences[half:])


def nearly(text: str) -> str:
    """The same text with its last word changed."""
    return text.rsplit(" ", 1)[0] + " elsewhere."


def write_corpus(folder: Path, *, scale: int = 1, vocab_size: int = 420) -> Corpus:
    """Raw files and manifest; `scale` multiplies the number of ordinary documents."""
    folder.mkdir(parents=True, exist_ok=True)
    corpus = Corpus(folder / "corpus.yaml")
    _write_crawl(folder, corpus, 8 * scale)
    _write_wet(folder, corpus)
    _write_json_lines(folder, corpus, 10 * scale)
    _write_parquet(folder, corpus, 6 * scale)
    _write_wiki(folder, corpus, 5 * scale)
    _write_other_formats(folder, corpus)
    manifest = {
        "kind": "corpus",
        "version": 1,
        "name": "sample",
        "seed": 3,
        "sources": [
            _source("crawl", "warc", "*.warc.gz", priority=100),
            _source("crawl-wet", "wet", "*.wet", priority=110),
            _source("articles", "jsonl", "articles*", priority=50),
            _source("books", "parquet", "*.parquet", priority=60),
            _source("columns", "arrow", "*.arrow"),
            _source("old-crawl", "arc", "*.arc"),
            _source("page", "html", "*.html"),
            _source("novel", "text", "*.txt", filters=["c4-tfds", {"variant": "fineweb", "max_short_lines": 0.9}]),
            _source("paper", "latex", "*.tex", filters="none"),
            _source("questions", "stackexchange", "Posts.xml", filters="none"),
            _source("wiki", "mediawiki", "*.xml.bz2", priority=10, factual=True),
        ],
        # Weights of the tests' own: those of the manifest are fitted and change.
        "personal_information": {"sites": {"weights": {"lists": 6.0}, "bias": -3.0}},
        "tokenizer": {"train": {"vocab_size": vocab_size, "sample_mb": 1}},
        "shard_tokens": 4_000,
    }
    corpus.path.write_text(yaml.safe_dump(manifest))
    return corpus


def change(path: Path, **sections: object) -> Path:
    """The manifest beside itself with some sections replaced."""
    data = yaml.safe_load(path.read_text()) | sections
    changed = path.with_name("changed.yaml")
    changed.write_text(yaml.safe_dump(data))
    return changed


def tree_hashes(out: Path) -> dict[str, str]:
    """sha256 of every published file; task manifests and the lock are not published."""
    files = [
        path
        for path in out.rglob("*")
        if path.is_file() and "tasks" not in path.relative_to(out).parts and path.name != ".lock"
    ]
    return {str(path.relative_to(out)): hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(files)}


def _source(name: str, format: str, files: str, **fields: object) -> dict[str, object]:
    return {"name": name, "format": format, "root": "raw", "files": [files], "licence": "made up", **fields}


def _raw(folder: Path, name: str, data: bytes) -> None:
    (folder / "raw").mkdir(exist_ok=True)
    (folder / "raw" / name).write_bytes(data)


def _response(number: int, text: str, site: str) -> bytes:
    html = text.replace("\n\n", "</p><p>")
    return warc_record(number, page(html)).replace(b"http://example.org/", f"https://www.{site}/page-".encode())


def _write_crawl(folder: Path, corpus: Corpus, count: int) -> None:
    records = []
    for number in range(count):
        corpus.document(f"<urn:uuid:{number}>")
        records.append(_response(number, prose(f"crawl {number}"), f"site{number % 3}.example"))
    for number in range(1_000, 1_006):  # a directory of people
        corpus.document(f"<urn:uuid:{number}>", "personal_information_site")
        people = " ".join(
            f"Write to Ann Quandersen, person{number}{entry}@gmail.com, or call (212) 555-{number % 10}{entry:03d}."
            for entry in range(10)
        )
        records.append(_response(number, prose(f"people {number}") + "\n\n" + people, "people.test"))
    corpus.document("<urn:uuid:2000>", "gopher_words")
    records.append(_response(2_000, "Too short to keep.", "site0.example"))
    corpus.records += 2  # skipped: not a page, not found
    records.append(warc_record(3_000, b"GET / HTTP/1.1\r\n\r\n", kind="request"))
    records.append(warc_record(3_001, b"HTTP/1.1 404 Not Found\r\nContent-Type: text/html\r\n\r\n<p>no</p>"))
    corpus.records += 1  # quarantined
    records.append(warc_record(3_002, b"no response at all"))
    half = len(records) // 2
    _raw(folder, "a.warc.gz", members(records[:half]))
    _raw(folder, "b.warc.gz", members(records[half:]))


def _write_wet(folder: Path, corpus: Corpus) -> None:
    records = []
    for number in range(4_000, 4_003):
        corpus.document(f"<urn:uuid:{number}>")
        records.append(warc_record(number, prose(f"wet {number}").encode(), kind="conversion"))
    corpus.document("<urn:uuid:4010>", "near_duplicate")  # of an article, which has the smaller priority number
    records.append(warc_record(4_010, nearly(prose("article 1")).encode(), kind="conversion"))
    _raw(folder, "c.wet", b"".join(records))


def _write_json_lines(folder: Path, corpus: Corpus, count: int) -> None:
    rows = [
        {"id": corpus.document(f"article-{n}"), "text": prose(f"article {n}"), "url": f"https://news.example/{n}"}
        for n in range(count)
    ]
    rows.append({"id": corpus.document("article-copy", "exact_duplicate"), "text": prose("article 0")})
    rows.append({"id": corpus.document("article-of-wiki", "exact_duplicate"), "text": "Page 0\n\n" + prose("wiki 0")})
    half = len(rows) // 2
    _raw(folder, "articles.jsonl.gz", gzip.compress(json_lines(*rows[:half]), mtime=0))
    corpus.records += 3  # broken, no text, empty
    bad = (
        b'{"id": "broken", "text": \n'
        + json.dumps({"id": "untexted", "body": "x"}).encode()
        + b'\n{"id": "empty", "text": "  "}\n'
    )
    _raw(folder, "articles.jsonl.zst", zstandard.compress(json_lines(*rows[half:]) + bad))


def _write_parquet(folder: Path, corpus: Corpus, count: int) -> None:
    names = [corpus.document(f"book-{number}") for number in range(count)]
    table = pa.table({"id": names, "text": [prose(f"book {number}", words=600) for number in range(count)]})
    (folder / "raw").mkdir(exist_ok=True)
    pq.write_table(table, folder / "raw" / "books.parquet", row_group_size=4)


def _write_wiki(folder: Path, corpus: Corpus, count: int) -> None:
    pages = []
    for number in range(count):
        corpus.document(str(number))
        text = prose(f"wiki {number}")
        pages.append(
            "<page><title>Page"
            f" {number}</title><ns>0</ns><id>{number}</id><revision><text>{text}</text></revision></page>"
        )
    corpus.records += 1  # a talk page
    pages.append("<page><title>Talk:x</title><ns>1</ns><id>999</id><revision><text>chat</text></revision></page>")
    _raw(folder, "wiki.xml.bz2", bz2.compress((SITE + "\n".join(pages) + "</mediawiki>").encode()))


def _write_other_formats(folder: Path, corpus: Corpus) -> None:
    """One file each of the formats that need no more to be seen."""
    names = [corpus.document(f"row-{number}") for number in range(3)]
    table = pa.table({"id": names, "text": [prose(name) for name in names]})
    sink = pa.BufferOutputStream()
    with pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table, max_chunksize=2)
    _raw(folder, "rows.arrow", sink.getvalue().to_pybytes())

    block = page(prose("arc"))
    corpus.document(None)  # ARC knows no record ids
    corpus.records += 1  # the file's own description
    version = b"1 0 made-up\nURL IP-address Archive-date Content-type Archive-length\n"
    arc = b"filedesc://old.arc 0.0.0.0 19990101000000 text/plain %d\n%s\n" % (len(version), version)
    arc += b"http://old.example/ 192.0.2.1 19990101000000 text/html %d\n%s\n" % (len(block), block)
    _raw(folder, "old.arc", arc)

    corpus.document("one.html")
    _raw(folder, "one.html", f"<html><body><p>{prose('html')}</p></body></html>".encode())
    lines = [line for line in prose("novel", words=400).replace("\n\n", " ").split(". ") if line]
    corpus.document("novel.txt")
    _raw(
        folder, "novel.txt", ("Contents\n" + "".join(f"{line.rstrip('.')}.\n" for line in lines) + "The end\n").encode()
    )
    corpus.document("paper.tex")
    _raw(folder, "paper.tex", f"\\begin{{document}} title \\section{{One}} {prose('paper')} \\end{{document}}".encode())

    corpus.document("77")
    corpus.records += 2  # an answer, which is part of its question's document, and one without a question
    rows = (
        f'<row Id="77" PostTypeId="1" Score="3" Title="Why?" Body="&lt;p&gt;{prose("question")}&lt;/p&gt;" />'
        f'<row Id="78" PostTypeId="2" ParentId="77" Score="5" Body="&lt;p&gt;{prose("answer")}&lt;/p&gt;" />'
        '<row Id="79" PostTypeId="2" ParentId="9" Score="5" Body="lost" />'
    )
    _raw(folder, "Posts.xml", f'<?xml version="1.0" encoding="utf-8"?><posts>{rows}</posts>'.encode())
