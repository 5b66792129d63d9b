"""Makes sections of a manifest in the same way as a manifest does."""

from __future__ import annotations

from typing import Any

from pydantic import TypeAdapter

from manifests.filters import Filters, FilterSpec

_FILTERS: TypeAdapter[tuple[FilterSpec, ...]] = TypeAdapter(Filters)


def filters_from(given: Any) -> tuple[FilterSpec, ...]:
    """The sections of `filters:`."""
    return _FILTERS.validate_python(given)
