"""Hashes of lines against a plain reference, on arbitrary text: equal exactly where the normalised lines are."""

from __future__ import annotations

import unicodedata

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernels.hashing import MULTIPLIER, SEED
from kernels.newer_characters import newer_characters
from manifests.repeated_lines import Normalisation
from pipeline.text.line_hashes import line_hashes, normalised_character
from tests.property.texts import any_text, buffers, repeating_text, thorough, wordy_text
from tests.repeated_lines import lines_of, normalised

NORMALISATIONS: tuple[Normalisation, ...] = ("c4", "ccnet", "ccnet-paper")
_HALF = (1 << 64) - 1
# Lines that differ only in what some normalisation takes away, and lines that no normalisation may take for equal.
alike = st.lists(
    st.sampled_from(
        ["Cookies 12", "cookies 34", "COOKIES ٣٤", "«cookies» 56", "cookies, 78!", "coökies 90", "coo kies 12", "ΟΔΟΣ", "οδος", "οδοσ",
         "İ", "i\u0307", "i", "…", "!", "", " ", "한글", "\u1112\u1161\u11ab글", "a\u0301", "\u00e1", "a", "\x07a", "ﬀ", "ff"]
    ),
    max_size=30,
).map("\n".join)  # fmt: skip


def reference_hash(line: str) -> int:
    """The hash of a normalised line, by Python's integers."""
    h = int(SEED)
    for character in line:
        h = ((h ^ ord(character)) * int(MULTIPLIER)) & _HALF
        h ^= h >> 32
    return h


@pytest.mark.parametrize("normalisation", NORMALISATIONS)
@thorough
@given(documents=st.lists(st.one_of(any_text, wordy_text, repeating_text, alike), max_size=6))
def test_every_line_as_in_the_reference(documents: list[str], normalisation: Normalisation) -> None:
    if normalisation == "ccnet-paper":
        # Marks that stay keep the order of the text, which is the canonical one in every normal form.
        documents = [unicodedata.normalize("NFC", text) for text in documents]
    found = line_hashes(*buffers(documents), normalisation=normalisation).column(0).to_pylist()
    expected = [
        [
            {
                "hash": reference_hash(normalised(line, normalisation)),
                "characters": len(line),
                "begins_paragraph": begins,
            }
            for line, begins in lines_of(text)
        ]
        for text in documents
    ]
    assert found == expected


@pytest.mark.parametrize("normalisation", NORMALISATIONS)
def test_every_character_alone(normalisation: Normalisation) -> None:
    left_out = {*range(0xD800, 0xE000), *newer_characters()}
    points = [point for point in range(0x110000) if point not in left_out and not chr(point).isspace()]
    text = "\n".join(map(chr, points))
    lines = line_hashes(*buffers([text]), normalisation=normalisation).column(0).values
    hashes = lines.field("hash").to_numpy()
    expected = [normalised(chr(point), normalisation) for point in points]
    assert len(hashes) == len(points)
    # The same hashes where the reference has the same string, and as many different ones.
    _, by_hash = np.unique(hashes, return_inverse=True)
    _, by_text = np.unique(np.array(expected, object).astype(str), return_inverse=True)
    pairs = set(zip(by_hash.tolist(), by_text.tolist(), strict=True))
    assert len(pairs) == by_hash.max() + 1 == by_text.max() + 1


def test_hashes_of_lines_that_differ_little_do_not_meet() -> None:
    lines = [f"{a}{b} {c}" for a in "abcdefgh" for b in "ijklmnop" for c in range(10_000)]
    lines += ["x" * length for length in range(1, 2_000)]
    hashes = line_hashes(*buffers(["\n".join(lines)]), normalisation="c4").column(0).values.field("hash").to_numpy()
    assert len(np.unique(hashes)) == len(lines)
    # Partitions are chosen by the upper half: none has much more than its share.
    shares = np.bincount((hashes >> np.uint64(32)).astype(np.int64) % 64, minlength=64) / len(hashes) * 64
    assert 0.95 < shares.min() < shares.max() < 1.05


def test_rows_do_not_depend_on_their_batch() -> None:
    documents = ["one\ntwo", "", "\n\nthree\n\nfour"]
    together = line_hashes(*buffers(documents), normalisation="ccnet").column(0).to_pylist()
    assert together == [
        line_hashes(*buffers([text]), normalisation="ccnet").column(0).to_pylist()[0] for text in documents
    ]
    data, offsets = buffers(documents)
    assert line_hashes(data, offsets[2:], normalisation="ccnet").column(0).to_pylist() == together[2:]
    assert line_hashes(data, offsets[:1], normalisation="ccnet").num_rows == 0


def test_the_code_and_the_paper_of_ccnet_differ() -> None:
    assert normalised_character("É", "ccnet") == "é"
    assert normalised_character("É", "ccnet-paper") == "e"
    assert normalised_character("!", "ccnet") == "!"
    assert normalised_character("!", "ccnet-paper") == ""
    assert [normalised_character("»", name) for name in NORMALISATIONS] == ["»", "", ""]
