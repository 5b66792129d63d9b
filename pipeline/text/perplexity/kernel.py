"""n-gram models as hash tables: reading the lines of an ARPA file, and scoring sentences with backoff (Katz 1987, in KenLM's form).

In: lines of one section of an ARPA file, or tokens between spaces, a sentence a line. Out: keys and values of the n-grams, or a score per
sentence, in the order of the lines.

A word is a row of the 1-grams; an n-gram is the hash of its rows, last word first, so that the scoring kernel extends a hash by one older
word a step. Tables are uint64 keys with linear probing, 0 where a slot is free, a power of two of slots.

A value is float32[2]: the logarithm (base 10) of the probability, and the backoff. As in KenLM (Heafield 2011, section 3.1; lm/weights.hh,
lm/value.hh) signs, which carry nothing else, say when to stop looking: a probability's is plus if some n-gram goes on with an older word; a
backoff is -0.0 if no n-gram has this one as its context. Scores are summed in float32 in KenLM's order, so they are KenLM's, bit for bit.
"""

from __future__ import annotations

import math
from typing import Any

import numba as nb
import numpy as np

from kernels.compiled import kernel

MOST_WORDS = 5

# What can be wrong with a line; `pipeline.text.perplexity.arpa` has the words for it.
FINE, NO_NUMBER, POSITIVE, NO_WORD, EXTRA, UNKNOWN_WORD, NO_CONTEXT, NO_SUFFIX = range(8)

U64 = nb.uint64
_FACTOR = np.uint64(0x9E3779B97F4A7C15)
_SEED = np.uint64(0xCBF29CE484222325)
_PRIME = np.uint64(0x100000001B3)
_ONE = np.uint64(1)
_HALF = np.uint64(32)
# Digits beyond these change nothing in a float32, and would overflow int64.
_MOST_MANTISSA = 10**17
# Powers of ten up to the 22nd are exact in float64, so that one division by one of them rounds once.
_POWERS = np.array([10.0**power for power in range(23)])
_TAB, _LINE_FEED, _RETURN, _SPACE = 9, 10, 13, 32


@kernel
def _mixed(value: Any) -> Any:
    value = value * _FACTOR
    value = value ^ (value >> _HALF)
    # 0 marks a free slot.
    return value if value else _ONE


@kernel
def _word_key(data: Any, start: Any, end: Any) -> Any:
    value = _SEED
    for i in range(start, end):
        value = (value ^ U64(data[i])) * _PRIME
    return _mixed(value)


@kernel
def _extended(key: Any, word: Any) -> Any:
    return _mixed(key ^ (U64(word) + _ONE))


@kernel
def _find(keys: Any, key: Any) -> Any:
    last = U64(len(keys) - 1)
    slot = key & last
    while keys[slot]:
        if keys[slot] == key:
            return nb.int64(slot)
        slot = (slot + _ONE) & last
    return nb.int64(-1)


@kernel
def place(table: Any, keys: Any, slots: Any) -> Any:
    """Put `keys` into `table`, which has room; `slots` takes where. Returns the first row whose key was there already, or -1."""
    last = U64(len(table) - 1)
    for row in range(len(keys)):
        slot = keys[row] & last
        while table[slot]:
            if table[slot] == keys[row]:
                return row
            slot = (slot + _ONE) & last
        table[slot] = keys[row]
        slots[row] = slot
    return -1


@kernel
def find_words(data: Any, offsets: Any, word_keys: Any, word_rows: Any, out: Any) -> None:
    """The row of each word, -1 where it is none of the model's: words lie one after the other, `offsets` has one more."""
    for i in range(len(offsets) - 1):
        slot = _find(word_keys, _word_key(data, offsets[i], offsets[i + 1]))
        out[i] = word_rows[slot] if slot >= 0 else -1


@kernel
def _number(data: Any, at: Any) -> Any:
    """A decimal number, and where it ends; -1 where there is none. Its rounding is that of float64 division, the same everywhere."""
    negative = data[at] == 45
    if negative or data[at] == 43:
        at += 1
    mantissa = nb.int64(0)
    exponent = digits = nb.int64(0)
    point = False
    while True:
        byte = data[at]
        if 48 <= byte <= 57:
            digits += 1
            if mantissa < _MOST_MANTISSA:
                mantissa = mantissa * 10 + nb.int64(byte - 48)
                exponent -= point
            else:
                exponent += not point
        elif byte == 46 and not point:
            point = True
        else:
            break
        at += 1
    if not digits:
        return 0.0, nb.int64(-1)
    if data[at] == 101 or data[at] == 69:
        at += 1
        downward = data[at] == 45
        if downward or data[at] == 43:
            at += 1
        if not 48 <= data[at] <= 57:
            return 0.0, nb.int64(-1)
        power = nb.int64(0)
        while 48 <= data[at] <= 57:
            if power < 1000:
                power = power * 10 + nb.int64(data[at] - 48)
            at += 1
        exponent += -power if downward else power
    value = nb.float64(mantissa)
    while exponent > 0 and value != 0.0 and value < 1e300:
        value *= 10.0
        exponent -= 1
    while exponent < 0 and value != 0.0:
        step = 22 if exponent < -22 else -exponent
        value /= _POWERS[step]
        exponent += step
    return (-value if negative else value), nb.int64(at)


@kernel
def read_lines(
    data: Any,
    at: Any,
    length: Any,
    highest: Any,
    word_keys: Any,
    word_rows: Any,
    unigrams: Any,
    lower_keys: Any,
    lower_values: Any,
    keys: Any,
    values: Any,
) -> Any:
    """Lines of the section of n-grams of `length` words, from `at` on, up to a line that is blank or begins with a backslash.

    Args:
        data: uint8[], whole lines; the last byte is a line feed.
        highest: whether this is the model's last section, where no backoff stands.
        lower_keys, lower_values: the table of n-grams of one word less; of length 2, and of 1, `unigrams` takes its place.
        keys, values: out, with room for all lines. Of length 1 the key is that of the word.

    Returns:
        How many rows were read; where the next line begins; what is wrong with it (`FINE`: nothing).
    """
    row = 0
    words = np.zeros(MOST_WORDS, np.int64)
    while at < len(data):
        if data[at] == _LINE_FEED or data[at] == 92 or (data[at] == _RETURN and data[at + 1] == _LINE_FEED):
            break
        number, i = _number(data, at)
        if i < 0 or data[i] != _TAB or not math.isfinite(np.float32(number)):
            return row, at, NO_NUMBER
        if number > 0.0:
            return row, at, POSITIVE
        values[row, 0] = -abs(np.float32(number))
        values[row, 1] = np.float32(-0.0)
        for which in range(length):
            i += 1
            start = i
            while data[i] != _SPACE and data[i] != _TAB and data[i] != _LINE_FEED and data[i] != _RETURN:
                i += 1
            if i == start or (which < length - 1 and data[i] != _SPACE and data[i] != _TAB):
                return row, at, NO_WORD
            key = _word_key(data, start, i)
            if length == 1:
                keys[row] = key
            else:
                slot = _find(word_keys, key)
                if slot < 0:
                    return row, at, UNKNOWN_WORD
                words[which] = word_rows[slot]
        if data[i] == _TAB and not highest:
            number, i = _number(data, i + 1)
            if i < 0 or not math.isfinite(np.float32(number)):
                return row, at, NO_NUMBER
            if number != 0.0:
                values[row, 1] = np.float32(number)
        if data[i] == _RETURN:
            i += 1
        if data[i] != _LINE_FEED:
            return row, at, EXTRA
        if length > 1:
            problem, keys[row] = _linked(words, length, unigrams, lower_keys, lower_values)
            if problem != FINE:
                return row, at, problem
        row += 1
        at = i + 1
    return row, at, FINE


@kernel
def _linked(words: Any, length: Any, unigrams: Any, lower_keys: Any, lower_values: Any) -> Any:
    """The key of an n-gram, once its context and its suffix know of it; the scoring kernel finds it by way of both."""
    context = _mixed(U64(words[length - 2]))
    for i in range(length - 3, -1, -1):
        context = _extended(context, words[i])
    suffix = _mixed(U64(words[length - 1]))
    for i in range(length - 2, 0, -1):
        suffix = _extended(suffix, words[i])
    key = _extended(suffix, words[0])
    if length == 2:
        before, after = words[0], words[1]
        table = unigrams
    else:
        before, after = _find(lower_keys, context), _find(lower_keys, suffix)
        table = lower_values
    if before < 0:
        return NO_CONTEXT, key
    if after < 0:
        return NO_SUFFIX, key
    if table[before, 1] == 0.0:
        table[before, 1] = np.float32(0.0)
    table[after, 0] = abs(table[after, 0])
    return FINE, key


@kernel
def score_lines(
    data: Any,
    offsets: Any,
    order: Any,
    begin: Any,
    end: Any,
    unknown: Any,
    word_keys: Any,
    word_rows: Any,
    unigrams: Any,
    keys: Any,
    values: Any,
    scores: Any,
    tokens: Any,
) -> None:
    """Score sentences as KenLM's `model.score(sentence, bos=True, eos=True)` does.

    Args:
        data: uint8[], tokens with ASCII white space between them.
        offsets: int64[n + 1], the sentences.
        order: of the model, at most `MOST_WORDS`.
        begin, end, unknown: rows of `<s>`, `</s>` and `<unk>`.
        keys, values: tables of the n-grams of 2 to `MOST_WORDS` words; those above `order` are not looked at.
        scores: out, float32[n], logarithms base 10.
        tokens: out, int64[n], without `<s>` and `</s>`.
    """
    most = order - 1
    history = np.zeros(MOST_WORDS, np.int64)
    backoffs, fresh = np.zeros(MOST_WORDS, np.float32), np.zeros(MOST_WORDS, np.float32)
    for sentence in range(len(offsets) - 1):
        at, stop = offsets[sentence], offsets[sentence + 1]
        history[0] = begin
        backoffs[0] = unigrams[begin, 1]
        known = min(nb.int64(1), most)
        total = np.float32(0.0)
        count = 0
        finished = False
        while not finished:
            while at < stop and (data[at] == _SPACE or _TAB <= data[at] <= _RETURN):
                at += 1
            if at < stop:
                start = at
                while at < stop and not (data[at] == _SPACE or _TAB <= data[at] <= _RETURN):
                    at += 1
                slot = _find(word_keys, _word_key(data, start, at))
                word = nb.int64(word_rows[slot]) if slot >= 0 else nb.int64(unknown)
                count += 1
            else:
                word = nb.int64(end)
                finished = True
            probability, fresh[0] = unigrams[word, 0], unigrams[word, 1]
            used = 0
            useful = min(nb.int64(math.copysign(1.0, fresh[0]) > 0.0 or fresh[0] != 0.0), most)
            key = _mixed(U64(word))
            while used < known and math.copysign(1.0, probability) > 0.0:
                key = _extended(key, history[used])
                slot = _find(keys[used], key)
                if slot < 0:
                    break
                probability = values[used][slot, 0]
                used += 1
                if used < most:
                    fresh[used] = values[used - 1][slot, 1]
                    if fresh[used] != 0.0 or math.copysign(1.0, fresh[used]) > 0.0:
                        useful = used + 1
            score = -abs(probability)
            for i in range(used, known):
                score += backoffs[i]
            total += score
            for i in range(useful - 1, 0, -1):
                history[i] = history[i - 1]
            history[0] = word
            for i in range(useful):
                backoffs[i] = fresh[i]
            known = useful
        scores[sentence] = total
        tokens[sentence] = count
