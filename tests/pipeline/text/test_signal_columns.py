"""Columns of signals are stored: their order is part of what extract writes."""

from __future__ import annotations

import hashlib

from pipeline.extract.settings import VERSION
from pipeline.text.signal_columns import COLUMNS

# Version of extract, and the columns of that version.
PINNED = (10, "0deceeeceff76416")


def test_other_columns_need_another_version_of_extract() -> None:
    """Raise `VERSION` in pipeline/extract/settings.py and pin both here: tasks of a run that was begun before are then
    done again.
    """
    assert (VERSION, hashlib.sha256(" ".join(COLUMNS).encode()).hexdigest()[:16]) == PINNED
