"""Scoring by KenLM's binary files of the kinds "trie" (lm/trie.cc, lm/bhiksha.hh, lm/quantize.hh, lm/vocab.hh, util/bit_packing.hh).

In: a file as uint8[] and as float32[], and where its parts are. Out: scores of sentences, in their order. Nothing outside the parts is
read, whatever stands in them.

Words are their sorted hashes; a word's row is one more than its place, row 0 is `<unk>`. A 1-gram is the logarithm of its probability, its
backoff, and where in the 2-grams those begin that end in this word; they end where the next 1-gram's begin. An n-gram of more words is
found from its last word backward; the n-grams below one parent are sorted by their oldest word. It is an entry of bits: that word, the
values, and where in the n-grams of one word more those begin that have it as suffix. The longest have no backoff and nothing below them.

Values are 31 bits of a logarithm, whose sign is minus, and 32 of a backoff; or places in tables of both, the backoff's first.
Where the pointers' highest bits are cut off, an array has for each value of these bits the first entry that has it.
"""

from __future__ import annotations

import math
from typing import Any

import numba as nb
import numpy as np

from kernels.compiled import bare_kernel, kernel
from pipeline.text.perplexity.words import U64, eight_bytes, goes_on, next_token, remember, word_hash

# What `parts` has of the n-grams of each length.
BASE, ENTRY_BITS, VALUE_BITS, NEXT_BITS, ENTRIES, ARRAY, ARRAY_LENGTH, PROBABILITIES, BACKOFFS = range(9)
COLUMNS = 9
# In a model that is whole, words are spread evenly and this many guesses find any; then halves, so that no other can take long.
_GUESSES = 16
_LOGARITHM_BITS = 31
_ZERO, _ONE, _BYTE, _BIT = np.uint64(0), np.uint64(1), np.uint64(3), np.uint64(7)
_SIGN = np.uint64(1 << 31)
_LOW_HALF = np.uint64((1 << 32) - 1)
ABSENT = -1


@bare_kernel
def _bits(file: Any, base: Any, at: Any, width: Any) -> Any:
    """`width` bits, 57 at most, from bit `at` after byte `base` on."""
    return (eight_bytes(file, base + (at >> _BYTE)) >> (at & _BIT)) & ((_ONE << width) - _ONE)


@bare_kernel
def find_row(file: Any, first: Any, words: Any, key: Any) -> Any:
    """The row of a word by its hash, 0 if there is none: `words` hashes begin at byte `first`."""
    low, high = nb.int64(0), nb.int64(words)
    below, above = 0.0, 2.0**64
    wanted = nb.float64(key)
    guesses = 0
    while low < high:
        width = high - low
        pivot = low + width // 2
        if guesses < _GUESSES and above > below:
            pivot = low + min(max(nb.int64((wanted - below) / (above - below) * width), 0), width - 1)
            guesses += 1
        found = eight_bytes(file, first + 8 * pivot)
        if found < key:
            low, below = pivot + 1, nb.float64(found)
        elif found > key:
            high, above = pivot, nb.float64(found)
        else:
            return pivot + 1
    return nb.int64(0)


@bare_kernel
def _find_entry(file: Any, parts: Any, length: Any, word_bits: Any, words: Any, begin: Any, end: Any, word: Any) -> Any:
    """Where the entry of a word is between `begin` and `end`, `ABSENT` if there is none. No part has more than `words` of them."""
    below, above = _ZERO, words
    guesses = 0
    while begin < end:
        width = end - begin
        pivot = begin + (width >> _ONE)
        if guesses < _GUESSES:
            pivot = begin + (word - below) * width // (above - below + _ONE)
            guesses += 1
        found = _bits(file, parts[length, BASE], pivot * parts[length, ENTRY_BITS], word_bits)
        if found < word:
            begin, below = pivot + _ONE, found
        elif found > word:
            end, above = pivot, found
        else:
            return nb.int64(pivot)
    return nb.int64(ABSENT)


@bare_kernel
def _highest_bits(file: Any, parts: Any, length: Any, entry: Any) -> Any:
    """The bits that were cut off an entry's pointer: the last place in the array whose entry is not after this one."""
    low, high = _ONE, parts[length, ARRAY_LENGTH]
    while low < high:
        middle = (low + high) >> _ONE
        if eight_bytes(file, parts[length, ARRAY] + (middle << _BYTE)) <= entry:
            low = middle + _ONE
        else:
            high = middle
    return low - _ONE


@bare_kernel
def _below(file: Any, parts: Any, length: Any, word_bits: Any, entry: Any) -> Any:
    """Where an entry's n-grams of one word more begin and end."""
    at = entry * parts[length, ENTRY_BITS] + word_bits + parts[length, VALUE_BITS]
    begin = _bits(file, parts[length, BASE], at, parts[length, NEXT_BITS])
    end = _bits(file, parts[length, BASE], at + parts[length, ENTRY_BITS], parts[length, NEXT_BITS])
    if parts[length, ARRAY_LENGTH]:
        highest = _highest_bits(file, parts, length, entry)
        begin |= highest << parts[length, NEXT_BITS]
        while (
            highest + _ONE < parts[length, ARRAY_LENGTH]
            and eight_bytes(file, parts[length, ARRAY] + ((highest + _ONE) << _BYTE)) <= entry + _ONE
        ):
            highest += _ONE
        end |= highest << parts[length, NEXT_BITS]
    return begin, end


@bare_kernel
def _float(bits: Any) -> Any:
    return np.uint32(bits).view(np.float32)


@kernel
def score_trie(
    data: Any,
    offsets: Any,
    file: Any,
    floats: Any,
    parts: Any,
    hashes: Any,
    words: Any,
    word_bits: Any,
    unigrams: Any,
    quantised: Any,
    begin: Any,
    end: Any,
    scores: Any,
    tokens: Any,
) -> Any:
    """Score sentences as KenLM's `model.score(sentence, bos=True, eos=True)` does.

    Args:
        data: uint8[], tokens with ASCII white space between them.
        offsets: int64[n + 1], the sentences.
        file, floats: uint8[] and float32[], the same bytes.
        parts: uint64[order + 1, COLUMNS], for n-grams of 2 to `order` words: the byte where their entries begin, bits of an entry, of its
            values, of its pointer, how many entries there are, the byte where the array begins and its length, and where in `floats` the
            tables of logarithms and of backoffs begin.
        hashes: the byte where the words' hashes begin.
        words: how many hashes there are.
        word_bits: uint64, bits of a word's row.
        unigrams: the byte where the 1-grams begin.
        quantised: uint64[2], bits of a place in a table of logarithms, and of backoffs; zeros where values stand in the entries.
        begin, end: rows of `<s>` and `</s>`.
        scores: out, float32[n], logarithms base 10.
        tokens: out, int64[n], without `<s>` and `</s>`.

    Returns:
        Whether the file is whole; not, when a pointer is out of bounds or goes back, or a score is not a number.
    """
    order = len(parts) - 1
    most = order - 1
    probability_bits, backoff_bits = quantised[0], quantised[1]
    history = np.zeros(order, np.int64)
    backoffs, fresh = np.zeros(order, np.float32), np.zeros(order, np.float32)
    for sentence in range(len(offsets) - 1):
        at, stop = offsets[sentence], offsets[sentence + 1]
        history[0] = begin
        backoffs[0] = floats[(unigrams + 16 * begin + 4) >> 2]
        known = nb.int64(1)
        total = np.float32(0.0)
        count = 0
        finished = False
        while not finished:
            start, at = next_token(data, at, stop)
            word = nb.int64(end)
            if start < at:
                word = find_row(file, hashes, words, word_hash(data, start, at))
                count += 1
            else:
                finished = True
            entry = unigrams + 16 * word
            probability, fresh[0] = floats[entry >> 2], floats[(entry + 4) >> 2]
            low, high = eight_bytes(file, entry + 8), eight_bytes(file, entry + 24)
            used = 0
            useful = nb.int64(goes_on(fresh[0]))
            while used < known and low != high:
                length = used + 2
                if low > high or high > parts[length, ENTRIES] or high - low > U64(words + 1):
                    return False
                found = _find_entry(file, parts, length, word_bits, U64(words + 1), low, high, U64(history[used]))
                if found < 0:
                    break
                used += 1
                place = U64(found) * parts[length, ENTRY_BITS] + word_bits
                if used == most:
                    if probability_bits:
                        probability = floats[parts[length, PROBABILITIES] + _bits(file, parts[length, BASE], place, probability_bits)]
                    else:
                        probability = _float(_bits(file, parts[length, BASE], place, U64(_LOGARITHM_BITS)) | _SIGN)
                    break
                if probability_bits:
                    probability = floats[
                        parts[length, PROBABILITIES] + _bits(file, parts[length, BASE], place + backoff_bits, probability_bits)
                    ]
                    fresh[used] = floats[parts[length, BACKOFFS] + _bits(file, parts[length, BASE], place, backoff_bits)]
                else:
                    probability = _float(_bits(file, parts[length, BASE], place, U64(_LOGARITHM_BITS)) | _SIGN)
                    fresh[used] = _float(_bits(file, parts[length, BASE], place + U64(_LOGARITHM_BITS), U64(32)))
                if goes_on(fresh[used]):
                    useful = used + 1
                low, high = _below(file, parts, length, word_bits, U64(found))
            score = probability
            for i in range(used, known):
                score += backoffs[i]
            total += score
            remember(history, backoffs, fresh, word, useful)
            known = useful
        if not total < math.inf:
            return False
        scores[sentence] = total
        tokens[sentence] = count
    return True
