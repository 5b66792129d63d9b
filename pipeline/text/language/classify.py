"""fastText's classifier as a kernel: words and n-grams of characters, the mean of their vectors, the best label of a Huffman tree.

In: UTF-8 bytes and offsets of n documents, a `pipeline.text.language.model.Model`. Out: label number and score per document, row-aligned.

What fastText 0.9.2 does with one line of text (`Dictionary::getLine`, `Dictionary::computeSubwords`, `QMatrix::addRowToVector`,
`HierarchicalSoftmaxLoss::dfs`), step for step and in the same order, so that sums of float32 come out the same. A line feed in the text
counts as space, as pipeline.text.language.identify has it; the line ends with the document.
"""

from __future__ import annotations

from typing import Any

import numba as nb
import numpy as np

from kernels.compiled import inlined_kernel, kernel

U32 = nb.uint32
_FNV_START = np.uint32(2166136261)
_FNV_PRIME = np.uint32(16777619)
# `std_log` of fastText adds this to keep logarithms finite.
_EPSILON = 1e-5


@kernel
def classify(
    data: Any,
    offsets: Any,
    most_characters: Any,
    rows: Any,
    word_slots: Any,
    word_bytes: Any,
    word_bounds: Any,
    end_of_sentence: Any,
    kept: Any,
    ranks: Any,
    kept_rows: Any,
    buckets: Any,
    shortest: Any,
    longest: Any,
    output: Any,
    left: Any,
    right: Any,
    labels: Any,
    scores: Any,
) -> None:
    """Fill `labels`, int32[n], and `scores`, float32[n]; -1 and 0 for an empty document. The model's arrays: see `Model`.

    Args:
        data, offsets: uint8[], int64[n + 1]; valid UTF-8.
        most_characters: how much of a document is looked at.
    """
    dim = rows.shape[1]
    hidden = np.empty(dim, np.float32)
    # A word between its marks.
    marked = np.empty(4 * most_characters + 2, np.uint8)
    for document in range(len(offsets) - 1):
        start, end = offsets[document], offsets[document + 1]
        labels[document], scores[document] = -1, 0
        if start == end:
            continue
        end = _cut(data, start, end, most_characters)
        hidden[:] = 0
        count = 0
        stopped = False
        i = start
        while i < end and not stopped:
            if _is_space(data[i]):
                i += 1
                continue
            stop = i
            h = _FNV_START
            while stop < end and not _is_space(data[stop]):
                h = _fnv(h, data[stop])
                stop += 1
            if _is_label(data, i, stop):
                i = stop
                continue
            word = _find(data, i, stop, h, word_slots, word_bytes, word_bounds)
            if word >= 0:
                _add(hidden, rows, word)
                count += 1
            if word == end_of_sentence and word >= 0:
                stopped = True
            else:
                size = stop - i + 2
                marked[0] = 60  # <
                marked[1 : size - 1] = data[i:stop]
                marked[size - 1] = 62  # >
                count += _add_ngrams(marked, size, hidden, rows, kept, ranks, kept_rows, buckets, shortest, longest)
            i = stop
        if not stopped and end_of_sentence >= 0:
            _add(hidden, rows, end_of_sentence)
            count += 1
        if count == 0:
            continue
        scale = np.float32(1.0 / count)
        for d in range(dim):
            hidden[d] *= scale
        labels[document], scores[document] = _best(hidden, output, left, right)


@inlined_kernel
def _is_space(byte: Any) -> Any:
    return byte == 32 or (byte >= 9 and byte <= 13) or byte == 0


@inlined_kernel
def _fnv(h: Any, byte: Any) -> Any:
    """One step of FNV-1a over a signed byte."""
    value = U32(byte)
    if byte >= 128:
        value |= U32(0xFFFFFF00)
    return U32((h ^ value) * _FNV_PRIME)


@kernel
def _cut(data: Any, start: Any, end: Any, most: Any) -> Any:
    """Where the first `most` characters of a document end."""
    if end - start <= most:
        return end
    characters = 0
    for i in range(start, end):
        if (data[i] & 0xC0) != 0x80:
            if characters == most:
                return i
            characters += 1
    return end


@kernel
def _is_label(data: Any, start: Any, stop: Any) -> Any:
    """Words that begin with `__label__` are no words."""
    prefix = (95, 95, 108, 97, 98, 101, 108, 95, 95)
    matching = 0
    while matching < len(prefix) and start + matching < stop and data[start + matching] == prefix[matching]:
        matching += 1
    return matching == len(prefix)


@kernel
def _find(data: Any, start: Any, stop: Any, h: Any, slots: Any, word_bytes: Any, bounds: Any) -> Any:
    """The number of a word; -1 for one that the model does not have."""
    mask = len(slots) - 1
    slot = nb.int64(h) & mask
    while slots[slot] >= 0:
        word = slots[slot]
        first, size = bounds[word], bounds[word + 1] - bounds[word]
        if size == stop - start:
            same = True
            for index in range(size):
                if word_bytes[first + index] != data[start + index]:
                    same = False
                    break
            if same:
                return nb.int64(word)
        slot = (slot + 1) & mask
    return nb.int64(-1)


@kernel
def _add_ngrams(
    word: Any, size: Any, hidden: Any, rows: Any, kept: Any, ranks: Any, kept_rows: Any, buckets: Any, shortest: Any, longest: Any
) -> Any:
    """Add the vectors of a word's n-grams that pruning has left; returns how many."""
    added = 0
    divisor = U32(buckets)
    for i in range(size):
        if (word[i] & 0xC0) == 0x80:
            continue
        h = _FNV_START
        j = i
        n = 1
        while j < size and n <= longest:
            h = _fnv(h, word[j])
            j += 1
            while j < size and (word[j] & 0xC0) == 0x80:
                h = _fnv(h, word[j])
                j += 1
            if n >= shortest and not (n == 1 and (i == 0 or j == size)):
                bucket = nb.int64(h % divisor)
                bits = kept[bucket >> 6]
                place = nb.uint64(bucket & 63)
                if (bits >> place) & nb.uint64(1):
                    below = bits & ((nb.uint64(1) << place) - nb.uint64(1))
                    _add(hidden, rows, kept_rows[ranks[bucket >> 6] + _ones(below)])
                    added += 1
            n += 1
    return added


@inlined_kernel
def _add(hidden: Any, rows: Any, row: Any) -> None:
    for d in range(len(hidden)):
        hidden[d] += rows[row, d]


@inlined_kernel
def _ones(bits: Any) -> Any:
    """How many bits are set (Warren, Hacker's Delight, section 5-1)."""
    bits = bits - ((bits >> nb.uint64(1)) & nb.uint64(0x5555555555555555))
    bits = (bits & nb.uint64(0x3333333333333333)) + ((bits >> nb.uint64(2)) & nb.uint64(0x3333333333333333))
    bits = (bits + (bits >> nb.uint64(4))) & nb.uint64(0x0F0F0F0F0F0F0F0F)
    return nb.int64((bits * nb.uint64(0x0101010101010101)) >> nb.uint64(56))


@kernel
def _best(hidden: Any, output: Any, left: Any, right: Any) -> Any:
    """The leaf with the highest probability and this probability; branches that cannot win are left aside."""
    leaves = (len(left) + 1) // 2
    nodes = np.empty(2 * leaves, np.int64)
    so_far = np.empty(2 * leaves, np.float32)
    nodes[0], so_far[0] = len(left) - 1, 0
    depth = 1
    label, best = nb.int64(-1), np.float32(0)
    lowest = np.float32(np.log(_EPSILON))
    while depth:
        depth -= 1
        node, score = nodes[depth], so_far[depth]
        if score < lowest or (label >= 0 and score < best):
            continue
        if left[node] < 0:
            # Of equals the one that is found first stays (a heap of one takes a second only to drop the smaller).
            if label < 0 or score > best:
                label, best = node, score
            continue
        f = np.float32(0)
        for d in range(len(hidden)):
            f += output[node - leaves, d] * hidden[d]
        f = np.float32(1.0 / (1.0 + np.float64(np.float32(np.exp(-f)))))
        # The left branch is walked first: it is put on top.
        nodes[depth], so_far[depth] = right[node], score + np.float32(np.log(np.float64(f) + _EPSILON))
        nodes[depth + 1], so_far[depth + 1] = left[node], score + np.float32(np.log(1.0 - np.float64(f) + _EPSILON))
        depth += 2
    return label, np.float32(np.exp(best))
