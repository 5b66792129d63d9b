"""Token files of Megatron-LM: `PREFIX.bin`, the tokens of all sequences one after the other, and `PREFIX.idx`, where
each sequence begins and which sequences are a document.

The layout is that of megatron-core 0.16.1, megatron/core/datasets/indexed_dataset.py (`_IndexWriter`, `_IndexReader`),
all numbers little-endian:

    9 bytes "MMIDIDX\\0\\0", uint64 version 1, uint8 dtype code, uint64 sequences, uint64 document indices
    int32[sequences]           tokens of each sequence
    int64[sequences]           byte offset of each sequence in the .bin
    int64[document indices]    first sequence of each document, and the number of sequences
    int8[sequences]            only in multimodal files: the kind of each sequence

Here a document is written as one sequence; when read, a document may have several.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from manifests.errors import GristmillError
from storage.files import file_size, open_input

# The codes of `indexed_dataset.DType` that can hold token ids: there is no unsigned type above uint16.
CODES: dict[int, np.dtype[Any]] = {
    1: np.dtype("uint8"),
    2: np.dtype("int8"),
    3: np.dtype("<i2"),
    4: np.dtype("<i4"),
    5: np.dtype("<i8"),
    8: np.dtype("<u2"),
}
MOST_TOKENS = 2**31 - 1
"""Of one sequence: lengths are int32."""

_HEADER = struct.Struct("<9sQBQQ")
_MAGIC, _VERSION = b"MMIDIDX\x00\x00", 1
_ROWS = 1 << 20
# Documents whose places are read at once, and tokens that are.
_DOCUMENTS = 1 << 14
_TOKENS = 4 << 20

Int64s = npt.NDArray[np.int64]
MEND = "write the dataset again, or restore it"


@dataclass(frozen=True)
class MegatronIndex:
    """An index whose header fits its file.

    Attributes:
        path: of the `.idx`; `tokens_path` of the `.bin`.
        dtype: of the tokens, little-endian.
    """

    path: str
    tokens_path: str
    dtype: np.dtype[Any]
    sequences: int
    documents: int


def megatron_dtype(vocab_size: int) -> np.dtype[Any]:
    """The dtype in which Megatron's files hold ids below `vocab_size`: uint16, or int32 where shards have uint32.

    Raises:
        GristmillError: ids do not fit into 31 bits.
    """
    if vocab_size > 2**31:
        raise GristmillError(
            f"a vocabulary of {vocab_size} does not fit: the largest ids of Megatron's token files are those of int32"
        )
    return CODES[8] if vocab_size <= 1 << 16 else CODES[4]


def index_pieces(lengths: Sequence[npt.NDArray[np.int32]], dtype: np.dtype[Any]) -> Iterator[bytes]:
    """The bytes of an `.idx` in which every sequence is a document.

    Args:
        lengths: int32[…], tokens of each document, in one or several arrays.
        dtype: of the tokens.
    """
    count = sum(len(some) for some in lengths)
    code = next(code for code, known in CODES.items() if known == dtype)
    yield _HEADER.pack(_MAGIC, _VERSION, code, count, count + 1)
    for some in lengths:
        yield some.astype("<i4").tobytes()
    at = 0
    for some in lengths:
        ends = at + np.cumsum(some, dtype=np.int64) * dtype.itemsize
        yield (ends - some.astype(np.int64) * dtype.itemsize).astype("<i8").tobytes()
        at = int(ends[-1]) if len(ends) else at
    for start in range(0, count + 1, _ROWS):
        yield np.arange(start, min(start + _ROWS, count + 1), dtype="<i8").tobytes()


def open_index(prefix: str) -> MegatronIndex:
    """Read the header of `prefix`.idx.

    Raises:
        GristmillError: a file is missing, or this is not an index of token ids, or one that was cut.
    """
    path, tokens_path = f"{prefix}.idx", f"{prefix}.bin"
    size = file_size(path)
    file_size(tokens_path)
    with open_input(path) as file:
        head = file.read(_HEADER.size)
    if len(head) < _HEADER.size or not head.startswith(_MAGIC):
        raise GristmillError(
            "is not an index of Megatron's token files: it begins otherwise",
            where=path,
            remedy="name the common prefix of a .bin and an .idx file",
        )
    _, version, code, sequences, indices = _HEADER.unpack(head)
    if version != _VERSION or code not in CODES:
        raise GristmillError(f"has version {version} and dtype code {code}, which hold no token ids", where=path)
    if indices < 1:
        raise GristmillError("lists no documents, not even their end", where=path, remedy=MEND)
    expected = _HEADER.size + 12 * sequences + 8 * indices
    if size == expected + sequences and sequences:
        raise GristmillError("is multimodal: only files of text are imported", where=path)
    if size != expected:
        raise GristmillError(
            f"has {size:,} bytes; an index of {sequences:,} sequences and {indices - 1:,} documents has {expected:,}",
            where=path,
            remedy=MEND,
        )
    return MegatronIndex(path, tokens_path, CODES[code], sequences, indices - 1)


def document_lengths(index: MegatronIndex) -> Iterator[Int64s]:
    """Tokens of each document, some thousands of documents at a time.

    Raises:
        GristmillError: places in the index contradict each other or the size of the .bin; names the document.
    """
    item, size = index.dtype.itemsize, file_size(index.tokens_path)
    pointers_at = _HEADER.size + 4 * index.sequences
    indices_at = pointers_at + 8 * index.sequences
    at = sequence = 0
    with open_input(index.path) as file:
        for start in range(0, max(index.documents, 1), _DOCUMENTS):
            stop = min(start + _DOCUMENTS, index.documents)
            bounds = _read(file, indices_at + 8 * start, np.dtype("<i8"), stop - start + 1)
            _check(index, start, bounds[:-1] > bounds[1:], "ends before it begins")
            if bounds[0] != sequence or bounds[-1] > index.sequences:
                raise GristmillError(
                    f"document {start:,} to {stop:,} have the sequences {bounds[0]:,} to {bounds[-1]:,}:"
                    f" expected is {sequence:,} to at most {index.sequences:,}",
                    where=index.path,
                    remedy=MEND,
                )
            count = int(bounds[-1]) - sequence
            lengths = _read(file, _HEADER.size + 4 * sequence, np.dtype("<i4"), count)
            pointers = _read(file, pointers_at + 8 * sequence, np.dtype("<i8"), count)
            owner = start + np.searchsorted(bounds, sequence + np.arange(count), side="right") - 1
            _check(index, owner, lengths < 0, "has a negative length")
            ends = at + np.cumsum(lengths, dtype=np.int64) * item
            _check(
                index, owner, pointers != ends - lengths * np.int64(item), "does not begin where the one before ends"
            )
            if count and ends[-1] > size:
                first = int(owner[np.argmax(ends > size)])
                raise GristmillError(
                    f"has {size:,} bytes: document {first:,} ends beyond", where=index.tokens_path, remedy=MEND
                )
            at, sequence = int(ends[-1]) if count else at, int(bounds[-1])
            total = np.concatenate([np.zeros(1, np.int64), np.cumsum(lengths, dtype=np.int64)])
            yield np.diff(total[bounds - bounds[0]])
    if sequence != index.sequences:
        raise GristmillError(
            f"its documents have {sequence:,} of {index.sequences:,} sequences", where=index.path, remedy=MEND
        )
    if at != size:
        raise GristmillError(f"has {size:,} bytes, its index describes {at:,}", where=index.tokens_path, remedy=MEND)


def documents_of(index: MegatronIndex) -> Iterator[tuple[npt.NDArray[Any], Int64s]]:
    """Some million tokens at a time, of the index' dtype, and the lengths of their documents.

    Raises:
        GristmillError: as `document_lengths`.
    """
    with open_input(index.tokens_path) as file:
        at = 0
        for lengths in document_lengths(index):
            ends = np.cumsum(lengths)
            start = 0
            while start < len(lengths):
                before = int(ends[start - 1]) if start else 0
                stop = max(int(np.searchsorted(ends, before + _TOKENS, side="right")), start + 1)
                count = int(ends[stop - 1]) - before
                yield _read(file, at, index.dtype, count), lengths[start:stop]
                at += count * index.dtype.itemsize
                start = stop


def _read(file: pa.NativeFile, at: int, dtype: np.dtype[Any], count: int) -> npt.NDArray[Any]:
    file.seek(at)
    data = file.read_buffer(count * dtype.itemsize)
    if len(data) != count * dtype.itemsize:
        raise GristmillError("a token file was cut while it was read", remedy="run the same command again")
    return np.frombuffer(data, dtype)


def _check(index: MegatronIndex, documents: Int64s | int, wrong: npt.NDArray[np.bool_], what: str) -> None:
    """Raise for the first document with a mark; `documents`: the number of the first, or of each."""
    if wrong.any():
        first = int(np.argmax(wrong))
        number = documents + first if isinstance(documents, int) else int(documents[first])
        raise GristmillError(f"document {number:,} {what}", where=index.path, remedy=MEND)
