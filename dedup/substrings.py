"""Repeated runs of tokens: which tokens of a corpus go, and where the occurrence stands that stays.

The idea is that of Lee et al. 2021 (arXiv 2107.06499, section 4.1): of a run of at least 50 tokens that occurs more
than once, one occurrence stays. Here, exactly:

    A *gram* is `min_tokens` consecutive tokens of one document's text, without BOS and EOS. Places are ordered by their
    document (source priority, longer texts first, document id, and for texts that are the same in all of these by the
    number of the shard and the row), then by their start. The *first occurrence* of a gram is the one at the smallest
    place. Another occurrence is *repeated* unless it overlaps the first one, in the same document. A token goes if and
    only if a repeated occurrence covers it.

So a token goes if it lies in a run of `min_tokens` or more that also stands at an earlier place. Of a text that repeats
within a document without a gap (a line of one sign, a table of zeros) its first `min_tokens` tokens stay, up to one
period more. A token that goes has a copy at an earlier place, and that copy stays or has an earlier one itself: each
chain ends at a token that stays, in the first occurrence of a gram that goes elsewhere. A first occurrence may overlap
a repeated one of another gram; then its tokens stay somewhere, but not in one piece.

A document goes as a whole if nothing of it is left, or less than a share, unless what is left of it is the kept
occurrence of something that went elsewhere.

Nothing depends on names of files, shards or parts but for documents that are the same in text, priority and id: of
these the one in the first bucket by name stays, and which one of a bucket changes nothing that a model sees.

In: the grams of a shard that are not first in it (`dedup.repeats`), and the answers of other shards
(`dedup.stretches`). Out: the runs that go, which tokens these are, and which documents go as a whole.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from dedup.repeats import Repeats
from dedup.stretches import Answers
from kernels.arrays import Bools, Int64s, Integer, Uint64s
from kernels.compiled import kernel


class Removed(NamedTuple):
    """Runs that go, by document and start; the union of what they span goes, and nothing else.

    Attributes:
        documents, starts, counts: int64[n], row in the shard, first token of the text, grams: a run spans
            `count + min_tokens - 1` tokens.
        kept_ids: uint64[n, 2], document with the first occurrence of each gram of the run.
        kept_starts: int64[n], where the run begins there.
        kept_documents: int64[n], its row if it is in the same shard, else -1.
    """

    documents: Int64s
    starts: Int64s
    counts: Int64s
    kept_ids: Uint64s
    kept_starts: Int64s
    kept_documents: Int64s


def removed_runs(within: Repeats, answers: Answers, ids: Uint64s, *, min_tokens: int) -> Removed:
    """What goes from a shard.

    Args:
        within: its grams that are not first in it, by document and start.
        answers: to the stretches that it sent, by document and start.
        ids: uint64[documents, 2], halves of the ids of its documents.
    """
    rows = (answers.documents & np.uint64(0xFFFFFFFF)).astype(np.int64)
    arguments = (*within, rows, answers.starts, answers.counts, min_tokens)
    count = _pieces(*arguments, np.empty((0, 5), np.int64))
    pieces = np.empty((count, 5), np.int64)
    _pieces(*arguments, pieces)
    document, start, grams, origin, kept_start = pieces.T
    here = origin >= 0
    kept_ids = ids[np.where(here, origin, 0)].reshape(-1, 2)
    answered = -1 - origin[~here]
    kept_ids[~here] = answers.first_ids[answered]
    kept_start[~here] += answers.first_starts[answered]
    return _in_one(
        Removed(
            documents=np.concatenate([document, rows]),
            starts=np.concatenate([start, answers.starts]),
            counts=np.concatenate([grams, answers.counts]),
            kept_ids=np.concatenate([kept_ids, answers.first_ids]),
            kept_starts=np.concatenate([kept_start, answers.first_starts]),
            kept_documents=np.concatenate([np.where(here, origin, -1), np.full(len(rows), -1)]),
        )
    )


def _in_one(removed: Removed) -> Removed:
    """The same by document and start, with runs that go on each other as one."""
    order = np.lexsort((removed.starts, removed.documents))
    removed = Removed._make(column[order] for column in removed)
    if not len(order):
        return removed
    new = np.ones(len(order), bool)
    new[1:] = (
        (removed.documents[1:] != removed.documents[:-1])
        | (removed.starts[1:] != (removed.starts + removed.counts)[:-1])
        | (removed.kept_starts[1:] != (removed.kept_starts + removed.counts)[:-1])
        | (removed.kept_documents[1:] != removed.kept_documents[:-1])
        | (removed.kept_ids[1:] != removed.kept_ids[:-1]).any(axis=1)
    )
    heads = np.flatnonzero(new)
    counts = np.add.reduceat(removed.counts, heads)
    return Removed._make(column[heads] for column in removed)._replace(counts=counts)


def removed_tokens(begins: Int64s, total: int, removed: Removed, *, min_tokens: int) -> Bools:
    """Which tokens of a shard go: bool[total]."""
    return covered_tokens(begins[removed.documents] + removed.starts, removed.counts + min_tokens - 1, total=total)


def covered_tokens(places: Int64s, lengths: Int64s, *, total: int) -> Bools:
    """Which of `total` tokens lie in one of these stretches at least: bool[total]."""
    mask = np.zeros(total, bool)
    _mark(places, lengths, mask)
    return mask


def count_covered(mask: Bools, begins: Int64s, ends: Int64s) -> Int64s:
    """How many tokens of each of these stretches are covered: int64[n]."""
    counts = np.empty(len(begins), np.int64)
    _count(mask, begins, ends, counts)
    return counts


def documents_that_go(
    begins: Int64s,
    ends: Int64s,
    mask: Bools,
    kept: tuple[Int64s, Int64s, Int64s],
    *,
    min_tokens: int,
    min_left_share: float,
) -> Bools:
    """Which documents of a shard go as a whole: bool[documents].

    Args:
        begins, ends: int64[documents], where each document's text lies in the tokens.
        mask: bool[tokens], which tokens go.
        kept: documents, starts and counts of grams that are first occurrences of what goes anywhere, int64[n] each.
        min_left_share: 0 to 1; a document of which less is left goes.
    """
    lengths = ends - begins
    left = lengths - count_covered(mask, begins, ends)
    little = (left < lengths) & ((left == 0) | (left < min_left_share * lengths))
    documents, starts, counts = kept
    first = begins[documents] + starts
    last = first + counts + min_tokens - 1
    holds = count_covered(mask, first, last) < last - first
    little[documents[holds]] = False
    go: Bools = little
    return go


@kernel
def _pieces(
    documents: Int64s,
    starts: Int64s,
    counts: Int64s,
    first_documents: Int64s,
    first_starts: Int64s,
    rows: Int64s,
    answer_starts: Int64s,
    answer_counts: Int64s,
    min_tokens: int,
    out: Int64s,
) -> Integer:
    """Runs within a shard, cut where the answers to their first occurrences change; returns how many pieces there are.

    Filled are document, start, grams, and where the first of all occurrences is: a row of the shard and the start in
    it, or -1 minus the number of an answer and the start in its run. Occurrences that overlap their first one are left
    out, unless that goes itself.
    """
    found = 0
    for i in range(len(starts)):
        done = 0
        while done < counts[i]:
            document, start = first_documents[i], first_starts[i] + done
            low, high = 0, len(rows)
            while low < high:  # the first answer that begins behind the gram
                middle = (low + high) // 2
                if rows[middle] < document or (rows[middle] == document and answer_starts[middle] <= start):
                    low = middle + 1
                else:
                    high = middle
            count = counts[i] - done
            inside = low > 0 and rows[low - 1] == document and start < answer_starts[low - 1] + answer_counts[low - 1]
            if inside:
                count = min(count, answer_starts[low - 1] + answer_counts[low - 1] - start)
            elif low < len(rows) and rows[low] == document:
                count = min(count, answer_starts[low] - start)
            if inside or documents[i] != document or starts[i] - first_starts[i] >= min_tokens:
                if found < len(out):
                    out[found, 0], out[found, 1], out[found, 2] = documents[i], starts[i] + done, count
                    out[found, 3] = -low if inside else document
                    out[found, 4] = start - answer_starts[low - 1] if inside else start
                found += 1
            done += count
    return found


@kernel
def _mark(places: Int64s, lengths: Int64s, mask: Bools) -> None:
    for i in range(len(places)):
        for token in range(lengths[i]):
            mask[places[i] + token] = True


@kernel
def _count(mask: Bools, begins: Int64s, ends: Int64s, counts: Int64s) -> None:
    for i in range(len(begins)):
        count = 0
        for token in range(begins[i], ends[i]):
            count += mask[token]
        counts[i] = count
