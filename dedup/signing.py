"""Signatures of texts, by any permutations and unit.

In: UTF-8 bytes and offsets of n documents. Out: signatures uint32[n, k] and shingle counts int32[n], row-aligned; a
document without words or characters has `dedup.signatures.EMPTY` everywhere and 0 shingles. Rows depend on their own
document and the settings alone.

Our own permutations over words are what most corpora use: the walk of `pipeline.text.signals` makes those on its way
through a text. All others are made here, in a pass of their own, which writes down the words or characters, hashes each
shingle, and then lowers the signature. Both give the same for the same settings.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from dedup.datasketch_permutations import (
    LegacyPermutations,
    affine32_permutations,
    legacy_permutations,
    lower_affine32,
    lower_legacy,
)
from dedup.shingle_text import write_characters, write_words
from dedup.signature_settings import SignatureSettings
from dedup.signatures import EMPTY, Permutations, lower, make_permutations, shingle_hash
from dedup.word_hashes import hash_words
from kernels.arrays import Bytes, Int32s, Int64s, Integer, Uint32s, Uint64s
from kernels.characters import classes
from kernels.compiled import kernel
from kernels.hashing import SEED, hash_byte
from kernels.sha1 import ROOM, sha1_head


@dataclass(frozen=True)
class Signing:
    """Settings, and the parameters of the permutations that they name.

    Attributes:
        permutations: `LegacyPermutations` for `datasketch-legacy`.
    """

    settings: SignatureSettings
    permutations: Permutations | LegacyPermutations

    @property
    def walk_permutations(self) -> Permutations | None:
        """The permutations, if the walk over a text makes these signatures on its way."""
        own = self.settings.permutations == "gristmill" and self.settings.unit == "words"
        return self.permutations if own and isinstance(self.permutations, Permutations) else None


def make_signing(settings: SignatureSettings) -> Signing:
    """The parameters of the permutations for these settings."""
    made: Permutations | LegacyPermutations
    if settings.permutations == "gristmill":
        made = make_permutations(settings.values, seed=settings.seed)
    elif settings.permutations == "datasketch":
        made = affine32_permutations(settings.values, seed=settings.seed)
    else:
        made = legacy_permutations(settings.values, seed=settings.seed)
    return Signing(settings=settings, permutations=made)


def sign_texts(
    data: npt.NDArray[np.uint8], offsets: npt.NDArray[np.int64], signing: Signing
) -> tuple[npt.NDArray[np.uint32], npt.NDArray[np.int32]]:
    """Signatures uint32[n, k] and shingle counts int32[n] of n documents.

    Args:
        data: valid UTF-8.
        offsets: int64[n + 1] into `data`.
    """
    settings, permutations = signing.settings, signing.permutations
    count = len(offsets) - 1
    longest = int(np.diff(offsets).max()) if count else 0
    signatures = np.full((count, settings.values), EMPTY, np.uint32)
    shingles = np.zeros(count, np.int32)
    if not longest:
        return signatures, shingles
    # A document has at most a shingle per byte.
    hashes = np.empty(int(offsets[-1] - offsets[0]), np.uint32)
    bounds = np.zeros(count + 1, np.int64)
    _hash_shingles(
        data,
        offsets,
        classes(),
        settings.unit == "words",
        settings.ngram,
        settings.permutations != "gristmill",
        np.empty(2 * longest, np.uint8),
        np.empty(longest + 1, np.int64),
        np.empty(longest, np.uint64),
        np.empty(ROOM, np.uint32),
        hashes,
        bounds,
        shingles,
    )
    if isinstance(permutations, LegacyPermutations):
        lower_legacy(hashes, bounds, permutations.multipliers, permutations.addends, signatures)
    elif settings.permutations == "datasketch":
        lower_affine32(hashes, bounds, permutations.multipliers, permutations.addends, signatures)
    else:
        _lower_all(hashes, bounds, permutations.multipliers, permutations.addends, signatures)
    return signatures, shingles


@kernel
def _hash_shingles(
    data: Bytes, offsets: Int64s, table: Bytes, words: bool, ngram: int, sha1: bool, text: Bytes, starts: Int64s,
    units: Uint64s, room: Uint32s, hashes: Uint32s, bounds: Int64s, shingles: Int32s,
) -> None:  # fmt: skip
    """Fill `hashes`, `bounds` and `shingles`.

    Args:
        words, sha1: the unit, or else characters; how shingles are hashed, or else from the hashes of their units.
        text, starts: scratch of `dedup.shingle_text` for the longest document.
        units, room: scratch: hashes of units, and for SHA-1.
        hashes, bounds: the shingles of document i are those from bounds[i] to bounds[i + 1].
    """
    gap = int(words)
    done: Integer = 0
    for document in range(len(offsets) - 1):
        start, end = offsets[document], offsets[document + 1]
        if words and not sha1:
            count = hash_words(data, start, end, table, units)
        elif words:
            count = write_words(data, start, end, table, text, starts)
        else:
            count = write_characters(data, start, end, table, text, starts)
        if count > 0:
            size = min(ngram, count)
            if not (words or sha1):
                hash_units(text, starts, count, gap, units)
            for first in range(count - size + 1):
                if sha1:
                    hashes[done] = sha1_head(text, starts[first], starts[first + size] - gap, room)
                else:
                    hashes[done] = shingle_hash(units, first, first + size)
                done += 1
            shingles[document] = count - size + 1
        bounds[document + 1] = done


@kernel
def hash_units(text: Bytes, starts: Int64s, count: Integer, gap: int, units: Uint64s) -> None:
    """The hashes of words as the walk makes them; those of characters likewise."""
    for index in range(count):
        h = SEED
        for at in range(starts[index], starts[index + 1] - gap):
            h = hash_byte(h, text[at])
        units[index] = h


@kernel
def _lower_all(hashes: Uint32s, bounds: Int64s, multipliers: Uint32s, addends: Uint32s, signatures: Uint32s) -> None:
    """Lower `signatures`, [n, k], to the smallest values that the shingles of each document give."""
    for document in range(len(bounds) - 1):
        row = signatures[document]
        for shingle in range(bounds[document], bounds[document + 1]):
            lower(hashes[shingle], multipliers, addends, row)
