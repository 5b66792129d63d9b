"""What the values of signatures depend on, besides the texts; it lies in the schema metadata of each signatures part.

In: a corpus manifest's `dedup.minhash` and seed, or the metadata of a part. Out: `SignatureSettings`. Values of other
settings look alike and agree nowhere, or in some places by chance, so two sets of signatures are compared only after
`check_comparable`.
"""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import ValidationError

from manifests.base import Strict, canonical_json, first_problem, load_json
from manifests.errors import GristmillError
from manifests.minhash import MinHash, Permutations, Unit

# Raise it whenever some text's shingles change: another rule for words or characters, or other character classes.
SHINGLE_RULE = 2
# The key in the schema metadata; the value is canonical JSON.
METADATA = "minhash"


class SignatureSettings(Strict):
    """What signatures depend on.

    Attributes:
        permutations: whose.
        seed: of the permutations.
        values: how many a signature has: bands x rows. How they are cut into bands does not change them.
        ngram: words or characters per shingle.
        shingle_rule: `SHINGLE_RULE` of the code that made them.
    """

    permutations: Permutations
    seed: int
    values: int
    ngram: int
    unit: Unit
    shingle_rule: int = SHINGLE_RULE


def signature_settings(minhash: MinHash, *, seed: int) -> SignatureSettings:
    """The settings of the signatures that this code makes for a manifest's section and seed."""
    return SignatureSettings(
        permutations=minhash.permutations,
        seed=seed,
        values=minhash.bands * minhash.rows,
        ngram=minhash.ngram,
        unit=minhash.unit,
    )


def to_metadata(settings: SignatureSettings) -> dict[str, str]:
    """The entry of the schema metadata."""
    return {METADATA: canonical_json(settings.model_dump(mode="json"))}


def from_metadata(metadata: Mapping[str, str], *, where: str) -> SignatureSettings:
    """The settings in the schema metadata of the file `where`.

    Raises:
        GristmillError: there are none, or they are not understood.
    """
    remedy = "run extract again with this version of Gristmill"
    if METADATA not in metadata:
        raise GristmillError("these signatures do not say how they were made", where=where, remedy=remedy)
    try:
        return SignatureSettings.model_validate(load_json(metadata[METADATA], where=where))
    except ValidationError as error:
        raise GristmillError(
            f"these signatures do not say clearly how they were made: {first_problem(error)}",
            where=where,
            remedy=remedy,
        ) from None


def check_comparable(one: SignatureSettings, other: SignatureSettings, *, where: str, other_where: str) -> None:
    """Refuse to compare signatures of different settings.

    Args:
        where, other_where: what to call the two in the message, such as paths.

    Raises:
        GristmillError: they differ; the message names each difference.
    """
    left, right = one.model_dump(), other.model_dump()
    differences = [f"{name} {left[name]} and {right[name]}" for name in left if left[name] != right[name]]
    if differences:
        raise GristmillError(
            "signatures of different settings cannot be compared with those of"
            f" {other_where}: {', '.join(differences)}",
            where=where,
            remedy="run extract again for one of them, with the `seed` and the `dedup.minhash` of the other",
        )
