"""Signatures to `datasketch` and back, and its index asked about ours."""

from __future__ import annotations

import string

import numpy as np
import pytest
from datasketch import LeanMinHash, MinHash, MinHashLSH

from dedup.bands import band_keys
from dedup.datasketch_exchange import from_datasketch, to_datasketch
from dedup.signature_settings import SignatureSettings, check_comparable, signature_settings
from dedup.signing import make_signing, sign_texts
from manifests.errors import GristmillError
from manifests.minhash import MinHash as Section
from tests.dedup.datasketch_texts import datasketch_of, shingles_of_words
from tests.property.texts import buffers

TEXTS = [
    "The miller grinds the grain of the valley every day until the river freezes in the hard winter of the north.",
    "the miller GRINDS the grain of the valley, every day, until the river freezes in the hard winter of the south",
    "Nothing else that was ever written about bread has to do with the wheel of a mill below the weir.",
]


def settings(permutations: str) -> SignatureSettings:
    section = Section.model_validate({"bands": 14, "rows": 8, "ngram": 3, "permutations": permutations})
    return signature_settings(section, seed=7)


@pytest.mark.parametrize("permutations", ["datasketch", "datasketch-legacy"])
def test_theirs_are_ours_and_ours_are_theirs(permutations: str) -> None:
    ours, _ = sign_texts(*buffers(TEXTS), make_signing(settings(permutations)))
    exported = to_datasketch(ours, settings(permutations))
    scheme = "affine32" if permutations == "datasketch" else "legacy"
    theirs = [datasketch_of(shingles_of_words(text, 3), num_perm=112, seed=7, scheme=scheme) for text in TEXTS]
    assert exported == theirs
    assert exported[0].jaccard(theirs[1]) == pytest.approx((ours[0] == ours[1]).mean())
    for made in (exported, theirs, [LeanMinHash(minhash) for minhash in theirs]):
        back, found = from_datasketch(made, ngram=3, unit="words")
        assert (back.dtype, back.tolist(), found) == (np.uint32, ours.tolist(), settings(permutations))
    check_comparable(settings(permutations), found, where="ours", other_where="theirs")


def test_an_index_of_theirs_finds_what_shares_a_band_of_ours() -> None:
    ours, _ = sign_texts(*buffers(TEXTS), make_signing(settings("datasketch")))
    index = MinHashLSH(num_perm=112, params=(14, 8))
    for row, minhash in enumerate(to_datasketch(ours, settings("datasketch"))):
        index.insert(row, minhash)
    keys = band_keys(ours, bands=14, rows=8)
    expected = [[other for other in range(3) if (keys[row] == keys[other]).any()] for row in range(3)]
    assert expected == [[0, 1], [0, 1], [2]]
    asked = datasketch_of(shingles_of_words(TEXTS[0], 3), num_perm=112, seed=7, scheme="affine32")
    assert sorted(index.query(asked)) == expected[0]
    assert [sorted(index.query(minhash)) for minhash in to_datasketch(ours, settings("datasketch"))] == expected


def test_our_own_permutations_are_nothing_to_datasketch() -> None:
    with pytest.raises(GristmillError, match="`permutations: gristmill` mean nothing to datasketch"):
        to_datasketch(np.zeros((1, 112), np.uint32), settings("gristmill"))


@pytest.mark.parametrize(
    ("minhashes", "what"),
    [
        ([], "signatures of one kind are needed"),
        ([MinHash(8, seed=1), MinHash(8, seed=2)], r"\('affine32', 1, 8\), \('affine32', 2, 8\)"),
        ([MinHash(8), MinHash(8, scheme="legacy")], "signatures of one kind are needed"),
        ([MinHash(8), MinHash(9)], "signatures of one kind are needed"),
        ([MinHash(8, scheme="affine64")], "affine64 have 64-bit values"),
        ([MinHash(8, hashfunc=hash)], "`hashfunc` of their own"),
    ],
)
def test_what_cannot_be_compared_is_refused(minhashes: list[MinHash], what: str) -> None:
    with pytest.raises(GristmillError, match=what):
        from_datasketch(minhashes, ngram=5, unit="words")


def test_slimpajama_s_own_signatures_are_ours() -> None:
    """By the preset, with datasketch 1's permutations and default seed, for texts of ASCII: its features written down
    from its description (strip, lower-case, no punctuation, single spaces, 13 characters), 128 values, of which 9 bands
    of 13 are used.
    """
    section = Section(preset="slimpajama", permutations="datasketch-legacy")
    ours, _ = sign_texts(*buffers(TEXTS), make_signing(signature_settings(section, seed=1)))
    for text, row in zip(TEXTS, ours.tolist(), strict=True):
        plain = " ".join("".join(c for c in text.lower() if c not in string.punctuation).split())
        theirs = MinHash(num_perm=128, scheme="legacy")
        for start in range(len(plain) - 12):
            theirs.update(plain[start : start + 13].encode())
        assert row == theirs.hashvalues[:117].tolist()
