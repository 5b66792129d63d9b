"""Signatures and band keys against slow, obvious references, and against the guarantees of MinHash."""

from __future__ import annotations

import hashlib
import re

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dedup.bands import band_keys
from dedup.signatures import EMPTY, Permutations, make_permutations
from kernels.characters import ALONE, MARK, WORD, classes
from tests.property.texts import texts, thorough
from tests.signing import signatures

FEW = make_permutations(8, seed=3)
BANDS, ROWS = 14, 8


def reference_words(text: str) -> list[str]:
    words, before = [""], 0
    for character in text:
        kind = int(classes()[ord(character)])
        if before & WORD and kind & MARK:
            words[-1] += character
            continue
        if not kind & WORD or kind & ALONE or before & ALONE:
            words.append("")
        if kind & WORD:
            words[-1] += chr(ord(character) + 32) if "A" <= character <= "Z" else character
        before = kind
    return [word for word in words if word]


# The same by ranges as the code charts of Unicode have them: letters with the marks behind them, or runs of others.
# Written down apart from the tables, for the scripts that matter most.
LETTERS_ALONE = (
    r"\u3400-\u4dbf\u4e00-\u9fff\U00020000-\U0002a6dd\u3005-\u3007"
    r"\u3041-\u3096\u309d-\u309f\u30a1-\u30fa\u30fc-\u30ff\uff66-\uff9f"
    r"\u0e01-\u0e30\u0e32\u0e33\u0e40-\u0e46"
    r"\u0e81\u0e82\u0e84\u0e86-\u0e8a\u0e8c-\u0ea3\u0ea5\u0ea7-\u0eb0\u0eb2\u0eb3\u0ebd\u0ec0-\u0ec4\u0ec6\u0edc-\u0edf"
    r"\u1780-\u17b3\u17d7\u17dc"
    r"\u1000-\u102a\u103f\u1050-\u1055\u105a-\u105d\u1061\u1065\u1066\u106e-\u1070\u1075-\u1081\u108e"
)
THEIR_MARKS = (
    r"\u0301\u3099\u309a\u0e31\u0e34-\u0e3a\u0e47-\u0e4e\u0eb1\u0eb4-\u0ebc\u0ec8-\u0ecd\u17b4-\u17d3\u17dd"
    r"\u102b-\u103e\u1056-\u1059\u105e-\u1060\u1062-\u1064\u1067-\u106d\u1071-\u1074\u1082-\u108d\u108f\u109a-\u109d"
)
OTHERS = r"a-z0-9_\u0e50-\u0e59\u0ed0-\u0ed9\u17e0-\u17e9\u1040-\u1049\u1090-\u1099\uac00-\ud7a3"
SCRIPTS = re.compile(rf"[{LETTERS_ALONE}][{THEIR_MARKS}]*|[{OTHERS}][{OTHERS}{THEIR_MARKS}]*")
in_these_scripts = st.text(
    st.one_of(
        st.sampled_from("abz09_ .,。「」ー々〇がか\u3099漢字한국ไทยน้ำ๑๒กิາວ້ភាសាខ្មែរ១မြန်မာ၁\u200b\u0301"),
        *[
            st.characters(min_codepoint=first, max_codepoint=last)
            for first, last in ((0x4E00, 0x4E40), (0x3041, 0x30FF), (0xFF66, 0xFF9F))
        ],
        *[
            st.characters(min_codepoint=first, max_codepoint=last)
            for first, last in ((0xE01, 0xE59), (0x1780, 0x17B3), (0x1000, 0x1049))
        ],
    ),
    max_size=40,
)


@thorough
@given(in_these_scripts)
@example("小明在iPhone手机上，读了3本书。")
@example("กินข้าวแล้ว ๑๒๓ ครั้ง")
@example("ស្ត្រី\u200bខ្មែរ")
@example("か\u3099が ｶﾞ コーヒー")
def test_words_of_scripts_without_spaces(text: str) -> None:
    assert reference_words(text) == SCRIPTS.findall(text.lower())


def test_a_letter_has_its_marks() -> None:
    assert reference_words("กิน้ำ a\u0301b 字\U000e0100字") == ["กิ", "น้", "ำ", "a\u0301b", "字\U000e0100", "字"]
    assert reference_words("की का \u0301x नमस्ते") == ["की", "का", "x", "नमस्ते"]


def test_text_of_other_scripts_is_signed_as_before() -> None:
    """A digest of signatures of Latin, Cyrillic, Devanagari, Tibetan, Hangul, digits of Thai: where it changes,
    signatures of before cannot be compared with new ones (`dedup.signature_settings.SHINGLE_RULE`).
    """
    documents = [
        "The cat's mat_1, \u00c9TE na\u00efve 12,5",
        "\u041f\u0440\u0438\u0432\u0435\u0442, \u043c\u0438\u0440! \u0394\u03ad\u03bb\u03c4\u03b1",
        "नमस्ते दुनिया",
        "བོད་ཡིག་གི",
        "한국어 문서입니다",
        "๑๒๓ שלום عالم",
    ]
    found, shingles = signatures(documents, permutations=FEW, ngram=2)
    digest = hashlib.sha256(found.tobytes() + shingles.tobytes()).hexdigest()
    assert digest == "350813d3c4beff27c4404e8be4942c541ac720c8a19380d6260cc401d4237604"


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
    shingles = (
        [words] if len(words) < ngram else [words[index : index + ngram] for index in range(len(words) - ngram + 1)]
    )
    signature = []
    for multiplier, addend in zip(permutations.multipliers.tolist(), permutations.addends.tolist(), strict=True):
        values = [(shingle_hash(shingle) * multiplier + addend) % 2**32 for shingle in shingles]
        signature.append(min(value ^ value >> 15 for value in values))
    return signature, len(shingles)


@thorough
@given(texts, st.integers(1, 6))
@example([], 5)
@example(["", " ", "...", "a", "Ab_9 aB_9"], 1)
@example(["漢字,x漢, 漢a b漢 漢\u0301字 か\u3099。กิน ข้าว, x" * 3, "é漢, 字,", "abc 漢字\n漢\u3099 1漢_"], 2)
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
    return [" ".join(row[: common + own]) for row in words], [
        " ".join(row[:common] + row[common + own :]) for row in words
    ]


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
