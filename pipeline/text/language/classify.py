"""fastText's classifier as a kernel: words and n-grams of characters, the mean of their vectors, the best label of a
Huffman tree.

In: UTF-8 bytes and offsets of n documents, a `pipeline.text.language.model.Network`. Out: label number and score per
document, row-aligned.

What fastText 0.9.2 does with one line of text (`Dictionary::getLine`, `Dictionary::computeSubwords`,
`QMatrix::addRowToVector`, `HierarchicalSoftmaxLoss::dfs`), step for step and in the same order, so that sums of float32
come out the same. A line feed in the text counts as space, as pipeline.text.language.identify has it; the line ends
with the document.
"""

from __future__ import annotations

import numpy as np

from kernels.arrays import Bytes, Float32s, Int32s, Int64s, Integer, Uint64s
from kernels.compiled import inlined_kernel, kernel
from pipeline.text.language.model import Network

U32 = np.uint32
_FNV_START = np.uint32(2166136261)
_FNV_PRIME = np.uint32(16777619)
# `std_log` of fastText adds this to keep logarithms finite.
_EPSILON = 1e-5


@kernel
def classify(
    data: Bytes, offsets: Int64s, most_characters: int, network: Network, labels: Int32s, scores: Float32s
) -> None:
    """Fill `labels`, int32[n], and `scores`, float32[n]; -1 and 0 for a document that is empty or in which the model
    knows nothing.

    Args:
        data, offsets: uint8[], int64[n + 1]; valid UTF-8.
        most_characters: how much of a document is looked at.
    """
    hidden = np.empty(network.rows.shape[1], np.float32)
    # A word between its marks.
    marked = np.empty(4 * most_characters + 2, np.uint8)
    for document in range(len(offsets) - 1):
        start, end = offsets[document], offsets[document + 1]
        labels[document], scores[document] = -1, 0
        if start == end:
            continue
        hidden[:] = 0
        count = _add_words(data, start, _cut(data, start, end, most_characters), marked, hidden, network)
        if count == 0:
            continue
        scale = np.float32(1.0 / count)
        for d in range(len(hidden)):
            hidden[d] *= scale
        labels[document], scores[document] = _best(hidden, network.output, network.left, network.right)


@kernel
def _add_words(data: Bytes, start: Integer, end: Integer, marked: Bytes, hidden: Float32s, network: Network) -> Integer:
    """Add the vectors of a document's words, of their n-grams and of the end of the sentence to `hidden`; returns how
    many.

    Args:
        marked: room for the longest word between its marks.
    """
    rows, word_slots, word_bytes, word_bounds = (
        network.rows,
        network.word_slots,
        network.word_bytes,
        network.word_bounds,
    )
    kept, ranks, kept_rows = network.kept, network.ranks, network.kept_rows
    end_of_sentence = network.end_of_sentence
    count = 0
    i = start
    while i < end:
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
            if word == end_of_sentence:
                return count
        size = stop - i + 2
        marked[0] = 60  # <
        marked[1 : size - 1] = data[i:stop]
        marked[size - 1] = 62  # >
        count += _add_ngrams(
            marked, size, hidden, rows, kept, ranks, kept_rows, network.buckets, network.shortest, network.longest
        )
        i = stop
    if end_of_sentence >= 0:
        _add(hidden, rows, end_of_sentence)
        count += 1
    return count


@inlined_kernel
def _is_space(byte: int) -> bool:
    return byte == 32 or (byte >= 9 and byte <= 13) or byte == 0


@inlined_kernel
def _fnv(h: np.uint32, byte: int) -> np.uint32:
    """One step of FNV-1a over a signed byte."""
    value = U32(byte)
    if byte >= 128:
        value |= U32(0xFFFFFF00)
    return U32((h ^ value) * _FNV_PRIME)


@kernel
def _cut(data: Bytes, start: Integer, end: Integer, most: Integer) -> Integer:
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
def _is_label(data: Bytes, start: Integer, stop: Integer) -> bool:
    """Whether a word begins with `__label__`: such words are left out."""
    prefix = (95, 95, 108, 97, 98, 101, 108, 95, 95)
    matching = 0
    while matching < len(prefix) and start + matching < stop and data[start + matching] == prefix[matching]:
        matching += 1
    return matching == len(prefix)


@kernel
def _find(
    data: Bytes, start: Integer, stop: Integer, h: np.uint32, slots: Int32s, word_bytes: Bytes, bounds: Int32s
) -> np.int64:
    """The number of a word; -1 for one that the model does not have."""
    mask = len(slots) - 1
    slot = np.int64(h) & mask
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
                return np.int64(word)
        slot = (slot + 1) & mask
    return np.int64(-1)


@kernel
def _add_ngrams(
    word: Bytes,
    size: Integer,
    hidden: Float32s,
    rows: Float32s,
    kept: Uint64s,
    ranks: Int32s,
    kept_rows: Int32s,
    buckets: int,
    shortest: int,
    longest: int,
) -> int:
    """Add the vectors of those n-grams of a word that pruning kept; returns how many."""
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
                bucket = np.int64(h % divisor)
                bits = kept[bucket >> 6]
                place = np.uint64(bucket & 63)
                if (bits >> place) & np.uint64(1):
                    below = bits & ((np.uint64(1) << place) - np.uint64(1))
                    _add(hidden, rows, kept_rows[ranks[bucket >> 6] + _ones(below)])
                    added += 1
            n += 1
    return added


@inlined_kernel
def _add(hidden: Float32s, rows: Float32s, row: Integer) -> None:
    for d in range(len(hidden)):
        hidden[d] += rows[row, d]


@inlined_kernel
def _ones(bits: np.uint64) -> np.int64:
    """How many bits are set (Warren, Hacker's Delight, section 5-1)."""
    bits = bits - ((bits >> np.uint64(1)) & np.uint64(0x5555555555555555))
    bits = (bits & np.uint64(0x3333333333333333)) + ((bits >> np.uint64(2)) & np.uint64(0x3333333333333333))
    bits = (bits + (bits >> np.uint64(4))) & np.uint64(0x0F0F0F0F0F0F0F0F)
    return np.int64((bits * np.uint64(0x0101010101010101)) >> np.uint64(56))


@kernel
def _best(hidden: Float32s, output: Float32s, left: Int32s, right: Int32s) -> tuple[np.int64, np.float32]:
    """The leaf with the highest probability and this probability; branches that cannot win are skipped."""
    leaves = (len(left) + 1) // 2
    nodes = np.empty(2 * leaves, np.int64)
    so_far = np.empty(2 * leaves, np.float32)
    nodes[0], so_far[0] = len(left) - 1, 0
    depth = 1
    label, best = np.int64(-1), np.float32(0)
    lowest = np.float32(np.log(_EPSILON))
    while depth:
        depth -= 1
        node, score = nodes[depth], so_far[depth]
        if score < lowest or (label >= 0 and score < best):
            continue
        if left[node] < 0:
            # Among equals the one found first stays (a heap of one takes a second only to drop the smaller).
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
