"""Signatures to and from `datasketch.MinHash`, so that its indexes can be asked about ours, and ours hold theirs.

In: signatures uint32[n, k] and their settings, or a list of n MinHash. Out: the other, in the same order. No value
changes on the way: `datasketch` holds the same numbers.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from datasketch import LeanMinHash, MinHash
from datasketch.hashfunc import sha1_hash32

from dedup.signature_settings import SignatureSettings
from manifests.errors import GristmillError
from manifests.minhash import Permutations, Unit

_SCHEMES: dict[Permutations, str] = {"datasketch": "affine32", "datasketch-legacy": "legacy"}


def to_datasketch(signatures: npt.NDArray[np.uint32], settings: SignatureSettings) -> list[MinHash]:
    """Signatures uint32[n, k] as n `datasketch.MinHash`, which share their permutations.

    Raises:
        GristmillError: the signatures are of our own permutations, which datasketch does not have.
    """
    if settings.permutations not in _SCHEMES:
        raise GristmillError(
            f"signatures with `permutations: {settings.permutations}` mean nothing to datasketch",
            where="dedup.minhash.permutations",
            remedy="run extract again with `permutations: datasketch`",
        )
    scheme = _SCHEMES[settings.permutations]
    # A MinHash that is not given permutations draws all of them.
    shared = MinHash(num_perm=settings.values, seed=settings.seed, scheme=scheme).permutations
    return [
        MinHash(hashvalues=row, seed=settings.seed, permutations=shared, scheme=scheme)
        for row in signatures.reshape(-1, settings.values)
    ]


def from_datasketch(
    minhashes: Sequence[MinHash | LeanMinHash], *, ngram: int, unit: Unit
) -> tuple[npt.NDArray[np.uint32], SignatureSettings]:
    """n MinHash as signatures uint32[n, k], and the settings under which `check_comparable` compares them with others.

    Args:
        minhashes: updated with the UTF-8 bytes of shingles cut by the rules of `dedup.shingle_text`, which nothing in
            them can show.
        ngram, unit: of these shingles.

    Raises:
        GristmillError: there is none; or they differ in seed, number of permutations or scheme; or are of the scheme
            affine64; or of another hash than datasketch's own.
    """
    kinds = sorted({(made.scheme, int(made.seed), len(made)) for made in minhashes})
    if len(kinds) != 1:
        raise GristmillError(
            f"signatures of one kind are needed; these are (scheme, seed, permutations): {kinds or 'none'}",
            remedy="bring each kind by itself",
        )
    scheme, seed, values = kinds[0]
    found = [name for name, theirs in _SCHEMES.items() if theirs == scheme]
    if not found:
        raise GristmillError(
            f"signatures of the scheme {scheme} have 64-bit values, ours have 32 bits",
            remedy="make them with the scheme affine32, datasketch's default",
        )
    # A LeanMinHash does not keep its hash.
    if any(getattr(made, "hashfunc", sha1_hash32) is not sha1_hash32 for made in minhashes):
        raise GristmillError(
            "these signatures were made with a `hashfunc` of their own", remedy="make them with datasketch's default"
        )
    signatures = np.stack([made.hashvalues for made in minhashes]).astype(np.uint32)
    return signatures, SignatureSettings(permutations=found[0], seed=seed, values=values, ngram=ngram, unit=unit)
