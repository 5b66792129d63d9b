"""Which documents of a bucket are compared, and what their signatures say of them.

In: the members of buckets in order of preference, and their sketches: the lowest byte of each place of a signature.
Out: pairs of a leader and a member that are similar, or may be.

The first member of a bucket is a leader. Each next one is compared with the leaders before it, in their order, until
one is surely similar. Of those that may be similar the first `MOST_DOUBTFUL` make a pair with it, and the one that
surely is. A member that has none of these becomes a leader itself. So a bucket of n members takes about n
comparisons where they are alike, and pairs are a function of the set of documents alone.

The share of equal places of two signatures estimates their Jaccard similarity J with a standard error of
sqrt(J (1 - J) / k) (Broder 1997). Of two places that differ, one byte agrees by chance in 1 of 256 cases (b-bit minwise
hashing, Li and König 2010, equation 5), which is taken off.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from kernels.arrays import Bytes, Float64s, Int32s, Int64s, Integer, Uint32s
from kernels.compiled import kernel

# Places of a signature that a sketch holds at most: a standard error of 0.03 at most.
MOST_PLACES = 256
# A member is compared with at most so many leaders of one bucket: a bucket of pages that share a frame and are else
# different would take the square of their number. Other bands try the same pages again.
MOST_LEADERS = 512
# Of the leaders of one bucket that a member may be similar to, the first so many are looked at by their shingles.
# Otherwise each of a hundred thousand pages that may all be similar to each other made as many pairs as a bucket has
# leaders. The first are preferred, and so the likeliest to stay: of 60,000 near copies of one document with two other
# words in each, 790 stay, 556 without this limit, and 1,290 if it took the most similar ones (bench/dedup_scale.py).
MOST_DOUBTFUL = 16
# Standard errors below the threshold at which a pair is surely less similar, and above it at which it surely is more.
# One of 44 pairs at the threshold is taken for less without its shingles being looked at. The other limit is higher:
# pairs that share a band agree there by selection, and pages of one frame are compared with many of their kind.
ERRORS_BELOW, ERRORS_ABOVE = 2.0, 2.5
_CHANCE = 1 / 256


class Limits(NamedTuple):
    """Numbers of equal places.

    Attributes:
        unlike: pairs with fewer are not similar.
        alike: pairs with as many, or more, are; the shingles of those between decide.
    """

    unlike: int
    alike: int


class Pairs(NamedTuple):
    """Pairs of members, and what became of each member.

    Attributes:
        leaders, members: int64[p], places of the members.
        equal: int32[p], equal places of their sketches.
        compared, rejected: int32[n], with how many leaders each member was compared, and how many were unlike it.
    """

    leaders: Int64s
    members: Int64s
    equal: Int32s
    compared: Int32s
    rejected: Int32s


def sketches(signatures: npt.NDArray[np.uint32], chosen: Int64s | None = None) -> Bytes:
    """The lowest bytes of the first `MOST_PLACES` places of each signature: uint8[n, k].

    Args:
        chosen: int64[n], numbers of the signatures to make sketches of; None: of all.
    """
    if chosen is None:
        chosen = np.arange(len(signatures))
    found = np.empty((len(chosen), min(MOST_PLACES, signatures.shape[1])), np.uint8)
    _sketches(signatures, chosen, found)
    return found


@kernel
def _sketches(signatures: Uint32s, chosen: Int64s, out: Bytes) -> None:
    for index in range(len(out)):
        signature = signatures[chosen[index]]
        for place in range(out.shape[1]):
            out[index, place] = signature[place] & np.uint32(0xFF)


def estimated(equal: Int32s, *, places: int) -> Float64s:
    """The Jaccard similarity that numbers of equal places estimate, float64[n], from 0 to 1."""
    return np.clip((equal / places - _CHANCE) / (1 - _CHANCE), 0.0, 1.0)


def limits(similarity: float, *, places: int) -> Limits:
    """From how many equal places on a pair is surely as similar as `similarity`, or surely less."""
    error = math.sqrt(similarity * (1 - similarity) / places)
    bounds = similarity - ERRORS_BELOW * error, similarity + ERRORS_ABOVE * error
    low, high = (bound * (1 - _CHANCE) + _CHANCE for bound in bounds)
    return Limits(unlike=max(0, math.ceil(low * places)), alike=min(places, math.ceil(high * places)))


def lead(
    sketched: Bytes,
    starts: Int64s,
    *,
    within: Limits,
    most_leaders: int = MOST_LEADERS,
    most_doubtful: int = MOST_DOUBTFUL,
) -> Pairs:
    """Compare the members of buckets.

    Args:
        sketched: uint8[n, k], of the members, bucket after bucket, each in order of preference.
        starts: int64[buckets + 1], where each bucket begins.
        within: numbers of equal places from which on a pair may be, or surely is, similar.
    """
    compared, rejected = np.zeros(len(sketched), np.int32), np.zeros(len(sketched), np.int32)
    found, equal = _lead(sketched, starts, within.unlike, within.alike, most_leaders, most_doubtful, compared, rejected)
    return Pairs(found[:, 0], found[:, 1], equal, compared, rejected)


def compare(sketched: Bytes, ones: Int64s, others: Int64s) -> Int32s:
    """Equal places of pairs of sketches, int32[p]; `ones` and `others` are int64[p] into uint8[n, k]."""
    equal = np.empty(len(ones), np.int32)
    _compare(sketched, ones, others, equal)
    return equal


@kernel
def _equal(one: Bytes, other: Bytes) -> Integer:
    count: Integer = 0
    for place in range(len(one)):
        count += one[place] == other[place]
    return count


@kernel
def _compare(sketched: Bytes, ones: Int64s, others: Int64s, equal: Int32s) -> None:
    for index in range(len(ones)):
        equal[index] = _equal(sketched[ones[index]], sketched[others[index]])


@kernel
def _lead(
    sketched: Bytes,
    starts: Int64s,
    unlike: Integer,
    alike: Integer,
    most_leaders: Integer,
    most_doubtful: Integer,
    compared: Int32s,
    rejected: Int32s,
) -> tuple[Int64s, Int32s]:
    pairs, equal = np.empty((1024, 2), np.int64), np.empty(1024, np.int32)
    count = 0
    leaders = np.empty(most_leaders, np.int64)
    for bucket in range(len(starts) - 1):
        known = 0
        for member in range(starts[bucket], starts[bucket + 1]):
            matched = False
            doubtful = 0
            for number in range(known):
                same = _equal(sketched[leaders[number]], sketched[member])
                compared[member] += 1
                if same < unlike:
                    rejected[member] += 1
                    continue
                matched = bool(same >= alike)
                if not matched:
                    doubtful += 1
                    if doubtful > most_doubtful:
                        continue
                if count == len(equal):
                    more_pairs, more_equal = np.empty((2 * count, 2), np.int64), np.empty(2 * count, np.int32)
                    more_pairs[:count], more_equal[:count] = pairs, equal
                    pairs, equal = more_pairs, more_equal
                pairs[count, 0], pairs[count, 1], equal[count] = leaders[number], member, same
                count += 1
                if matched:
                    break
            if not matched and known < most_leaders:
                leaders[known] = member
                known += 1
    return pairs[:count], equal[:count]
