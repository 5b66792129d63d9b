"""What `datasketch` is given to compare with: shingles of texts, cut in plain Python apart from the kernels."""

from __future__ import annotations

import re
import string
from collections.abc import Sequence
from typing import Any, Literal

from datasketch import MinHash

from tests.property.test_signatures import reference_words

_NO_PUNCTUATION = str.maketrans("", "", string.punctuation)
_LOWER = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)


def shingles_of_words(text: str, ngram: int) -> list[str]:
    return _shingles(reference_words(text), ngram, " ")


def shingles_of_characters(text: str, ngram: int) -> list[str]:
    """As SlimPajama cuts them, but for letters beyond A to Z and texts shorter than a shingle."""
    plain = re.sub(r"\s+", " ", text.translate(_LOWER).translate(_NO_PUNCTUATION).strip())
    return _shingles(plain, ngram, "")


def _shingles(units: Sequence[str], ngram: int, between: str) -> list[str]:
    size = min(ngram, len(units))
    return [between.join(units[start : start + size]) for start in range(len(units) - size + 1)] if units else []


def datasketch_of(shingles: Sequence[str], *, num_perm: int, seed: int, scheme: Literal["affine32", "legacy"]) -> Any:
    """`datasketch.MinHash`, updated with the UTF-8 bytes of each shingle."""
    made = MinHash(num_perm=num_perm, seed=seed, scheme=scheme)
    made.update_batch([shingle.encode() for shingle in shingles])
    return made
