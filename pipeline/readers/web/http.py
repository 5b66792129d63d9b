"""HTTP responses as archives keep them: status, headers and body.

In: the block of a WARC `response` record. Out: `Response`. For what the body holds see
`pipeline.readers.web.content_coding` (bytes), `pipeline.readers.web.mime` (its type) and `pipeline.readers.web.charset`
(text).

Source: RFC 9110.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from manifests.step import Problem
from pipeline.readers.web.mime import LONGEST_HEADER, media_type

_STATUS_LINE = re.compile(rb"HTTP/\d(?:\.\d)?[ \t]+(\d{3})(?:[ \t]|\r?\n|\Z)")
_HEADERS_END = re.compile(rb"\r?\n\r?\n")


class HttpError(Exception):
    """The block is not an HTTP response."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(str(problem))
        self.problem = problem


class UnusableBody(Exception):
    """The body cannot be used; `reason` is the ledger's name for why."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason


@dataclass(frozen=True)
class Response:
    """An HTTP response.

    Attributes:
        headers: lower-case names and values in the order found; names may repeat; longer values are cut at
            `LONGEST_HEADER`.
        body: as stored.
    """

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def header(self, name: str) -> str | None:
        """All values of one header, joined by commas (RFC 9110, section 5.3); None without such a header."""
        values = [value for key, value in self.headers if key == name]
        return ", ".join(values) if values else None


def parse_response(block: bytes) -> Response:
    """Status line, headers and body of a block.

    Raises:
        HttpError: there is no status line.
    """
    line = _STATUS_LINE.match(block)
    if line is None:
        raise HttpError(Problem("no HTTP status line"))
    end = _HEADERS_END.search(block)
    head, body = (block, b"") if end is None else (block[: end.start()], block[end.end() :])
    headers = ((name, value[:LONGEST_HEADER]) for name, value in parse_headers(head.split(b"\n")[1:]))
    return Response(int(line[1]), tuple(headers), body)


def parse_headers(lines: list[bytes]) -> tuple[tuple[str, str], ...]:
    """`Name: value` lines; one that begins with white space continues the last; lines without a colon are left out."""
    headers: list[tuple[str, list[str]]] = []
    for line in lines:
        text = _decode_header(line.rstrip(b"\r\n"))
        if text[:1] in (" ", "\t") and headers:
            headers[-1][1].append(text.strip())
        elif ":" in text:
            name, value = text.split(":", 1)
            headers.append((name.strip().lower(), [value.strip()]))
    return tuple((name, " ".join(parts)) for name, parts in headers)


def content_type(response: Response) -> tuple[str, str | None]:
    """Media type in lower case without parameters, empty when none is given, and charset, as `mime.media_type` has
    them.
    """
    return media_type([value for name, value in response.headers if name == "content-type"])


def _decode_header(line: bytes) -> str:
    try:
        return line.decode("utf-8")
    except UnicodeDecodeError:
        return line.decode("latin-1")
