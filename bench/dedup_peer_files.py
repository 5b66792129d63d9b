"""What the scripts of peers share: reading documents, joining pairs to clusters, and writing who is removed for whom.

Runs in the environments of peers: it imports nothing but the standard library.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import NamedTuple

BANDS = 14
ROWS = 8
NGRAM = 5
_WORD = re.compile(r"\w+")


class Document(NamedTuple):
    """A document of the file that all tools read."""

    id: str
    text: str


def read_documents(path: str) -> list[Document]:
    """All documents in the order of the file."""
    with open(path, encoding="utf-8") as lines:
        return [Document(row["id"], row["text"]) for row in map(json.loads, lines)]


def shingles(text: str) -> list[str]:
    r"""The distinct 5-grams of `\\w+`, lower-cased, for tools that leave the choice to their users."""
    words = _WORD.findall(text.lower())
    return sorted({" ".join(words[start : start + NGRAM]) for start in range(max(1, len(words) - NGRAM + 1))})


class Clusters:
    """Documents by number, joined pair by pair (union-find); the first of a cluster is its root."""

    def __init__(self, count: int) -> None:
        self._parents = list(range(count))

    def root(self, number: int) -> int:
        while self._parents[number] != number:
            self._parents[number] = self._parents[self._parents[number]]
            number = self._parents[number]
        return number

    def join(self, one: int, other: int) -> None:
        first, last = sorted((self.root(one), self.root(other)))
        self._parents[last] = first


def removals(clusters: Clusters, documents: Sequence[Document]) -> dict[str, str]:
    """By the id of each document that is not the first of its cluster, the id of the first."""
    roots = [clusters.root(number) for number in range(len(documents))]
    return {documents[number].id: documents[root].id for number, root in enumerate(roots) if root != number}


def write_removals(path: str, kept: dict[str, str], *, note: str) -> None:
    """Write what bench/dedup_peers reads."""
    with open(path, "w", encoding="utf-8") as file:
        json.dump({"kept": kept, "note": note}, file)
