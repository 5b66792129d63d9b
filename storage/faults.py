"""What goes wrong between here and an object store: tried again, explained, and cleaned of credentials.

Connections that break, answers of 429 and 5xx, and timeouts are tried again by the library, see `storage.stores`.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable
from typing import TypeVar

from obstore.exceptions import AlreadyExistsError, BaseError, PreconditionError

from manifests.credentials import redacted
from manifests.errors import GristmillError

# Attempts for answers that are shorter than announced, which the library takes for whole, and for listings that break
# off, which it does not repeat.
_ROUNDS = 4

_AGAIN = "then run the same command again: finished parts are kept"
# What the library's errors hold: the answer's status, its code in XML, and how the request failed when there was no
# answer.
_NO_BUCKET = re.compile(r"NoSuchBucket|The specified bucket does not exist|ContainerNotFound")
_REGION = re.compile(r"incorrectly configured region|AuthorizationHeaderMalformed|PermanentRedirect")
_UNREACHABLE = re.compile(r"kind: (Connect|Timeout)\b")
_MEANINGS = (
    (_NO_BUCKET, "there is no such bucket at {place}", "create it, or check the URL and AWS_ENDPOINT_URL"),
    (
        re.compile(r"status code: 40[13]\b|<Code>(ExpiredToken|InvalidToken|InvalidAccessKeyId|SignatureDoesNotMatch)"),
        "the store at {place} refuses the keys, or they do not allow this",
        "check AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and, with temporary keys, AWS_SESSION_TOKEN",
    ),
    (_REGION, "the bucket is in another region", "set AWS_REGION to the bucket's"),
    (
        re.compile(r"parsing Path|contained empty path segment"),
        "is, or has below it, a key that the store's library cannot name",
        "rename the object: no `//`, `.` or `..` as a part of a key, no control characters",
    ),
    (
        _UNREACHABLE,
        "the store at {place} cannot be reached",
        (
            "check AWS_ENDPOINT_URL, the network, and the proxy if HTTP_PROXY or HTTPS_PROXY is set (NO_PROXY names"
            " what it is not for)"
        ),
    ),
    (
        re.compile(r"status code: (429|5\d\d)\b|HTTP error"),
        "the store at {place} does not serve this request",
        f"wait, or take fewer --workers, {_AGAIN}",
    ),
)

T = TypeVar("T")


class MissingError(GristmillError):
    """There is no file of this name."""


class BrokenError(OSError):
    """An answer that is not what the store announced: worth another attempt."""


def attempt(action: Callable[[], T], url: str) -> T:
    """Do something with a store; answers that end early are asked for again, all other faults become a
    `GristmillError`.

    Raises:
        AlreadyExistsError, PreconditionError: the condition of a write does not hold.
    """
    for number in range(_ROUNDS):
        try:
            return action()
        except (AlreadyExistsError, PreconditionError):
            raise
        except (OSError, ValueError, NotImplementedError, BaseError) as error:
            if number == _ROUNDS - 1 or not (isinstance(error, BrokenError) or "response body" in str(error)):
                raise explained(error, url) from None
            time.sleep(0.1 * 2.0**number)
    raise AssertionError("unreachable: the last round returns or raises")


def is_misplaced(error: BaseException) -> bool:
    """Whether the error says that the store, the bucket or its region is wrong."""
    return any(pattern.search(str(error)) for pattern in (_NO_BUCKET, _REGION, _UNREACHABLE))


def explained(error: BaseException, url: str) -> GristmillError:
    """What a store's error means and what to do about it, without credentials."""
    said, place, where = str(error), redacted(endpoint_url() or "AWS"), redacted(url)
    if isinstance(error, FileNotFoundError) and not _NO_BUCKET.search(said):
        return MissingError("no such file", where=where)
    if isinstance(error, BrokenError):
        remedy = f"look at the store and at proxies in between, {_AGAIN}"
        return GristmillError(f"the store's answer is broken: {said}", where=where, remedy=remedy)
    otherwise = ("the store at {place} says", "check the URL and the store")
    meaning, remedy = next(
        ((meaning, remedy) for pattern, meaning, remedy in _MEANINGS if pattern.search(said)), otherwise
    )
    return GristmillError(f"{meaning.format(place=place)} ({redacted(_shortened(error))})", where=where, remedy=remedy)


def endpoint_url() -> str | None:
    """The endpoint that the environment names; None: AWS itself."""
    return os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL") or None


def _shortened(error: BaseException) -> str:
    """An error in at most 400 characters: the library's line, the store's message, and the system's, which come far
    below it.
    """
    said, _, source = str(error).partition("\n\nDebug source:")
    line, _, xml = said.partition("<?xml")
    found = re.search(r"<Message>(.*?)</Message>", xml) or re.search(r'(?:message|error): "([^"]*)"', source)
    return " ".join([line, found[1] if found else ""]).strip()[:400] or type(error).__name__
