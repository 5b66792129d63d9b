"""Signatures and band keys against slow, obvious references, and against what MinHash promises."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dedup.bands import band_keys
from dedup.characters import WORD, classes
from dedup.signatures import EMPTY, Permutations, make_permutations
from tests.property.texts import texts, thorough
from tests.signing import signatures

FEW = make_permutations(8, seed=3)
BANDS, ROWS = 14, 8


def reference_words(text: str) -> list[str]:
    kept = "".join(character if classes()[ord(character)] & WORD else " " for character in text)
    return ["".join(chr(ord(c) + 32) if "A" <= c <= "Z" else c for c in word) for word in kept.split(" ") if word]


def word_hash(word: str) -> int:
    value = 0xCBF29CE484222325
    for byte in word.encode():
        value = (value ^ byte) * 0x9E3779B97F4A7C15 % 2**64
        value ^= value >> 29
    return value


def shingle_hash(words: list[str]) -> int:
    value = 0
    for word in words:
        value = (value ^ word_hash(word)) * 0xFF51AFD7ED558CCD % 2**64
        value ^= value >> 32
    return value >> 32


def reference(text: str, permutations: Permutations, ngram: int) -> tuple[list[int], int]:
    words = reference_words(text)
    if not words:
        return [int(EMPTY)] * len(permutations.multipliers), 0
    shingles = [words] if len(words) < ngram else [words[index : index + ngram] for index in range(len(words) - ngram + 1)]
    signature = []
    for multiplier, addend in zip(permutations.multipliers.tolist(), permutations.addends.tolist(), strict=True):
        values = [(shingle_hash(shingle) * multiplier + addend) % 2**32 for shingle in shingles]
        signature.append(min(value ^ value >> 15 for value in values))
    return signature, len(shingles)


@thorough
@given(texts, st.integers(1, 6))
@example([], 5)
@example(["", " ", "...", "a", "Ab_9 aB_9"], 1)
def test_signatures_equal_the_reference(documents: list[str], ngram: int) -> None:
    found, shingles = signatures(documents, permutations=FEW, ngram=ngram)
    expected = [reference(document, FEW, ngram) for document in documents]
    assert (found.dtype, shingles.dtype, found.shape) == (np.uint32, np.int32, (len(documents), 8))
    assert list(zip(found.tolist(), shingles.tolist(), strict=True)) == expected


@thorough
@given(st.integers(0, 2**63 - 1), st.integers(1, 6), st.integers(1, 4), st.integers(0, 5))
def test_band_keys_equal_the_reference(seed: int, bands: int, rows: int, documents: int) -> None:
    values = np.random.default_rng(seed).integers(0, 2**32, (documents, bands * rows), dtype=np.uint32)
    expected = []
    for signature in values.tolist():
        keys = []
        for band in range(bands):
            key = band + 1
            for value in signature[band * rows : (band + 1) * rows]:
                key = (key ^ value) * 0x9E3779B97F4A7C15 % 2**64
                key ^= key >> 32
            keys.append(key)
        expected.append(keys)
    assert band_keys(values, bands=bands, rows=rows).tolist() == expected


def similar_pairs(pairs: int, common: int, own: int, *, seed: int) -> tuple[list[str], list[str]]:
    """Documents of one-word shingles: each pair shares `common` of them and has `own` each that nobody else has."""
    numbers = np.random.default_rng(seed).integers(0, 2**60, (pairs, common + 2 * own)).tolist()
    words = [[f"w{number:x}" for number in row] for row in numbers]
    return [" ".join(row[: common + own]) for row in words], [" ".join(row[:common] + row[common + own :]) for row in words]


def pair_signatures(common: int, own: int, seed: int) -> tuple[npt.NDArray[np.uint32], npt.NDArray[np.uint32]]:
    permutations = make_permutations(BANDS * ROWS, seed=seed)
    left, right = similar_pairs(1500, common, own, seed=seed + 1)
    return tuple(signatures(side, permutations=permutations, ngram=1)[0] for side in (left, right))  # type: ignore[return-value]


@pytest.mark.parametrize("seed", [0, 1, 12345678901234567])
@pytest.mark.parametrize(("common", "own"), [(40, 40), (60, 20), (70, 15), (80, 10), (90, 5), (400, 50)])
def test_signatures_estimate_jaccard_similarity_and_bands_follow_the_curve(seed: int, common: int, own: int) -> None:
    similarity = common / (common + 2 * own)
    left, right = pair_signatures(common, own, seed % 1000)
    agreement = (left == right).mean(axis=1)
    deviation = np.sqrt(similarity * (1 - similarity) / (BANDS * ROWS))
    assert abs(agreement.mean() - similarity) < 5 * deviation / np.sqrt(len(agreement))
    # Dependent permutations would spread more than independent ones.
    assert 0.85 < agreement.std() / deviation < 1.15
    met = (band_keys(left, bands=BANDS, rows=ROWS) == band_keys(right, bands=BANDS, rows=ROWS)).any(axis=1).mean()
    promised = 1 - (1 - similarity**ROWS) ** BANDS
    assert abs(met - promised) < 5 * np.sqrt(promised * (1 - promised) / len(left)) + 0.002


def test_unrelated_documents_do_not_meet() -> None:
    left, right = pair_signatures(0, 50, 7)
    assert not (band_keys(left, bands=BANDS, rows=ROWS) == band_keys(right, bands=BANDS, rows=ROWS)).any()
    assert (left == right).mean() < 1e-4
