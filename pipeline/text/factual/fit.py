"""The weights of the factual model: logistic regression on the shares of n-grams, by AdaGrad (Duchi et al. 2011).

In: per document the slots of its n-grams, a label and an importance. Out: a weight per slot and a bias, float64.

A document's log-odds are bias + sum over its slots of weight * share, where a slot's share is its n-grams over all of
the document's, as fastText's classifier averages them (Joulin et al. 2016, arXiv 1607.01759): a long page is not surer
than a short one for its length. Documents are taken one after the other, in an order that a hash of the seed, the
round and the document's id gives, with additions in one fixed order and no function of a mathematics library: the same
documents give the same bytes on every machine and for any number of workers.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import xxhash

from kernels.arrays import Bools, Float64s, Int64s, Integer, Uint32s
from kernels.compiled import bare_kernel, kernel

# Chosen on one half of the sources of the development corpora and shown on the other (bench/factual.py). The best rate
# differs from corpus to corpus, by a tenth of AUC; training tries these on what it holds out.
ROUNDS = 2
RATES = (1.0, 3.0, 10.0, 30.0)

_LOG2E = 1.0 / math.log(2.0)
# ln 2 in two parts, the first exact in 32 bits: subtracting a multiple of it loses nothing (Cody and Waite 1980).
_LN2_HIGH = 0.693147180369123816490
_LN2_LOW = 1.90821492927058770002e-10
_LARGEST = 40.0


class Examples(NamedTuple):
    """Documents to learn from, or to score.

    Attributes:
        slots: uint32[m], each document's different slots, ascending.
        shares: float64[m], the share of the document's n-grams in each.
        bounds: int64[n + 1] into both.
    """

    slots: Uint32s
    shares: Float64s
    bounds: Int64s


class Fitted(NamedTuple):
    """float64[2^bits] and a number."""

    weights: Float64s
    bias: float


def examples_of(slots: Uint32s, bounds: Int64s) -> Examples:
    """Documents from the slots of their n-grams in the order of the text (`pipeline.text.factual.ngrams`)."""
    kept = slots.copy()
    shares = np.empty(len(slots), np.float64)
    packed = np.zeros(len(bounds), np.int64)
    _count(kept, bounds, shares, packed)
    return Examples(kept[: packed[-1]].copy(), shares[: packed[-1]].copy(), packed)


def fit(
    examples: Examples,
    labels: Bools,
    importance: Float64s,
    ids: Sequence[bytes],
    *,
    bits: int,
    seed: int,
    rate: float,
    rounds: int = ROUNDS,
) -> Fitted:
    """The model of these documents.

    Args:
        labels: bool[n], factual or not.
        importance: float64[n], how much each document counts; of mean 1.
        ids: of the documents; equal documents should have equal ids.
        bits: log2 of the number of slots.
        rate, rounds: of AdaGrad; over the documents.
    """
    weights, squares = np.zeros(1 << bits), np.zeros(1 << bits)
    bias = np.zeros(2)
    for number in range(rounds):
        keys = [(xxhash.xxh3_64_intdigest(identity, seed ^ number), identity) for identity in ids]
        order = np.array(sorted(range(len(ids)), key=keys.__getitem__), np.int64)
        _round(*examples, labels, importance, order, rate, weights, squares, bias)
    return Fitted(weights, float(bias[0]))


def log_odds(examples: Examples, model: Fitted) -> Float64s:
    """Log-odds of each document, float64[n]."""
    out = np.empty(len(examples.bounds) - 1)
    _score(*examples, model.weights, model.bias, out)
    return out


@kernel
def _count(slots: Uint32s, bounds: Int64s, shares: Float64s, packed: Int64s) -> None:
    """Sort each document's slots in place, each once, one document after the other, and fill `shares` and `packed`."""
    place = np.int64(0)
    for document in range(len(bounds) - 1):
        start, stop = bounds[document], bounds[document + 1]
        own = np.sort(slots[start:stop])
        i = 0
        while i < len(own):
            j = i
            while j < len(own) and own[j] == own[i]:
                j += 1
            slots[place] = own[i]
            shares[place] = (j - i) / (stop - start)
            place += 1
            i = j
        packed[document + 1] = place


@bare_kernel
def logistic(x: float) -> float:
    """1 / (1 + exp(-x)), to 1e-14, from additions and multiplications alone: mathematics libraries differ in the last
    bit. The argument is held within 40 of 0.
    """
    x = min(max(-x, -_LARGEST), _LARGEST)
    power = math.floor(x * _LOG2E + 0.5)
    rest = (x - power * _LN2_HIGH) - power * _LN2_LOW
    # The series of exp, by Horner's rule; |rest| <= 0.35, so that what follows the 14th term is below 1e-18.
    value = 1.0
    for term in range(14, 0, -1):
        value = 1.0 + value * rest / term
    return 1.0 / (1.0 + math.ldexp(value, int(power)))


@kernel
def _round(
    slots: Uint32s, shares: Float64s, bounds: Int64s, labels: Bools, importance: Float64s, order: Int64s, rate: float,
    weights: Float64s, squares: Float64s, bias: Float64s,
) -> None:  # fmt: skip
    """One round over the documents in `order`; `bias` holds the bias and its sum of squares."""
    for document in order:
        start, stop = bounds[document], bounds[document + 1]
        odds = bias[0] + _dot(slots, shares, start, stop, weights)
        error = importance[document] * (logistic(odds) - (1.0 if labels[document] else 0.0))
        bias[1] += error * error
        bias[0] -= rate * error / math.sqrt(bias[1] + 1e-12)
        for i in range(start, stop):
            slot = slots[i]
            slope = error * shares[i]
            squares[slot] += slope * slope
            weights[slot] -= rate * slope / math.sqrt(squares[slot] + 1e-12)


@kernel
def _score(
    slots: Uint32s, shares: Float64s, bounds: Int64s, weights: Float64s, bias: float, out: Float64s
) -> None:  # fmt: skip
    for document in range(len(bounds) - 1):
        out[document] = bias + _dot(slots, shares, bounds[document], bounds[document + 1], weights)


@bare_kernel
def _dot(slots: Uint32s, shares: Float64s, start: Integer, stop: Integer, weights: Float64s) -> float:
    total = 0.0
    for i in range(start, stop):
        total += weights[slots[i]] * shares[i]
    return total
