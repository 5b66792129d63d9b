"""The line kernels against plain Python, on arbitrary Unicode."""

from __future__ import annotations

import re

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernels.characters import SPACE, classes
from pipeline.filters.line_rules import (
    c4_flags,
    judge_c4_lines,
    judge_refinedweb_lines,
    refinedweb_flags,
    removed_lists,
)
from pipeline.text.words import line as kernel
from pipeline.text.words.line import line_properties
from pipeline.text.words.sentences import ABBREVIATIONS
from pipeline.tokenize.kept_text import Cleaning, clean_texts
from tests.property.texts import any_text, texts, thorough, wordy_text

SPACES = "".join(map(chr, np.flatnonzero(classes() & SPACE).tolist()))
CITATION = re.compile(r"\[[0-9]*\]|\[edit\]|\[citation needed\]")

# What lines are made of that the rules look for, whole and nearly so.
_PIECES = (
    *kernel.POLICY_PHRASES, *kernel.CITATIONS, *kernel.NAVIGATION_STARTS, *kernel.NAVIGATION_ENDS, kernel.NAVIGATION_ANYWHERE,
    *(f"{word}." for word in ABBREVIATIONS[:12]), "javascript", "JavaScript", "java[1]script", "lorem ipsum", "Lorem  ipsum", "[12]",
    "[", "]", "[edit", "[1", "{", "3", "1,024", "2.5K", "likes", "view", "replies", ".", "?", "!", '"', "'", "...", "..", ").", '."', " ",
    "  ", " ", "\t", "\u3000", "\x1f", "A", "b", "U.S.", "end.Begin", "ENDE", "ÄÖ", "Я", "中文。", "！",
    "」", "）", "”", "’", "–", "é", "😀", "x" * 1001, "word " * 40,
)  # fmt: skip
line_text = st.lists(st.one_of(st.sampled_from(_PIECES), any_text), max_size=12).map(
    lambda pieces: "".join(pieces).replace("\n", " ")
)


def lower(text: str) -> str:
    """Small letters in ASCII only."""
    return "".join(character.lower() if character.isascii() else character for character in text)


def words_of(text: str) -> list[str]:
    return [word for word in re.split(f"[{re.escape(SPACES)}]+", text) if word]


def lines_of(text: str) -> list[str]:
    return [stripped for line in text.split("\n") if (stripped := line.strip(SPACES))]


def sentences_of(line: str) -> int:
    """The rule of the module's docstring, said again."""
    count = 1
    for at, mark in enumerate(line):
        rest = line[at + 1 :]
        if mark in "。！．？":
            if rest[:1] and 0x3000 <= ord(rest[0]) <= 0x303F:
                rest = rest[1:]
            count += bool(rest) and rest[0] not in "！．？"
        elif mark in ".!?" and rest and rest[0] not in ".!?" and not (mark == "." and line[at - 1 : at] == "."):
            if mark == "." and re.fullmatch("[a-z][A-Z]", line[at - 1 : at] + rest[0]):
                count += 1
                continue
            rest = rest.lstrip("\"')]}’”")
            before = re.search(r"([A-Za-z]*)$", line[:at])
            word = lower(before.group(1)) if before and mark == "." else ""
            foreign = bool(before) and not line[: before.start()].isascii() and ord(line[before.start() - 1]) >= 0x80
            abbreviation = not foreign and (len(word) == 1 or word in ABBREVIATIONS)
            count += bool(rest) and rest[0] in " \t" and not (mark == "." and rest[1:2] == ".") and not abbreviation
    return count


def slow_properties(line: str) -> dict[str, object]:
    clean = CITATION.sub("", line)
    small, words = lower(clean), words_of(clean)
    numeric = re.fullmatch(r"[\x00-@\[-`{-\x7f]*", clean) is not None and re.search("[0-9]", clean) is not None
    counted = "|".join([*(f"{word}s?" for word in kernel.COUNTED), "reply", "replies"])
    raw_words = len(words_of(line))
    capitals = sum(character.isupper() for character in clean if ord(character) < 0x800)
    flags = {
        "END_MARK": clean.endswith((".", "?", "!", '"')),
        "APOSTROPHE": clean.endswith("'"),
        "ELLIPSIS": clean.endswith("..."),
        "RAW_END_MARK": line.endswith((".", "?", "!", '"')),
        "LONG_WORD": any(len(word) > 1000 for word in words_of(line)),
        "JAVASCRIPT": "javascript" in small,
        "POLICY": any(phrase in small for phrase in kernel.POLICY_PHRASES),
        "LOREM_IPSUM": "lorem ipsum" in small,
        "BRACE": "{" in clean,
        "UPPER": 2 * capitals > len(clean),
        "NUMERIC": numeric,
        "COUNTER": len(words) == 2 and re.fullmatch(rf"[0-9][0-9.,]*[kmb]?[ \t]+({counted})", small) is not None,
        "NAVIGATION": (
            len(words) <= 10
            and bool(clean)
            and (
                small.startswith(kernel.NAVIGATION_STARTS)
                or small.endswith(kernel.NAVIGATION_ENDS)
                or kernel.NAVIGATION_ANYWHERE in small
            )
        ),
        "LONG_LINE": len(clean) >= 200,
        "CITATION": clean != line,
    }
    return {
        "words": min(len(words), 1023),
        "lost": min(raw_words - len(words), 3),
        "sentences": min(sentences_of(clean), 31) if clean else 0,
        **flags,
    }


FLAGS = (
    "END_MARK", "APOSTROPHE", "ELLIPSIS", "RAW_END_MARK", "LONG_WORD", "JAVASCRIPT", "POLICY", "LOREM_IPSUM", "BRACE", "UPPER", "NUMERIC",
    "COUNTER", "NAVIGATION", "LONG_LINE", "CITATION",
)  # fmt: skip


def pack(properties: dict[str, object]) -> int:
    value = int(str(properties["words"])) | int(str(properties["lost"])) << 10 | int(str(properties["sentences"])) << 12
    return value | sum(getattr(kernel, name) for name in FLAGS if properties[name])


def unpack(value: int) -> dict[str, object]:
    counts = {"words": value & 1023, "lost": value >> 10 & 3, "sentences": value >> 12 & 31}
    return counts | {name: bool(value & getattr(kernel, name)) for name in FLAGS}


def packed(line: str) -> int:
    data = np.frombuffer(b"before\n" + line.encode() + b"\n{ javascript" + b" { javascript. Privacy" * 4, np.uint8)
    words = words_of(line)
    # The last 64 bytes of all are read another way than those that others follow.
    end = 7 + len(line.encode())
    found = {
        int(line_properties(data[:stop], 7, end, len(words), max(map(len, words)), classes()))
        for stop in (end, end + 14, len(data))
    }
    assert len(found) == 1
    return found.pop()


@given(line_text)
@thorough
def test_properties(line: str) -> None:
    stripped = line.strip(SPACES)
    if stripped:
        assert unpack(packed(stripped)) == slow_properties(stripped)
        assert packed(stripped) == pack(slow_properties(stripped))


@pytest.mark.parametrize(
    ("flag", "phrases"),
    [
        ("NAVIGATION", (*kernel.NAVIGATION_STARTS, *kernel.NAVIGATION_ENDS, kernel.NAVIGATION_ANYWHERE)),
        ("POLICY", kernel.POLICY_PHRASES),
        ("COUNTER", tuple(f"3 {word}" for word in (*kernel.COUNTED, "reply", "replies"))),
        ("LOREM_IPSUM", ("lorem ipsum",)),
        ("JAVASCRIPT", ("javascript",)),
        ("CITATION", kernel.CITATIONS),
    ],
)
def test_every_phrase_is_found(flag: str, phrases: tuple[str, ...]) -> None:
    for phrase in phrases:
        forms = {phrase} if flag == "CITATION" else {phrase, phrase.upper(), phrase.title()}
        assert all(unpack(packed(form))[flag] for form in forms)
        assert not unpack(packed(phrase[1:-1] if flag != "COUNTER" else phrase[1:].strip()))[flag]


@pytest.mark.parametrize(
    ("line", "sentences"),
    [
        ("One. Two! Three? Four", 4),
        ('He said "Go." She went.', 2),
        ("Dr. Smith met J. R. Jones of Acme Inc. in Paris.", 1),
        ("It ended... Or did it?", 1),
        ("No space here.Next one", 2),
        ("Version 3.11 of x.y", 1),
        ("你好。再见！」是的？", 3),
        ("Really?! Yes.", 2),
        ("He, too, . . . is gone.", 2),
    ],
)
def test_sentences(line: str, sentences: int) -> None:
    assert unpack(packed(line))["sentences"] == sentences == sentences_of(line)


flag_values = st.sampled_from([0, *(getattr(kernel, name) for name in FLAGS)])
line_value = st.builds(
    lambda words, lost, sentences, flags: words | lost << 10 | sentences << 12 | sum(set(flags)),
    st.integers(0, 12), st.integers(0, 3), st.integers(0, 4), st.lists(flag_values, max_size=3),
)  # fmt: skip
documents = st.lists(
    st.lists(st.tuples(line_value, st.integers(0, 3).map(lambda number: number == 0)), max_size=8), max_size=5
)


def arrays(given_lines: list[list[tuple[int, bool]]]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    offsets = np.cumsum([0, *map(len, given_lines)]).astype(np.int64)
    flat = [pair for lines in given_lines for pair in lines]
    return np.array([value for value, _ in flat], np.uint32), offsets, np.array([gone for _, gone in flat], np.bool_)


def slow_c4(
    lines: list[tuple[int, bool]], *, end: bool, apostrophe: bool, raw: bool, least: int, sentences: int
) -> tuple[int, list[bool]]:
    removed = [gone for _, gone in lines]
    count = left = 0
    for number, (value, gone) in enumerate(lines):
        line = unpack(value)
        if gone:
            continue
        words = int(str(line["words"])) + (int(str(line["lost"])) if raw else 0)
        ends = (line["END_MARK"] or (apostrophe and line["APOSTROPHE"])) and not line["ELLIPSIS"]
        if line["LONG_WORD"] or (end and not ends) or words < least:
            removed[number] = True
        elif line["LOREM_IPSUM"]:
            return 1, removed
        elif line["JAVASCRIPT"]:
            removed[number] = True
        elif line["BRACE"]:
            return 2, removed
        elif line["POLICY"]:
            removed[number] = True
        else:
            count += int(str(line["sentences"]))
            left += 1
    return (3 if count < sentences else 0 if left else 5), removed


@given(documents, st.booleans(), st.booleans(), st.booleans(), st.integers(0, 6), st.integers(0, 6))
@thorough
def test_c4(
    given_lines: list[list[tuple[int, bool]]], end: bool, apostrophe: bool, raw: bool, least: int, sentences: int
) -> None:
    values, offsets, removed = arrays(given_lines)
    out = np.zeros(len(given_lines), np.uint8)
    flags = c4_flags(
        end_mark=end, apostrophe=apostrophe, long_words=True, javascript=True, policy=True, lorem_ipsum=True, brace=True
    )
    judge_c4_lines(values, offsets, removed, *flags, least, raw, sentences, 0, out)
    wanted = [
        slow_c4(lines, end=end, apostrophe=apostrophe, raw=raw, least=least, sentences=sentences)
        for lines in given_lines
    ]
    assert out.tolist() == [verdict for verdict, _ in wanted]
    assert removed.tolist() == [gone for _, lines in wanted for gone in lines]


@given(documents, st.integers(0, 3))
@thorough
def test_refinedweb(given_lines: list[list[tuple[int, bool]]], least: int) -> None:
    values, offsets, removed = arrays(given_lines)
    out = np.zeros((len(given_lines), 3), np.int64)
    flags = refinedweb_flags(upper=True, numeric=True, counter=True, navigation=True)
    judge_refinedweb_lines(values, offsets, removed, flags, least, out)
    wanted, wanted_removed = [], []
    for lines in given_lines:
        gone = total = left = 0
        for value, before in lines:
            line = unpack(value)
            words = int(str(line["words"])) + int(str(line["lost"]))
            goes = any(line[name] for name in ("UPPER", "NUMERIC", "COUNTER", "NAVIGATION")) or words < least
            wanted_removed.append(before or goes)
            if not before:
                total += words
                gone += words if goes else 0
                left += not goes
        wanted.append([gone, total, left])
    assert out.tolist() == wanted
    assert removed.tolist() == wanted_removed


def slow_clean(text: str, removed: set[int], cleaning: Cleaning) -> str:
    kept = []
    number = 0
    for line in text.split("\n"):
        stripped = line.strip(SPACES)
        if not stripped:
            if not cleaning.compact:
                kept.append(line)
            continue
        if number not in removed:
            shown = stripped if cleaning.compact else line
            kept.append(CITATION.sub("", shown) if cleaning.citations else shown)
        number += 1
    return "\n".join(kept).strip(SPACES)


@given(st.lists(st.one_of(any_text, wordy_text, st.lists(line_text, max_size=4).map("\n".join)), max_size=5), st.data())
@thorough
def test_cleaning(given_texts: list[str], data: st.DataObject) -> None:
    cleaning = Cleaning(citations=data.draw(st.booleans()), compact=data.draw(st.booleans()))
    chosen = [
        sorted(data.draw(st.sets(st.integers(0, max(len(lines_of(text)) - 1, 0))))) if lines_of(text) else []
        for text in given_texts
    ]
    lists = pa.array([numbers or None for numbers in chosen], pa.list_(pa.field("item", pa.uint32(), nullable=False)))
    cleaned = clean_texts(pa.array(given_texts, pa.large_string()), lists, cleaning)
    cleaned.validate(full=True)
    wanted = [slow_clean(text, set(numbers), cleaning) for text, numbers in zip(given_texts, chosen, strict=True)]
    assert cleaned.to_pylist() == wanted


@given(documents, st.data())
@thorough
def test_removed_lists(given_lines: list[list[tuple[int, bool]]], data: st.DataObject) -> None:
    _, offsets, removed = arrays(given_lines)
    kept = np.array([data.draw(st.booleans()) for _ in given_lines], np.bool_)
    lists = removed_lists(removed, offsets, kept)
    lists.validate(full=True)
    wanted = [
        [n for n, (_, gone) in enumerate(lines) if gone and keep] or None
        for lines, keep in zip(given_lines, kept, strict=True)
    ]
    assert lists.to_pylist() == wanted


@given(texts)
@thorough
def test_nothing_removed_leaves_stripped_texts_alone(given_texts: list[str]) -> None:
    stripped = [text.strip(SPACES) for text in given_texts]
    nothing = pa.nulls(len(stripped), pa.list_(pa.field("item", pa.uint32(), nullable=False)))
    cleaned = clean_texts(pa.array(stripped, pa.large_string()), nothing, Cleaning(citations=False, compact=False))
    assert cleaned.to_pylist() == stripped
