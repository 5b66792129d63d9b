"""n-gram models from ARPA files, such as KenLM's `lmplz` writes.

In: an ARPA file of order 1 to 5, plain or compressed. Out: `LanguageModel`, hash tables that `score` walks. Logarithms are base 10.

The format is the text format of Doug Paul (SRILM's ngram-format(5)): `\\data\\`, the number of n-grams of each length, a section of lines
`log probability TAB words TAB backoff` for each, `\\end\\`. What KenLM refuses is refused (lm/read_arpa.cc, lm/search_hashed.cc): counts
that are wrong, positive logarithms, a model without `<s>` or `</s>`, n-grams whose context is missing. So are n-grams whose suffix is
missing, which `lmplz` never leaves out and KenLM makes up. A missing `<unk>` has the logarithm -100 (lm/config.cc,
`unknown_missing_logprob`).

Reading is one pass. Memory is bounded by what is read, not by the counts that the file claims: 16 bytes a line while its section lasts,
then 21 to 43 bytes an n-gram (16 a slot, 3/8 to 3/4 of the slots filled).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from manifests.errors import GristmillError
from pipeline.text.perplexity.binary import MAGIC
from pipeline.text.perplexity.kernel import (
    EXTRA,
    FINE,
    MOST_WORDS,
    NO_CONTEXT,
    NO_NUMBER,
    NO_SUFFIX,
    NO_WORD,
    POSITIVE,
    UNKNOWN_WORD,
    find_words,
    place,
    read_lines,
    score_lines,
)
from storage.compressed import Damaged, chunks

UNKNOWN_LOGARITHM = -100.0
_BLOCK = 4 << 20
_LONGEST_LINE = 1 << 20
_COUNT = re.compile(rb"ngram (\d{1,3})=(\d{1,18})")
_REMADE = "make the model again with KenLM's `lmplz -o 5`"
_PROBLEMS = {
    NO_NUMBER: "has no number where a logarithm should stand, followed by a tab",
    POSITIVE: "has a positive logarithm of a probability",
    NO_WORD: "has fewer words than its section says",
    EXTRA: "goes on after its last word or backoff",
    UNKNOWN_WORD: "has a word that is not among the 1-grams",
    NO_CONTEXT: "has a context, all words but the last, that is no n-gram of the model",
    NO_SUFFIX: "has a suffix, all words but the first, that is no n-gram of the model",
}


class LanguageModel(NamedTuple):
    """A model.

    Attributes:
        order: words in the longest n-grams.
        begin, end, unknown: rows of `<s>`, `</s>`, `<unk>`.
        word_keys: uint64[a power of two], hashes of the words.
        word_rows: int32[the same], their rows in `unigrams`.
        unigrams: float32[words, 2], logarithm of the probability, and backoff; for their signs see `pipeline.text.perplexity.kernel`.
        keys: uint64[a power of two] for n-grams of 2, 3, 4, 5 words: their hashes.
        values: float32[the same, 2] for each, as in `unigrams`.
    """

    order: int
    begin: int
    end: int
    unknown: int
    word_keys: npt.NDArray[np.uint64]
    word_rows: npt.NDArray[np.int32]
    unigrams: npt.NDArray[np.float32]
    keys: tuple[npt.NDArray[np.uint64], ...]
    values: tuple[npt.NDArray[np.float32], ...]


def score(
    model: LanguageModel, data: npt.NDArray[np.uint8], offsets: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int64]]:
    """Scores of n sentences, as of KenLM's `model.score(sentence)`, and how many tokens each has: float32[n], int64[n].

    Args:
        data: tokens with ASCII white space between them.
        offsets: int64[n + 1] into `data`.
    """
    scores, tokens = np.zeros(len(offsets) - 1, np.float32), np.zeros(len(offsets) - 1, np.int64)
    score_lines(data, offsets, *model, scores, tokens)
    return scores, tokens


def read_arpa(path: str) -> LanguageModel:
    """Read a model.

    Raises:
        GristmillError: the file is missing, damaged, one of KenLM's binary files, or no ARPA file of order 1 to 5; it says which line.
    """
    try:
        return _read(_Lines(path))
    except Damaged as error:
        raise GristmillError(f"is damaged: {error}", where=path, remedy="fetch or make the file again") from None


class _Lines:
    """Decompressed text in blocks of whole lines, and where we are.

    Attributes:
        block: uint8[], ends with a line feed.
        at: where the next line begins in it.
        line: the next line's number, from 1.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self.block = np.zeros(0, np.uint8)
        self.at = 0
        self.line = 1
        self._chunks = chunks(path)
        self._rest = b""
        self._first = True

    def fill(self) -> bool:
        """Go on to the next block once this one is used up; False at the end of the file."""
        if self.at < len(self.block):
            return True
        parts, size, ended = [self._rest], 0, False
        while size < _BLOCK and not ended:
            part = next(self._chunks, b"")
            ended = not part
            parts.append(part)
            size += len(part)
        data = b"".join(parts)
        if self._first and data.startswith(MAGIC):
            raise GristmillError(
                "is one of KenLM's binary files, but compressed",
                where=self.path,
                remedy="decompress it: it is mapped into memory as it is, so that processes share it",
            )
        self._first = False
        if ended and data and not data.endswith(b"\n"):
            data += b"\n"
        whole = data.rfind(b"\n") + 1
        if len(data) - whole > _LONGEST_LINE:
            raise self.error("a line of more than 1 MiB")
        self._rest = data[whole:]
        self.block, self.at = np.frombuffer(data[:whole], np.uint8), 0
        return whole > 0

    def next_line(self) -> bytes | None:
        """The next line without its end; None at the end of the file."""
        if not self.fill():
            return None
        stop = self.at + int(np.argmax(self.block[self.at :] == 10))
        found = self.block[self.at : stop].tobytes().removesuffix(b"\r")
        self.at, self.line = stop + 1, self.line + 1
        return found

    def next_text(self) -> bytes | None:
        """The next line that is not blank."""
        while (line := self.next_line()) is not None:
            if line.strip():
                return line
        return None

    def error(self, message: str, *, line: int | None = None, remedy: str = _REMADE) -> GristmillError:
        return GristmillError(message, where=f"{self.path}, line {self.line if line is None else line}", remedy=remedy)


def _read(lines: _Lines) -> LanguageModel:
    counts = _counts(lines)
    keys = [np.zeros(1, np.uint64) for _ in range(MOST_WORDS + 1)]
    values = [np.zeros((1, 2), np.float32) for _ in range(MOST_WORDS + 1)]
    rows = np.zeros(1, np.int32)
    begin = end = unknown = 0
    for length, count in enumerate(counts, start=1):
        highest = length == len(counts)
        _expect(lines, b"\\%d-grams:" % length)
        first = lines.line
        found = _section(lines, length, highest, keys, rows, values)
        got = sum(len(part) for part, _ in found)
        if got != count:
            message = f"the section ends after {got} of the {count} n-grams of {length} words that the head promises"
            raise lines.error(message, remedy="fetch or make the file again: it is not whole")
        if length == 1:
            values[1] = _joined([part for _, part in found])
            found = [(part, np.zeros((0, 2), np.float32)) for part, _ in found]
        keys[length], table_values, slots = _table(lines, found, first)
        if length > 1:
            values[length] = table_values
            continue
        rows = np.zeros(len(keys[1]), np.int32)
        rows[slots] = np.arange(len(slots), dtype=np.int32)
        begin, end, unknown, capital = _find(keys[1], rows, (b"<s>", b"</s>", b"<unk>", b"<UNK>"))
        for row, word in ((begin, "<s>"), (end, "</s>")):
            if row < 0:
                raise lines.error(f"the model has no `{word}`")
        if unknown < 0:
            unknown = capital
        if unknown < 0:
            unknown = len(values[1])
            values[1] = np.append(values[1], np.array([[UNKNOWN_LOGARITHM, -0.0]], np.float32), axis=0)
    _expect(lines, b"\\end\\")
    return LanguageModel(len(counts), begin, end, unknown, keys[1], rows, values[1], tuple(keys[2:]), tuple(values[2:]))


def _counts(lines: _Lines) -> list[int]:
    line = lines.next_text()
    if line is None or line.rstrip() != b"\\data\\":
        raise lines.error("is no ARPA file: it does not begin with `\\data\\`", line=max(1, lines.line - 1))
    counts: list[int] = []
    while (line := lines.next_line()) is not None and line.strip():
        match = _COUNT.fullmatch(line.rstrip())
        if match is None or int(match[1]) != len(counts) + 1:
            raise lines.error("should be `ngram N=COUNT`, with N rising from 1", line=lines.line - 1)
        counts.append(int(match[2]))
    if not 1 <= len(counts) <= MOST_WORDS:
        raise lines.error(f"the model is of order {len(counts)}; 1 to {MOST_WORDS} are read", line=lines.line - 1)
    return counts


def _expect(lines: _Lines, wanted: bytes) -> None:
    line = lines.next_text()
    if line is None:
        raise lines.error(f"the file ends before `{wanted.decode()}`", remedy="fetch or make the file again: it is not whole")
    if line.rstrip() != wanted:
        raise lines.error(f"should be `{wanted.decode()}`", line=lines.line - 1)


def _section(
    lines: _Lines,
    length: int,
    highest: bool,
    keys: Sequence[npt.NDArray[np.uint64]],
    rows: npt.NDArray[np.int32],
    values: Sequence[npt.NDArray[np.float32]],
) -> list[tuple[npt.NDArray[np.uint64], npt.NDArray[np.float32]]]:
    """Keys and values of a section's n-grams, block by block."""
    found = []
    while lines.fill():
        room = int(np.count_nonzero(lines.block[lines.at :] == 10))
        block_keys, block_values = np.zeros(room, np.uint64), np.zeros((room, 2), np.float32)
        count, at, problem = read_lines(
            lines.block,
            lines.at,
            length,
            highest,
            keys[1],
            rows,
            values[1],
            keys[length - 1],
            values[length - 1],
            block_keys,
            block_values,
        )
        lines.at, lines.line = at, lines.line + count
        if problem != FINE:
            raise lines.error(f"the {length}-gram {_PROBLEMS[problem]}")
        if count:
            found.append((block_keys[:count].copy(), block_values[:count].copy()))
        if at < len(lines.block):
            break
    return found


def _table(
    lines: _Lines, found: list[tuple[npt.NDArray[np.uint64], npt.NDArray[np.float32]]], first: int
) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.float32], npt.NDArray[np.int64]]:
    """The hash table of a section, whose blocks are let go as they are put into it: keys, values, and the slot of each row (1-grams)."""
    count = sum(len(part) for part, _ in found)
    size = 1 << max(1, (count * 4 // 3).bit_length())
    keys, values = np.zeros(size, np.uint64), np.zeros((0, 2), np.float32)
    if any(len(part) for _, part in found):
        values = np.zeros((size, 2), np.float32)
    placed = []
    found.reverse()
    while found:
        block_keys, block_values = found.pop()
        slots = np.zeros(len(block_keys), np.int64)
        twice = place(keys, block_keys, slots)
        if twice >= 0:
            raise lines.error("the n-gram is there twice", line=first + twice)
        first += len(block_keys)
        if len(values):
            values[slots] = block_values
        else:
            placed.append(slots)
    return keys, values, np.concatenate(placed) if placed else np.zeros(0, np.int64)


def _joined(parts: Sequence[npt.NDArray[np.float32]]) -> npt.NDArray[np.float32]:
    return np.concatenate(parts) if parts else np.zeros((0, 2), np.float32)


def _find(word_keys: npt.NDArray[np.uint64], word_rows: npt.NDArray[np.int32], words: Sequence[bytes]) -> list[int]:
    out = np.zeros(len(words), np.int32)
    offsets = np.cumsum([0, *map(len, words)]).astype(np.int64)
    find_words(np.frombuffer(b"".join(words), np.uint8), offsets, word_keys, word_rows, out)
    return [int(row) for row in out]
