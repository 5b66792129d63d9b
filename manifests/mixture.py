"""The mixture manifest: how much of a run's tokens comes from each bucket.

A bucket is `source/band`, for instance `enwiki/factual` or `crawl/general`. Rules match bucket names by shell-style
patterns; the first match wins. The buckets of one rule divide the rule's tokens in proportion to their own tokens.
Rules with neither `share` nor `epochs` divide the remaining tokens in the same way:

    buckets:
      - {match: "enwiki/*", share: 0.1}
      - {match: "books/*", epochs: 2}
      - {match: "crawl/*"}

Buckets that no rule matches are left out. Without rules, every bucket gets its natural share.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field, field_validator, model_validator

from manifests.base import Strict, load


class BucketRule(Strict):
    """The tokens of one group of buckets: a share of all tokens, or a number of epochs over the group."""

    match: str = Field(description="shell-style pattern on bucket names: `enwiki/*`, `*/factual`, `*`")
    share: float | None = Field(
        None,
        gt=0,
        le=1,
        description=(
            "of the run's tokens; without a rule that takes the rest, shares are scaled to fill what `epochs` rules"
            " leave"
        ),
    )
    epochs: float | None = Field(None, gt=0, description="how often each token of the group is seen in the run")
    max_epochs: float | None = Field(None, gt=0, description="cap for this group; default: the mixture's `max_epochs`")

    @model_validator(mode="after")
    def _one_of(self) -> BucketRule:
        if self.share is not None and self.epochs is not None:
            raise ValueError("give `share` or `epochs`, not both; with neither, the group gets its natural share")
        return self


class MixtureManifest(Strict):
    """`kind: mixture`, version 1. Without rules, every bucket gets its natural share: its fraction of all tokens."""

    kind: Literal["mixture"] = "mixture"
    version: Literal[1] = 1
    name: str = "natural"
    buckets: list[BucketRule] = []
    max_epochs: float = Field(
        4.0, gt=0, description="no bucket is repeated more often; 4 by Muennighoff et al. (arXiv 2305.16264)"
    )
    block_samples: int = Field(
        65_536,
        ge=1,
        le=1 << 20,
        description=(
            "samples per block, a power of two; shares are exact to 1/block_samples in every block, and spread evenly"
            " within it"
        ),
    )

    @field_validator("block_samples")
    @classmethod
    def _power_of_two(cls, value: int) -> int:
        if value & (value - 1):
            raise ValueError(
                f"must be a power of two, such as {1 << (value.bit_length() - 1)} or {1 << value.bit_length()}"
            )
        return value


def load_mixture(path: str | Path) -> MixtureManifest:
    """Load a mixture manifest."""
    return load(path, MixtureManifest)
