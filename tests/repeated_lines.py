"""The rules of `dedup.lines` in plain Python, on texts: what the kernels and jobs must agree with, line for line.

In: documents with their texts. Out: the numbers of the lines that go from each. Written from cc_net/dedup.py,
cc_net/text_normalizer.py and TFDS c4_utils.py; normalised lines are compared as strings, nothing is hashed.
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from manifests.repeated_lines import LineRule

_MARKS = "，。、„”“«»１」「《》´∶：？！（）；–—．～’…━〈〉【】％►"
_MARK_OR_CONTROL = re.compile(f"[{re.escape(_MARKS)}\x00-\x1f\x7f-\x9f]")


@dataclass
class Document:
    """One document.

    Attributes:
        id: 16 bytes.
        stays: False for documents that went before lines are compared.
        filtered: numbers of lines that filters removed.
    """

    text: str
    id: bytes
    source: str = "a"
    priority: int = 100
    words: int = 0
    stays: bool = True
    filtered: set[int] = field(default_factory=set)


def normalised(line: str, normalisation: str) -> str:
    """A line as it is compared; ς counts as σ."""
    line = line.strip().lower().replace("ς", "σ")
    if normalisation == "c4":
        return line
    if normalisation == "ccnet-paper":
        line = "".join(c for c in unicodedata.normalize("NFD", line) if unicodedata.category(c) != "Mn")
    line = _MARK_OR_CONTROL.sub("", re.sub(r"\d", "0", line))
    if normalisation == "ccnet-paper":
        line = "".join(c for c in line if not unicodedata.category(c).startswith("P"))
    return line


def lines_of(text: str) -> list[tuple[str, bool]]:
    """The lines with a word, stripped, and whether a paragraph begins with each."""
    found, blank = [], True
    for line in text.split("\n"):
        if line.strip():
            found.append((line.strip(), blank))
        blank = not line.strip()
    return found


def units_of(document: Document, rule: LineRule) -> list[tuple[tuple[str, ...], list[int]]]:
    """What is compared of a document: the normalised lines of each line or paragraph, and their numbers."""
    units: list[tuple[list[str], list[str], list[int]]] = []
    inside = False
    for number, (line, begins) in enumerate(lines_of(document.text)):
        inside = inside and not begins and rule.unit == "paragraph"
        if number in document.filtered:
            continue
        if not inside:
            units.append(([], [], []))
        inside = True
        units[-1][0].append(normalised(line, rule.normalisation))
        units[-1][1].append(line)
        units[-1][2].append(number)
    return [
        (tuple(keys), numbers)
        for keys, lines, numbers in units
        if sum(min(1023, len(line.split())) for line in lines) >= rule.min_words
        and sum(map(len, lines)) >= rule.min_characters
    ]


def removed_lines(documents: Sequence[Document], rule: LineRule) -> list[set[int]]:
    """The numbers of the lines that go from each document."""
    having: dict[tuple[object, ...], list[int]] = defaultdict(list)
    for index, document in enumerate(documents):
        if document.stays:
            scope = (
                document.source if rule.scope == "source" else None,
                int.from_bytes(document.id[8:], "big") % rule.groups,
            )
            for key in {key for key, _ in units_of(document, rule)}:
                having[(*scope, key)].append(index)
    gone: list[set[int]] = [set() for _ in documents]
    goes_from: dict[int, set[tuple[str, ...]]] = defaultdict(set)
    for (_, _, key), members in having.items():
        if len(members) > rule.max_documents:
            keeper = None if rule.keep == "none" else min(members, key=lambda index: _rank(documents[index], rule))
            for index in members:
                if index != keeper:
                    goes_from[index].add(key)  # type: ignore[arg-type]
    for index, document in enumerate(documents):
        seen: set[tuple[str, ...]] = set()
        for key, numbers in units_of(document, rule) if document.stays else ():
            if key in goes_from[index] or key in seen:
                gone[index].update(numbers)
            seen.add(key)
    return gone


def _rank(document: Document, rule: LineRule) -> tuple[int, int, bytes]:
    return document.priority, -document.words if rule.keep == "best" else 0, document.id
