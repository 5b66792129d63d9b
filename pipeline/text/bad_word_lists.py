"""Bad words: how often listed words and phrases occur in each document.

In: lists (one word or phrase a line, as LDNOOBW's files have it), UTF-8 bytes and offsets of n documents, their
languages. Out: int32[n], row-aligned: at how many places a listed phrase ends.

A phrase counts where the characters around it are not word characters (letters, digits, underscore), in any case; in
Japanese, Thai and Chinese, which write no space between words, it counts anywhere. That is the rule of mC4 (TFDS
c4_utils.py, `get_badwords_filter_fn`), which drops pages with one or more; `datatrove` 0.10.1 has it too
(c4_filters.py, `C4BadWordsFilter`).

hyperscan finds the phrases; Gristmill's own table says what a word character is, since hyperscan has another version of
Unicode.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt
import xxhash

from kernels.characters import WORD, classes
from manifests.corpus import BadWords
from manifests.errors import GristmillError
from manifests.languages import ANY
from storage.files import read_bytes

if TYPE_CHECKING:
    from hyperscan import Database

UNSPACED = ("ja", "th", "zh")
# Common parts of words that no list may drop pages for: each would drop a tenth of its language (TFDS c4_utils.py,
# _BADWORDS_ALLOWLIST).
ALLOWED = {"ja": ("sm", "グロ", "女の子"), "zh": ("性",)}
# hyperscan refuses expressions of 16,000 bytes, and an escaped byte takes up to four: it looks only for the first bytes
# of longer phrases.
_LONGEST_HEAD = 1_000
_WORD_BYTES = frozenset(byte for byte in range(0x80) if re.match(r"\w", chr(byte)))


class Matcher(NamedTuple):
    """A list, ready to be looked for.

    Attributes:
        heads: the hyperscan database of the phrases' first bytes; numbers are places in `phrases`. One thread at a time
            may scan with it.
        phrases: UTF-8, in small letters.
        spaced: whether word characters may not touch a phrase.
        ascii: whether all phrases are ASCII; then only the ASCII letters of a text are lower-cased.
    """

    heads: Database
    phrases: Sequence[bytes]
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
        return {
            language: xxhash.xxh3_128_hexdigest(read_bytes(path)) for language, path in sorted(bad_words.lists.items())
        }
    except GristmillError as error:
        raise GristmillError(error.message, where=error.where, remedy="check `bad_words.lists`") from None


@lru_cache(maxsize=64)
def load_matcher(path: str, language: str, _digest: str) -> Matcher:
    """The matcher of one list, built once per process; `_digest` distinguishes lists that have had the same path."""
    return make_matcher(read_bytes(path), language=language, where=path)


def make_matcher(data: bytes, *, language: str, where: str) -> Matcher:
    """The matcher of a list file's bytes.

    Raises:
        GristmillError: the list is not UTF-8 or has no phrase.
    """
    try:
        lines = data.decode("utf-8-sig").lower().splitlines()
    except UnicodeDecodeError as error:
        raise GristmillError(f"is not UTF-8: {error}", where=where, remedy="save the list as UTF-8") from None
    phrases = sorted({line.strip() for line in lines} - {"", *ALLOWED.get(language, ())})
    if not phrases:
        raise GristmillError("has no word", where=where, remedy="check the file, or leave the list away")
    return _matcher([phrase.encode() for phrase in phrases], spaced=language not in UNSPACED)


def _matcher(phrases: Sequence[bytes], *, spaced: bool) -> Matcher:
    # Imported when first needed.
    import hyperscan

    heads = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
    # Not as literals: python-hyperscan cuts those at a NUL.
    heads.compile(expressions=[re.escape(phrase[:_LONGEST_HEAD]).replace(b"\0", rb"\x00") for phrase in phrases])
    return Matcher(heads, phrases, spaced, all(phrase.isascii() for phrase in phrases))


def count_bad_words(
    data: npt.NDArray[np.uint8],
    offsets: npt.NDArray[np.int64],
    languages: Sequence[str],
    matchers: Mapping[str, Matcher],
) -> npt.NDArray[np.int32]:
    """At how many places a listed phrase ends, int32[n].

    Args:
        data: valid UTF-8.
        offsets: int64[n + 1] into `data`, neighbours less than 4 GiB apart.
        languages: n codes; a document is looked through with the list of its language, else with that of `any`, else
            not at all.
        matchers: by language.
    """
    out = np.zeros(len(offsets) - 1, np.int32)
    for row, language in enumerate(languages):
        matcher = matchers.get(language, matchers.get(ANY))
        if matcher is not None:
            text = data[offsets[row] : offsets[row + 1]].tobytes()
            out[row] = _count(text.lower() if matcher.ascii else text.decode().lower().encode(), matcher)
    return out


def _count(text: bytes, matcher: Matcher) -> int:
    # No phrase begins or ends with space: with one on both sides, each has a neighbour.
    text = b" " + text + b" "
    # A byte for each place: hyperscan reports matches in any order, and several phrases may end at one place.
    ends = bytearray(len(text))
    phrases, spaced = matcher.phrases, matcher.spaced

    def note(number: int, _start: int, stop: int, _flags: int, _context: object) -> None:
        phrase = phrases[number]
        start = stop - min(len(phrase), _LONGEST_HEAD)
        if len(phrase) > _LONGEST_HEAD:
            stop = start + len(phrase)
            if not text.startswith(phrase, start):
                return
        if spaced:
            before, after = text[start - 1], text[stop]
            if before in _WORD_BYTES or after in _WORD_BYTES:
                return
            if (before > 0x7F or after > 0x7F) and _touches_word(text, start, stop):
                return
        ends[stop] = 1

    matcher.heads.scan(text, match_event_handler=note)
    return ends.count(1)


def _touches_word(text: bytes, start: int, stop: int) -> bool:
    """Whether a word character is right before or right after text[start:stop]; four bytes hold any character whole."""
    before, after = (
        text[max(start - 4, 0) : start].decode(errors="ignore"),
        text[stop : stop + 4].decode(errors="ignore"),
    )
    return any(classes()[ord(character)] & WORD for character in (before[-1], after[0]))
