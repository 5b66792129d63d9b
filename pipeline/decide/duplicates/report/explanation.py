"""What became of one document in the search for duplicates, and why.

In: a prepared folder, and what a document is called. Out: an `Explanation`. Similarity is measured again from the two
texts and from their whole signatures, so it can be held against what the search noted. Read are the ids, URLs and names
of all documents, the texts and signatures of two, and, for a document that stays, all that went.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from dedup.bands import band_keys, found_with
from dedup.jaccard import common, shingle_sets, similarity
from kernels.arrays import Uint32s
from manifests.filters import REASONS
from manifests.minhash import MinHash, SimilarityMeasure, Unit
from pipeline.decide.duplicates.report.gone import COPIES, MOST_SIMILAR_FIRST, Copy, as_copies, copies_in, first_of
from pipeline.decide.duplicates.report.ledger import LATER
from pipeline.decide.duplicates.report.passages import Passage, first_difference
from pipeline.decide.duplicates.report.prepared import (
    Document,
    PreparedFolder,
    documents_at,
    find_rows,
    rows_by_part,
    text_at,
)
from pipeline.parts import row_id
from pipeline.schemas import read_ipc

MOST_LISTED = 10
_DUPLICATES = ("exact_duplicate", "near_duplicate")
# Documents with these reasons stayed when duplicates went for others.
_STAYED = (REASONS[0], *LATER)


@dataclass(frozen=True)
class Shared:
    """What the sets of shingles of two documents have in common.

    Attributes:
        unit, ngram: what a shingle is.
        both, kept, gone: different shingles of both, of the document that stays, of the one that went.
        jaccard: both / (kept + gone - both).
        exact: their similarity in the measure of the manifest.
    """

    unit: Unit
    ngram: int
    measure: SimilarityMeasure
    both: int
    kept: int
    gone: int
    jaccard: float
    exact: float


@dataclass(frozen=True)
class Signed:
    """What the signatures of two documents have in common.

    Attributes:
        estimated: the share of equal values, which estimates their Jaccard similarity (Broder 1997).
        bands: numbers of the bands in which all values are equal, from 1.
        of_bands: how many there are.
    """

    estimated: float
    bands: list[int]
    of_bands: int


@dataclass(frozen=True)
class Comparison:
    """A document that went beside the one that stays for it.

    Attributes:
        equal: whether their texts are.
        characters: of the text that stays, and of the one that went.
        shared, signed: None without MinHash, or where one of them has no shingle.
        found_with: how likely bands are to bring such a pair together; None as before.
        passage: the first one that differs; None if the words are the same.
    """

    equal: bool
    characters: tuple[int, int]
    shared: Shared | None
    signed: Signed | None
    found_with: float | None
    passage: Passage | None


@dataclass(frozen=True)
class Explanation:
    """What became of a document.

    Attributes:
        reason: of `manifests.filters.REASONS`; the first is that it is kept.
        searched: whether it entered the search for duplicates.
        similarity: what the search noted of it and the document that stays; None unless it went as a duplicate.
        kept: the document that stays for it; None unless it went as a duplicate.
        kept_before: its id in hex, if it is of an earlier snapshot; then `kept` is None.
        comparison: of the two.
        copies: how many documents went for it.
        nearest: the first of them, most similar first.
        more: how many other documents are called so.
        others: the first of them.
    """

    document: Document
    reason: str
    searched: bool
    similarity: float | None
    kept: Document | None
    kept_before: str | None
    comparison: Comparison | None
    copies: int
    nearest: list[Copy]
    more: int
    others: list[Document]


class _Decision(NamedTuple):
    reason: str
    keeper: int | None
    similarity: float | None
    kept_id: bytes | None


def explain(prepared: PreparedFolder, called: str, *, source: str | None = None) -> Explanation:
    """What became of the document that is called so; of several one that is kept, else the first.

    Args:
        called, source: as for `find_rows`.

    Raises:
        GristmillError: as for `find_rows`.
    """
    decisions = _decisions(prepared, find_rows(prepared, called, source=source))
    row = min(decisions, key=lambda each: (decisions[each].reason not in _STAYED, each))
    others = [other for other in decisions if other != row]
    reason, keeper, noted, kept_id = decisions[row]
    documents = documents_at(prepared, [row, *others[:MOST_LISTED], *([] if keeper is None else [keeper])])
    copies, nearest = _copies(prepared, row) if reason in _STAYED else (0, [])
    return Explanation(
        document=documents[row],
        reason=reason,
        searched=reason in (*_STAYED, *_DUPLICATES),
        similarity=noted,
        kept=None if keeper is None else documents[keeper],
        kept_before=None if kept_id is None or keeper is not None else kept_id.hex(),
        comparison=None if keeper is None else compare(prepared, kept=keeper, gone=row),
        copies=copies,
        nearest=nearest,
        more=len(others),
        others=[documents[other] for other in others[:MOST_LISTED]],
    )


def _decisions(prepared: PreparedFolder, rows: list[int]) -> dict[int, _Decision]:
    found: dict[int, _Decision] = {}
    for number, within in rows_by_part(np.array(rows, np.uint64)):
        path = prepared.decided_file("decisions", number)
        columns = ["reason", "duplicate_row", "similarity", "duplicate_of"]
        table = read_ipc(path, columns=columns).take(pa.array(within))
        for row, decision in zip(within, table.to_pylist(), strict=True):
            found[row_id(number, row)] = _Decision(
                REASONS[decision["reason"]],
                decision["duplicate_row"],
                decision["similarity"],
                decision["duplicate_of"],
            )
    return found


def _copies(prepared: PreparedFolder, row: int) -> tuple[int, list[Copy]]:
    """How many documents went for a row, and the most similar of them."""
    count, nearest = 0, COPIES.empty_table()
    for table in copies_in(prepared):
        own = table.filter(pc.equal(table["duplicate_row"], pa.scalar(row, pa.uint64())))
        if own.num_rows:
            count += own.num_rows
            nearest = first_of(pa.concat_tables([nearest, own]), order=MOST_SIMILAR_FIRST, most=MOST_LISTED)
    return count, as_copies(nearest)


def compare(prepared: PreparedFolder, *, kept: int, gone: int) -> Comparison:
    """Two documents beside each other, by their row ids."""
    texts = text_at(prepared, kept), text_at(prepared, gone)
    minhash = prepared.settings.dedup.minhash
    shared = signed = found = None
    if minhash is not None:
        shared = shared_shingles(*texts, minhash=minhash)
        signed = _signed(prepared, kept, gone, minhash)
    if shared is not None and minhash is not None:
        found = found_with(shared.jaccard, bands=minhash.bands, rows=minhash.rows)
    lengths = len(texts[0]), len(texts[1])
    return Comparison(texts[0] == texts[1], lengths, shared, signed, found, first_difference(*texts))


def shared_shingles(kept: str, gone: str, *, minhash: MinHash) -> Shared | None:
    """What the sets of shingles of two texts have in common; None if one of them has no shingle."""
    encoded = kept.encode(), gone.encode()
    offsets = np.array([0, len(encoded[0]), len(encoded[0]) + len(encoded[1])], np.int64)
    data = np.frombuffer(b"".join(encoded), np.uint8)
    hashes, starts = shingle_sets(data, offsets, unit=minhash.unit, ngram=minhash.ngram)
    one, other = hashes[: starts[1]], hashes[starts[1] :]
    if not (len(one) and len(other)):
        return None
    both = common(one, other)
    numbers = [np.array([number], np.int64) for number in (both, len(one), len(other))]
    [jaccard] = similarity(*numbers, measure="jaccard").tolist()
    [exact] = similarity(*numbers, measure=minhash.measure).tolist()
    return Shared(minhash.unit, minhash.ngram, minhash.measure, both, len(one), len(other), jaccard, exact)


def _signed(prepared: PreparedFolder, kept: int, gone: int, minhash: MinHash) -> Signed | None:
    rows = [_signature(prepared, row) for row in (kept, gone)]
    if any(shingles == 0 for _, shingles in rows):
        return None
    values = np.stack([signature for signature, _ in rows])
    keys = band_keys(values, bands=minhash.bands, rows=minhash.rows)
    met = np.flatnonzero(keys[0] == keys[1]) + 1
    return Signed(float((values[0] == values[1]).mean()), met.tolist(), minhash.bands)


def _signature(prepared: PreparedFolder, row: int) -> tuple[Uint32s, int]:
    """The signature of a document, uint32[k], and how many shingles it is made of."""
    [(number, [within])] = rows_by_part(np.array([row], np.uint64))
    table = read_ipc(prepared.extracted_file("signatures", number), columns=["signature", "shingles"])
    chosen = table.slice(within, 1).combine_chunks()
    values = np.asarray(chosen["signature"].combine_chunks().flatten().to_numpy(), np.uint32)
    return values, int(chosen["shingles"][0].as_py())
