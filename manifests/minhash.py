"""The section `dedup.minhash` of a corpus manifest: which documents are near duplicates of each other.

In: bands and rows as numbers, or a published recipe by its name, or the similarity from which documents shall be found.
Out: numbers. A name and a similarity are ways to write bands and rows; once loaded, a manifest holds the numbers alone,
so that two ways to write the same are the same manifest.

Two documents of Jaccard similarity s share a band, and are compared, with probability 1 - (1 - s^rows)^bands (Leskovec,
Rajaraman, Ullman, Mining of Massive Datasets, section 3.4). A signature has bands x rows values of 4 bytes.
"""

from __future__ import annotations

import math
from typing import Annotated, Literal, NamedTuple

from pydantic import Field, model_validator

from manifests.base import Strict
from manifests.errors import GristmillError

# Whose permutations a signature is made of. `datasketch` are those of datasketch 2, whose scheme is affine32;
# `datasketch-legacy` are those of datasketch 1, which datasketch 2 calls legacy.
Permutations = Literal["gristmill", "datasketch", "datasketch-legacy"]
Unit = Literal["words", "characters"]
SimilarityMeasure = Literal["jaccard", "containment"]
Preset = Literal["fineweb", "refinedweb", "slimpajama", "dolma3", "lee-2022"]

# Of datasketch: it takes a seed in 32 bits (`numpy.random.RandomState`).
LARGEST_DATASKETCH_SEED = 2**32 - 1
# A signature of more would be 64 KiB, more than most documents.
MOST_VALUES = 16_384
# datasketch tries all bands and rows that fit, in time n log n: 1,024 take a quarter of a second.
_MOST_TRIED = 1_024


class Recipe(NamedTuple):
    """Bands, rows and shingles of a published recipe."""

    bands: int
    rows: int
    ngram: int
    unit: Unit


# Words are ours, by the rule of `dedup.signatures`, whatever the recipe's own are; so are what counts as a duplicate
# of what, and which copy stays. docs/manifests.md says where that differs.
PRESETS: dict[Preset, Recipe] = {
    # FineWeb (arXiv 2406.17557, appendix E.1): 112 hashes. datatrove finds its words with a tokenizer by language.
    "fineweb": Recipe(bands=14, rows=8, ngram=5, unit="words"),
    # RefinedWeb (arXiv 2306.01116, appendix G.3.1): 9,000 hashes, 450 buckets of 20. Section 3.3 has it the other way
    # round; by the formula above, 20 bands of 450 would find next to nothing below a similarity of 0.99.
    "refinedweb": Recipe(bands=450, rows=20, ngram=5, unit="words"),
    # SlimPajama (Cerebras modelzoo, data_preparation/nlp/slimpajama, main.py and dedup/to_hash.py): 9 bands of 13 of
    # datasketch's 128 values, which its optimiser gives for 0.8; what the text calls 13-grams are 13 characters.
    "slimpajama": Recipe(bands=9, rows=13, ngram=13, unit="characters"),
    # Dolma 3 of Olmo 3 (arXiv 2512.13961), by the configuration of its tool, duplodocus: 26 buckets of 11, 5-grams of
    # tokens of cl100k_base.
    "dolma3": Recipe(bands=26, rows=11, ngram=5, unit="words"),
    # Lee and others (arXiv 2107.06499, section 4.2 and appendix A), NearDup: 9,000 hashes, 450 buckets of 20, 5-grams
    # of words between spaces. Pairs are then compared by Jaccard and by edit similarity, 0.8 each.
    "lee-2022": Recipe(bands=450, rows=20, ngram=5, unit="words"),
}

Share = Annotated[float, Field(ge=0, le=1)]


class MinHash(Strict):
    """MinHash LSH near-duplicate removal.

    Defaults: FineWeb's 112 values over word 5-grams (arXiv 2406.17557), cut into 16 bands of 7 instead of 14 of 8. As
    pairs are verified, bands may propose more of them: of pairs with a similarity of 0.8 they miss 2 % instead of 8 %.

    Give `bands` and `rows`, or `preset`, or `threshold`.
    """

    bands: int = Field(16, ge=1, le=4_096)
    rows: int = Field(7, ge=1, le=4_096)
    ngram: int = Field(5, ge=1, le=32, description="words or characters per shingle")
    unit: Unit = Field("words", description="what shingles are made of")
    permutations: Permutations = Field(
        "gristmill", description="whose signatures: our own, or those of `datasketch`, value by value"
    )
    similarity: float = Field(
        0.7, gt=0, le=1, description="a document goes only for one that stays and is as similar as this"
    )
    measure: SimilarityMeasure = Field(
        "jaccard",
        description=(
            "`jaccard`: shared shingles of those in either document; `containment`: of those in the one that may go"
        ),
    )
    preset: Preset | None = Field(
        None, exclude=True, description="a published recipe: `bands`, `rows`, `ngram` and `unit` are its own"
    )
    threshold: float | None = Field(
        None, gt=0, lt=1, exclude=True, description="Jaccard similarity from which documents are to be found"
    )
    num_perm: int = Field(
        128, ge=2, le=_MOST_TRIED, exclude=True, description="`threshold`: bands x rows at most; datasketch's default"
    )
    weights: tuple[Share, Share] = Field(
        (0.5, 0.5),
        exclude=True,
        description="`threshold`: weights of false positives and of false negatives; their sum is 1",
    )

    @model_validator(mode="after")
    def _in_numbers(self) -> MinHash:
        given = self.model_fields_set - {name for name in ("preset", "threshold") if getattr(self, name) is None}
        self._check_choice(given)
        numbers: dict[str, object] = {}
        if self.preset is not None:
            numbers = PRESETS[self.preset]._asdict()
        elif self.threshold is not None:
            bands, rows = optimal_bands(self.threshold, num_perm=self.num_perm, weights=self.weights)
            numbers = {"bands": bands, "rows": rows}
        fields = type(self).model_fields
        written = {name: fields[name].default for name in ("preset", "threshold", "num_perm", "weights")}
        # Nobody has seen the section yet: until it is handed over its values may change.
        self.__dict__.update(numbers | written)
        self.__pydantic_fields_set__.difference_update(written)
        self.__pydantic_fields_set__.update(numbers)
        if self.bands * self.rows > MOST_VALUES:
            raise ValueError(
                f"{self.bands} bands of {self.rows} are a signature of {self.bands * self.rows:,} values; at most"
                f" {MOST_VALUES:,} are possible"
            )
        return self

    def _check_choice(self, given: set[str]) -> None:
        """Raise ValueError if bands and rows are said in two ways."""
        if "preset" in given and (more := given & {"threshold", "num_perm", "weights", *Recipe._fields}):
            raise ValueError(f"`preset` says all of it: remove {_listed(more)}, or `preset`")
        if "threshold" in given and (more := given & {"bands", "rows"}):
            raise ValueError(f"`threshold` finds bands and rows: remove {_listed(more)}, or `threshold`")
        if "threshold" not in given and (more := given & {"num_perm", "weights"}):
            raise ValueError(f"{_listed(more)}: only with `threshold`")
        if not math.isclose(sum(self.weights), 1):
            raise ValueError(f"`weights` must have the sum 1, not {sum(self.weights):g}")


def optimal_bands(threshold: float, *, num_perm: int, weights: tuple[float, float]) -> tuple[int, int]:
    """Bands and rows that `datasketch.MinHashLSH` takes for these arguments.

    It minimises the weighted sum of two areas beside the curve 1 - (1 - s^rows)^bands: below the curve left of the
    threshold, and above it right of the threshold, over all bands x rows <= `num_perm` (datasketch 2.0.0, lsh.py).

    Args:
        threshold: Jaccard similarity, between 0 and 1.
        weights: of false positives and of false negatives; their sum is 1.

    Raises:
        GristmillError: datasketch is not installed.
        ValueError: datasketch knows no bands and rows, since the best would be a single band.
    """
    try:
        # Here, since mixtures and training are installed without it, and it brings half a second of SciPy.
        from datasketch import MinHashLSH
    except ImportError:
        raise GristmillError(
            "bands and rows are computed by datasketch, which is not installed",
            where="dedup.minhash.threshold",
            remedy="install gristmill[data], or write `bands` and `rows`",
        ) from None
    try:
        index = MinHashLSH(threshold=threshold, num_perm=num_perm, weights=weights)
    except ValueError as error:
        raise ValueError(f"datasketch finds no bands and rows for {threshold:g} with {num_perm}: {error}") from None
    return int(index.b), int(index.r)


def _listed(names: set[str]) -> str:
    return ", ".join(f"`{name}`" for name in sorted(names))
