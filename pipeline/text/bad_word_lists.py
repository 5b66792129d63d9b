"""Bad words: how often listed words and phrases occur in each document.

In: lists (one word or phrase a line, as LDNOOBW's files have it), UTF-8 bytes and offsets of n documents, their languages. Out: int32[n],
row-aligned: at how many places a listed phrase ends.

A phrase counts where the characters around it are no word characters (letters, digits, underscore), in any case; in Japanese, Thai and
Chinese, which write no space between words, wherever it stands. That is the rule of mC4 (TFDS c4_utils.py, `get_badwords_filter_fn`), which
drops pages with one or more; `datatrove` 0.10.1 has it too (c4_filters.py, `C4BadWordsFilter`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import numba as nb
import numpy as np
import numpy.typing as npt
import xxhash

from kernels.characters import WORD, classes
from kernels.compiled import kernel
from kernels.utf8 import code_point
from manifests.corpus import BadWords
from manifests.errors import GristmillError
from storage.files import read_bytes

ANY = "any"
UNSPACED = ("ja", "th", "zh")
# Common parts of words that no list may drop pages for: each would drop a tenth of its language (TFDS c4_utils.py, _BADWORDS_ALLOWLIST).
ALLOWED = {"ja": ("sm", "グロ", "女の子"), "zh": ("性",)}


class Matcher(NamedTuple):
    """A list as an automaton over bytes (Aho and Corasick 1975).

    Attributes:
        kinds: uint8[256], the column of each byte in `moves`; 0 for bytes that are in no phrase. Capital letters of ASCII stand with the
            small ones.
        moves: int32[states, kinds], the state after a byte.
        first: int32[states + 1], where the lengths of the phrases that end in each state begin.
        lengths: int32[], bytes.
        spaced: whether word characters may not touch a phrase.
        ascii: whether all phrases are ASCII; other texts are put into small letters first.
    """

    kinds: npt.NDArray[np.uint8]
    moves: npt.NDArray[np.int32]
    first: npt.NDArray[np.int32]
    lengths: npt.NDArray[np.int32]
    spaced: bool
    ascii: bool


def bad_words_settings(bad_words: BadWords | None) -> dict[str, str] | None:
    """What counts depend on: a hash of each list's contents, by language.

    Raises:
        GristmillError: a list cannot be read.
    """
    if bad_words is None:
        return None
    try:
        return {language: xxhash.xxh3_128_hexdigest(read_bytes(path)) for language, path in sorted(bad_words.lists.items())}
    except GristmillError as error:
        raise GristmillError(error.message, where=error.where, remedy="check `bad_words.lists`") from None


@lru_cache(maxsize=64)
def load_matcher(path: str, language: str, _digest: str) -> Matcher:
    """The matcher of one list, built once per process; `_digest` tells one list from the next under the same path."""
    return make_matcher(read_bytes(path), language=language, where=path)


def make_matcher(data: bytes, *, language: str, where: str) -> Matcher:
    """The matcher of a list file's bytes.

    Raises:
        GristmillError: the list is no UTF-8 or has no phrase.
    """
    try:
        lines = data.decode("utf-8-sig").lower().splitlines()
    except UnicodeDecodeError as error:
        raise GristmillError(f"is not UTF-8: {error}", where=where, remedy="save the list as UTF-8") from None
    phrases = sorted({line.strip() for line in lines} - {"", *ALLOWED.get(language, ())})
    if not phrases:
        raise GristmillError("has no word", where=where, remedy="check the file, or leave the list away")
    return _automaton([phrase.encode() for phrase in phrases], spaced=language not in UNSPACED)


def _automaton(phrases: Sequence[bytes], *, spaced: bool) -> Matcher:
    alphabet = sorted({byte for phrase in phrases for byte in phrase})
    kinds = np.zeros(256, np.uint8)
    for kind, byte in enumerate(alphabet, start=1):
        kinds[byte] = kind
    for letter in range(ord("A"), ord("Z") + 1):
        kinds[letter] = kinds[letter | 32]
    children: list[dict[int, int]] = [{}]
    ends: list[set[int]] = [set()]
    for phrase in phrases:
        state = 0
        for byte in phrase:
            kind = int(kinds[byte])
            if kind not in children[state]:
                children[state][kind] = len(children)
                children.append({})
                ends.append(set())
            state = children[state][kind]
        ends[state].add(len(phrase))
    moves = np.zeros((len(children), len(alphabet) + 1), np.int32)
    # Breadth first: where a state's own way ends, it goes on from the longest suffix that is a state too.
    fallback = [0] * len(children)
    waiting = [0]
    for state in waiting:
        moves[state] = moves[fallback[state]] if state else 0
        for kind, child in sorted(children[state].items()):
            fallback[child] = int(moves[state, kind]) if state else 0
            moves[state, kind] = child
            ends[child] |= ends[fallback[child]]
            waiting.append(child)
    first = np.cumsum([0, *map(len, ends)]).astype(np.int32)
    lengths = np.array([length for some in ends for length in sorted(some)], np.int32)
    return Matcher(kinds, moves, first, lengths, spaced, all(phrase.isascii() for phrase in phrases))


def count_bad_words(
    data: npt.NDArray[np.uint8], offsets: npt.NDArray[np.int64], languages: Sequence[str], matchers: Mapping[str, Matcher]
) -> npt.NDArray[np.int32]:
    """At how many places a listed phrase ends, int32[n].

    Args:
        data: valid UTF-8.
        offsets: int64[n + 1] into `data`.
        languages: n codes; a document is looked through with the list of its language, else with that of `any`, else not at all.
        matchers: by language.
    """
    out = np.zeros(len(offsets) - 1, np.int32)
    codes = np.array(languages, dtype=object)
    for language, matcher in sorted(matchers.items()):
        chosen = ~np.isin(codes.astype(str), list(matchers)) if language == ANY else codes == language
        rows = np.flatnonzero(chosen)
        if matcher.ascii:
            _count(data, offsets, rows, *matcher[:4], matcher.spaced, classes(), out)
        else:
            for row in rows.tolist():
                small = data[offsets[row] : offsets[row + 1]].tobytes().decode().lower().encode()
                part = np.frombuffer(small, np.uint8)
                one = np.zeros(1, np.int32)
                _count(part, np.array([0, len(small)], np.int64), np.zeros(1, np.int64), *matcher[:4], matcher.spaced, classes(), one)
                out[row] = one[0]
    return out


@kernel
def _count(data: Any, offsets: Any, rows: Any, kinds: Any, moves: Any, first: Any, lengths: Any, spaced: Any, table: Any, out: Any) -> None:
    for row in rows:
        start, end = offsets[row], offsets[row + 1]
        state = nb.int64(0)
        found = nb.int32(0)
        for i in range(start, end):
            state = nb.int64(moves[state, kinds[data[i]]])
            for index in range(first[state], first[state + 1]):
                if not spaced or (_no_word_before(data, start, i + 1 - lengths[index], table) and _no_word_at(data, i + 1, end, table)):
                    found += 1
                    break
        out[row] = found


@kernel
def _no_word_at(data: Any, at: Any, end: Any, table: Any) -> Any:
    if at >= end:
        return True
    point, _ = code_point(data, at)
    return table[point] & WORD == 0


@kernel
def _no_word_before(data: Any, start: Any, at: Any, table: Any) -> Any:
    if at <= start:
        return True
    last = at - 1
    while data[last] & 0xC0 == 0x80:
        last -= 1
    point, _ = code_point(data, last)
    return table[point] & WORD == 0
