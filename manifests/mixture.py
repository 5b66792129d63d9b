"""The mixture manifest: how much of a run's tokens comes from each bucket.

A bucket is `source/band`, for instance `enwiki/factual`, `crawl/general` or `crawl/q07`. Rules match bucket names by
shell-style patterns, or by a range of numbered bands; the first match wins. The buckets of one rule divide the rule's
tokens in proportion to their own tokens. Rules with neither `share` nor `epochs` divide the remaining tokens in the
same way, or as `preset` says:

    buckets:
      - {match: "enwiki/*", share: 0.1}
      - {match: "books/*", epochs: 2}
      - {match: "crawl/q17..q20", min_share: 0.3}
      - {match: "crawl/*"}

Buckets that no rule matches are left out; with a preset they are divided by it. Without rules, every bucket gets its
natural share. A mixture with `stages` has other rules from certain steps on.
"""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    Field,
    SerializerFunctionWrapHandler,
    field_validator,
    model_serializer,
    model_validator,
)

from manifests.base import Strict, load

Preset = Literal["natural", "uniform", "temperature", "unimax", "llama1"]

_RANGE = re.compile(r"(?P<before>.*/|)(?P<word>[A-Za-z_-]*)(?P<low>\d+)\.\.(?P<again>[A-Za-z_-]*)(?P<high>\d+)")
_BAND = re.compile(r"(?P<before>.*/|)(?P<word>[A-Za-z_-]*)(?P<number>\d+)")


@lru_cache(maxsize=1 << 12)
def _range_in(pattern: str) -> tuple[str, str, int, int] | None:
    """Pattern of what is before the band, word of the band, first and last number; None where the pattern is no range.

    Raises:
        ValueError: the band has `..` but is no range.
    """
    if ".." not in pattern.rsplit("/", 1)[-1]:
        return None
    found = _RANGE.fullmatch(pattern)
    if found is None or found["again"] not in ("", found["word"]) or int(found["low"]) > int(found["high"]):
        raise ValueError(f"`{pattern}` is no range of bands: write one as crawl/q17..q20, the lower number first")
    return found["before"], found["word"], int(found["low"]), int(found["high"])


def matches(pattern: str, bucket: str) -> bool:
    """Whether a rule's pattern matches the name of a bucket: `crawl/*` as a shell would match it; `crawl/q17..q20` the
    bands from q17 to q20, however many digits their numbers have.
    """
    bands = _range_in(pattern)
    if bands is None:
        return fnmatchcase(bucket, pattern)
    before, word, low, high = bands
    found = _BAND.fullmatch(bucket)
    return (
        found is not None
        and fnmatchcase(found["before"], before)
        and found["word"] == word
        and low <= int(found["number"]) <= high
    )


def _checked(pattern: str) -> str:
    _range_in(pattern)
    return pattern


Pattern = Annotated[str, AfterValidator(_checked)]


class BucketRule(Strict):
    """The tokens of one group of buckets: a share of all tokens, a number of epochs over the group, or, with neither, a
    part of what the other rules leave.
    """

    match: Pattern = Field(
        description="pattern on bucket names: `enwiki/*`, `*/factual`, `*`; or a range of bands: `crawl/q17..q20`"
    )
    share: float | None = Field(
        None,
        gt=0,
        le=1,
        description=(
            "of the stage's tokens; without a rule that takes the rest, shares are scaled to fill what `epochs` rules"
            " leave"
        ),
    )
    epochs: float | None = Field(None, gt=0, description="how often each token of the group is seen in the stage")
    max_epochs: float | None = Field(
        None, gt=0, description="cap for this group, over the whole run; default: the stage's `max_epochs`"
    )
    min_share: float | None = Field(
        None, gt=0, le=1, description="of the stage's tokens: what the group gets at least, unless its cap forbids it"
    )

    @model_validator(mode="after")
    def _one_of(self) -> BucketRule:
        if self.share is not None and self.epochs is not None:
            raise ValueError("give `share` or `epochs`, not both; with neither, the group gets its natural share")
        if self.min_share is not None and self.epochs is not None:
            raise ValueError("give `min_share` or `epochs`, not both: `epochs` says exactly how much the group gets")
        if self.min_share is not None and self.share is not None and self.min_share > self.share:
            raise ValueError(f"`min_share` ({self.min_share:g}) is above `share` ({self.share:g})")
        return self

    @model_serializer(mode="wrap")
    def _as_before(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return _without(handler(self), "min_share")


class LlamaSources(Strict):
    """Which buckets stand for the rows of Table 1 of the LLaMA paper (arXiv 2302.13971), as patterns."""

    commoncrawl: Pattern = "commoncrawl*/*"
    c4: Pattern = "c4*/*"
    github: Pattern = "github*/*"
    wikipedia: Pattern = "wikipedia*/*"
    books: Pattern = "books*/*"
    arxiv: Pattern = "arxiv*/*"
    stackexchange: Pattern = "stackexchange*/*"


class _Division(Strict):
    """The rules of a mixture, or of one of its stages."""

    preset: Preset | None = Field(
        None,
        description=(
            "how groups without `share` and `epochs` divide what the others leave; the groups are the rules, and each"
            " source that no rule matches. natural: by their tokens. uniform: alike. temperature: by tokens to the"
            " power of 1/temperature. unimax: alike, but none beyond its cap on epochs (arXiv 2304.09151). llama1: by"
            " Table 1 of arXiv 2302.13971; its groups are those in `sources`"
        ),
    )
    temperature: float | None = Field(
        None, ge=1, description="of preset temperature: 1 is natural, higher is nearer to uniform; 3.33 for mT5"
    )
    sources: LlamaSources | None = Field(None, description="of preset llama1")
    buckets: list[BucketRule] = []

    @model_validator(mode="after")
    def _settings_of_presets(self) -> _Division:
        if (self.preset == "temperature") != (self.temperature is not None):
            raise ValueError("`preset: temperature` and a number for `temperature` go together")
        if self.sources is not None and self.preset != "llama1":
            raise ValueError("`sources` belongs to `preset: llama1`")
        if self.preset == "llama1" and any(rule.share is None and rule.epochs is None for rule in self.buckets):
            raise ValueError("beside `preset: llama1` every rule needs `share` or `epochs`: the table divides the rest")
        least = sum(rule.min_share or 0 for rule in self.buckets)
        if least > 1 + 1e-9:
            raise ValueError(f"the rules' `min_share` sum to {least:g}, more than all tokens")
        return self

    @model_serializer(mode="wrap")
    def _as_before(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        written = _without(handler(self), "preset", "temperature", "sources", "stages")
        first = [key for key in ("kind", "version", "name", "from_step") if key in written]
        return {key: written[key] for key in [*first, *written]}


class MixtureStage(_Division):
    """The rules from a step on."""

    from_step: int = Field(0, ge=0, description="first step of the stage; the first stage begins at 0")
    max_epochs: float | None = Field(
        None, gt=0, description="cap until the end of this stage, all stages together; default: the mixture's"
    )


class MixtureManifest(_Division):
    """`kind: mixture`, version 1. Without rules, every bucket gets its natural share: its fraction of all tokens."""

    kind: Literal["mixture"] = "mixture"
    version: Literal[1] = 1
    name: str = "natural"
    stages: list[MixtureStage] = Field(
        [], description="instead of `buckets` and `preset`: rules that change during the run, in the order of steps"
    )
    max_epochs: float = Field(
        4.0,
        gt=0,
        description="no bucket is repeated more often, all stages together; 4 by Muennighoff et al. (arXiv 2305.16264)",
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

    @model_validator(mode="after")
    def _stages_in_order(self) -> MixtureManifest:
        if self.stages and (self.buckets or self.preset):
            raise ValueError("rules are in `stages` or beside it, not both: move `buckets` and `preset` into a stage")
        starts = [stage.from_step for stage in self.stages]
        if starts and (starts[0] != 0 or starts != sorted(set(starts))):
            raise ValueError(f"stages begin at steps {starts}: the first at 0, each later than the one before")
        return self

    def all_stages(self) -> list[MixtureStage]:
        """The stages; a mixture without `stages` is one."""
        return self.stages or [
            MixtureStage(preset=self.preset, temperature=self.temperature, sources=self.sources, buckets=self.buckets)
        ]


def load_mixture(path: str | Path) -> MixtureManifest:
    """Load a mixture manifest."""
    return load(path, MixtureManifest)


def _without(written: dict[str, Any], *keys: str) -> dict[str, Any]:
    """Keys that earlier versions did not know are written where they say something: the hash of a manifest without them
    stays what it was.
    """
    return {key: value for key, value in written.items() if key not in keys or value not in (None, [])}
