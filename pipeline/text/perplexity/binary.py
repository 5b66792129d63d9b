"""n-gram models from KenLM's binary files, such as `build_binary` writes and CCNet publishes (`en.arpa.bin`).

In: a file, mapped into memory and read only, so that processes share it; a file of an object store is held by each
process. Out: `Model`, which says where in the file things are; nothing is copied. Logarithms are base 10.

The format is that of KenLM's sources: lm/binary_format.cc (head), lm/vocab.cc (words), lm/search_hashed.hh (kind
"probing"), lm/trie.cc, lm/search_trie.hh, lm/bhiksha.cc and lm/quantize.hh (kinds "trie"). All sizes follow from the
head and from a few bytes at fixed places; the file must be as long as they say before anything else is read. Numbers
are little-endian.

ARPA files, the text format of the same models, are refused: `build_binary` makes a binary file of one.
"""

from __future__ import annotations

import math
import mmap
import re
import struct
from pathlib import PurePosixPath
from typing import NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

from kernels.arrays import Bytes, Float32s, Int64s, Uint32s
from manifests.errors import GristmillError
from pipeline.text.perplexity.probing import (
    FULL,
    LONGEST_SIZE,
    MIDDLE_SIZE,
    WORD_SIZE,
    ProbingTables,
    find_slot,
    score_probing,
)
from pipeline.text.perplexity.trie import COLUMNS, TrieTables, find_row, score_trie
from pipeline.text.perplexity.words import word_hash
from storage.compressed import beginning
from storage.files import is_url, open_stream, read_bytes
from storage.mapped import note_mapped
from storage.raw_file import identified

# What all of KenLM's binary files begin with.
_MAGIC = b"mmap lm http://kheafield.com/code"
_VERSION = _MAGIC + b" format version "
_INCOMPLETE = _MAGIC + b" incomplete"
# How an ARPA file begins, apart from white space (SRILM's ngram-format(5)), and how it is named: `en.arpa`,
# `en.arpa.gz`.
_ARPA_BEGIN = b"\\data\\"
_ARPA_NAME = re.compile(r".+\.arpa(\.(gz|bz2|xz|lzma|zst|zstd|lz4))?", re.IGNORECASE)
# lm/binary_format.cc, `Sanity`: the text, then numbers that other machines write differently.
_SANITY = (_VERSION + b"5\n").ljust(56, b"\0") + struct.pack("<fffIIIQ", 0.0, 1.0, -0.5, 1, 0xFFFFFFFF, 0, 1)
_SWAPPED = struct.pack(">fff", 0.0, 1.0, -0.5)
# lm/binary_format.hh, `FixedWidthParameters`: order, probing multiplier, kind, whether the words follow the model,
# version of the search.
_FIXED = struct.Struct("<B3xfi?3xI")
# lm/model_type.hh.
_PROBING, _TRIE, _QUANTISED, _ARRAYS = 0, 2, 1, 2
_KINDS = ("probing", "rest probing", "trie", "quantised trie", "trie with arrays", "quantised trie with arrays")
# `kVersion` of lm/search_hashed.hh and lm/search_trie.hh; lm/vocab.cc; lm/quantize.cc; lm/bhiksha.cc.
_PROBING_VERSION, _TRIE_VERSION, _PROBING_WORDS_VERSION, _QUANTISED_VERSION, _ARRAYS_VERSION = 0, 1, 0, 2, 0
# KenLM is compiled for models of order 6 at most unless configured otherwise (CMakeLists.txt, KENLM_MAX_ORDER).
_LOWEST_ORDER, _HIGHEST_ORDER = 2, 6
# lm/quantize.cc and lm/build_binary_main.cc: places in tables of values have at most this many bits.
_MOST_VALUE_BITS = 25
_MOST_WORDS = 1 << 32
_BLOCK = 4 << 20
_REBUILT = "build it again from the ARPA file with KenLM's `build_binary trie MODEL.arpa MODEL.bin`"
_FETCHED = "fetch or make the file again: it is not whole"

_Number = TypeVar("_Number", bound=np.generic)


class Model(NamedTuple):
    """A model: the path of its file, and where in it things are."""

    path: str
    tables: ProbingTables | TrieTables


class _Head(NamedTuple):
    """The head of a file; `size` is its own, in bytes, `counts` are n-grams of 1, 2, ... words."""

    multiplier: float
    kind: int
    has_words: bool
    counts: tuple[int, ...]
    size: int


def score(model: Model, data: Bytes, offsets: Int64s) -> tuple[Float32s, Int64s]:
    """Scores of n sentences, as of KenLM's `model.score(sentence)`, and how many tokens each has: float32[n], int64[n].

    Args:
        data: tokens with ASCII white space between them.
        offsets: int64[n + 1] into `data`.

    Raises:
        GristmillError: the file is damaged.
    """
    scores, tokens = np.zeros(len(offsets) - 1, np.float32), np.zeros(len(offsets) - 1, np.int64)
    # numba compiles a kernel anew for arrays that may be written to.
    data, offsets = _read_only(data), _read_only(offsets)
    if isinstance(model.tables, ProbingTables):
        whole = score_probing(data, offsets, model.tables, scores, tokens)
    else:
        whole = score_trie(data, offsets, model.tables, scores, tokens)
    if not whole:
        raise _error(model.path, "is damaged: its tables lead outside of it", remedy=_FETCHED)
    return scores, tokens


def check_begin(path: str, begin: bytes) -> None:
    """Refuse a file that is not one of KenLM's binary files.

    Args:
        begin: its first bytes, at least 64 if the file has that many.

    Raises:
        GristmillError: it is an ARPA file, a compressed file, one that `build_binary` did not finish, or something
            else.
    """
    if begin.startswith(_VERSION):
        return
    if begin.startswith(_INCOMPLETE):
        raise _error(path, "is a binary file of KenLM's that `build_binary` did not finish", remedy=_REBUILT)
    with open_stream(path) as file:
        raw = identified(file)
        content = beginning(raw)
    name = PurePosixPath(path).name
    if content.lstrip().startswith(_ARPA_BEGIN) or (_ARPA_NAME.fullmatch(name) and not content.startswith(_MAGIC)):
        remedy = f"make a binary file of it with KenLM's `build_binary trie {name} {name}.bin`, and give that one"
        raise _error(path, "is an ARPA file, which is not read", remedy=remedy)
    if raw.kind is not None and content.startswith(_MAGIC):
        remedy = "decompress it: it is mapped into memory as it is, so that processes share it"
        raise _error(path, "is one of KenLM's binary files, but compressed", remedy=remedy)
    raise _error(path, "is no binary file of KenLM's", remedy=_REBUILT)


def read_model(path: str) -> Model:
    """Map a model into memory.

    Raises:
        GristmillError: the file is missing, cut, damaged, made on another kind of machine, or of a kind or version that
            is not read.
    """
    file = _mapped(path)
    head = _head(path, file)
    return Model(path, _probing(path, file, head) if head.kind == _PROBING else _trie(path, file, head))


def _mapped(path: str) -> Bytes:
    if is_url(path):
        return np.frombuffer(read_bytes(path), np.uint8)
    note_mapped(path)
    try:
        with open(path, "rb") as file:
            mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    except FileNotFoundError:
        raise _error(path, "no such file", remedy="check the paths of `perplexity.models` in the manifest") from None
    except (OSError, ValueError) as error:
        raise _error(
            path,
            f"cannot be mapped into memory: {error}",
            remedy="put it on a local disk, and see that it is no empty file",
        ) from None
    return np.frombuffer(mapped, np.uint8)


def _head(path: str, file: Bytes) -> _Head:
    start = file[: len(_SANITY) + _FIXED.size].tobytes()
    check_begin(path, start)
    version = start[len(_VERSION) :].split(b"\n")[0].decode("latin-1")[:9]
    if version != "5":
        raise _error(path, f"is a binary file of KenLM's of version {version}; 5 is read", remedy=_REBUILT)
    if len(start) < len(_SANITY) + _FIXED.size:
        raise _error(path, f"ends after {len(file):,} bytes, in its head", remedy=_FETCHED)
    if start[56:68] == _SWAPPED:
        raise _error(path, "was made on a big-endian machine", remedy=_REBUILT)
    if start[: len(_SANITY)] != _SANITY:
        raise _error(
            path, "was made by another KenLM or on another kind of machine: its test numbers differ", remedy=_REBUILT
        )
    order, multiplier, kind, has_words, search = _FIXED.unpack_from(start, len(_SANITY))
    if kind == _PROBING + 1 or not 0 <= kind < len(_KINDS):
        name = f"{_KINDS[kind]}" if kind == _PROBING + 1 else f"number {kind}"
        remedy = "build it again from the ARPA file: `build_binary trie` or `build_binary probing` without `-r`"
        raise _error(path, f"is a binary file of KenLM's of the kind {name}, which is not read", remedy=remedy)
    if search != (_PROBING_VERSION if kind == _PROBING else _TRIE_VERSION):
        raise _error(path, f"holds version {search} of KenLM's {_KINDS[kind]}, which is not read", remedy=_REBUILT)
    if not _LOWEST_ORDER <= order <= _HIGHEST_ORDER:
        message = f"the model is of order {order}; {_LOWEST_ORDER} to {_HIGHEST_ORDER} are read of KenLM's binary files"
        raise _error(path, message, remedy="make a model of order 5, as CCNet's are")
    at = len(_SANITY) + _FIXED.size
    # Eight bytes in front of eight make the size a multiple of eight.
    size = -(-(at + 8 * order) // 8) * 8
    if len(file) < size:
        raise _error(path, f"ends after {len(file):,} bytes, in its head", remedy=_FETCHED)
    counts = struct.unpack(f"<{order}Q", file[at : at + 8 * order].tobytes())
    # No n-gram takes less than a bit, and no row of a word more than 32.
    if max(counts) > 8 * len(file) or counts[0] + 1 >= _MOST_WORDS:
        raise _error(
            path, f"has {len(file):,} bytes, but its head promises {max(counts):,} n-grams of a length", remedy=_FETCHED
        )
    return _Head(multiplier, kind, has_words, counts, size)


def _probing(path: str, file: Bytes, head: _Head) -> ProbingTables:
    order, counts = len(head.counts), head.counts
    if not 1 <= head.multiplier < math.inf:
        raise _error(path, f"is damaged: a probing multiplier of {head.multiplier}", remedy=_FETCHED)
    # Bytes; KenLM keeps room for one 1-gram more, `<unk>`, where the ARPA file has none.
    at = head.size + 8
    tables = [(at, _slots(counts[0], head.multiplier))]
    at += tables[0][1] * 4 * WORD_SIZE
    tables.append((at, counts[0] + 1))
    at += tables[1][1] * 8
    for length in range(2, order + 1):
        tables.append((at, _slots(counts[length - 1], head.multiplier)))
        at += tables[length][1] * 4 * (MIDDLE_SIZE if length < order else LONGEST_SIZE)
    _check_size(path, file, head, at)
    version, bound = struct.unpack("<II", file[head.size : head.size + 8].tobytes())
    if version != _PROBING_WORDS_VERSION:
        raise _error(path, f"holds words of version {version} of KenLM's, which is not read", remedy=_REBUILT)
    if not 1 <= bound <= counts[0] + 1:
        raise _error(path, f"is damaged: {bound:,} words, but {counts[0]:,} 1-grams", remedy=_FETCHED)
    _check_words(path, file, head, at, bound)
    numbers = _numbers(file)
    begin, end = (_probing_row(path, numbers.view("<u4"), tables[0], bound, word) for word in ("<s>", "</s>"))
    positions = np.array([(first // 4, slots) for first, slots in tables], np.int64)
    return ProbingTables(numbers.view("<u4"), numbers.view("<f4"), positions, bound, begin, end)


def _slots(entries: int, multiplier: float) -> int:
    """Slots of a table (util/probing_hash_table.hh, `Size`); the product is of float32."""
    return max(entries + 1, int(np.float32(multiplier) * np.float32(entries)))


def _probing_row(path: str, file: Uint32s, table: tuple[int, int], bound: int, word: str) -> int:
    slot = find_slot(file, table[0] // 4, table[1], WORD_SIZE, np.uint64(_hash(word)))
    if slot == FULL or (slot >= 0 and file[slot + 2] >= bound):
        raise _error(path, "is damaged: its table of words", remedy=_FETCHED)
    return _known(path, int(file[slot + 2]) if slot >= 0 else 0, word)


def _trie(path: str, file: Bytes, head: _Head) -> TrieTables:
    order, counts = len(head.counts), head.counts
    word_bits = counts[0].bit_length()
    quantised, arrays = (head.kind - _TRIE) & _QUANTISED, (head.kind - _TRIE) & _ARRAYS
    # A number of hashes, and the hashes; `<unk>` is counted and has none.
    hashes = head.size + 8
    at = hashes + 8 * counts[0]
    places = (0, 0)
    tables = at + 8
    if quantised:
        version, *found = _few(path, file, at, 3)
        places = (found[0], found[1])
        if version != _QUANTISED_VERSION:
            raise _error(path, f"is quantised by version {version} of KenLM's, which is not read", remedy=_REBUILT)
        if not 1 <= min(places) <= max(places) <= _MOST_VALUE_BITS:
            raise _error(path, f"is damaged: it is quantised to {places[0]} and {places[1]} bits", remedy=_FETCHED)
        at = tables + 4 * ((order - 1 << places[0]) + (order - 2 << places[1]))
    unigrams = at
    # One entry for `<unk>` where there is none, and one that says where the last one's 2-grams end.
    at += 16 * (counts[0] + 2)
    parts = np.zeros((order + 1, COLUMNS), np.uint64)
    most_cut = 0
    for length in range(2, order + 1):
        entries = counts[length - 1]
        array = array_length = next_bits = 0
        value_bits = (sum(places) if length < order else places[0]) if quantised else (63 if length < order else 31)
        if length < order:
            next_bits = counts[length].bit_length()
            if arrays:
                version, most_cut = _few(path, file, at, 2)
                if version != _ARRAYS_VERSION:
                    raise _error(
                        path, f"holds arrays of version {version} of KenLM's, which is not read", remedy=_REBUILT
                    )
                array = -(-at // 8) * 8 + 8
                cut = _cut_bits(entries + 1, counts[length], most_cut)
                next_bits -= cut
                array_length = (counts[length] >> next_bits) + 1
                at += 8 * (1 + array_length) + 7
        entry_bits = word_bits + value_bits + next_bits
        logarithms = tables // 4 + (length - 2) * ((1 << places[0]) + (1 << places[1]))
        parts[length] = (
            at,
            entry_bits,
            value_bits,
            next_bits,
            entries,
            array,
            array_length,
            logarithms,
            logarithms + (1 << places[0]),
        )
        # One entry more for the last pointer; bits are read eight bytes at a time.
        at += ((1 + entries) * entry_bits + 7) // 8 + 8
    _check_size(path, file, head, at)
    words = int.from_bytes(file[head.size : head.size + 8].tobytes(), "little")
    if words + 1 > counts[0]:
        raise _error(path, f"is damaged: {words:,} words and `<unk>`, but {counts[0]:,} 1-grams", remedy=_FETCHED)
    _check_words(path, file, head, at, words + 1)
    begin, end = (
        _known(path, int(find_row(file, hashes, words, np.uint64(_hash(word)))), word) for word in ("<s>", "</s>")
    )
    floats = _numbers(file).view("<f4")
    bits = np.uint64(word_bits), np.uint64(places[0]), np.uint64(places[1])
    return TrieTables(file, floats, parts, hashes, words, bits[0], unigrams, bits[1], bits[2], begin, end)


def _cut_bits(entries: int, pointers: int, most: int) -> int:
    """How many of a pointer's bits are cut off (lm/bhiksha.cc, `ChopBits`): the fewest of those with which array and
    entries are smallest.

    Args:
        entries: how many have a pointer.
        pointers: the largest.
        most: bits that may be cut off.
    """
    needed = pointers.bit_length()
    return min(range(min(needed, most) + 1), key=lambda cut: (pointers >> (needed - cut)) * 64 - entries * cut)


def _few(path: str, file: Bytes, at: int, count: int) -> list[int]:
    """A few bytes that say how long what follows is."""
    if at + count > len(file):
        raise _error(path, f"ends after {len(file):,} bytes, of more than {at + count:,}", remedy=_FETCHED)
    return [int(byte) for byte in file[at : at + count]]


def _check_size(path: str, file: Bytes, head: _Head, size: int) -> None:
    if len(file) < size or (len(file) > size and not head.has_words):
        counts = ", ".join(f"{count:,}" for count in head.counts)
        message = f"has {len(file):,} bytes, but a {_KINDS[head.kind]} of {counts} n-grams takes {size:,}"
        raise _error(path, message, remedy=_FETCHED)


def _check_words(path: str, file: Bytes, head: _Head, at: int, words: int) -> None:
    """The words themselves follow the model, each ended by NUL; nothing else is done with them."""
    if not head.has_words:
        return
    if file[at : at + 6].tobytes() != b"<unk>\0":
        raise _error(path, "is damaged, or of an old KenLM: its words are not where its head says", remedy=_REBUILT)
    found = sum(int(np.count_nonzero(file[start : start + _BLOCK] == 0)) for start in range(at, len(file), _BLOCK))
    if found != words or file[-1] != 0:
        raise _error(path, f"ends after {found:,} of its {words:,} words", remedy=_FETCHED)


def _known(path: str, row: int, word: str) -> int:
    if not row:
        raise _error(path, f"the model has no `{word}`", remedy="make the model again with KenLM's `lmplz -o 5`")
    return row


def _hash(word: str) -> int:
    letters = word.encode()
    return int(word_hash(np.frombuffer(letters, np.uint8), 0, len(letters)))


def _numbers(file: Bytes) -> Bytes:
    """The file without the bytes after the last number of four."""
    return file[: len(file) // 4 * 4]


def _read_only(values: npt.NDArray[_Number]) -> npt.NDArray[_Number]:
    view = values.view()
    view.flags.writeable = False
    return view


def _error(path: str, message: str, *, remedy: str) -> GristmillError:
    return GristmillError(message, where=path, remedy=remedy)
