"""Codes of reasons in decisions files: indices into `manifests.filters.REASONS`."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from manifests.filters import REASONS, Reason

Reasons = npt.NDArray[np.uint8]
"""Reason codes of documents."""


def code_of(reason: Reason) -> int:
    """The code of a reason."""
    return REASONS.index(reason)
