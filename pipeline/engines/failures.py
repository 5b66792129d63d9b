"""Explains a failed pipeline: extracts the worker's own last message from what Beam and Java wrap around it.

In: an exception raised by Beam, or the text of a Java stack trace. Out: a `GristmillError`.
"""

from __future__ import annotations

import re

from manifests.errors import GristmillError

_MARKER = "manifests.errors.GristmillError: "
_TRACEBACK = "Traceback (most recent call last):"
_FRAME = re.compile(r"^\s*(?:at \S+\(|\.\.\. \d+ (?:more|common))")


def explain(error: Exception) -> GristmillError:
    """The error of the element that failed.

    Beam raises a copy of that exception, made from its first argument and the name of the step. The original is the
    copy's context.
    """
    if errors := gristmill_errors(error):
        return errors[-1]
    text = str(error)
    if lost_worker(text):
        return GristmillError(
            "a worker process died, probably for lack of memory", remedy="use fewer --workers; finished parts are kept"
        )
    return GristmillError(worker_message(text))


def gristmill_errors(error: BaseException) -> list[GristmillError]:
    """The Gristmill errors in the chain of an exception and its causes. The last in the list was raised first."""
    errors: list[GristmillError] = []
    seen: set[int] = set()  # a library that sets causes by hand can make the chain a cycle
    cause: BaseException | None = error
    while cause is not None and id(cause) not in seen:
        seen.add(id(cause))
        if isinstance(cause, GristmillError):
            errors.append(cause)
        cause = cause.__cause__ or cause.__context__
    return errors


def has_gristmill_error(text: str) -> bool:
    """True if a stack trace contains an error that Gristmill raised.

    Its cause is in the data or the set-up, so a retry fails too.
    """
    return _MARKER in text


def lost_worker(text: str) -> bool:
    """True if this is a message of Beam's own runner about a worker process that is gone."""
    return any(sign in text for sign in ("Channel closed prematurely", "StatusCode.UNAVAILABLE", "Stream removed"))


def lost_process(text: str) -> str | None:
    """The kind of process whose loss a Java stack trace reports, or None."""
    for sign, who in (
        ("TaskManager with id", "a TaskManager"),
        ("RemoteTransportException", "a TaskManager"),
        ("TaskManagerException", "a TaskManager"),
        ("Failed to connect to worker", "a Python worker"),
        ("Python worker process", "a Python worker"),
        ("multiplexer hanging up", "a Python worker"),
        ("SDK harness", "a Python worker"),
        ("UNAVAILABLE", "a Python worker or its TaskManager"),
        ("CANCELLED: ", "a Python worker or its TaskManager"),
    ):
        if sign in text:
            return who
    return None


def worker_message(text: str) -> str:
    """The exception's own lines from a worker's traceback, without Beam's `[while running '…']` and Java's frames."""
    if "Channel closed prematurely" in text:
        return "a Python worker died at work; the log of its worker pool tells of what"
    if _MARKER in text:
        # The first is the original, the last is Beam's copy.
        message = text.split(_MARKER, 2)[1].split("\n\n")[0].split(" [while running")[0]
        return "\n".join(line for line in message.strip().splitlines() if not _FRAME.match(line)).strip()
    if _TRACEBACK in text:
        # A traceback is indented except for its first line and the exception. Java's frames and causes follow.
        tail = text.rsplit(_TRACEBACK, 1)[1].splitlines()[1:]
        told = next((line for line in tail if line.strip() and not line[0].isspace()), None)
        if told is not None:
            return told.split(" [while running")[0].strip()
    lines = [line.strip() for line in text.splitlines() if line.strip() and not _FRAME.match(line)]
    causes = [line for line in lines if line.startswith("Caused by: ")]
    told = (causes or lines or ["the pipeline failed without a message"])[-1]
    return told.removeprefix("Caused by: ").split(" [while running")[0].strip()
