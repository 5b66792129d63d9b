"""The factual model against plain Python: words, slots, scores, the logistic function, thresholds of bands."""

from __future__ import annotations

import math
import unicodedata

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from kernels.characters import ALONE, MARK, WORD, classes
from pipeline.decide.bands import STEPS, add_counts, band_numbers, band_rows, count_scores, steps_of, thresholds_of
from pipeline.text.factual.fit import examples_of, logistic
from pipeline.text.factual.model import make_model, scores
from pipeline.text.factual.ngrams import folded_bytes, list_slots
from tests.property.texts import buffers, texts, thorough

M64 = (1 << 64) - 1
MULTIPLIER = 0x9E3779B97F4A7C15
SEED = 0xCBF29CE484222325


def mixed(h: int, value: int) -> int:
    h = (h ^ value) * MULTIPLIER & M64
    return h ^ (h >> 32)


def words(text: str) -> list[str]:
    """The words by the definition in `pipeline.text.factual.ngrams`, character by character."""
    found: list[str] = []
    inside = alone = False
    for character in text:
        kind = int(classes()[ord(character)])
        if not kind & (WORD | MARK):
            inside = False
            continue
        joins = inside and (bool(kind & MARK) or not (alone or kind & ALONE))
        if joins:
            found[-1] += character
            alone = alone or bool(kind & ALONE)
        else:
            found.append(character)
            alone = bool(kind & ALONE)
        inside = True
    return ["".join(_folded(character) for character in word) for word in found]


def _folded(character: str) -> str:
    if character.isascii():
        return "0" if character.isdigit() else character.lower()
    return character


def word_hash(word: str) -> int:
    h = SEED
    for byte in word.encode():
        h = (h ^ byte) * MULTIPLIER & M64
    return h ^ (h >> 32)


def slots(text: str, *, bits: int, pairs: bool, most: int = 1 << 60) -> list[int]:
    out, before = [], None
    for word in words(text)[:most]:
        h = word_hash(word)
        out.append((h * MULTIPLIER & M64) >> (64 - bits))
        if pairs and before is not None:
            out.append((mixed(before, h) * MULTIPLIER & M64) >> (64 - bits))
        before = h
    return out


def test_words() -> None:
    assert words("The 1,024 mills of São João don't grind: 中文 x2") == [
        "the", "0", "000", "mills", "of", "são", "joão", "don", "t", "grind", "中", "文", "x0"
    ]  # fmt: skip
    assert words("") == words(" -.\n") == []
    decomposed = unicodedata.normalize("NFD", "é")
    assert words(f"caf{decomposed}s") == [f"caf{decomposed}s"]


@thorough
@given(texts, st.booleans(), st.sampled_from([10, 17]), st.integers(1, 8))
def test_slots(documents: list[str], pairs: bool, bits: int, most: int) -> None:
    data, offsets = buffers(documents)
    room, bounds = np.empty(len(data) + 2 * len(documents), np.uint32), np.zeros(len(documents) + 1, np.int64)
    list_slots(data, offsets, folded_bytes(), classes(), bits, pairs, most, room, bounds)
    for number, text in enumerate(documents):
        assert room[bounds[number] : bounds[number + 1]].tolist() == slots(text, bits=bits, pairs=pairs, most=most)
    examples = examples_of(room[: bounds[-1]], bounds)
    for number, text in enumerate(documents):
        own = slots(text, bits=bits, pairs=pairs, most=most)
        start, stop = examples.bounds[number], examples.bounds[number + 1]
        assert examples.slots[start:stop].tolist() == sorted(set(own))
        assert examples.shares[start:stop].tolist() == [own.count(slot) / len(own) for slot in sorted(set(own))]


@thorough
@given(texts, st.booleans(), st.integers(0, 2**32))
def test_scores(documents: list[str], pairs: bool, seed: int) -> None:
    weights = np.random.default_rng(seed).normal(size=1 << 12)
    model = make_model(weights, -0.25, name="m", pairs=pairs, training={}, report={})
    found = scores(*buffers(documents), model)
    assert found.dtype == np.float32
    for text, score in zip(documents, found.tolist(), strict=True):
        own = slots(text, bits=12, pairs=pairs)
        total = sum(int(model.weights[slot]) for slot in own)
        assert score == float(np.float32(-0.25 + model.header.scale * (total / max(1, len(own)))))
        wanted = -0.25 + math.fsum(weights[slot] for slot in own) / max(1, len(own))
        assert math.isclose(score, wanted, abs_tol=2e-4)


@given(texts, texts)
def test_a_document_scores_the_same_in_any_company(documents: list[str], others: list[str]) -> None:
    model = make_model(np.random.default_rng(0).normal(size=1 << 12), 0.5, name="m", pairs=True, training={}, report={})
    whole = scores(*buffers([*documents, *others]), model)
    assert whole[: len(documents)].tolist() == scores(*buffers(documents), model).tolist()


@given(st.floats(-39, 39))
def test_logistic(x: float) -> None:
    assert math.isclose(logistic(x), 1 / (1 + math.exp(-x)), rel_tol=1e-13)
    assert logistic(100.0) == logistic(40.0) < 1.0 + 1e-15
    assert logistic(-100.0) == logistic(-40.0) > 0.0


documents_with_scores = st.lists(
    st.tuples(st.one_of(st.floats(-3, 3, width=32), st.sampled_from([0.5, 0.25, -40.0, 40.0])), st.integers(1, 5_000)),
    max_size=60,
)


@thorough
@given(documents_with_scores, st.integers(2, 20), st.integers(1, 5))
def test_bands(documents: list[tuple[float, int]], bands: int, pieces: int) -> None:
    values = np.array([score for score, _ in documents], np.float32)
    characters = np.array([size for _, size in documents], np.int64)
    counts = count_scores(values, characters)
    split = [count_scores(values[piece::pieces], characters[piece::pieces]) for piece in range(pieces)]
    assert all(np.array_equal(*pair) for pair in zip(add_counts(split[::-1]), counts, strict=True))
    thresholds = thresholds_of(counts, bands)
    assert len(thresholds) == bands - 1
    assert thresholds.tolist() == sorted(thresholds.tolist())
    numbers = band_numbers(values, thresholds)
    rows = band_rows("s", counts, bands)
    assert [row["band"] for row in rows] == [f"q{number + 1:02d}" for number in range(bands)]
    for number, row in enumerate(rows):
        assert row["documents"] == int((numbers == number).sum())
        assert row["characters"] == int(characters[numbers == number].sum())
    # No other step is nearer to the wanted share.
    total = int(characters.sum())
    steps = steps_of(values)
    edges = sorted({*steps.tolist(), int(steps.max()) + 1}) if len(documents) else [0]
    off = {edge: int(characters[steps < edge].sum()) for edge in edges}
    for place, threshold in enumerate(thresholds.tolist(), start=1):
        assert abs(off[threshold] * bands - place * total) == min(
            abs(size * bands - place * total) for size in off.values()
        )
        assert float(np.float32(threshold / STEPS)) * STEPS == threshold
