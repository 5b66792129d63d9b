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
# What the lists of names say is none, before a first name: a few of them, which the pieces below hold.
NO_FAMILY = {"May", "Paris", "Dear", "King", "Van"}


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

    def given_after(number: int) -> int | None:
        """The first name after a family name, where the order is the other way round."""
        word, before = words[number], text[: words[number].start]
        begins_cell = re.search(r"(?:^|[\n\t|]) *\Z", before)
        begins_entry = begins_cell or re.search(r"(?:;|[0-9][.)]?|;[.)]) +\Z", before)
        capitals = not re.search("[a-z]", word.text) and len(word.text.encode()) >= 3

        def given(here: int | None) -> bool:
            return here is not None and words[here].capital and first_name(words[here]) is not None

        here = after(number, ", ")
        if begins_cell and given(here):
            return here
        here = after(number, " ")
        joined = here is None
        here = after(number, "/") if joined else here
        if here is None or not given(here) or word.key in NO_FAMILY:
            return None
        if not capitals and not (begins_entry and len(word.text.encode()) >= 2):
            return None
        if joined or (capitals and re.search("[a-z]", words[here].text)):
            return here
        if capitals and len(words[here].text.encode()) < 3:
            return here
        rest, last = words[here].stop, here
        for _ in range(MOST_BETWEEN):
            further = after(last, " ")
            if further is not None and given(further):
                last, rest = further, words[further].stop
            elif initial := re.match(f" {LETTER}\\.", text[rest:]):
                if CAPITAL.match(initial[0][1]) is None:
                    break
                rest += initial.end()
                last = further if further is not None else last
            else:
                break
        return here if re.match(f"\\Z| (?!{LETTER})|(?! |{LETTER}|[.'-])", text[rest:]) else None

    found, number = [], 0
    while number < len(words):
        word, last, names = words[number], None, ("", "")
        if word.capital and (given := first_name(word)) is not None:
            last = family(number)
            names = (given, "" if last is None else words[last].key)
        if word.capital and last is None and (given_name := given_after(number)) is not None:
            last, names = given_name, (words[given_name].key, word.key)
        if last is not None:
            found.append((word.start, words[last].stop, *names))
            number = last
        number += 1
    return found


pieces = st.sampled_from(
    "Ann ANN ann John Paul Jean-Luc José Łukasz Иван Émile Lee Smith SMITH O'Brien Qzx É J A van Van de la der May Paris"
    " Dear King and x x- -x ' - Smith-".split()
)
joints = st.sampled_from(
    [
        " ",
        " ",
        " ",
        " ",
        ". ",
        ", ",
        "\n",
        "|",
        "\t",
        "  ",
        "",
        "-",
        "'",
        ".",
        "1",
        "–",
        "”",
        "\u00a0",
        "; ",
        " 3. ",
        " 3) ",
        "/",
    ]
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
@example(
    [
        "SMITH Ann",
        "x SMITH Ann Paul x",
        "SMITH ANN x",
        "Smith Ann; Lee Paul A. B.",
        "3) Lee Ann (x",
        "Dear Ann",
        "Lee Ann.",
    ]
)
@example(
    ["x SMITH/ANN MS", "Smith/Ann", "x Smith/Ann", "3 Lee Ann-x", "Lee Ann A. x", "Lee Ann 1", "Lee Ann Paul Ann A. A."]
)
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
