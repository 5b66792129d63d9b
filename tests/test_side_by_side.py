"""Which tests start first when tests run in parallel."""

from __future__ import annotations

from tests.conftest import LONGEST_FIRST
from tests.paths import PROJECT


def test_groups_that_start_first_exist() -> None:
    assert [name for name in LONGEST_FIRST if not (PROJECT / "tests" / name).exists()] == []
