"""What line rules look at: one whole number per line, packed, so that thresholds can change without the text.

In: UTF-8 bytes of a document and the bounds of one line in it. Out: uint32 per line that holds a word, lines in the
order of the text.

A *line* is what is between line feeds, without the space at its ends; a line without a word does not count. Letters are
compared without case in ASCII only.

| bits | what |
|---|---|
| 0-9 | words (runs of characters that are not space), at most 1,023; without citations |
| 10-11 | how many more words there are with citations, at most 3 |
| 12-16 | sentences, at most 31 |
| 17-31 | the flags below |

*Citations* are `[digits]`, `[edit]` and `[citation needed]`, removed once, from left to right, before everything but
the longest word and `RAW_END_MARK` is looked at; space that they leave at the end of the line stays there. All this is
how TFDS's c4_utils.py cleans a page (TensorFlow Datasets, `tensorflow_datasets/text/c4_utils.py`, function
`clean_page`), and datatrove's c4_filters.py after it.

*Sentences* are counted by a rule of our own (`pipeline.text.words.sentences`): a line has one, and one more for every
place inside it where a sentence ends.
"""

from __future__ import annotations

import numba as nb
import numpy as np
import numpy.typing as npt

from kernels.arrays import Boolean, Bytes, Integer, Uint16s
from kernels.characters import SPACE
from kernels.compiled import bare_kernel, kernel, part_kernel
from kernels.unaligned import bytes_between, lowest, ones
from kernels.utf8 import code_point
from pipeline.text.words.phrases import among, begins, closes, matches
from pipeline.text.words.sentences import ends_sentence

U64 = np.uint64
_ALL = np.uint64(0xFFFFFFFFFFFFFFFF)

WORDS_MASK = 0x3FF
MOST_WORDS = 1023
LOST_SHIFT = 10
LOST_MASK = 3
SENTENCES_SHIFT = 12
SENTENCES_MASK = 31

END_MARK = 1 << 17  # ends with . ? ! or "
APOSTROPHE = 1 << 18  # ends with '
ELLIPSIS = 1 << 19  # ends with ...
RAW_END_MARK = 1 << 20  # ends with . ? ! or " before citations are removed
LONG_WORD = 1 << 21  # a word of more than LONGEST_WORD characters
JAVASCRIPT = 1 << 22  # contains `javascript`
POLICY = 1 << 23  # contains one of POLICY_PHRASES
LOREM_IPSUM = 1 << 24  # contains `lorem ipsum`
BRACE = 1 << 25  # contains {
UPPER = 1 << 26  # more than half of its characters, space included, are capitals
NUMERIC = 1 << 27  # a digit, and nothing but ASCII digits, punctuation and space
COUNTER = 1 << 28  # a number and what it counts: `3 likes`
NAVIGATION = 1 << 29  # at most NAVIGATION_WORDS words, one of the set phrases below
LONG_LINE = 1 << 30  # LONG_LINE_CHARACTERS characters or more
CITATION = 1 << 31  # holds a citation

LONGEST_WORD = 1_000  # TFDS c4_utils.py, _MAX_WORD_LENGTH
LONG_LINE_CHARACTERS = 200  # mC4 (arXiv 2010.11934, section 3.1): pages with at least three lines of 200 characters
NAVIGATION_WORDS = 10  # RefinedWeb (arXiv 2306.01116, appendix G.2)

# TFDS c4_utils.py, _POLICY_SUBSTRINGS.
POLICY_PHRASES = ("terms of use", "privacy policy", "cookie policy", "uses cookies", "use of cookies", "use cookies")
CITATIONS = ("[edit]", "[citation needed]")
# RefinedWeb names a phrase for each place, with "e.g."; the others are ours.
NAVIGATION_STARTS = ("sign-in", "sign in", "log in", "skip to")
NAVIGATION_ENDS = ("read more...", "read more", "read more…", "read more »")
NAVIGATION_ANYWHERE = "items in cart"
COUNTED = (
    "answer", "comment", "download", "favorite", "follower", "like", "point", "post", "reaction", "reblog",
    "repost", "retweet", "review", "share", "subscriber", "tweet", "upvote", "user", "view", "vote",
)  # fmt: skip

# Places worth a look are found by pairs of bytes: a byte's bits here and those of the byte after it must meet.
_SENTENCE, _ONE, _JA, _KI, _VA, _PS, _MS, _CJK = (1 << bit for bit in range(8))


def _pairs() -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8]]:
    """Bits of first bytes and of second bytes, uint8[256] each."""
    first, second = np.zeros(256, np.uint8), np.zeros(256, np.uint8)
    first[list(b".!?")] |= _SENTENCE
    first[list(b"{[")] |= _ONE
    second |= _SENTENCE | _ONE
    # A rare pair of letters of each phrase: java.., cookie, privacy, ipsum, terms and items.
    for pair, bit in (("ja", _JA), ("ki", _KI), ("va", _VA), ("ps", _PS), ("ms", _MS)):
        first[[ord(pair[0]), ord(pair[0].upper())]] |= bit
        second[[ord(pair[1]), ord(pair[1].upper())]] |= bit
    # U+3002 and U+FF01 to U+FF1F begin with E3 80 and EF BC.
    first[[0xE3, 0xEF]] |= _CJK
    second[[0x80, 0xBC]] |= _CJK
    return first, second


def _capitals() -> npt.NDArray[np.bool_]:
    # Latin, Greek, Cyrillic, Armenian: the capitals below U+0800 have long been the same in every version of Unicode.
    return np.array([chr(point).isupper() for point in range(0x800)], np.bool_)


def _bytes(text: str) -> npt.NDArray[np.uint8]:
    return np.frombuffer(text.encode(), np.uint8)


# Constants of the kernels: numba compiles global arrays in.
_FIRST, _SECOND = _pairs()
_CAPITALS = _capitals()
_JAVASCRIPT = _bytes("javascript")
_LOREM_IPSUM = _bytes("lorem ipsum")
_TERMS_OF_USE, _PRIVACY_POLICY, _COOKIE_POLICY, _USES_COOKIES, _USE_OF_COOKIES, _USE_COOKIES = map(
    _bytes, POLICY_PHRASES
)
_EDIT, _CITATION_NEEDED = map(_bytes, CITATIONS)
_ITEMS_IN_CART = _bytes(NAVIGATION_ANYWHERE)
_STARTS = _bytes("\n".join(NAVIGATION_STARTS) + "\n")
_ENDS = _bytes("\n".join(NAVIGATION_ENDS) + "\n")
_COUNTED = _bytes("\n".join([*COUNTED, *(word + "s" for word in COUNTED), "reply", "replies"]) + "\n")


@kernel
def line_properties(
    data: Bytes, start: Integer, end: Integer, words: Integer, longest: Integer, table: Uint16s
) -> np.uint32:
    """The packed properties of one line.

    Args:
        data: valid UTF-8.
        start, end: the line in it, without space at its ends, `start < end`.
        words: how many words it has; at least 1.
        longest: characters of the longest of them.
        table: `pipeline.text.words.point_classes`.
    """
    flags = nb.uint32(0)
    last = data[end - 1]
    if last == 46 or last == 63 or last == 33 or last == 34:
        flags |= nb.uint32(RAW_END_MARK)
    if longest > LONGEST_WORD:
        flags |= nb.uint32(LONG_WORD)
    scanned = _scan(data, start, end, words)
    if scanned & nb.uint32(CITATION):
        return nb.uint32(flags | _without_citations(data, start, end, words, table))
    return nb.uint32(flags | scanned | nb.uint32(min(words, MOST_WORDS)))


@kernel
def _without_citations(data: Bytes, start: Integer, end: Integer, words: Integer, table: Uint16s) -> np.uint32:
    """The same for a line that holds a citation, except for the two flags that look at the line as it is."""
    clean = np.empty(end - start, np.uint8)
    length = copy_without_citations(data, start, end, clean, 0)
    lost = words - _count_words(clean, length, table)
    scanned = nb.uint32(CITATION)
    if length:
        scanned |= _scan(clean, 0, length, words - lost)
    lost_kept: Integer = min(lost, LOST_MASK)
    return nb.uint32(scanned | nb.uint32(min(words - lost, MOST_WORDS)) | nb.uint32(lost_kept << LOST_SHIFT))


@bare_kernel
def _scan(data: Bytes, start: Integer, end: Integer, words: Integer) -> np.uint32:
    """Flags and sentences of a line that is not empty."""
    flags = nb.uint32(0)
    sentences: Integer = nb.int64(1)
    continuations = capitals = leads = nb.int64(0)
    digits = letters = U64(0)
    for at in range(start, end, 64):
        inside = _ALL >> U64(64 - min(64, end - at))
        if at + 64 < len(data):
            continued, capital, digit, letter, lead, places = _look(data, at)
        else:
            continued, capital, digit, letter, lead, places = _look_slowly(data, at)
        continuations += ones(continued & inside)
        capitals += ones(capital & inside)
        leads += ones(lead & inside)
        digits |= digit & inside
        letters |= letter & inside
        if at + 64 >= end:
            inside >>= U64(1)
        places &= inside
        while places:
            i = at + lowest(places)
            places &= places - U64(1)
            kind = _FIRST[data[i]] & _SECOND[data[i + 1]]
            if kind & (_SENTENCE | _CJK):
                sentences += ends_sentence(data, start, i, end)
            elif kind & _ONE:
                if data[i] == 123:
                    flags |= nb.uint32(BRACE)
                elif _citation_length(data, i, end):
                    flags |= nb.uint32(CITATION)
            else:
                flags |= _phrase(data, start, i, end, kind)
    characters = end - start - continuations
    if leads and 2 * (capitals + leads) > characters:
        for at in range(start, end - 1):
            byte = data[at]
            if 0xC3 <= byte < 0xE0:
                capitals += _CAPITALS[((nb.int64(byte) & 31) << 6) | (nb.int64(data[at + 1]) & 63)]
    flags |= _end_flags(data, start, end)
    if 2 * capitals > characters:
        flags |= nb.uint32(UPPER)
    if digits and not letters:
        flags |= nb.uint32(NUMERIC)
    if characters >= LONG_LINE_CHARACTERS:
        flags |= nb.uint32(LONG_LINE)
    if words <= NAVIGATION_WORDS:
        if words == 2 and _is_counter(data, start, end):
            flags |= nb.uint32(COUNTER)
        if _is_navigation(data, start, end):
            flags |= nb.uint32(NAVIGATION)
    else:
        flags &= ~nb.uint32(NAVIGATION)
    sentences = min(sentences, SENTENCES_MASK)
    return nb.uint32(flags | nb.uint32(sentences << SENTENCES_SHIFT))


@part_kernel
def _end_flags(data: Bytes, start: Integer, end: Integer) -> np.uint32:
    """The flags of a line's last character."""
    last = data[end - 1]
    if last == 123:
        return nb.uint32(BRACE)
    if last == 46 or last == 63 or last == 33 or last == 34:
        dots = last == 46 and end - start >= 3 and data[end - 2] == 46 and data[end - 3] == 46
        return nb.uint32(END_MARK | ELLIPSIS) if dots else nb.uint32(END_MARK)
    return nb.uint32(APOSTROPHE) if last == 39 else nb.uint32(0)


@bare_kernel
def _look(data: Bytes, at: Integer) -> tuple[np.uint64, ...]:
    """A bit for each of 64 bytes, which one more follows: those inside characters, capitals, digits, bytes that are in
    no number (ASCII letters, and all bytes beyond ASCII), first bytes of U+00C0 to U+07FF, and places worth a look.
    """
    marks = (
        _equal(data, at, 46)
        | _equal(data, at, 33)
        | _equal(data, at, 63)
        | _equal(data, at, 123)
        | _equal(data, at, 91)
    )
    pairs = (
        (_letter(data, at, 106) & _letter(data, at + 1, 97))
        | (_letter(data, at, 107) & _letter(data, at + 1, 105))
        | (_letter(data, at, 118) & _letter(data, at + 1, 97))
        | (_letter(data, at, 112) & _letter(data, at + 1, 115))
        | (_letter(data, at, 109) & _letter(data, at + 1, 115))
    )
    wide = bytes_between(data, at, 0x80, 0xFF, 0)
    if wide:
        marks |= (_equal(data, at, 0xE3) & _equal(data, at + 1, 0x80)) | (
            _equal(data, at, 0xEF) & _equal(data, at + 1, 0xBC)
        )
    return (
        bytes_between(data, at, 0x80, 0xBF, 0),
        bytes_between(data, at, 65, 90, 0),
        bytes_between(data, at, 48, 57, 0),
        bytes_between(data, at, 97, 122, 32) | wide,
        bytes_between(data, at, 0xC3, 0xDF, 0),
        marks | pairs,
    )


@bare_kernel
def _equal(data: Bytes, at: Integer, byte: int) -> np.uint64:
    return bytes_between(data, at, byte, byte, 0)


@bare_kernel
def _letter(data: Bytes, at: Integer, letter: int) -> np.uint64:
    return bytes_between(data, at, letter, letter, 32)


@bare_kernel
def _look_slowly(data: Bytes, at: Integer) -> tuple[np.uint64, ...]:
    """The same for the last bytes of the text, 64 or fewer."""
    continued = capital = digit = letter = lead = places = U64(0)
    for i in range(at, len(data)):
        bit = U64(1) << U64(i - at)
        byte = data[i]
        continued |= bit if (byte & 0xC0) == 0x80 else U64(0)
        capital |= bit if 65 <= byte <= 90 else U64(0)
        digit |= bit if 48 <= byte <= 57 else U64(0)
        letter |= bit if 97 <= (byte | 32) <= 122 or byte >= 0x80 else U64(0)
        lead |= bit if 0xC3 <= byte < 0xE0 else U64(0)
        if i + 1 < len(data) and _FIRST[byte] & _SECOND[data[i + 1]]:
            places |= bit
    return continued, capital, digit, letter, lead, places


@bare_kernel
def _phrase(data: Bytes, start: Integer, i: Integer, end: Integer, kind: Integer) -> np.uint32:
    """The flag of the phrase whose rare pair of letters is at `i`, or 0."""
    if kind & _JA:
        return nb.uint32(JAVASCRIPT) if matches(data, start, i, end, _JAVASCRIPT) else nb.uint32(0)
    if kind & _PS:
        return nb.uint32(LOREM_IPSUM) if matches(data, start, i - 7, end, _LOREM_IPSUM) else nb.uint32(0)
    if kind & _KI:
        found = (
            matches(data, start, i - 3, end, _COOKIE_POLICY)
            or matches(data, start, i - 8, end, _USES_COOKIES)
            or matches(data, start, i - 7, end, _USE_COOKIES)
            or matches(data, start, i - 10, end, _USE_OF_COOKIES)
        )
    elif kind & _VA:
        found = matches(data, start, i - 3, end, _PRIVACY_POLICY)
    else:
        found = matches(data, start, i - 3, end, _TERMS_OF_USE)
        if not found and matches(data, start, i - 3, end, _ITEMS_IN_CART):
            return nb.uint32(NAVIGATION)
    return nb.uint32(POLICY) if found else nb.uint32(0)


@bare_kernel
def _citation_length(data: Bytes, at: Integer, end: Integer) -> Integer:
    """Bytes of the citation that begins with the bracket at `at`; 0 if none does.

    Case counts, as in TFDS's expression.
    """
    stop = at + 1
    while stop < end and 48 <= data[stop] <= 57:
        stop += 1
    if stop < end and data[stop] == 93:
        return stop + 1 - at
    for phrase in (_EDIT, _CITATION_NEEDED):
        if at + len(phrase) <= end:
            same = True
            for offset in range(len(phrase)):
                same = same and data[at + offset] == phrase[offset]
            if same:
                return nb.int64(len(phrase))
    return nb.int64(0)


@bare_kernel
def copy_without_citations(data: Bytes, start: Integer, end: Integer, out: Bytes, at: Integer) -> Integer:
    """Copy a line to `out` from `at` on, citations left out; returns the position after it."""
    i = start
    while i < end:
        if data[i] == 91:
            length = _citation_length(data, i, end)
            if length:
                i += length
                continue
        out[at] = data[i]
        at += 1
        i += 1
    return at


@bare_kernel
def _count_words(data: Bytes, end: Integer, table: Uint16s) -> Integer:
    words = nb.int64(0)
    inside = False
    i = nb.int64(0)
    while i < end:
        point, width = code_point(data, i)
        space = (table[point] & SPACE) != 0
        words += not space and not inside
        inside = not space
        i += width
    return words


@bare_kernel
def _is_counter(data: Bytes, start: Integer, end: Integer) -> Boolean:
    """A number (`3`, `1,024`, `2.5K`), ASCII space and a word of `COUNTED`, one or several."""
    if not 48 <= data[start] <= 57:
        return False
    i = start
    while i < end and (48 <= data[i] <= 57 or data[i] == 44 or data[i] == 46):
        i += 1
    if i < end and (data[i] | 32) in (107, 109, 98):
        i += 1
    if i >= end or not (data[i] == 32 or data[i] == 9):
        return False
    while i < end and (data[i] == 32 or data[i] == 9):
        i += 1
    return among(data, i, end, _COUNTED)


@bare_kernel
def _is_navigation(data: Bytes, start: Integer, end: Integer) -> Boolean:
    """Whether a navigation phrase is at the start or at the end of the line."""
    if data[start] | 32 in (108, 115) and begins(data, start, end, _STARTS):
        return True
    last = data[end - 1]
    # E, the last dot of three, U+2026, U+00BB
    return (
        last | 32 == 101 or (last == 46 and data[max(end - 2, start)] == 46) or last == 0xA6 or last == 0xBB
    ) and closes(data, start, end, _ENDS)
