"""Signatures of texts, computed as in the text pass."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from dedup.signatures import Permutations
from pipeline.text.signals import compute
from tests.property.texts import buffers


def signatures(
    documents: Sequence[str], *, permutations: Permutations, ngram: int
) -> tuple[npt.NDArray[np.uint32], npt.NDArray[np.int32]]:
    """Signatures uint32[n, k] and shingle counts int32[n]."""
    measured = compute(*buffers(documents), permutations=permutations, ngram=ngram)
    return measured.signatures, measured.shingles
