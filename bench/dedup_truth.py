"""The truth about near-duplicates: exact Jaccard similarity, computed apart from the project's code.

In: texts. Out: `Truth`: the set of shingles of each, and every pair of documents whose Jaccard similarity is at least a
given value, none left out. Rows are in the order of the texts; pairs are sorted by left row, then right row.

The similarity of two documents is J = |A and B| / |A or B| of their sets of word 5-grams (Broder 1997). The word rule is
the one that `dedup.signatures` documents, written down here a second time from the names and categories of Unicode:
A to Z lower-cased; each letter of a script without spaces between words is a word, with the marks that follow; other
runs of word characters, with their marks, are words. A text of fewer than five words has one shingle, of them all. Shingles are numbered,
not hashed: nothing here depends on luck. A text without words resembles nothing.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from kernels.arrays import Float64s, Int64s, Integer
from kernels.compiled import kernel

NGRAM = 5
# Scripts without spaces between words by the names of their characters; the marks of repetition that belong to Han and
# Kana by names of their own.
_UNSPACED_NAMES = (
    "CJK UNIFIED IDEOGRAPH", "CJK COMPATIBILITY IDEOGRAPH", "HIRAGANA", "KATAKANA", "HALFWIDTH KATAKANA", "HENTAIGANA",
    "BOPOMOFO", "YI SYLLABLE", "THAI", "LAO", "KHMER", "MYANMAR", "TAI LE", "NEW TAI LUE", "TAI THAM", "TAI VIET",
    "JAVANESE", "BALINESE", "HANGZHOU NUMERAL", "VERTICAL KANA REPEAT", "IDEOGRAPHIC NUMBER ZERO",
    "IDEOGRAPHIC CLOSING MARK", "OLD CHINESE ITERATION MARK", "VERTICAL IDEOGRAPHIC ITERATION MARK",
    "IDEOGRAPHIC ITERATION MARK", "MASU MARK",
)  # fmt: skip
_NAMED = re.compile(rf"(?:{'|'.join(_UNSPACED_NAMES)})\b")


@dataclass(frozen=True)
class Truth:
    """What is true of n documents.

    Attributes:
        shingles: the sets of shingles of all documents, one after the other, each sorted, int64[sum of sizes].
        starts: where each document's set begins, and the end of the last, int64[n + 1].
        pairs: rows of all pairs at or above the least similarity, int64[m, 2], the left row below the right one.
        similarities: their Jaccard similarities, float64[m].
    """

    shingles: Int64s
    starts: Int64s
    pairs: Int64s
    similarities: Float64s


def compare(texts: Sequence[str], *, least: float = 0.4, ngram: int = NGRAM) -> Truth:
    """The shingles of texts and their pairs with J >= `least`, which must be above 0.

    Raises:
        ValueError: `least` is not above 0: pairs without a common shingle are not looked at.
    """
    if least <= 0:
        raise ValueError("least must be above 0")
    sets = shingle_sets(texts, ngram=ngram)
    flat = np.concatenate([*sets, np.zeros(0, np.int64)])
    starts = np.concatenate([[0], np.cumsum([len(one) for one in sets], dtype=np.int64)]).astype(np.int64)
    # The documents of each shingle, in their order.
    distinct, columns = np.unique(flat, return_inverse=True)
    owners = np.repeat(np.arange(len(sets)), np.diff(starts))[np.argsort(columns, kind="stable")]
    owner_starts = np.concatenate([[0], np.cumsum(np.bincount(columns, minlength=len(distinct)))]).astype(np.int64)
    common, rights, found = np.zeros(len(sets), np.int64), np.zeros(len(sets), np.int64), np.zeros(len(sets))
    pairs, similarities = [np.zeros((0, 2), np.int64)], [np.zeros(0)]
    for left in range(len(sets)):
        count = _neighbours(columns, starts, owners, owner_starts, left, least, common, rights, found)
        pairs.append(np.stack([np.full(count, left), rights[:count]], axis=1))
        similarities.append(found[:count].copy())
    return Truth(flat, starts, np.concatenate(pairs), np.concatenate(similarities))


def jaccard(truth: Truth, left: Int64s, right: Int64s) -> Float64s:
    """Similarities of documents by their rows, int64[m] each; float64[m]. A document is 1 to itself."""
    found = np.zeros(len(left))
    _similarities(truth.shingles, truth.starts, left, right, found)
    return np.where(left == right, 1.0, found)


@kernel
def _neighbours(
    columns: Int64s, starts: Int64s, owners: Int64s, owner_starts: Int64s, left: Integer, least: float,
    common: Int64s, rights: Int64s, found: Float64s,
) -> Integer:  # fmt: skip
    """Write the later rows that resemble a row, in their order, into `rights` and `found`; returns their number.

    `common`, [n], is zero before and after.
    """
    for index in range(starts[left], starts[left + 1]):
        column = columns[index]
        for place in range(owner_starts[column + 1] - 1, owner_starts[column] - 1, -1):
            right = owners[place]
            if right <= left:
                break
            common[right] += 1
    count = 0
    for right in range(left + 1, len(common)):
        if common[right]:
            union = starts[left + 1] - starts[left] + starts[right + 1] - starts[right] - common[right]
            similarity = common[right] / union
            common[right] = 0
            if similarity >= least:
                rights[count] = right
                found[count] = similarity
                count += 1
    return count


@kernel
def _similarities(shingles: Int64s, starts: Int64s, left: Int64s, right: Int64s, found: Float64s) -> None:
    for index in range(len(left)):
        one, one_end = starts[left[index]], starts[left[index] + 1]
        other, other_end = starts[right[index]], starts[right[index] + 1]
        union = one_end - one + other_end - other
        common = 0
        while one < one_end and other < other_end:
            if shingles[one] == shingles[other]:
                common += 1
                one += 1
                other += 1
            elif shingles[one] < shingles[other]:
                one += 1
            else:
                other += 1
        if union > common:
            found[index] = common / (union - common)


def words(text: str) -> list[str]:
    """The words of a text, as the module says."""
    return _pattern().findall(text.encode("utf-8", "surrogatepass").lower().decode("utf-8", "surrogatepass"))


def shingle_sets(texts: Sequence[str], *, ngram: int = NGRAM) -> list[Int64s]:
    """The set of shingles of each text, as sorted numbers; the same shingle has the same number in all texts.

    Numbers are given exactly: a run of n words is numbered by the pair of its parts, whose numbers are exact before it.
    """
    numbers: dict[str, int] = {}
    counted = [[numbers.setdefault(word, len(numbers)) for word in words(text)] for text in texts]
    lengths = np.array([len(row) for row in counted], np.int64)
    flat = np.fromiter((number for row in counted for number in row), np.int64, int(lengths.sum()))
    runs = flat
    for _ in range(ngram - 1):
        # Runs that cross from one document into the next get numbers too, and are left out below.
        runs = np.unique(runs[:-1] * len(numbers) + flat[len(flat) - len(runs) + 1 :], return_inverse=True)[1]
    starts = np.concatenate([[0], np.cumsum(lengths)])
    short: dict[tuple[int, ...], int] = {}
    sets = []
    for row, start, length in zip(counted, starts.tolist(), lengths.tolist(), strict=False):
        if length >= ngram:
            sets.append(np.unique(runs[start : start + length - ngram + 1]))
        else:
            # Below zero, apart from the numbers of full shingles.
            found = [short.setdefault(tuple(row), -1 - len(short))] if row else []
            sets.append(np.array(found, np.int64))
    return sets


@cache
def _pattern() -> re.Pattern[str]:
    alone, marks, others = [], [], []
    word = re.compile(r"\w")
    for point in range(0x110000):
        character = chr(point)
        category = unicodedata.category(character)
        if category[0] == "M":
            marks.append(point)
        elif (category[0] == "L" or category == "Nl") and _NAMED.match(unicodedata.name(character, "")):
            alone.append(point)
        elif category != "Cs" and word.match(character):
            others.append(point)
    return re.compile(f"[{_ranges(alone)}][{_ranges(marks)}]*|[{_ranges(others)}][{_ranges(others)}{_ranges(marks)}]*")


def _ranges(points: Sequence[int]) -> str:
    """The inside of a character class, for increasing code points."""
    values = np.array(points)
    cuts = np.flatnonzero(np.diff(values) > 1)
    firsts, lasts = values[np.concatenate([[0], cuts + 1])], values[np.concatenate([cuts, [len(values) - 1]])]
    return "".join(f"\\U{first:08x}-\\U{last:08x}" for first, last in zip(firsts, lasts, strict=True))
