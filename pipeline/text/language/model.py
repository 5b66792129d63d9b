"""fastText's quantised models (`.ftz`) as arrays that a kernel can walk.

In: the bytes of a supervised model with hierarchical softmax, quantised input and dense output, such as lid.176.ftz.
Out: `Model`.

The format is that of fastText 0.9.2 (`FastText::loadModel`, `Dictionary::load`, `QMatrix::load`, `Matrix::load`; Joulin
et al. 2016, arXiv 1612.03651); what the numbers mean: `pipeline.text.language.classify`.
"""

from __future__ import annotations

import struct
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from kernels.arrays import Bytes, Float32s, Int32s, Int64s, Uint64s
from manifests.errors import GristmillError

_MAGIC = 793712314
_VERSION = 12
_HIERARCHICAL_SOFTMAX = 1
_SUPERVISED = 3
_CENTROIDS = 256
_LABEL = "__label__"


class Network(NamedTuple):
    """The numbers of a model, as a kernel takes them.

    Attributes:
        rows: float32[words + n-grams, dim], the input vectors.
        word_slots: int32[a power of two], word number or -1, by hash and linear probing.
        word_bytes, word_bounds: uint8[], int32[words + 1]: the words, one after the other.
        end_of_sentence: the number of the word for it; -1 if there is none.
        kept: uint64[], one bit per bucket of n-grams: whether pruning kept it.
        ranks: int32[], kept buckets before each of these 64.
        kept_rows: int32[], row of each kept bucket, in the order of the buckets.
        buckets, shortest, longest: of the n-grams.
        output: float32[labels - 1, dim], the vectors of the inner nodes.
        left, right: int32[2 labels - 1], the Huffman tree; leaves, which come first and are the labels, have -1.
    """

    rows: Float32s
    word_slots: Int32s
    word_bytes: Bytes
    word_bounds: Int32s
    end_of_sentence: int
    kept: Uint64s
    ranks: Int32s
    kept_rows: Int32s
    buckets: int
    shortest: int
    longest: int
    output: Float32s
    left: Int32s
    right: Int32s


class Model(NamedTuple):
    """A model: its labels, without their prefix, and its network, which gives their numbers."""

    labels: tuple[str, ...]
    network: Network


class _Reader:
    def __init__(self, data: bytes) -> None:
        self._data, self._at = data, 0

    def numbers(self, form: str) -> tuple[int, ...]:
        found = struct.unpack_from("<" + form, self._data, self._at)
        self._at += struct.calcsize("<" + form)
        return found

    def array(self, dtype: str, count: int) -> npt.NDArray[np.generic]:
        found = np.frombuffer(self._data, dtype, count, self._at)
        self._at += found.nbytes
        return found

    def string(self) -> bytes:
        end = self._data.index(b"\0", self._at)
        found = self._data[self._at : end]
        self._at = end + 1
        return found


def load_model(data: bytes, *, where: str) -> Model:
    """The model of a file's bytes.

    Raises:
        GristmillError: no such model, or another kind of fastText model.
    """
    reader = _Reader(data)
    try:
        return _load(reader)
    except (struct.error, ValueError, IndexError) as error:
        raise GristmillError(
            f"no quantised fastText model: {error}", where=where, remedy="use lid.176.ftz as published"
        ) from None


def _load(reader: _Reader) -> Model:
    if reader.numbers("ii") != (_MAGIC, _VERSION):
        raise ValueError("another format or version")
    dim, _, _, _, _, word_ngrams, loss, kind, buckets, shortest, longest, _ = reader.numbers("12i")
    reader.numbers("d")
    if (loss, kind, word_ngrams) != (_HIERARCHICAL_SOFTMAX, _SUPERVISED, 1):
        raise ValueError("not supervised with hierarchical softmax over single words")
    size, words, labels, _, pruned = reader.numbers("iiiqq")
    if pruned < 0:
        raise ValueError("not pruned")
    entries = [(reader.string(), reader.numbers("qb")) for _ in range(size)]
    # Which bucket has which number among those that are left.
    pairs = reader.array("<i4", 2 * pruned).reshape(-1, 2).astype(np.int64)
    if not reader.numbers("?")[0]:
        raise ValueError("not quantised")
    rows = _quantised(reader)
    if reader.numbers("?")[0]:
        raise ValueError("its output is quantised")
    height, width = reader.numbers("qq")
    output = reader.array("<f4", height * width).reshape(height, width).astype(np.float32)
    if rows.shape != (words + pruned, dim) or output.shape != (labels, dim):
        raise ValueError("sizes that do not agree")
    kept, ranks, kept_rows = _buckets(pairs, buckets, words)
    slots, word_bytes, bounds = _word_table([word for word, _ in entries[:words]])
    left, right = _tree([counts[0] for _, counts in entries[words:]])
    names = [word for word, _ in entries[:words]]
    network = Network(
        rows=rows,
        word_slots=slots,
        word_bytes=word_bytes,
        word_bounds=bounds,
        end_of_sentence=names.index(b"</s>") if b"</s>" in names else -1,
        kept=kept,
        ranks=ranks,
        kept_rows=kept_rows,
        buckets=buckets,
        shortest=shortest,
        longest=longest,
        output=output,
        left=left,
        right=right,
    )
    return Model(tuple(word.decode().removeprefix(_LABEL) for word, _ in entries[words:]), network)


def _quantised(reader: _Reader) -> Float32s:
    """The rows of a matrix that is stored as codes of a product quantiser, with their norms apart."""
    with_norms, height, _, codes = reader.numbers("?qqi")
    coded = reader.array("u1", codes).reshape(height, -1)
    rows = _decode(coded, *_quantiser(reader))
    if with_norms:
        norm_codes = reader.array("u1", height)
        rows *= _decode(norm_codes.reshape(height, 1), *_quantiser(reader))
    return rows


def _quantiser(reader: _Reader) -> tuple[int, int, Float32s]:
    dim, _, width, last_width = reader.numbers("4i")
    return width, last_width, reader.array("<f4", dim * _CENTROIDS).astype(np.float32)


def _decode(codes: npt.NDArray[np.generic], width: int, last_width: int, centroids: Float32s) -> Float32s:
    columns = []
    for index in range(codes.shape[1]):
        own = last_width if index == codes.shape[1] - 1 else width
        table = centroids[index * _CENTROIDS * width :][: _CENTROIDS * own].reshape(_CENTROIDS, own)
        columns.append(table[codes[:, index].astype(np.int64)])
    return np.ascontiguousarray(np.concatenate(columns, axis=1))


def _buckets(pairs: Int64s, buckets: int, words: int) -> tuple[Uint64s, Int32s, Int32s]:
    """Bits, ranks and rows of the buckets that pruning kept."""
    bits = np.zeros(-(-buckets // 64) * 64, np.uint8)
    bits[pairs[:, 0]] = 1
    kept = np.packbits(bits, bitorder="little").view("<u8").astype(np.uint64)
    counts = bits.reshape(-1, 64).sum(axis=1, dtype=np.int64)
    ranks = (np.cumsum(counts) - counts).astype(np.int32)
    order = np.argsort(pairs[:, 0], kind="stable")
    return kept, ranks, (pairs[order, 1] + words).astype(np.int32)


def _word_table(words: list[bytes]) -> tuple[Int32s, Bytes, Int32s]:
    slots = np.full(1 << max(1, (4 * len(words)).bit_length()), -1, np.int32)
    for number, word in enumerate(words):
        slot = _hash(word) & (len(slots) - 1)
        while slots[slot] >= 0:
            slot = (slot + 1) & (len(slots) - 1)
        slots[slot] = number
    bounds = np.cumsum([0, *map(len, words)]).astype(np.int32)
    return slots, np.frombuffer(b"".join(words), np.uint8), bounds


def _hash(word: bytes) -> int:
    """FNV-1a over signed bytes (`Dictionary::hash`)."""
    value = 2166136261
    for byte in word:
        value = ((value ^ (byte if byte < 128 else byte | 0xFFFFFF00)) * 16777619) & 0xFFFFFFFF
    return value


def _tree(counts: list[int]) -> tuple[Int32s, Int32s]:
    """The Huffman tree over labels, whose counts descend (`HierarchicalSoftmaxLoss::buildTree`)."""
    leaves = len(counts)
    weights = [*counts, *[10**15] * (leaves - 1)]
    left, right = np.full(2 * leaves - 1, -1, np.int32), np.full(2 * leaves - 1, -1, np.int32)
    leaf, node = leaves - 1, leaves
    for parent in range(leaves, 2 * leaves - 1):
        smallest = []
        for _ in range(2):
            if leaf >= 0 and weights[leaf] < weights[node]:
                smallest.append(leaf)
                leaf -= 1
            else:
                smallest.append(node)
                node += 1
        left[parent], right[parent] = smallest
        weights[parent] = weights[smallest[0]] + weights[smallest[1]]
    return left, right
