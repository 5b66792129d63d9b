"""Signatures of each kind of permutations and unit: against `datasketch`, against the walk, and against slow references
in plain Python.
"""

from __future__ import annotations

import numpy as np
import pytest
from datasketch import MinHash
from hypothesis import example, given
from hypothesis import strategies as st

from dedup.signature_settings import SignatureSettings
from dedup.signatures import EMPTY, make_permutations
from dedup.signing import make_signing, sign_texts
from tests.dedup.datasketch_texts import datasketch_of, shingles_of_characters, shingles_of_words
from tests.property.test_signatures import FEW, in_these_scripts, word_hash
from tests.property.test_signatures import reference as walk_reference
from tests.property.texts import any_text, buffers, repeating_text, texts, thorough, wordy_text
from tests.signing import signatures

VALUES = 8
# Control characters of ASCII that are space for Python, marks alone, letters with marks, punctuation, all kinds of words.
documents = st.lists(st.one_of(any_text, wordy_text, repeating_text, in_these_scripts), max_size=6)
ODD = [
    "",
    " \x1c\u3000 ",
    "!?",
    "a",
    "ÀB c_D\x1de",
    "漢字,x漢, 漢a b漢 漢\u0301字 か\u3099。กิน ข้าว, x",
    "e\u0301 \u0301 x",
    "one, two -- three\n\n(four)",
]


def settings(**changes: object) -> SignatureSettings:
    plain = {"permutations": "gristmill", "seed": 3, "values": VALUES, "ngram": 2, "unit": "words"}
    return SignatureSettings.model_validate(plain | changes)


def shingles_of(text: str, *, unit: str, ngram: int) -> list[str]:
    return (shingles_of_words if unit == "words" else shingles_of_characters)(text, ngram)


@pytest.mark.parametrize("unit", ["words", "characters"])
@pytest.mark.parametrize(("permutations", "scheme"), [("datasketch", "affine32"), ("datasketch-legacy", "legacy")])
@thorough
@given(documents, st.integers(1, 6), st.integers(0, 2**32 - 1))
@example(ODD, 1, 0)
@example(ODD, 2, 1)
@example(ODD * 2, 13, 2**32 - 1)
def test_signatures_equal_those_of_datasketch(permutations, scheme, unit, documents, ngram, seed) -> None:
    made = make_signing(settings(permutations=permutations, unit=unit, ngram=ngram, seed=seed))
    found, counts = sign_texts(*buffers(documents), made)
    cut = [shingles_of(document, unit=unit, ngram=ngram) for document in documents]
    expected = [datasketch_of(shingles, num_perm=VALUES, seed=seed, scheme=scheme).hashvalues for shingles in cut]
    assert (found.dtype, counts.dtype, found.shape) == (np.uint32, np.int32, (len(documents), VALUES))
    assert counts.tolist() == [len(shingles) for shingles in cut]
    assert found.tolist() == [values.tolist() for values in expected]


def test_the_default_of_datasketch_is_the_scheme_that_is_called_datasketch() -> None:
    """Of the version that is installed: another default would make the manifest's name a lie."""
    ours, _ = sign_texts(*buffers(["a b c"]), make_signing(settings(permutations="datasketch", ngram=1, values=128)))
    theirs = MinHash(seed=3)
    for word in (b"a", b"b", b"c"):
        theirs.update(word)
    assert ours[0].tolist() == theirs.hashvalues.tolist()


@thorough
@given(documents, st.integers(1, 6))
@example(ODD, 1)
@example(ODD, 2)
def test_the_pass_and_the_walk_sign_alike(documents: list[str], ngram: int) -> None:
    """One rule of words, in two places."""
    made = make_signing(settings(ngram=ngram))
    assert made.walk_permutations is not None
    walked, walked_counts = signatures(documents, permutations=made.walk_permutations, ngram=ngram)
    found, counts = sign_texts(*buffers(documents), made)
    assert found.tolist() == walked.tolist()
    assert counts.tolist() == walked_counts.tolist()


def characters_reference(text: str, ngram: int) -> tuple[list[int], int]:
    """The walk's reference, on a text whose words are the characters."""
    shingles = shingles_of_characters(text, ngram)
    row = [int(EMPTY)] * len(FEW.multipliers)
    for shingle in shingles:
        value = 0
        for character in shingle:
            value = (value ^ word_hash(character)) * 0xFF51AFD7ED558CCD % 2**64
            value ^= value >> 32
        for place, (a, b) in enumerate(zip(FEW.multipliers.tolist(), FEW.addends.tolist(), strict=True)):
            mapped = ((value >> 32) * a + b) % 2**32
            row[place] = min(row[place], mapped ^ mapped >> 15)
    return row, len(shingles)


@thorough
@given(documents, st.integers(1, 13))
@example(ODD, 1)
@example(ODD, 13)
def test_our_permutations_over_characters_equal_the_reference(documents: list[str], ngram: int) -> None:
    made = make_signing(settings(unit="characters", ngram=ngram))
    assert made.walk_permutations is None
    found, counts = sign_texts(*buffers(documents), made)
    expected = [characters_reference(document, ngram) for document in documents]
    assert list(zip(found.tolist(), counts.tolist(), strict=True)) == expected


@thorough
@given(texts)
def test_characters_of_letters_and_digits_alone_are_words_of_one(documents: list[str]) -> None:
    """A second way to the same: each letter or digit of ASCII a word of its own, by the walk's reference."""
    plain = ["".join(c for c in document if c.isascii() and c.isalnum()) for document in documents]
    found, _ = sign_texts(*buffers(plain), make_signing(settings(unit="characters", ngram=3)))
    assert found.tolist() == [walk_reference(" ".join(document), FEW, 3)[0] for document in plain]


@pytest.mark.parametrize("permutations", ["gristmill", "datasketch", "datasketch-legacy"])
@pytest.mark.parametrize("unit", ["words", "characters"])
def test_rows_do_not_depend_on_their_batch(permutations: str, unit: str) -> None:
    made = make_signing(settings(permutations=permutations, unit=unit))
    together, _ = sign_texts(*buffers(ODD), made)
    alone = [sign_texts(*buffers([document]), made)[0][0] for document in ODD]
    assert together.tolist() == [row.tolist() for row in alone]


def test_no_documents() -> None:
    found, counts = sign_texts(*buffers([]), make_signing(settings()))
    assert (found.shape, counts.shape) == ((0, VALUES), (0,))


def test_part_of_a_buffer() -> None:
    data, offsets = buffers(["not this", "Grain, ground", "nor this"])
    made = make_signing(settings(permutations="datasketch"))
    assert sign_texts(data, offsets[1:3], made)[0].tolist() == sign_texts(*buffers(["Grain, ground"]), made)[0].tolist()


def test_the_permutations_of_the_walk_are_our_own() -> None:
    made = make_signing(settings(seed=5))
    assert made.walk_permutations is not None
    assert made.walk_permutations.multipliers.tolist() == make_permutations(VALUES, seed=5).multipliers.tolist()
    assert make_signing(settings(permutations="datasketch")).walk_permutations is None
