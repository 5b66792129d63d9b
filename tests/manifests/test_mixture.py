"""The mixture manifest: patterns and ranges of bands, stages, presets, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest

from manifests.base import sha256_of, validate
from manifests.errors import GristmillError
from manifests.mixture import BucketRule, MixtureManifest, matches


@pytest.mark.parametrize(
    ("pattern", "bucket", "expected"),
    [
        ("crawl/*", "crawl/q01", True),
        ("*/factual", "enwiki/factual", True),
        ("crawl/q17..q20", "crawl/q17", True),
        ("crawl/q17..q20", "crawl/q20", True),
        ("crawl/q17..q20", "crawl/q16", False),
        ("crawl/q17..q20", "crawl/q21", False),
        ("crawl/q17..20", "crawl/q18", True),
        ("crawl/q2..q10", "crawl/q02", True),
        ("crawl/q2..q10", "crawl/q010", True),
        ("crawl/q01..q03", "crawl/general", False),
        ("crawl/q01..q03", "crawl/r02", False),
        ("crawl/q01..q03", "books/q02", False),
        ("crawl/q01..q03", "crawl/new/q02", False),
        ("*/q01..q03", "books/q02", True),
        ("cr?wl/q05..q05", "crawl/q05", True),
        ("q1..q2", "q2", True),
        ("odd..name/*", "odd..name/q01", True),
    ],
)
def test_patterns(pattern: str, bucket: str, expected: bool) -> None:
    assert BucketRule(match=pattern).match == pattern
    assert matches(pattern, bucket) == expected


@pytest.mark.parametrize("pattern", ["crawl/q20..q17", "crawl/q17..", "crawl/q17..r20", "crawl/..", "crawl/q..2"])
def test_what_is_no_range_is_refused(pattern: str) -> None:
    with pytest.raises(ValueError, match=r"is no range of bands: write one as crawl/q17\.\.q20"):
        BucketRule(match=pattern)


def stages(*starts: int) -> list[dict[str, Any]]:
    return [{"from_step": start, "buckets": [{"match": "*"}]} for start in starts]


@pytest.mark.parametrize(
    ("mixture", "message"),
    [
        ({"stages": stages(5)}, "begin at steps .5.: the first at 0"),
        ({"stages": stages(0, 7, 7)}, "each later than the one before"),
        ({"stages": stages(0), "buckets": [{"match": "*"}]}, "in `stages` or beside it, not both"),
        ({"stages": stages(0), "preset": "uniform"}, "in `stages` or beside it, not both"),
        ({"preset": "temperature"}, "go together"),
        ({"temperature": 2}, "go together"),
        ({"preset": "uniform", "sources": {}}, "belongs to `preset: llama1`"),
        ({"preset": "llama1", "buckets": [{"match": "*"}]}, "every rule needs `share` or `epochs`"),
        ({"buckets": [{"match": "a", "min_share": 0.6}, {"match": "b", "min_share": 0.5}]}, "sum to 1.1"),
        (
            {"buckets": [{"match": "a", "min_share": 0.6, "share": 0.5}]},
            r"`min_share` \(0.6\) is above `share` \(0.5\)",
        ),
        ({"buckets": [{"match": "a", "min_share": 0.6, "epochs": 1}]}, "`min_share` or `epochs`, not both"),
        ({"preset": "llama1", "sources": {"githob": "code/*"}}, "sources.githob: unknown key; did you mean `github`"),
    ],
)
def test_contradictions_are_refused(mixture: dict[str, Any], message: str) -> None:
    with pytest.raises(GristmillError, match=message):
        validate(mixture, MixtureManifest, where="m.yaml")


def test_a_mixture_without_the_new_keys_has_the_hash_that_it_had() -> None:
    """Runs in progress are compared by it."""
    plain = MixtureManifest.model_validate({"name": "m", "buckets": [{"match": "*/factual", "share": 0.7}]})
    assert plain.model_dump(mode="json") == {
        "kind": "mixture",
        "version": 1,
        "name": "m",
        "buckets": [{"match": "*/factual", "share": 0.7, "epochs": None, "max_epochs": None}],
        "max_epochs": 4.0,
        "block_samples": 65_536,
    }
    assert (
        sha256_of(plain.model_dump(mode="json")) == "6c3b90cbf5df3279a312f51d6ea8f3a53f0d939c4b4b7b97c24e3770fcd389ae"
    )


def test_a_mixture_is_read_back_as_it_was_written() -> None:
    mixture = MixtureManifest.model_validate(
        {
            "stages": [
                {"preset": "llama1", "sources": {"github": "code/*"}},
                {
                    "from_step": 3,
                    "preset": "temperature",
                    "temperature": 2,
                    "buckets": [{"match": "a", "min_share": 1}],
                },
            ]
        }
    )
    assert MixtureManifest.model_validate(mixture.model_dump(mode="json")) == mixture
