"""The thin Beam side of the data half: two DoFns that call a plain function with an element and the job's settings.

Every element between stages is a JSON string (a task or a part) or a pair of a partition number and packed bytes, never
text. Coders are those of `str`, `int` and `bytes`: deterministic and the same on every runner. Output types are
declared by decorators, because postponed annotations are strings, which Beam would read as `Any` and pickle.

Settings reach a worker as JSON, which is written once where the pipeline is built and validated once in each worker.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

import apache_beam as beam

from manifests.base import Strict

J = TypeVar("J", bound=Strict)


class _Call(beam.DoFn):  # type: ignore[misc]
    """Calls `function` with every element and the job, and emits what it returns.

    Args:
        function: `(element, job) -> outputs`; importable by name in a worker, or a `functools.partial` of such a
            function.
        job: the settings that all elements share.
    """

    def __init__(self, function: Callable[[Any, J], Iterable[Any]], job: J) -> None:
        self._function = function
        self._kind = type(job)
        self._json = job.model_dump_json()

    def setup(self) -> None:
        self._job = self._kind.model_validate_json(self._json)

    def process(self, element: Any) -> Iterable[Any]:
        return self._function(element, self._job)


@beam.typehints.with_output_types(str)
class EmitNames(_Call):
    """In: any element. Out: the names of what was published; the outputs themselves are files."""


@beam.typehints.with_output_types(tuple[int, bytes])
class EmitPacked(_Call):
    """In: any element. Out: (partition, packed bytes)."""
