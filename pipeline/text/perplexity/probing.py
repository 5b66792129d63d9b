"""Scoring by KenLM's binary files of the kind "probing": hash tables (lm/search_hashed.hh, lm/vocab.hh, util/probing_hash_table.hh).

In: a file as uint32[] and as float32[], of which every number begins at a multiple of four, and where its tables are. Out: scores of
sentences, in their order. Nothing outside the tables is read, whatever stands in them.

A table is slots of a key (uint64) and a value, with linear probing from the key modulo the number of slots; a key of 0 marks a free slot.
Keys of words are their hashes, values their rows. Keys of n-grams are hashes of rows, last word first; values are the logarithm of the
probability and, but for the longest n-grams, the backoff. The logarithm's sign is plus if some n-gram goes on with an older word.
"""

from __future__ import annotations

import math
from typing import Any

import numba as nb
import numpy as np

from kernels.compiled import bare_kernel, kernel
from pipeline.text.perplexity.words import U64, goes_on, next_token, remember, word_hash

# uint32s in a slot: key and value.
WORD_SIZE, MIDDLE_SIZE, LONGEST_SIZE = 3, 4, 3
# lm/search_hashed.hh, `CombineWordHash`.
_OF_HASH, _OF_WORD = np.uint64(8978948897894561157), np.uint64(17894857484156487943)
ABSENT, FULL = -1, -2


@bare_kernel
def find_slot(file: Any, first: Any, slots: Any, size: Any, key: Any) -> Any:
    """Where the slot of a key begins in `file`; `ABSENT` if there is none, `FULL` if the table has no free slot, which KenLM leaves."""
    slot = nb.int64(key % U64(slots))
    for _ in range(slots):
        at = first + slot * size
        found = U64(file[at]) | U64(file[at + 1]) << U64(32)
        if found == key:
            return at
        if not found:
            return nb.int64(ABSENT)
        slot += 1
        if slot == slots:
            slot = 0
    return nb.int64(FULL)


@kernel
def score_probing(
    data: Any, offsets: Any, file: Any, floats: Any, tables: Any, bound: Any, begin: Any, end: Any, scores: Any, tokens: Any
) -> Any:
    """Score sentences as KenLM's `model.score(sentence, bos=True, eos=True)` does.

    Args:
        data: uint8[], tokens with ASCII white space between them.
        offsets: int64[n + 1], the sentences.
        file, floats: uint32[] and float32[], the same bytes.
        tables: int64[order + 1, 2], where a table begins in `file` and how many slots it has: words; 1-grams, without keys; longer ones.
        bound: number of words.
        begin, end: rows of `<s>` and `</s>`.
        scores: out, float32[n], logarithms base 10.
        tokens: out, int64[n], without `<s>` and `</s>`.

    Returns:
        Whether the file is whole; not, when a table is full, a row is out of bounds, or a score is not a number.
    """
    order = len(tables) - 1
    most = order - 1
    unigrams = tables[1, 0]
    history = np.zeros(order, np.int64)
    backoffs, fresh = np.zeros(order, np.float32), np.zeros(order, np.float32)
    for sentence in range(len(offsets) - 1):
        at, stop = offsets[sentence], offsets[sentence + 1]
        history[0] = begin
        backoffs[0] = floats[unigrams + 2 * begin + 1]
        known = nb.int64(1)
        total = np.float32(0.0)
        count = 0
        finished = False
        while not finished:
            start, at = next_token(data, at, stop)
            word = nb.int64(end)
            if start < at:
                slot = find_slot(file, tables[0, 0], tables[0, 1], WORD_SIZE, word_hash(data, start, at))
                if slot == FULL:
                    return False
                word = nb.int64(file[slot + 2]) if slot >= 0 else nb.int64(0)
                if word >= bound:
                    return False
                count += 1
            else:
                finished = True
            probability, fresh[0] = floats[unigrams + 2 * word], floats[unigrams + 2 * word + 1]
            used = 0
            useful = nb.int64(goes_on(fresh[0]))
            key = U64(word)
            while used < known and math.copysign(1.0, probability) > 0.0:
                key = (key * _OF_HASH) ^ (U64(history[used] + 1) * _OF_WORD)
                size = MIDDLE_SIZE if used + 1 < most else LONGEST_SIZE
                slot = find_slot(file, tables[used + 2, 0], tables[used + 2, 1], size, key)
                if slot == FULL:
                    return False
                if slot < 0:
                    break
                probability = floats[slot + 2]
                used += 1
                if used == most:
                    break
                fresh[used] = floats[slot + 3]
                if goes_on(fresh[used]):
                    useful = used + 1
            score = -abs(probability)
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
