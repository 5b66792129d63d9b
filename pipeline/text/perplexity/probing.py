"""Scoring by KenLM's binary files of the kind "probing": hash tables (lm/search_hashed.hh, lm/vocab.hh,
util/probing_hash_table.hh).

In: a file as uint32[] and as float32[], in which every number begins at a multiple of four, and where its tables are.
Out: scores of sentences, in their order. Nothing outside the tables is read, whatever they contain.

A table is slots of a key (uint64) and a value, with linear probing from the key modulo the number of slots; a key of 0
marks a free slot. Keys of words are their hashes, values their rows. Keys of n-grams are hashes of rows, last word
first; values are the logarithm of the probability and, except for the longest n-grams, the backoff. The logarithm's
sign is plus if some n-gram extends this one by an older word.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from kernels.arrays import Bytes, Float32s, Int64s, Integer, Uint32s
from kernels.compiled import bare_kernel, kernel
from pipeline.text.perplexity.words import U64, backed_off, goes_on, next_token, remember, word_hash

# uint32s in a slot: key and value.
WORD_SIZE, MIDDLE_SIZE, LONGEST_SIZE = 3, 4, 3
# lm/search_hashed.hh, `CombineWordHash`.
_OF_HASH, _OF_WORD = np.uint64(8978948897894561157), np.uint64(17894857484156487943)
ABSENT, FULL = -1, -2
_DAMAGED = -1


class ProbingTables(NamedTuple):
    """Where the tables of a file are.

    Attributes:
        file, floats: uint32[] and float32[], the same bytes.
        places: int64[order + 1, 2], where a table begins in `file` and how many slots it has: words; 1-grams, without
            keys; longer ones.
        bound: number of words.
        begin, end: rows of `<s>` and `</s>`.
    """

    file: Uint32s
    floats: Float32s
    places: Int64s
    bound: int
    begin: int
    end: int


@bare_kernel
def find_slot(file: Uint32s, first: Integer, slots: Integer, size: Integer, key: np.uint64) -> Integer:
    """Where the slot of a key begins in `file`; `ABSENT` if there is none, `FULL` if the table has no free slot, which
    KenLM leaves.
    """
    slot = np.int64(key % U64(slots))
    for _ in range(slots):
        at = first + slot * size
        found = U64(file[at]) | U64(file[at + 1]) << U64(32)
        if found == key:
            return at
        if not found:
            return np.int64(ABSENT)
        slot += 1
        if slot == slots:
            slot = np.int64(0)
    return np.int64(FULL)


@bare_kernel
def _row_of_word(tables: ProbingTables, key: np.uint64) -> Integer:
    """The row of a word by its hash, 0 if there is none, `_DAMAGED` if the table is full or leads
    out of the 1-grams.
    """
    slot = find_slot(tables.file, tables.places[0, 0], tables.places[0, 1], WORD_SIZE, key)
    if slot == FULL:
        return np.int64(_DAMAGED)
    row = np.int64(tables.file[slot + 2]) if slot >= 0 else np.int64(0)
    return row if row < tables.bound else np.int64(_DAMAGED)


@bare_kernel
def _longest(
    tables: ProbingTables, word: Integer, history: Int64s, known: Integer, fresh: Float32s
) -> tuple[np.float32, np.int64, np.int64]:
    """The longest n-gram that ends in a word.

    Args:
        history: the words before it, the newest first; `known` of them.
        fresh: out, backoffs of the n-grams that end in it, the shortest first.

    Returns:
        The logarithm of its probability; how many words of `history` it holds, or `_DAMAGED`; how many words the next
        context has.
    """
    places, floats = tables.places, tables.floats
    most = len(places) - 2
    unigram = places[1, 0] + 2 * word
    probability, fresh[0] = floats[unigram], floats[unigram + 1]
    used = np.int64(0)
    useful = np.int64(goes_on(fresh[0]))
    key = U64(word)
    while used < known and math.copysign(1.0, probability) > 0.0:
        key = (key * _OF_HASH) ^ (U64(history[used] + 1) * _OF_WORD)
        size = MIDDLE_SIZE if used + 1 < most else LONGEST_SIZE
        slot = find_slot(tables.file, places[used + 2, 0], places[used + 2, 1], size, key)
        if slot == FULL:
            return probability, np.int64(_DAMAGED), useful
        if slot < 0:
            break
        probability = floats[slot + 2]
        used += 1
        if used == most:
            break
        fresh[used] = floats[slot + 3]
        if goes_on(fresh[used]):
            useful = used + 1
    return -abs(probability), used, useful


@kernel
def score_probing(data: Bytes, offsets: Int64s, tables: ProbingTables, scores: Float32s, tokens: Int64s) -> bool:
    """Score sentences as KenLM's `model.score(sentence, bos=True, eos=True)` does.

    Args:
        data: uint8[], tokens with ASCII white space between them.
        offsets: int64[n + 1], the sentences.
        scores: out, float32[n], logarithms base 10.
        tokens: out, int64[n], without `<s>` and `</s>`.

    Returns:
        Whether the file is whole; False when a table is full, a row is out of bounds, or a score is not a number.
    """
    order = len(tables.places) - 1
    history = np.zeros(order, np.int64)
    backoffs, fresh = np.zeros(order, np.float32), np.zeros(order, np.float32)
    backoff_of_begin = tables.floats[tables.places[1, 0] + 2 * tables.begin + 1]
    for sentence in range(len(offsets) - 1):
        at, stop = offsets[sentence], offsets[sentence + 1]
        history[0], backoffs[0], known = tables.begin, backoff_of_begin, np.int64(1)
        total, count, finished = np.float32(0.0), 0, False
        while not finished:
            start, at = next_token(data, at, stop)
            finished = start == at
            word = tables.end if finished else _row_of_word(tables, word_hash(data, start, at))
            if word < 0:
                return False
            probability, used, useful = _longest(tables, word, history, known, fresh)
            if used < 0:
                return False
            total += backed_off(probability, used, backoffs, known)
            remember(history, backoffs, fresh, word, useful)
            known = useful
            count += not finished
        if not total < math.inf:
            return False
        scores[sentence], tokens[sentence] = total, count
    return True
