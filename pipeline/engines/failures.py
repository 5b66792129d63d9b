"""What a failed pipeline means: the worker's own last message, out of Beam's and Java's wrapping.

In: an exception of Beam, or the text of a Java stack trace. Out: a `GristmillError`.
"""

from __future__ import annotations

import re

from manifests.errors import GristmillError

_MARKER = "manifests.errors.GristmillError: "
_TRACEBACK = "Traceback (most recent call last):"
_FRAME = re.compile(r"^\s*(?:at \S+\(|\.\.\. \d+ (?:more|common))")


def explain(error: Exception) -> GristmillError:
    """What the failing element said.

    Beam raises a copy of an exception, made from its first argument and the name of the step; the original is its context.
    """
    if own := own_errors(error):
        return own[-1]
    text = str(error)
    if lost_worker(text):
        return GristmillError("a worker process died, probably for lack of memory", remedy="use fewer --workers; finished parts are kept")
    return GristmillError(worker_message(text))


def own_errors(error: BaseException) -> list[GristmillError]:
    """Those of Gristmill's among an exception and what it was raised from; the last is the first that was raised."""
    found: list[GristmillError] = []
    seen: set[int] = set()  # causes that a library set by hand may go in a circle
    cause: BaseException | None = error
    while cause is not None and id(cause) not in seen:
        seen.add(id(cause))
        if isinstance(cause, GristmillError):
            found.append(cause)
        cause = cause.__cause__ or cause.__context__
    return found


def is_our_own(text: str) -> bool:
    """True when a stack trace holds an error that Gristmill raised: its cause is in the data or the set-up, and comes again."""
    return _MARKER in text


def lost_worker(text: str) -> bool:
    """True for what Beam's own runner says when the process at the other end is gone."""
    return any(sign in text for sign in ("Channel closed prematurely", "StatusCode.UNAVAILABLE", "Stream removed"))


def lost_process(text: str) -> str | None:
    """The process whose loss a Java stack trace tells of, or None."""
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
    """The exception's own lines from the traceback of a worker, without Beam's `[while running '…']` and Java's frames."""
    if "Channel closed prematurely" in text:
        return "a Python worker died at work; the log of its worker pool tells of what"
    if _MARKER in text:
        # The first is the original, the last is Beam's copy.
        message = text.split(_MARKER, 2)[1].split("\n\n")[0].split(" [while running")[0]
        return "\n".join(line for line in message.strip().splitlines() if not _FRAME.match(line)).strip()
    if _TRACEBACK in text:
        # A traceback is indented but for its first line and the exception; Java's frames and causes follow.
        tail = text.rsplit(_TRACEBACK, 1)[1].splitlines()[1:]
        told = next((line for line in tail if line.strip() and not line[0].isspace()), None)
        if told is not None:
            return told.split(" [while running")[0].strip()
    lines = [line.strip() for line in text.splitlines() if line.strip() and not _FRAME.match(line)]
    causes = [line for line in lines if line.startswith("Caused by: ")]
    told = (causes or lines or ["the pipeline failed without a message"])[-1]
    return told.removeprefix("Caused by: ").split(" [while running")[0].strip()
