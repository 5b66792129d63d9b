"""Words separated from punctuation: the kernel against a slow reference in plain Python, and against spaCy's words."""

from __future__ import annotations

import itertools
import re
from functools import cache
from typing import Any

import numba as nb
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernels.characters import LETTER, SPACE
from kernels.unaligned import bytes_between, lowest, ones
from pipeline.text.signal_columns import COLUMNS
from pipeline.text.signals import compute
from pipeline.text.words.point_classes import AFFIX, CURRENCY, HYPHEN, ICON, QUOTE, UPPER, point_classes
from pipeline.text.words.separate import separate
from pipeline.text.words.special_words import special_words, units, word_cuts
from pipeline.text.words.word_hash import hash_text, hash_word
from tests.property.texts import any_text, buffers, thorough


def has(character: str, bit: int) -> bool:
    return bool(point_classes()[ord(character)] & bit)


def is_letter(character: str) -> bool:
    return has(character, LETTER)


def is_small(character: str) -> bool:
    return is_letter(character) and not has(character, UPPER)


def is_digit(character: str) -> bool:
    return "0" <= character <= "9"


def is_uncased(character: str) -> bool:
    return is_letter(character) and ord(character) > 0x530


@cache
def cuts() -> dict[str, tuple[str, ...]]:
    return {"".join(pieces): pieces for pieces in word_cuts()}


def prefix(text: str) -> str:
    dots = re.match(r"\.\.+|US\$|[AC]\$", text)
    if dots:
        return dots[0]
    first = text[0]
    if first == "+":
        return "" if text[1:2].isascii() and text[1:2].isdigit() else "+"
    return first if has(first, AFFIX | CURRENCY) or first in "§%=–—" else ""


def suffix(text: str) -> str:
    if not text:
        return ""
    last, before = text[-1], text[-2:-1]
    if last == ".":
        if before == ".":
            return text[len(text.rstrip(".")) :]
        if not before:
            return ""
        mark = has(before, AFFIX) and not has(before, ICON)
        if is_digit(before) or is_small(before) or mark or before in "%²-+":
            return "."
        capitals = is_letter(before) and len(text) > 2 and (has(text[-3], UPPER) or is_uncased(text[-3]))
        return "." if capitals else ""
    if last in "sS" and before and before in "'’":
        return text[-2:]
    if before and is_digit(before) and (last == "+" or has(last, CURRENCY)):
        return last
    unit = re.search(r"(?<=[0-9])[^0-9]+$", text)
    if unit and unit[0] in units() and len(unit[0].encode()) < 7:
        return unit[0]
    return last if has(last, AFFIX) or last in "–—" else ""


def infix(text: str, i: int) -> str:
    here, left, right = text[i], text[i - 1 : i] if i else "", text[i + 1 : i + 2]
    if is_letter(here) or is_digit(here):
        return ""
    if here == "…" or has(here, ICON):
        return here
    dots = re.match(r"\.\.+", text[i:])
    if dots:
        return dots[0]
    if not left or not right:
        return ""
    if here in "+-*^" and is_digit(left) and (is_digit(right) or right == "-"):
        return here
    if here == ".":
        capital = has(right, UPPER | QUOTE) or (is_uncased(right) and not 0x1E00 <= ord(right) < 0x2000)
        return here if (is_small(left) or has(left, QUOTE)) and capital else ""
    if here == ",":
        return here if is_letter(left) and is_letter(right) else ""
    if has(here, HYPHEN):
        run = re.match(r"-{1,3}|—{1,2}|.", text[i:])
        assert run
        behind = text[i + len(run[0]) : i + len(run[0]) + 1]
        return run[0] if (is_letter(left) or is_digit(left)) and behind and is_letter(behind) else ""
    return here if here in ":<>=/" and (is_letter(left) or is_digit(left)) and is_letter(right) else ""


HOST = re.compile(rb"(?:[A-Za-z0-9_\-\x80-\xff]+\.)+[a-z\x80-\xff]{2,}(?:[/?#].*|:[0-9].*)?", re.DOTALL)


def is_address(text: str) -> bool:
    data = text.encode()
    scheme = data.find(b"://", 2)
    host = data[scheme + 3 :] if scheme >= 0 else data
    user = re.split(rb"[/?]", host)[0].rfind(b"@")
    return HOST.fullmatch(host[user + 1 :]) is not None


def reference(text: str) -> list[str]:
    before, behind = [], []
    special = text in cuts()
    while text and not special:
        head = prefix(text)
        if head and text[len(head) :] in cuts():
            before.append(head)
            text = text[len(head) :]
            break
        tail = suffix(text[len(head) :])
        if tail and text[: -len(tail)] in cuts():
            behind.insert(0, tail)
            text = text[: -len(tail)]
            break
        if not head and not tail:
            break
        before += [head] if head else []
        behind = [tail, *behind] if tail else behind
        text = text[len(head) : len(text) - len(tail)]
        special = text in cuts()
    middle = []
    if text in cuts():
        middle = list(cuts()[text])
    elif is_address(text):
        middle = [text]
    elif text:
        begin = i = 0
        while i < len(text):
            mark = infix(text, i)
            if mark:
                middle += [text[begin:i]] if begin < i else []
                middle.append(mark)
                begin = i + len(mark)
            i += len(mark) or 1
        middle += [text[begin:]] if begin < len(text) else []
    return [*before, *middle, *behind]


def separated(text: str) -> list[str]:
    data = np.frombuffer(text.encode(), np.uint8)
    ends = np.zeros(len(data), np.int32)
    count = separate(data, 0, len(data), special_value(text), point_classes(), *special_words(), ends)
    bounds = [0, *ends[:count].tolist()]
    return [bytes(data[begin:end]).decode() for begin, end in itertools.pairwise(bounds)]


def special_value(text: str) -> int:
    hashes, values = special_words()
    found = values[(hashes == hash_text(text)) & (values != 0)]
    return int(found[0]) if len(found) else 0


@thorough
@given(st.text(max_size=80), st.text(max_size=20))
def test_words_are_hashed_alike_wherever_they_stand(word: str, behind: str) -> None:
    data = np.frombuffer(b"before" + word.encode() + behind.encode(), np.uint8)
    end = 6 + len(word.encode())
    assert int(hash_word(data, 6, end)) == int(hash_word(data[:end], 6, end)) == hash_text(word)


@thorough
@given(st.binary(min_size=66, max_size=66), st.integers(0, 255), st.integers(0, 255), st.sampled_from([0, 32]))
def test_bits_of_64_bytes(content: bytes, first: int, last: int, folded: int) -> None:
    first, last = min(first, last), max(first, last)
    bits, count, place = look(np.frombuffer(content, np.uint8), 1, np.uint8(first), np.uint8(last), np.uint8(folded))
    inside = [first <= (byte | folded) <= last for byte in content[1:65]]
    assert bits == sum(1 << place for place, found in enumerate(inside) if found)
    assert count == sum(inside)
    assert place == (inside.index(True) if any(inside) else 64)


@nb.njit
def look(data: Any, at: Any, first: Any, last: Any, folded: Any) -> Any:
    bits = bytes_between(data, at, first, last, folded)
    return bits, ones(bits), lowest(bits)


marks = st.sampled_from(
    [
        ".",
        "..",
        "...",
        ",",
        "'",
        "’",
        '"',
        "(",
        ")",
        "-",
        "--",
        "—",
        "–",
        "/",
        "$",
        "%",
        "+",
        "#",
        "@",
        ":",
        "://",
        "…",
        "€",
        "°",
    ]
)
stems = st.sampled_from(
    [
        "don't",
        "it's",
        "Mr",
        "the",
        "U.S",
        "km",
        "5",
        "10",
        "am",
        "s",
        "S",
        "A",
        "BB",
        "com",
        "www",
        "é",
        "É",
        "中文",
        "cannot",
        "e.g",
        "x",
        "😀",
    ]
)
runs = st.lists(st.one_of(marks, stems), min_size=1, max_size=9).map("".join)
anything = any_text.map(lambda text: "".join(character for character in text if not has(character, SPACE))).filter(bool)


@thorough
@given(st.one_of(runs, anything))
def test_words_equal_the_reference_and_leave_nothing_out(text: str) -> None:
    found = separated(text)
    assert "".join(found) == text
    assert found == reference(text)


@thorough
@given(st.lists(runs, min_size=1, max_size=6))
def test_the_walk_separates_as_this_does(texts: list[str]) -> None:
    """The walk takes short cuts for words with one mark behind them."""
    signals = compute(*buffers([" ".join(texts)])).signals
    words = [word for text in texts for word in reference(text)]
    assert signals["separated_words"].to_pylist() == [len(words)]
    whole = compute(*buffers([" ".join(words)]), separate=False).signals
    names = [name for name in COLUMNS if name.startswith(("separated", "plain"))]
    assert signals.select(names).to_pylist() == whole.select(names).to_pylist()


@pytest.mark.parametrize(
    "words",
    [
        "do n't",
        "Hello ,",
        "( e.g. ,",
        "Mr. Smith 's",
        "can not",
        "10 km",
        "5 % .",
        "U.S.",
        "end . Begin",
        "state - of - the - art",
        "“ Yes , ” she",
        "www.example.com",
        "https://example.com/a-b?c=d .",
        "3.14",
        "1,000",
        "and/or",
        "either / or",
        "9 a.m.",
        "I 'm",
        "wait ...",
        "$ 5",
        "2019 - 20",
        "NASA .",
    ],
)
def test_words_that_spacy_gives(words: str) -> None:
    """Each is what spaCy 3.8's English tokenizer makes of the text without these spaces, or of words written apart."""
    text = words.replace(" ", "")
    if words in ("Mr. Smith 's", "“ Yes , ” she", "wait ..."):
        assert [word for part in words.split(" ") for word in reference(part)] == words.split(" ")
    else:
        assert separated(text) == words.split(" ")
