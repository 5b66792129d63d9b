"""KenLM's binary files for tests, written the slow and obvious way; `build_binary` of KenLM 0.3.0 writes the same
bytes.

A model must contain the context and the suffix of each of its n-grams. See `pipeline.text.perplexity.binary` for the
sources of the format.
"""

from __future__ import annotations

import struct
from bisect import bisect_left
from typing import NamedTuple

import numpy as np

from tests.property.arpas import NGrams

_MASK = (1 << 64) - 1


class Form(NamedTuple):
    """What `build_binary` is asked for: `-p`, `-q` and `-b`, `-a`; `-v` if there are to be no words."""

    trie: bool = False
    quantised: tuple[int, int] | None = None
    arrays: int | None = None
    multiplier: float = 1.5
    words: bool = True

    @property
    def kind(self) -> int:
        return 2 + (self.quantised is not None) + 2 * (self.arrays is not None) if self.trie else 0


FORMS = (
    Form(),
    Form(multiplier=1.25, words=False),
    Form(trie=True),
    Form(trie=True, words=False),
    Form(trie=True, arrays=22),
    Form(trie=True, arrays=2),
    Form(trie=True, quantised=(8, 8)),
    Form(trie=True, quantised=(3, 2), arrays=22),
)


def rounded(ngrams: NGrams) -> NGrams:
    """The model with logarithms that an ARPA file and float32 hold alike."""
    return {words: (_short(probability), _short(backoff)) for words, (probability, backoff) in ngrams.items()}


def quantised(ngrams: NGrams, *, order: int, form: Form) -> NGrams:
    """The model with the values that a file of this form gives for its n-grams of two words and more."""
    if form.quantised is None:
        return ngrams
    out = dict(ngrams)
    for length in range(2, order + 1):
        probabilities, backoffs = _tables(ngrams, length, form.quantised)
        for words, (probability, backoff) in ngrams.items():
            if len(words) == length:
                kept = backoffs[_place(backoffs, backoff, 2)] if backoff and length < order else 0.0
                out[words] = (_short(probabilities[_place(probabilities, probability, 0)]), _short(kept))
    return out


def binary(ngrams: NGrams, *, order: int, form: Form) -> bytes:
    """The file of a model, in whose order the words of "probing" are numbered."""
    words = [words[0] for words in ngrams if len(words) == 1 and words != ("<unk>",)]
    if form.trie:
        words.sort(key=lambda word: murmur(word.encode()))
    rows = {"<unk>": 0, **{word: row for row, word in enumerate(words, start=1)}}
    counts = [sum(len(words) == length for words in ngrams) for length in range(1, order + 1)]
    if form.trie:
        counts[0] = len(rows)
    sanity = b"mmap lm http://kheafield.com/code format version 5\n".ljust(56, b"\0") + struct.pack(
        "<3f3IQ", 0, 1, -0.5, 1, 2**32 - 1, 0, 1
    )
    head = sanity + struct.pack("<B3xfi?3xI", order, form.multiplier, form.kind, form.words, int(form.trie))
    head += struct.pack(f"<{order}Q", *counts)
    head += bytes(-len(head) % 8)
    body = _trie(ngrams, rows, counts, len(head), form) if form.trie else _probing(ngrams, rows, counts, form)
    return head + body + b"".join(word.encode() + b"\0" for word in rows) * form.words


def murmur(data: bytes) -> int:
    """MurmurHash64A with the seed 0."""
    factor = 0xC6A4A7935BD1E995
    value = len(data) * factor & _MASK
    whole = len(data) // 8 * 8
    for at in range(0, whole, 8):
        part = int.from_bytes(data[at : at + 8], "little") * factor & _MASK
        part = (part ^ part >> 47) * factor & _MASK
        value = (value ^ part) * factor & _MASK
    if len(data) > whole:
        value = (value ^ int.from_bytes(data[whole:], "little")) * factor & _MASK
    value = (value ^ value >> 47) * factor & _MASK
    return value ^ value >> 47


def _short(value: float) -> float:
    return float(str(np.float32(value)))


def _backoffs(ngrams: NGrams) -> dict[tuple[str, ...], float]:
    """A backoff of nothing is -0.0 where no n-gram goes on from this one."""
    contexts = {words[:-1] for words in ngrams}
    return {words: backoff or (0.0 if words in contexts else -0.0) for words, (_, backoff) in ngrams.items()}


def _table(entries: list[tuple[int, bytes]], size: int, form: Form) -> bytes:
    count = len(entries)
    slots = [bytes(size)] * max(count + 1, int(np.float32(form.multiplier) * np.float32(count)))
    for key, value in entries:
        at = key % len(slots)
        while any(slots[at]):
            at = (at + 1) % len(slots)
        slots[at] = struct.pack("<Q", key) + value
    return b"".join(slots)


def _probing(ngrams: NGrams, rows: dict[str, int], counts: list[int], form: Form) -> bytes:
    suffixes, backoffs = {words[1:] for words in ngrams}, _backoffs(ngrams)
    # The table of words has room for all 1-grams, though `<unk>` is not put into it.
    words = [(murmur(word.encode()), struct.pack("<I", row)) for word, row in rows.items() if row]
    slots = max(counts[0] + 1, int(np.float32(form.multiplier) * np.float32(counts[0])))
    vocabulary = [bytes(12)] * slots
    for key, value in words:
        at = key % slots
        while any(vocabulary[at]):
            at = (at + 1) % slots
        vocabulary[at] = struct.pack("<Q", key) + value
    unigrams = [(0.0, 0.0)] * (counts[0] + 1)
    unigrams[0] = (-100.0, 0.0)
    for word, row in rows.items():
        if (word,) in ngrams:
            probability = ngrams[(word,)][0]
            unigrams[row] = (abs(probability) if (word,) in suffixes else probability, backoffs[(word,)])
    out = (
        struct.pack("<II", 0, len(rows))
        + b"".join(vocabulary)
        + b"".join(struct.pack("<ff", *values) for values in unigrams)
    )
    for length in range(2, len(counts) + 1):
        entries = []
        for gram, (probability, _) in ngrams.items():
            if len(gram) == length:
                key = rows[gram[-1]]
                for word in gram[-2::-1]:
                    key = (key * 8978948897894561157 ^ (1 + rows[word]) * 17894857484156487943) & _MASK
                value = struct.pack("<f", abs(probability) if gram in suffixes else -abs(probability))
                entries.append((key, value + struct.pack("<f", backoffs[gram]) * (length < len(counts))))
        out += _table(entries, 16 if length < len(counts) else 12, form)
    return out


def _tables(ngrams: NGrams, length: int, bits: tuple[int, int]) -> tuple[list[float], list[float]]:
    values = [of for words, of in ngrams.items() if len(words) == length]
    backoffs = [backoff for _, backoff in values if backoff]
    return _centres([probability for probability, _ in values], 1 << bits[0]), [
        -0.0,
        0.0,
        *_centres(backoffs, (1 << bits[1]) - 2),
    ]


def _centres(values: list[float], bins: int) -> list[float]:
    found = sorted(float(np.float32(value)) for value in values)
    out: list[float] = []
    for which in range(bins):
        some = found[len(found) * which // bins : len(found) * (which + 1) // bins]
        total = 0.0
        for value in some:
            total += value
        out.append(float(np.float32(total / len(some))) if some else out[-1] if out else -np.inf)
    return out


def _place(table: list[float], value: float, reserved: int) -> int:
    number = np.float32(value)
    above = bisect_left(table, number, reserved)
    if above == reserved:
        return reserved
    if above == len(table):
        return above - 1
    return above - int(number - np.float32(table[above - 1]) < np.float32(table[above]) - number)


def _bits_of(value: float) -> int:
    return int.from_bytes(struct.pack("<f", value), "little")


def _trie(ngrams: NGrams, rows: dict[str, int], counts: list[int], start: int, form: Form) -> bytes:
    order, backoffs = len(counts), _backoffs(ngrams)
    by_row = {row: word for word, row in rows.items()}
    out = struct.pack("<Q", len(rows) - 1) + b"".join(
        struct.pack("<Q", murmur(by_row[row].encode())) for row in range(1, len(rows))
    )
    out += bytes(8)
    tables = (
        {length: _tables(ngrams, length, form.quantised) for length in range(2, order + 1)} if form.quantised else {}
    )
    if form.quantised:
        out += bytes([2, *form.quantised]).ljust(8, b"\0")
        for length, (probabilities, others) in tables.items():
            out += b"".join(
                struct.pack("<f", value) for value in (probabilities + others if length < order else probabilities)
            )
    # Rows from the last word to the first, in order.
    grams = {
        n: sorted((tuple(rows[word] for word in gram[::-1]), gram) for gram in ngrams if len(gram) == n)
        for n in range(2, order + 1)
    }
    sorted_rows = {length: [row for row, _ in some] for length, some in grams.items()}
    for row in range(len(rows) + 2):
        below = bisect_left(sorted_rows[2], (row,)) if row <= len(rows) else 0
        gram = (by_row.get(row, ""),)
        values = (ngrams[gram][0], backoffs[gram]) if gram in ngrams else (-100.0 if row == 0 else 0.0, 0.0)
        out += struct.pack("<ffQ", *values, below)
    word_bits = counts[0].bit_length()
    for length in range(2, order + 1):
        pointers = [bisect_left(sorted_rows[length + 1], key) for key in sorted_rows[length]] if length < order else []
        most = counts[length] if length < order else 0
        pointers.append(most)
        cut, needed = 0, most.bit_length()
        if form.arrays is not None and length < order:
            cost = [
                (most >> (needed - some)) * 64 - len(pointers) * some for some in range(min(needed, form.arrays) + 1)
            ]
            cut = cost.index(min(cost))
        pointer_bits = needed - cut
        if form.arrays is not None and length < order:
            firsts = [0] + [
                bisect_left([at >> pointer_bits for at in pointers], high)
                for high in range(1, (most >> pointer_bits) + 1)
            ]
            padding = -(start + len(out)) % 8
            array = bytearray(padding + 8) + struct.pack(f"<{len(firsts)}Q", *firsts) + bytes(7 - padding)
            array[:2] = bytes([0, form.arrays])
            out += bytes(array)
        number = at = 0
        nothing = [0] * (counts[length - 1] + 1)
        entries = [*grams[length], ((0,), ())]
        for (key, gram), pointer in zip(entries, pointers if length < order else nothing, strict=True):
            fields = [(key[-1], word_bits)]
            probability, backoff = (ngrams[gram][0], backoffs[gram]) if gram else (0.0, 0.0)
            if form.quantised:
                probabilities, others = tables[length]
                place = _place(others, backoff, 2) if backoff else int(str(backoff) == "0.0")
                fields += [(place if gram else 0, form.quantised[1])] * (length < order)
                fields += [(_place(probabilities, probability, 0) if gram else 0, form.quantised[0])]
            else:
                fields += [(_bits_of(probability) & 0x7FFFFFFF, 31)] + [(_bits_of(backoff), 32)] * (length < order)
            for value, bits in [*fields, (pointer & ((1 << pointer_bits) - 1), pointer_bits)]:
                number |= value << at
                at += bits
        out += number.to_bytes((at + 7) // 8 + 8, "little")
    return out
