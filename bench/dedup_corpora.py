"""The corpora on which deduplication is judged: two real ones as they are, and the planted ones of bench/dedup_planted.

In: the folder of the development corpora, a half, a scale. Out: `Corpus`: documents with ids of their own, in the order
of their file, and for planted ones the families that they were planted in. They are written as JSONL (`id`, `text`)
once, and every tool reads that file.

Planted cases are halved by a hash of the name of their template, site, or source of text: what is chosen on one half is
shown on the other. The real corpora belong to both halves: their documents resemble each other across any cut. Nothing
depends on anything but names and texts: whatever is drawn is drawn by a hash of a name.
"""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np

from kernels.arrays import Int64s, Uint64s

Half = Literal["development", "held out"]
HALVES: tuple[Half, Half] = ("development", "held out")
Scale = Literal["small", "full"]
REAL = {"bible-versions": "neardup/bible-versions.jsonl.gz", "license-texts": "neardup/license-texts.jsonl.gz"}
# Of the real corpora a small run takes the documents of one group in four.
_SMALL_SHARE = 4


class Document(NamedTuple):
    """A document with its id, which no other of its corpus has."""

    id: str
    text: str


class Family(NamedTuple):
    """Documents that were planted together, of which a reader would want one.

    Attributes:
        case: what was done to them, as rows of the table are called.
        members: their ids; the first one is what the others were made of, where there is such a one.
    """

    case: str
    members: tuple[str, ...]


@dataclass(frozen=True)
class Corpus:
    """Documents in the order of their file, and what was planted among them."""

    name: str
    documents: tuple[Document, ...]
    families: tuple[Family, ...] = ()

    def __post_init__(self) -> None:
        ids = {document.id for document in self.documents}
        if len(ids) != len(self.documents):
            raise SystemExit(f"{self.name}: two documents have one id")
        if any(not document.text.strip() for document in self.documents):
            raise SystemExit(f"{self.name}: a document is empty")
        if not all(member in ids for family in self.families for member in family.members):
            raise SystemExit(f"{self.name}: a family has a member that is no document")


def half_of(name: str) -> Half:
    """The half that a template, a site or a source of text belongs to."""
    return HALVES[int(draws(f"half {name}", 1)[0] % np.uint64(2))]


def draws(name: str, count: int) -> Uint64s:
    """`count` random numbers that depend on the name alone: SHAKE-256 of it, uint64[count]."""
    return np.frombuffer(hashlib.shake_256(name.encode()).digest(8 * count), "<u8").astype(np.uint64)


def chosen(name: str, count: int, *, of: int) -> Int64s:
    """`count` different numbers below `of`, in increasing order, int64[count]."""
    return np.sort(np.argsort(draws(name, of), kind="stable")[:count]).astype(np.int64)


def in_order_of_hash(documents: Sequence[Document]) -> tuple[Document, ...]:
    """The documents in an order that says nothing about what was made of what."""
    return tuple(sorted(documents, key=lambda document: hashlib.sha256(document.id.encode()).digest()))


def real_corpus(name: str, corpora: Path, *, scale: Scale) -> Corpus:
    """A corpus that nobody planted; its documents are in the order of their file.

    Raises:
        SystemExit: the file is not what the corpora's manifest lists.
    """
    rows = list(read_rows(corpora, REAL[name]))
    if scale == "small":
        rows = [row for row in rows if int(draws(str(row.get("group", row["id"])), 1)[0]) % _SMALL_SHARE == 0]
    return Corpus(name, tuple(Document(row["id"], row["text"]) for row in rows))


def read_rows(corpora: Path, file: str) -> Iterator[dict[str, Any]]:
    """The rows of a file of the development corpora, whose number its manifest knows.

    Raises:
        SystemExit: the manifest does not list the file, or another number of documents.
    """
    listed = {entry["file"]: entry.get("docs") for entry in json.loads((corpora / "MANIFEST.json").read_text())}
    if file not in listed:
        raise SystemExit(f"{corpora / 'MANIFEST.json'} does not list {file}")
    count = 0
    with gzip.open(corpora / file, "rt", encoding="utf-8") as lines:
        for line in lines:
            count += 1
            yield json.loads(line)
    if count != listed[file]:
        raise SystemExit(f"{file} has {count} documents, its manifest says {listed[file]}")


def write_corpus(corpus: Corpus, folder: Path) -> Path:
    """Write `documents.jsonl` into a folder, which is made; returns its path."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "documents.jsonl"
    with open(path, "w", encoding="utf-8") as file:
        for document in corpus.documents:
            file.write(json.dumps(document._asdict(), ensure_ascii=False) + "\n")
    return path
