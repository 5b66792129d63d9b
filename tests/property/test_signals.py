"""The signal kernels against a slow, obvious reference, on arbitrary Unicode."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import example, given

from dedup.characters import LETTER, SPACE, classes
from pipeline.signals import SIGNALS, STOP_WORDS, compute_signals
from tests.paths import PROJECT
from tests.property.texts import buffers, texts, thorough


def is_space(character: str) -> bool:
    return bool(classes()[ord(character)] & SPACE)


def is_letter(character: str) -> bool:
    return bool(classes()[ord(character)] & LETTER)


def split_words(text: str) -> list[str]:
    return "".join(" " if is_space(character) else character for character in text).split(" ") if text else []


def words_of(text: str) -> list[str]:
    return [word for word in split_words(text) if word]


def size(words: Sequence[str]) -> int:
    return sum(len(word) for word in words)


def second_and_later(units: list[tuple[str, ...]]) -> list[tuple[str, ...]]:
    return [unit for index, unit in enumerate(units) if unit in units[:index]]


def top_characters(words: list[str], n: int) -> int:
    grams = [tuple(words[index : index + n]) for index in range(len(words) - n + 1)]
    counts = Counter(grams)  # in order of first occurrence
    if not counts or max(counts.values()) == 1:
        return 0
    most = max(counts.values())
    top = next(gram for gram, count in counts.items() if count == most)
    return most * size(top)


def repeated_characters(words: list[str], n: int) -> int:
    seen: set[tuple[str, ...]] = set()
    covered: set[int] = set()
    for index in range(len(words) - n + 1):
        gram = tuple(words[index : index + n])
        if gram in seen:
            covered.update(range(index, index + n))
        seen.add(gram)
    return sum(len(words[index]) for index in covered)


def reference(text: str) -> dict[str, int]:
    words = words_of(text)
    raw_lines = text.split("\n")
    line_texts = [line for line in raw_lines if words_of(line)]
    lines = [tuple(words_of(line)) for line in line_texts]
    paragraphs: list[tuple[str, ...]] = []
    current: list[str] = []
    for line in [*raw_lines, ""]:
        if words_of(line):
            current += words_of(line)
        elif current:
            paragraphs.append(tuple(current))
            current = []
    repeated_lines, repeated_paragraphs = second_and_later(lines), second_and_later(paragraphs)
    result = {
        "characters": len(text),
        "word_characters": size(words),
        "letter_characters": sum(map(is_letter, text)),
        "words": len(words),
        "letter_words": sum(any(map(is_letter, word)) for word in words),
        "stop_words": sum(word in STOP_WORDS for word in words),
        "distinct_stop_words": len(set(words) & set(STOP_WORDS)),
        "hash_symbols": text.count("#"),
        "ellipses": len(re.findall(r"\.\.\.|…", text)),
        "lines": len(lines),
        "bullet_lines": sum(line[0][0] in "•‣◦⁃-*" for line in lines),
        "ellipsis_lines": sum(line[-1].endswith(("...", "…")) for line in lines),
        "repeated_lines": len(repeated_lines),
        "repeated_line_characters": sum(map(size, repeated_lines)),
        "paragraphs": len(paragraphs),
        "repeated_paragraphs": len(repeated_paragraphs),
        "repeated_paragraph_characters": sum(map(size, repeated_paragraphs)),
    }
    result |= {f"top_{n}gram_characters": top_characters(words, n) for n in (2, 3, 4)}
    return result | {f"repeated_{n}gram_characters": repeated_characters(words, n) for n in range(5, 11)}


def signals_of(documents: list[str]) -> pa.RecordBatch:
    return compute_signals(*buffers(documents))


@thorough
@given(texts)
@example([])
@example([""])
@example(["", "\n", " ", "a"])
@example(["......", ".. .", "....… …", "wait...  \n...\n.\n..\n.\n"])
@example(["a a a a a a a a a a a a a"])
@example(["x\n\nx\n \nx\ny\n\nx y"])
def test_signals_equal_the_reference(documents: list[str]) -> None:
    batch = signals_of(documents)
    assert batch.schema == SIGNALS
    assert batch.to_pylist() == [reference(document) for document in documents]


@thorough
@given(texts)
def test_a_document_does_not_depend_on_its_batch(documents: list[str]) -> None:
    alone = [signals_of([document]).to_pylist()[0] for document in documents]
    assert signals_of(documents).to_pylist() == alone


@pytest.mark.parametrize("count", [31, 32, 33, 63, 64, 65, 127, 128, 129, 4096])
def test_table_sizes_at_powers_of_two(count: int) -> None:
    """Many units that all differ, and the most units that so many bytes can hold."""
    separators = {" ": "words", "\n": "lines", "\n\n": "paragraphs"}
    for separator, column in separators.items():
        row = signals_of([separator.join(chr(0x4E00 + index) for index in range(count))]).to_pylist()[0]
        assert row[column] == count
        assert row["repeated_lines"] == row["repeated_paragraphs"] == row["top_2gram_characters"] == row["repeated_5gram_characters"] == 0
        shortest = separator.join(chr(48 + index % 75) for index in range(count))
        if count < 4096:
            assert signals_of([shortest]).to_pylist() == [reference(shortest)]


def test_nothing_is_read_or_written_outside_the_arrays(tmp_path: Path) -> None:
    """Numba checks no index unless asked to: run this file's other tests in a process that asks."""
    environment = {**os.environ, "NUMBA_BOUNDSCHECK": "1", "NUMBA_CACHE_DIR": str(tmp_path)}
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-k", "not outside", __file__]
    run = subprocess.run(command, env=environment, capture_output=True, text=True, cwd=PROJECT, check=False)
    assert run.returncode == 0, run.stdout[-2000:]


def test_offsets_need_not_begin_at_zero() -> None:
    data, offsets = buffers(["skipped ", "the cat\n", "the dog"])
    rows = compute_signals(data, offsets[1:]).to_pylist()
    assert rows == [reference("the cat\n"), reference("the dog")]


def test_columns_are_whole_numbers_without_nulls() -> None:
    batch = signals_of(["one two"])
    assert all(column.type == pa.int32() and column.null_count == 0 for column in batch.columns)
    assert batch["words"].to_numpy().dtype == np.int32
