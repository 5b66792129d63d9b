"""The thin Beam side of the data half: DoFns that carry configuration and call the plain functions that they are handed.

Every element between stages is a JSON string (a task, a file) or a pair of a partition number and packed bytes; no text is
ever among them. Coders are those of `str`, `int` and `bytes`: deterministic and the same on every runner. Output types are declared by
decorators: postponed annotations are strings, which Beam would read as `Any` and pickle.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import apache_beam as beam


@beam.typehints.with_output_types(str)
class RunTask(beam.DoFn):  # type: ignore[misc]
    """Task element in, task name out; the outputs are files."""

    def __init__(self, perform: Callable[..., Any], function: Callable[..., Any], settings: dict[str, Any], folder: str) -> None:
        self._perform = perform
        self._function = function
        self._settings = settings
        self._folder = folder

    def process(self, element: str) -> Iterable[str]:
        yield self._perform(element, self._function, self._settings, self._folder).task


@beam.typehints.with_output_types(tuple[int, bytes])
class EmitPacked(beam.DoFn):  # type: ignore[misc]
    """Task element in, (partition, packed bytes) out."""

    def __init__(self, function: Callable[[str, dict[str, Any]], Iterable[tuple[int, bytes]]], settings: dict[str, Any]) -> None:
        self._function = function
        self._settings = settings

    def process(self, element: str) -> Iterable[tuple[int, bytes]]:
        yield from self._function(element, self._settings)


@beam.typehints.with_output_types(str)
class ReducePacked(beam.DoFn):  # type: ignore[misc]
    """(partition, all packed bytes of that partition, in any order) in, name of the published file out."""

    def __init__(self, function: Callable[[int, list[bytes], dict[str, Any]], str], settings: dict[str, Any]) -> None:
        self._function = function
        self._settings = settings

    def process(self, element: tuple[int, Iterable[bytes]]) -> Iterable[str]:
        partition, values = element
        yield self._function(partition, list(values), self._settings)


@beam.typehints.with_output_types(str)
class JoinPacked(beam.DoFn):  # type: ignore[misc]
    """(key, {"task": [element], "rows": packed bytes}) in, name of the finished task out.

    Both sides are bytes, so that the shuffle has one deterministic coder.
    """

    def __init__(self, function: Callable[[str, list[bytes], dict[str, Any]], str], settings: dict[str, Any]) -> None:
        self._function = function
        self._settings = settings

    def process(self, element: tuple[int, dict[str, Iterable[Any]]]) -> Iterable[str]:
        _, grouped = element
        for task in grouped["task"]:
            yield self._function(task.decode(), list(grouped["rows"]), self._settings)


@beam.typehints.with_output_types(str)
class SayHello(beam.DoFn):  # type: ignore[misc]
    """Any element in, name of the published greeting out, of the first element that this process gets; pre-flight checks read it."""

    def __init__(self, function: Callable[[str, dict[str, Any]], str], settings: dict[str, Any]) -> None:
        self._function = function
        self._settings = settings
        self._said: str | None = None

    def process(self, element: str) -> Iterable[str]:
        if self._said is None:
            self._said = self._function(element, self._settings)
        yield self._said
