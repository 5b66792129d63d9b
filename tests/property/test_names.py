"""Mentions of names are those of a slow reference written from the description, however documents are batched."""

from __future__ import annotations

import re
from typing import NamedTuple

import pyarrow as pa
from hypothesis import example, given
from hypothesis import strategies as st

from pipeline.text.normalise import text_buffers
from pipeline.text.personal.names import find_names, first_names_of_faker
from tests.property.texts import any_text, buffers, thorough

# Without U+0080 to U+00BF and U+2000 to U+2FFF, which hold marks and spaces.
LETTER = "[A-Za-z\u00c0-\u1fff\u3000-\U0010ffff]"
WORD = re.compile(f"{LETTER}+(?:[-']{LETTER}+)*")
CAPITAL = re.compile("[A-ZÀ-Þ\u0100-\u017fΆ-Ω\u0400-\u042f]")
PARTICLES = set(
    "van von de der den del della di da dos das du la le bin ibn al el ter ten zu af av"
    " Van Von De Der Den Del Della Di Da Dos Das Du La Le Bin Ibn Al El Ter Ten Zu Af".split()
)
MOST_BETWEEN = 3


class Word(NamedTuple):
    start: int
    stop: int
    text: str

    @property
    def key(self) -> str:
        """ASCII letters after the first one count as small."""
        rest = "".join(letter.lower() if letter.isascii() else letter for letter in self.text[1:])
        return self.text[0] + rest

    @property
    def capital(self) -> bool:
        return CAPITAL.match(self.text) is not None


FIRST_NAMES = {Word(0, 0, name).key for name in first_names_of_faker()}


def reference(text: str) -> list[tuple[int, int, str, str]]:
    """Start and stop, in characters; first name and family name."""
    words = [Word(*match.span(), match[0]) for match in WORD.finditer(text)]

    def after(number: int, between: str) -> int | None:
        """The next word, if only `between` parts it from this one."""
        if number + 1 < len(words) and text[words[number].stop : words[number + 1].start] == between:
            return number + 1
        return None

    def first_name(word: Word) -> str | None:
        """The first name that a word is, or that stands before its first hyphen."""
        part = word.key.partition("-")[0]
        return part if part in FIRST_NAMES else word.key if word.key in FIRST_NAMES else None

    def family(number: int) -> int | None:
        here = after(number, " ")
        for _ in range(MOST_BETWEEN + 1):
            if here is None:
                return None
            word, follows = words[here], after(here, " ")
            if len(word.text) == 1 and word.capital and after(here, ". ") is not None:
                here = after(here, ". ")
            elif not word.capital:
                if word.text not in PARTICLES:
                    return None
                here = follows
            elif word.key in PARTICLES and follows is not None:
                here = follows
            elif len(word.text.encode()) < 2:
                return None
            else:
                another = word.key in FIRST_NAMES and follows is not None
                if not another or not (words[follows].capital or words[follows].key in PARTICLES):
                    return here
                here = follows
        return None

    found, number = [], 0
    while number < len(words):
        word, last, names = words[number], None, ("", "")
        if word.capital and (given := first_name(word)) is not None:
            last = family(number)
            names = (given, "" if last is None else words[last].key)
        if word.capital and last is None and re.search(r"(?:^|[\n\t|]) *\Z", text[: word.start]):
            given_name = after(number, ", ")
            if given_name is not None and (given := first_name(words[given_name])) is not None:
                last, names = given_name, (given, word.key)
        if last is not None:
            found.append((word.start, words[last].stop, *names))
            number = last
        number += 1
    return found


pieces = st.sampled_from(
    "Ann ANN ann John Paul Jean-Luc José Łukasz Иван Émile Lee Smith O'Brien Qzx É J A van Van de la der May Paris and x"
    " x- -x ' - Smith-".split()
)
joints = st.sampled_from(
    [" ", " ", " ", " ", ". ", ", ", "\n", "|", "\t", "  ", "", "-", "'", ".", "1", "–", "”", "\u00a0"]
)
named_text = st.lists(st.tuples(pieces, joints), max_size=14).map(
    lambda pairs: "".join(piece + joint for piece, joint in pairs)
)
batches = st.lists(st.one_of(named_text, any_text), max_size=5)


def found_in(documents: list[str]) -> list[list[tuple[int, int, int]]]:
    """Start and stop in characters, and hash, of the mentions of each document."""
    mentions = find_names(*buffers(documents))
    lists: list[list[tuple[int, int, int]]] = [[] for _ in documents]
    for document, start, stop, name in zip(*(column.tolist() for column in mentions), strict=True):
        encoded = documents[document].encode()
        lists[document].append((len(encoded[:start].decode()), len(encoded[:stop].decode()), name))
    return lists


@thorough
@given(batches)
@example(["John A. B. C. Smith", "John A. B. C. D. Smith", "John Paul George", "John Paul van Lee", "Ann Van"])
@example(["Ann Lee, Ann Lee", "|Lee, Ann Lee", " Lee, Ann", "x Lee, Ann", "A, Ann", "É. Ann Lee"])
@example(["Ann", " Lee", "Lee, ", "Ann", "Ann L", "Ann É"])
def test_mentions_are_those_of_the_reference(documents: list[str]) -> None:
    found = found_in(documents)
    expected = [reference(document) for document in documents]
    assert [[mention[:2] for mention in of] for of in found] == [[mention[:2] for mention in of] for of in expected]
    hashes = [mention[2] for of in found for mention in of]
    names = [mention[2:] for of in expected for mention in of]
    assert len(set(hashes)) == len(set(names)) == len(set(zip(hashes, names, strict=True)))


@thorough
@given(batches)
def test_batching_does_not_matter(documents: list[str]) -> None:
    together = found_in(documents)
    assert together == [found_in([document])[0] for document in documents]
    array = pa.array(["Ann ", *documents, " Lee"], pa.large_string()).slice(1, len(documents))
    data, offsets = text_buffers(array)
    sliced = find_names(data, offsets)
    for column, other in zip(sliced, find_names(*buffers(documents)), strict=True):
        assert column.tolist() == other.tolist()
