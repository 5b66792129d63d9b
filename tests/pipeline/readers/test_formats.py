"""What formats say of themselves: a reader for each, which takes no more than it is offered."""

from __future__ import annotations

from inspect import signature
from pkgutil import resolve_name
from typing import get_args

import pytest

from manifests.corpus import FORMATS, SourceFormat

OFFERED = {"name", "source", "piece", "extraction", "draw"}


def test_each_format_that_a_manifest_can_name_has_an_entry() -> None:
    assert set(FORMATS) == set(get_args(SourceFormat))


@pytest.mark.parametrize("format", get_args(SourceFormat))
def test_each_format_has_a_reader(format: SourceFormat) -> None:
    """One that is forgotten, or asks for what `read_records` does not have, would end every worker."""
    first, *others = signature(resolve_name(f"pipeline.readers.{FORMATS[format].reader}")).parameters
    assert first == "path"
    assert set(others) <= OFFERED
    assert ("piece" in others) == (FORMATS[format].pieces is not None)
    assert "extraction" in others or not FORMATS[format].html
