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
from hypothesis import strategies as st

from dedup.signatures import make_permutations
from kernels.characters import LETTER, SPACE, classes
from pipeline.text.signals import LINES_PACKED, SIGNALS, STOP_WORDS, compute, compute_signals
from pipeline.text.words.point_classes import SYMBOL, TERMINAL, point_classes
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


def has_class(character: str, bit: int) -> bool:
    return bool(point_classes()[ord(character)] & bit)


def all_copies(units: list[str]) -> list[str]:
    return [unit for unit in units if units.count(unit) > 1]


def windows(words: Sequence[str], n: int) -> list[tuple[str, ...]]:
    return [tuple(words[index : index + n]) for index in range(len(words) - n + 1)]


def dolma(text: str) -> dict[str, int]:
    """What dolma 1.2.1 measures (dolma/taggers/gopher.py, `get_attributes` with `ignore_empty_lines`), before it
    divides.
    """
    words = words_of(text)
    lines = re.split(r"\n+", text) if text else []
    lengths = sorted(map(len, words))
    result = {
        "symbol_words": sum("#" in word or "…" in word for word in words),
        "twice_median_word_length": lengths[(len(words) - 1) // 2] + lengths[len(words) // 2] if words else 0,
        "raw_lines": len(lines),
        "raw_bullet_lines": sum(line.startswith(("*", "-")) for line in lines),
        "raw_ellipsis_lines": sum(line.endswith("…") for line in lines),
        "raw_copied_lines": len(all_copies(lines)),
        "raw_copied_line_characters": size(all_copies(lines)),
    }
    for n in range(2, 11):
        counts = Counter(windows(words, n))
        if n < 5:
            top = counts.most_common(1)
            result[f"frequent_{n}gram_characters"] = top[0][1] * size(top[0][0]) if top else 0
        else:
            result[f"copied_{n}gram_characters"] = sum(
                count * size(gram) for gram, count in counts.items() if count > 1
            )
            result[f"all_{n}gram_characters"] = sum(count * size(gram) for gram, count in counts.items())
    return result


def datatrove(text: str, words: list[str]) -> dict[str, int]:
    """What datatrove 0.10.1 measures (gopher_quality_filter.py, gopher_repetition_filter.py), given the words."""
    lines = re.split(r"\n+", text) if text else []
    body = text.strip("".join(filter(is_space, set(text))))
    paragraphs = re.split(r"\n{2,}", body) if body else []
    split_lines = text.splitlines()
    plain = [word for word in words if not all(has_class(character, SYMBOL) for character in word)]
    result = {
        "raw_repeated_lines": sum(line in lines[:index] for index, line in enumerate(lines)),
        "raw_repeated_line_characters": sum(len(line) for index, line in enumerate(lines) if line in lines[:index]),
        "raw_paragraphs": len(paragraphs),
        "raw_repeated_paragraphs": sum(one in paragraphs[:index] for index, one in enumerate(paragraphs)),
        "raw_repeated_paragraph_characters": sum(
            len(one) for index, one in enumerate(paragraphs) if one in paragraphs[:index]
        ),
        "split_lines": len(split_lines),
        "split_bullet_lines": sum(line.lstrip().startswith(("•", "-")) for line in split_lines),
        "split_ellipsis_lines": sum(line.rstrip().endswith(("...", "…")) for line in split_lines),
        "separated_words": len(words),
        "separated_letter_words": sum(any(map(is_letter, word)) for word in words),
        "separated_distinct_stop_words": len(set(words) & set(STOP_WORDS)),
        "plain_words": len(plain),
        "plain_word_characters": size(plain),
    }
    for n in range(2, 5):
        counts = Counter(" ".join(gram) for gram in windows(words, n))
        top = counts.most_common(1)
        result[f"separated_top_{n}gram_characters"] = len(top[0][0]) * top[0][1] if top else 0
    for n in range(5, 11):
        seen: set[str] = set()
        index = repeated = 0
        while index < len(words) - n + 1:
            gram = "".join(words[index : index + n])
            repeated += len(gram) if gram in seen else 0
            index += n if gram in seen else 1
            seen.add(gram)
        result[f"separated_repeated_{n}gram_characters"] = repeated
    return result


def fineweb(text: str) -> dict[str, int]:
    """What datatrove 0.10.1 measures in fineweb_quality_filter.py."""
    lines = [line for line in text.split("\n") if words_of(line)]
    return {
        "newlines": text.count("\n"),
        "short_lines": sum(len(line) <= 30 for line in lines),
        "terminal_lines": sum(has_class(line[-1], TERMINAL) for line in lines),
        "full_repeated_line_characters": sum(len(line) for index, line in enumerate(lines) if line in lines[:index]),
    }


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
    result |= {f"repeated_{n}gram_characters": repeated_characters(words, n) for n in range(5, 11)}
    return result | dolma(text) | datatrove(text, words) | fineweb(text)


def signals_of(documents: list[str]) -> pa.RecordBatch:
    """Signals with the words of whitespace for the separated ones; `test_separate` is about those."""
    return without_lines(compute(*buffers(documents), separate=False).signals)


def without_lines(batch: pa.RecordBatch) -> pa.RecordBatch:
    return batch.drop_columns([LINES_PACKED.name])


@thorough
@given(texts)
@example([])
@example([""])
@example(["", "\n", " ", "a"])
@example(["......", ".. .", "....… …", "wait...  \n...\n.\n..\n.\n"])
@example(["a a a a a a a a a a a a a"])
@example(["x\n\nx\n \nx\ny\n\nx y"])
@example(["\n", "\n\n", "\na\n", "  a\n\na\n\n  a \n\n \na  \n \n", "a\r\nb\rc\x0bd\x1ce\x85f\u2028g\r"])
@example(["ab c d e f g a bc d e f g", "1 11 1 1 1 11 1 1 1 1 1 1 11 1 111 1 1 1 1 1 1 1 1 1 1"])
@example([" ".join("abcdefghijkl") + " " + "x" * 300 + " " + "y" * 301, "x" * 300 + " " + "y" * 301 + " b"])
def test_signals_equal_the_reference(documents: list[str]) -> None:
    batch = signals_of(documents)
    assert batch.to_pylist() == [reference(document) for document in documents]
    # Kernels look at 64 bytes at once where so many are left: the last bytes of all are read another way.
    data, offsets = buffers(documents)
    followed = np.frombuffer(data.tobytes() + "{x é".encode() * 20, np.uint8)
    assert without_lines(compute(followed, offsets, separate=False).signals) == batch
    assert compute_signals(followed, offsets) == compute_signals(data, offsets)


@pytest.mark.parametrize("seed", range(4))
def test_top_ngrams_of_many_that_share_counters(seed: int) -> None:
    """The largest counter belongs to several n-grams that occur seldom, or stands still at 255."""
    numbers = np.random.default_rng(seed).integers(0, 40, 3000)
    scarce = " ".join(map(str, numbers))
    assert signals_of([scarce]).to_pylist() == [reference(scarce)]
    often = " ".join(["a b"] * 150 + ["c d e"] * 320 + ["f g"] * 330)
    assert signals_of([often]).to_pylist() == [reference(often)]


# Words whose characters run together to the same strings in different ways.
run_together = st.lists(st.sampled_from(["1", "11", "111", "a", "aa", "12345678", "é"]), max_size=80).map(" ".join)


@thorough
@given(st.lists(run_together, max_size=3))
def test_ngrams_of_words_that_run_together(documents: list[str]) -> None:
    assert signals_of(documents).to_pylist() == [reference(document) for document in documents]


@thorough
@given(texts, st.integers(1, 6))
def test_signals_are_alike_with_and_without_signatures(documents: list[str], ngram: int) -> None:
    measured = compute(*buffers(documents), permutations=make_permutations(8, seed=3), ngram=ngram)
    assert measured.signals == compute_signals(*buffers(documents))
    assert measured.signals.schema == SIGNALS


@thorough
@given(texts)
def test_every_line_with_a_word_is_packed(documents: list[str]) -> None:
    signals = compute_signals(*buffers(documents))
    assert [len(lines) for lines in signals["lines_packed"].to_pylist()] == signals["lines"].to_pylist()
    alone = [
        compute_signals(*buffers(["".join(line.splitlines())]))["lines_packed"].to_pylist()[0]
        for document in documents[:2]
        for line in document.split("\n")
        if words_of(line) and len(line.splitlines()) == 1
    ]
    together = [
        [value]
        for document, values in zip(documents[:2], signals["lines_packed"].to_pylist()[:2], strict=True)
        for line, value in zip([line for line in document.split("\n") if words_of(line)], values, strict=True)
        if len(line.splitlines()) == 1
    ]
    assert together == alone


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
        assert (
            row["repeated_lines"]
            == row["repeated_paragraphs"]
            == row["top_2gram_characters"]
            == row["repeated_5gram_characters"]
            == 0
        )
        shortest = separator.join(chr(48 + index % 75) for index in range(count))
        if count < 4096:
            assert signals_of([shortest]).to_pylist() == [reference(shortest)]


@pytest.mark.skipif(
    "GRISTMILL_BOUNDS" not in os.environ, reason="compiles all kernels once more, for a minute: set GRISTMILL_BOUNDS=1"
)
def test_nothing_is_read_or_written_outside_the_arrays(tmp_path: Path) -> None:
    """Numba checks no index unless asked to: run this file's other tests in a process that asks."""
    environment = {**os.environ, "NUMBA_BOUNDSCHECK": "1", "NUMBA_OPT": "0", "NUMBA_CACHE_DIR": str(tmp_path)}
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-k", "not outside", __file__]
    run = subprocess.run(command, env=environment, capture_output=True, text=True, cwd=PROJECT, check=False)
    assert run.returncode == 0, run.stdout[-2000:]


def test_repeats_are_looked_for_in_the_first_words_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is beyond the limit is counted, but repeats nothing; scratch does not grow with the document."""
    names = [f"w{index}" for index in range(40)]
    texts = [
        " ".join([*names, *names]),
        "\n\n".join([*names, *names]),
        "(" * 80,
        " ".join(f"{name}," for name in names) * 2,
    ]
    free = [signals.to_pylist()[0] for signals in (compute_signals(*buffers([text])) for text in texts)]
    monkeypatch.setattr("pipeline.text.signals.MOST_WORDS", 40)
    for text, row, without_limit in zip(
        texts, [compute_signals(*buffers([text])).to_pylist()[0] for text in texts], free, strict=True
    ):
        assert row["words"] == without_limit["words"]
        assert row["separated_words"] == without_limit["separated_words"]
        assert row["lines_packed"] == without_limit["lines_packed"]
        first = compute_signals(*buffers([text[: len(text) // 2]])).to_pylist()[0]
        for name in (
            "repeated_lines",
            "repeated_paragraphs",
            "raw_repeated_lines",
            "repeated_5gram_characters",
            "copied_5gram_characters",
        ):
            assert row[name] == first[name]
    monkeypatch.setattr("pipeline.text.signals.MOST_CHARACTER_BYTES", 30)
    row = compute_signals(*buffers([" ".join(["aaaaa"] * 100)])).to_pylist()[0]
    assert row["separated_words"] == 100
    assert row["separated_top_2gram_characters"] == 5 * len("aaaaa aaaaa")  # of the first six words


def test_numbers_too_large_for_a_column_are_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.text.signals._LARGEST", 100)
    row = compute_signals(*buffers(["a b c d e f g h " * 40])).to_pylist()[0]
    assert row["copied_5gram_characters"] == row["all_5gram_characters"] == row["characters"] == 100
    assert row["lines"] == 1


def test_offsets_need_not_begin_at_zero() -> None:
    data, offsets = buffers(["skipped ", "the cat\n", "the dog"])
    rows = without_lines(compute(data, offsets[1:], separate=False).signals).to_pylist()
    assert rows == [reference("the cat\n"), reference("the dog")]


def test_columns_are_whole_numbers_without_nulls() -> None:
    batch = signals_of(["one two"])
    assert batch.schema == without_lines(compute_signals(*buffers([]))).schema
    assert all(column.type == pa.int32() and column.null_count == 0 for column in batch.columns)
    assert batch["words"].to_numpy().dtype == np.int32
