"""Scoring by KenLM's binary files of the kinds "trie" (lm/trie.cc, lm/bhiksha.hh, lm/quantize.hh, lm/vocab.hh,
util/bit_packing.hh).

In: a file as uint8[] and as float32[], and where its parts are. Out: scores of sentences, in their order. Nothing
outside the parts is read, whatever they contain.

Words are their sorted hashes; a word's row is one more than its place, row 0 is `<unk>`. A 1-gram is the logarithm of
its probability, its backoff, and where in the 2-grams those that end in this word begin; they end where the next
1-gram's begin. An n-gram of more words is found from its last word backward; the n-grams below one parent are sorted by
their oldest word. It is an entry of bits: that word, the values, and where in the n-grams of one word more those that
have it as suffix begin. The longest have no backoff and nothing below them.

Values are 31 bits of a logarithm, whose sign is minus, and 32 of a backoff; or places in tables of both, the backoff's
first. Where the pointers' highest bits are cut off, an array has for each value of these bits the first entry that has
it.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from kernels.arrays import Bytes, Float32s, Int64s, Integer, Uint64s
from kernels.compiled import bare_kernel, kernel
from pipeline.text.perplexity.words import U64, backed_off, eight_bytes, goes_on, next_token, remember, word_hash

# What `parts` has of the n-grams of each length.
BASE, ENTRY_BITS, VALUE_BITS, NEXT_BITS, ENTRIES, ARRAY, ARRAY_LENGTH, PROBABILITIES, BACKOFFS = range(9)
COLUMNS = 9
# In a model that is whole, words are spread evenly and this many guesses find any; then the range is halved, so that no
# other model takes long.
_GUESSES = 16
_LOGARITHM_BITS, _BACKOFF_BITS = np.uint64(31), np.uint64(32)
_SIGN = np.uint64(1 << 31)
_ZERO, _ONE, _BYTE, _BIT = np.uint64(0), np.uint64(1), np.uint64(3), np.uint64(7)
ABSENT = -1


class TrieTables(NamedTuple):
    """Where the parts of a file are.

    Attributes:
        file, floats: uint8[] and float32[], the same bytes.
        parts: uint64[order + 1, COLUMNS], for n-grams of 2 to `order` words: the byte where their entries begin, bits
            of an entry, of its values, of its pointer, how many entries there are, the byte where the array begins and
            its length, and where in `floats` the tables of logarithms and of backoffs begin.
        hashes: the byte where the words' hashes begin.
        words: how many hashes there are.
        word_bits: bits of a word's row.
        unigrams: the byte where the 1-grams begin.
        probability_bits, backoff_bits: bits of a place in a table of logarithms, and of backoffs; 0 where values are in
            the entries.
        begin, end: rows of `<s>` and `</s>`.
    """

    file: Bytes
    floats: Float32s
    parts: Uint64s
    hashes: int
    words: int
    word_bits: np.uint64
    unigrams: int
    probability_bits: np.uint64
    backoff_bits: np.uint64
    begin: int
    end: int


@bare_kernel
def _bits(file: Bytes, base: np.uint64, at: np.uint64, width: np.uint64) -> np.uint64:
    """`width` bits, 57 at most, from bit `at` after byte `base` on."""
    return (eight_bytes(file, base + (at >> _BYTE)) >> (at & _BIT)) & ((_ONE << width) - _ONE)


@bare_kernel
def find_row(file: Bytes, first: Integer, words: Integer, key: np.uint64) -> np.int64:
    """The row of a word by its hash, 0 if there is none: `words` hashes begin at byte `first`."""
    low, high = np.int64(0), np.int64(words)
    below, above = 0.0, 2.0**64
    wanted = np.float64(key)
    guesses = 0
    while low < high:
        width = high - low
        pivot = low + width // 2
        if guesses < _GUESSES and above > below:
            pivot = low + min(max(np.int64((wanted - below) / (above - below) * width), np.int64(0)), width - 1)
            guesses += 1
        found = eight_bytes(file, first + 8 * pivot)
        if found < key:
            low, below = pivot + 1, np.float64(found)
        elif found > key:
            high, above = pivot, np.float64(found)
        else:
            return pivot + 1
    return np.int64(0)


@bare_kernel
def _find_entry(
    file: Bytes,
    parts: Uint64s,
    length: Integer,
    word_bits: np.uint64,
    words: np.uint64,
    begin: np.uint64,
    end: np.uint64,
    word: np.uint64,
) -> Integer:
    """Where the entry of a word is between `begin` and `end`, `ABSENT` if there is none.

    No part has more than `words` of them.
    """
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
            return np.int64(pivot)
    return np.int64(ABSENT)


@bare_kernel
def _highest_bits(file: Bytes, parts: Uint64s, length: Integer, entry: np.uint64) -> np.uint64:
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
def _below(
    file: Bytes, parts: Uint64s, length: Integer, word_bits: np.uint64, entry: np.uint64
) -> tuple[np.uint64, np.uint64]:
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
def _logarithm(
    file: Bytes, floats: Float32s, table: np.uint64, bits: np.uint64, base: np.uint64, at: np.uint64
) -> np.float32:
    """The logarithm at bit `at` after byte `base`, or the one whose place in a table is there, in `bits` bits."""
    if bits:
        return np.float32(floats[table + _bits(file, base, at, bits)])
    return np.uint32(_bits(file, base, at, _LOGARITHM_BITS) | _SIGN).view(np.float32)


@bare_kernel
def _backoff(
    file: Bytes, floats: Float32s, table: np.uint64, bits: np.uint64, base: np.uint64, at: np.uint64
) -> np.float32:
    """The same for the backoff of an entry whose values begin there."""
    if bits:
        return np.float32(floats[table + _bits(file, base, at, bits)])
    return np.uint32(_bits(file, base, at + _LOGARITHM_BITS, _BACKOFF_BITS)).view(np.float32)


@kernel
def score_trie(data: Bytes, offsets: Int64s, tables: TrieTables, scores: Float32s, tokens: Int64s) -> bool:
    """Score sentences as KenLM's `model.score(sentence, bos=True, eos=True)` does.

    Args:
        data: uint8[], tokens with ASCII white space between them.
        offsets: int64[n + 1], the sentences.
        scores: out, float32[n], logarithms base 10.
        tokens: out, int64[n], without `<s>` and `</s>`.

    Returns:
        Whether the file is whole; False when a pointer is out of bounds or goes back, or a score is not a number.
    """
    file, floats, parts, word_bits = tables.file, tables.floats, tables.parts, tables.word_bits
    order, rows = len(parts) - 1, U64(tables.words + 1)
    probability_bits, backoff_bits = tables.probability_bits, tables.backoff_bits
    history = np.zeros(order, np.int64)
    backoffs, fresh = np.zeros(order, np.float32), np.zeros(order, np.float32)
    for sentence in range(len(offsets) - 1):
        at, stop = offsets[sentence], offsets[sentence + 1]
        history[0], backoffs[0] = tables.begin, floats[(tables.unigrams + 16 * tables.begin + 4) >> 2]
        known = np.int64(1)
        total, count, finished = np.float32(0.0), 0, False
        while not finished:
            start, at = next_token(data, at, stop)
            finished = start == at
            word = np.int64(tables.end)
            if not finished:
                word = find_row(file, tables.hashes, tables.words, word_hash(data, start, at))
                count += 1
            entry = tables.unigrams + 16 * word
            probability, fresh[0] = floats[entry >> 2], floats[(entry + 4) >> 2]
            low, high = eight_bytes(file, entry + 8), eight_bytes(file, entry + 24)
            used, useful = 0, np.int64(goes_on(fresh[0]))
            while used < known and low != high:
                length = used + 2
                if low > high or high > parts[length, ENTRIES] or high - low > rows:
                    return False
                found = _find_entry(file, parts, length, word_bits, rows, low, high, U64(history[used]))
                if found < 0:
                    break
                used += 1
                base = parts[length, BASE]
                values = U64(found) * parts[length, ENTRY_BITS] + word_bits
                # A quantised entry begins with its backoff, if it has one.
                logarithm = values + backoff_bits if length < order else values
                probability = _logarithm(file, floats, parts[length, PROBABILITIES], probability_bits, base, logarithm)
                if length == order:
                    break
                fresh[used] = _backoff(file, floats, parts[length, BACKOFFS], backoff_bits, base, values)
                if goes_on(fresh[used]):
                    useful = np.int64(used + 1)
                low, high = _below(file, parts, length, word_bits, U64(found))
            total += backed_off(probability, used, backoffs, known)
            remember(history, backoffs, fresh, word, useful)
            known = useful
        if not total < math.inf:
            return False
        scores[sentence], tokens[sentence] = total, count
    return True
