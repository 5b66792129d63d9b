"""Lines and paragraphs that several documents share: which go, by their hashes alone.

In: for each part, the hashes of its lines by document, which of them still count, and how much its documents are
preferred. Between: one record per distinct line and part, so that a line on every page of a site is one record for each
part and not one for each page. Out: the repeated lines of each
part, and with them which of its lines go. Neither the order of records nor how documents are divided among parts
changes which lines go; only where two documents have the same id and priority does the first part's keep a line.

Two rules, both followed here with the same arrays: a line that more than `most` documents have goes from all of them
(CCNet, cc_net/dedup.py, `DuplicatesRemover`), or from all but the preferred one (C4, TFDS c4_utils.py,
`remove_duplicate_text`). In both, of a line's copies in a document that keeps it only the first stays.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numba as nb
import numpy as np
import numpy.typing as npt

from kernels.arrays import Bools, Int64s, Uint64s
from kernels.compiled import kernel
from kernels.hashing import MULTIPLIER, SEED, mix

Records = npt.NDArray[np.void]

# One distinct line of one part. `row` and `rank` are the document's that is preferred among the part's; records of
# rules by which nobody keeps a line have no rank.
_COUNTS = [("key", "<u8"), ("documents", "<u4"), ("copies", "<u4"), ("row", "<u4")]
RECORD = np.dtype([*_COUNTS, ("rank", "<u8"), ("id", "<u8")])
RECORD_WITHOUT_RANK = np.dtype(_COUNTS)
# A line that more than so many documents have, as a part is told of it: `row` is the document of the part that keeps
# it, or `NOBODY`.
REPEATED = np.dtype([("key", "<u8"), ("row", "<u4")])
NOBODY = np.uint32(0xFFFFFFFF)


class Units(NamedTuple):
    """The lines or paragraphs of n documents that still count.

    Attributes:
        keys: uint64[u], hashes.
        rows: int64[u], the document of each; ascending.
        of_line: int64[lines], the unit that a line belongs to; -1 for lines that do not count.
    """

    keys: Uint64s
    rows: Int64s
    of_line: Int64s


class Frequent(NamedTuple):
    """Lines with the number of copies that go, the most frequent first.

    Attributes:
        keys: uint64[k].
        removed, copies, documents: int64[k]: copies that go; all copies; the documents that have it.
        numbers, rows: int64[k], the part and the row of a document that has it.
    """

    keys: Uint64s
    removed: Int64s
    copies: Int64s
    documents: Int64s
    numbers: Int64s
    rows: Int64s


def line_units(hashes: Uint64s, offsets: Int64s, counted: Bools) -> Units:
    """Each line that counts.

    Args:
        hashes: [lines].
        offsets: [n + 1], where each document's lines begin.
        counted: [lines].
    """
    of_line = np.where(counted, np.cumsum(counted) - 1, -1)
    rows = np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))
    return Units(hashes[counted], rows[counted], of_line)


def paragraph_units(hashes: Uint64s, begins: Bools, offsets: Int64s, counted: Bools) -> Units:
    """The paragraphs of the lines that count; a paragraph's hash is that of the hashes of these lines.

    Args:
        hashes: [lines].
        begins: [lines], whether a paragraph begins with the line, whether it counts or not.
        offsets: [n + 1], where each document's lines begin.
        counted: [lines].
    """
    keys, rows = np.empty(len(hashes), np.uint64), np.empty(len(hashes), np.int64)
    of_line = np.full(len(hashes), -1, np.int64)
    count = _join_lines(hashes, begins, offsets, counted, keys, rows, of_line)
    return Units(keys[:count], rows[:count], of_line)


@kernel
def _join_lines(
    hashes: Uint64s, begins: Bools, offsets: Int64s, counted: Bools, keys: Uint64s, rows: Int64s, of_line: Int64s
) -> int:
    count = nb.int64(0)
    for document in range(len(offsets) - 1):
        inside = False
        for line in range(offsets[document], offsets[document + 1]):
            inside = inside and not begins[line]
            if not counted[line]:
                continue
            if not inside:
                keys[count], rows[count] = SEED, document
                count += 1
                inside = True
            keys[count - 1] = mix(keys[count - 1], hashes[line])
            of_line[line] = count - 1
    return int(count)


def sums(values: Int64s, units: Units) -> Int64s:
    """The sum of each unit's lines, int64[u]; `values` is [lines]."""
    inside = units.of_line >= 0
    total: Int64s = np.bincount(
        units.of_line[inside], weights=values[inside].astype(np.float64), minlength=len(units.keys)
    ).astype(np.int64)
    return total


def chosen_units(units: Units, chosen: Bools) -> Units:
    """The units of which `chosen`, [u], is true; the lines of the others do not count."""
    numbers = np.append(np.where(chosen, np.cumsum(chosen) - 1, -1), -1)
    return Units(units.keys[chosen], units.rows[chosen], numbers[units.of_line])


def apart(units: Units, scopes: Uint64s) -> Units:
    """Units whose keys meet only those of documents of the same scope; `scopes` is [n], a number for each document."""
    h = (units.keys ^ scopes[units.rows]) * MULTIPLIER
    return units._replace(keys=h ^ (h >> np.uint64(32)))


def preferences(priority: int, words: Int64s, ids: Uint64s, *, by_words: bool) -> Uint64s:
    """How much documents are preferred, uint64[n, 2]; the smallest is preferred most.

    Args:
        priority: of the source, 0 to 255; smaller is better.
        words: [n].
        ids: [n, 2], halves of document ids. 88 bits of them count with `by_words`, 120 without.
        by_words: whether documents with more words come before others of the same priority.
    """
    high, low = ids[:, 0], ids[:, 1]
    rank = np.full(len(ids), priority << 56, np.uint64)
    if by_words:
        fewer = np.uint64(0xFFFFFFFF) - np.minimum(words, 0xFFFFFFFF).astype(np.uint64)
        rank |= (fewer << np.uint64(24)) | (high >> np.uint64(40))
        rest = (high << np.uint64(24)) | (low >> np.uint64(40))
    else:
        rank |= high >> np.uint64(8)
        rest = (high << np.uint64(56)) | (low >> np.uint64(8))
    return np.stack([rank, rest], axis=1)


def distinct(units: Units, preferred: Uint64s | None) -> Records:
    """One record for each distinct key of a part, by key.

    Args:
        preferred: uint64[n, 2] as from `preferences`; None where nobody keeps a repeated line.
    """
    places = units.rows
    if preferred is not None:
        ranks = np.empty(len(preferred), np.int64)
        ranks[np.lexsort((preferred[:, 1], preferred[:, 0]))] = np.arange(len(preferred))
        places = ranks[units.rows]
    order = np.lexsort((places, units.keys))
    keys, rows = units.keys[order], units.rows[order]
    starts = _starts(keys)
    records = np.zeros(len(starts), RECORD_WITHOUT_RANK if preferred is None else RECORD)
    if not len(starts):
        return records
    new_document = np.ones(len(keys), bool)
    new_document[1:] = (keys[1:] != keys[:-1]) | (rows[1:] != rows[:-1])
    records["key"], records["row"] = keys[starts], rows[starts]
    records["documents"] = np.add.reduceat(new_document.astype(np.int64), starts)
    records["copies"] = np.diff(np.append(starts, len(keys)))
    if preferred is not None:
        records["rank"], records["id"] = preferred[rows[starts]].T
    return records


def _starts(keys: Uint64s) -> Int64s:
    """Where each run of equal keys begins."""
    return np.flatnonzero(np.concatenate([np.ones(min(1, len(keys)), bool), keys[1:] != keys[:-1]]))


def repeated(
    records: Records, numbers: Int64s, *, most: int, frequent: int
) -> tuple[Records, npt.NDArray[np.int64], Frequent]:
    """What parts must know of their lines, from all records of some keys.

    Args:
        records: [r]; those with a rank let the preferred document keep a line.
        numbers: [r], the part that each comes from.
        most: lines that more documents have are repeated.
        frequent: how many of the most frequent lines are listed.

    Returns:
        Records of kind `REPEATED`, one per repeated line and part that has it, by part and key; the number of the part
        of each; and the most frequent lines.
    """
    ranked = records.dtype == RECORD
    fields = (records["id"], records["rank"]) if ranked else ()
    order = np.lexsort((records["row"], numbers, *fields, records["key"]))
    records, numbers = records[order], numbers[order]
    starts = _starts(records["key"])
    if not len(starts):
        return np.empty(0, REPEATED), np.empty(0, np.int64), most_frequent([], most=0)
    documents, copies = (np.add.reduceat(records[name].astype(np.int64), starts) for name in ("documents", "copies"))
    over = documents > most
    lengths = np.diff(np.append(starts, len(records)))
    told = np.repeat(over, lengths)
    found = np.empty(int(told.sum()), REPEATED)
    found["key"], found["row"] = records["key"][told], NOBODY
    if ranked:
        first = np.zeros(len(records), bool)
        first[starts] = True
        keeper = first[told]
        found["row"][keeper] = records["row"][told][keeper]
    of_part = numbers[told]
    by_part = np.lexsort((found["key"], of_part))
    stays = np.where(over, int(ranked), documents)
    listed = Frequent(
        records["key"][starts],
        copies - stays,
        copies,
        documents,
        numbers[starts],
        records["row"][starts].astype(np.int64),
    )
    return found[by_part], of_part[by_part], most_frequent([listed], most=frequent)


def most_frequent(lists: Sequence[Frequent], *, most: int) -> Frequent:
    """The lines of which most copies go, at most `most` of them; of equal ones the smallest keys."""
    columns = [np.concatenate(column) for column in zip(*lists, strict=True)] if lists else [np.empty(0, np.int64)] * 6
    joined = Frequent(columns[0].astype(np.uint64), *columns[1:])
    order = np.lexsort((joined.keys, -joined.removed))
    order = order[joined.removed[order] > 0][:most]
    return Frequent(joined.keys[order], *(column[order] for column in joined[1:]))


def removed_lines(units: Units, told: Records) -> Bools:
    """Which lines of a part go, bool[lines].

    Args:
        units: of the part, with the keys of its records.
        told: kind `REPEATED`, what the part is told, in any order.
    """
    told = told[np.argsort(told["key"])]
    place = np.minimum(np.searchsorted(told["key"], units.keys), max(0, len(told) - 1))
    is_told = told["key"][place] == units.keys if len(told) else np.zeros(len(units.keys), bool)
    goes = np.zeros(len(units.keys), bool)
    goes[is_told] = told["row"][place[is_told]] != units.rows[is_told]
    order = np.lexsort((units.keys, units.rows))  # stable: copies in a document stay in the order of the text
    again = (units.keys[order][1:] == units.keys[order][:-1]) & (units.rows[order][1:] == units.rows[order][:-1])
    goes[order[1:][again]] = True
    lines: Bools = np.append(goes, False)[units.of_line]
    return lines
