"""What became of single documents in the search for duplicates: the copy that was kept, and how alike the two are.

In: a corpus manifest and the folder that `gristmill prep` made of it. Out: plain rows, and lines of text. Similarity is
computed here from the texts: the Jaccard index of their sets of word 5-grams, which MinHash signatures estimate.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from manifests.corpus import CorpusManifest
from manifests.errors import GristmillError
from manifests.filters import REASONS
from pipeline.folders import DECIDE, EXTRACT, part_file
from pipeline.parts import Part, list_parts, split_row_ids
from pipeline.schemas import read_ipc
from storage.files import join
from storage.steps import require_step

_WORD = re.compile(r"\w+")
_SENTENCE = re.compile(r"(?<=[.?!])\s+|\n+")
_LONGEST = 110


@dataclass(frozen=True)
class Copy:
    """A document of the corpus, and the copy that was kept instead of it.

    Attributes:
        reason: why it was dropped; `kept` if it was not.
        url, text: of the document.
        kept_url, kept_text: of the copy that was kept; None for a document that is no duplicate.
    """

    reason: str
    url: str | None
    text: str
    kept_url: str | None
    kept_text: str | None


def find_copy(manifest: CorpusManifest, out: str, *, source: str, name: str) -> Copy:
    """The document of a source with this record id, and the copy that was kept of it.

    Raises:
        GristmillError: extract or decide is not complete, or there is no such document.
    """
    extract = require_step(join(out, EXTRACT), command="gristmill extract")
    require_step(join(out, DECIDE), command="gristmill decide")
    parts = list_parts(extract, manifest)
    for part in parts:
        row = -1
        if part.source == source:
            row = pc.index(_documents(out, part, columns=["name"])["name"], pa.scalar(name)).as_py()
        if row >= 0:
            break
    else:
        raise GristmillError(f"source {source} has no document `{name}`", where=out)
    decided = read_ipc(join(out, DECIDE, part_file("decisions", part.name)), columns=["reason", "duplicate_row"])
    [decision] = decided.slice(row, 1).to_pylist()
    url, text = _url_and_text(out, part, row)
    reason = REASONS[decision["reason"]]
    if decision["duplicate_row"] is None:
        return Copy(reason, url, text, None, None)
    [number], [kept_row] = split_row_ids(np.array([decision["duplicate_row"]], np.uint64))
    return Copy(reason, url, text, *_url_and_text(out, parts[int(number)], int(kept_row)))


def _documents(out: str, part: Part, *, columns: Sequence[str]) -> pa.Table:
    return read_ipc(join(out, EXTRACT, part_file("documents", part.name)), columns=columns)


def _url_and_text(out: str, part: Part, row: int) -> tuple[str | None, str]:
    [found] = _documents(out, part, columns=["url", "text"]).slice(row, 1).to_pylist()
    return found["url"], found["text"]


def explained(copy: Copy, *, ngram: int, bands: int, rows: int) -> Iterator[str]:
    """What became of a document, in lines.

    Args:
        ngram, bands, rows: of MinHash, as in the corpus manifest.
    """
    yield f"{copy.reason}: {copy.url}"
    if copy.kept_text is None or copy.reason == "kept":
        return
    yield f"  kept instead: {copy.kept_url}"
    if copy.text == copy.kept_text:
        yield f"  the two texts are equal: {len(copy.text.encode()):,} bytes, one hash"
        return
    ours, theirs = shingles(copy.text, ngram=ngram), shingles(copy.kept_text, ngram=ngram)
    alike = jaccard(ours, theirs)
    yield (
        f"  {len(ours & theirs)} of {len(ours | theirs)} different runs of {ngram} words are in both:"
        f" Jaccard similarity {alike:.3f}"
    )
    yield f"  pairs so alike are found with probability {found_with(alike, bands=bands, rows=rows):.3f}"
    for line in changed_sentences(copy.kept_text, copy.text):
        yield f"  {line}"


def shingles(text: str, *, ngram: int) -> frozenset[tuple[str, ...]]:
    """The runs of `ngram` words of a text; all its words if there are fewer."""
    words = _WORD.findall(text.lower())
    size = min(ngram, len(words))
    return frozenset(tuple(words[start : start + size]) for start in range(len(words) - size + 1))


def jaccard(one: frozenset[tuple[str, ...]], other: frozenset[tuple[str, ...]]) -> float:
    """The share of what both sets hold in what either holds; 1 for two empty sets."""
    either = len(one | other)
    return len(one & other) / either if either else 1.0


def found_with(similarity: float, *, bands: int, rows: int) -> float:
    """Probability that two documents share at least one band: 1 - (1 - s^rows)^bands (Leskovec, Rajaraman, Ullman,
    Mining of Massive Datasets, section 3.4).
    """
    return 1.0 - (1.0 - similarity**rows) ** bands


def changed_sentences(kept: str, dropped: str) -> list[str]:
    """Sentences of one text that the other has not: `-` of the kept one, `+` of the dropped one."""
    ours, theirs = ([sentence for sentence in _SENTENCE.split(text) if sentence] for text in (kept, dropped))
    lines = [line for line in difflib.ndiff(ours, theirs) if line[0] in "+-"]
    return [line if len(line) <= _LONGEST else line[:_LONGEST] + " …" for line in lines]
