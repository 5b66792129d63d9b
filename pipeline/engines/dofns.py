"""The thin Beam side of the data half: two DoFns that call the plain function that they are handed, with the job's settings.

Every element between stages is a JSON string (a task, a part) or a pair of a partition number and packed bytes; no text is ever among them.
Coders are those of `str`, `int` and `bytes`: deterministic and the same on every runner. Output types are declared by decorators: postponed
annotations are strings, which Beam would read as `Any` and pickle.

Settings cross to a worker as JSON, written once where the pipeline is built, and validated once in each worker.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

import apache_beam as beam

from manifests.base import Strict

J = TypeVar("J", bound=Strict)


class _Call(beam.DoFn):  # type: ignore[misc]
    """Hands every element to `function`, with the job, and passes on what that gives.

    Args:
        function: `(element, job) -> outputs`; importable by name in a worker, or a `functools.partial` of one that is.
        job: what all elements share.
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
    """Any element in, the names of what was published out; the outputs themselves are files."""


@beam.typehints.with_output_types(tuple[int, bytes])
class EmitPacked(_Call):
    """Any element in, (partition, packed bytes) out."""
