"""Filter variant `c4-arxiv-v1`: C4's page cleaning with the thresholds of the paper's first version; see `c4_tfds`."""

from __future__ import annotations

from pipeline.filters.c4_tfds import REASONS, judge

__all__ = ["REASONS", "judge"]
