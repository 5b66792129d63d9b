"""The one exception that users see: what is wrong, where, and what to do about it."""

from __future__ import annotations

from manifests.credentials import redacted


class GristmillError(Exception):
    """An error that a user can act on; the command line prints it without a traceback and without credentials.

    Attributes:
        where: the file, record, or key concerned, or None.
        remedy: what to do, as an imperative sentence, or None.
    """

    def __init__(self, message: str, *, where: str | None = None, remedy: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.where = where
        self.remedy = remedy

    def __str__(self) -> str:
        lines = [self.message if self.where is None else f"{self.where}: {self.message}"]
        if self.remedy is not None:
            lines.append(f"  remedy: {self.remedy}")
        return redacted("\n".join(lines))

    def __reduce__(self) -> tuple[object, ...]:
        # Errors are pickled between processes (Beam workers, torch ranks); the default would lose keyword-only
        # arguments.
        return (_rebuild, (type(self), self.message, self.where, self.remedy))


def _rebuild(kind: type[GristmillError], message: str, where: str | None, remedy: str | None) -> GristmillError:
    return kind(message, where=where, remedy=remedy)
