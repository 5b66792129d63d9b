"""What goes wrong between here and an object store: tried again, explained, and cleaned of credentials."""

from __future__ import annotations

import os
import random
import re
import time
from collections.abc import Callable
from typing import TypeVar

import pyarrow as pa

from manifests.credentials import redacted
from manifests.errors import GristmillError

# Attempts of the SDK for one request, waiting 25 ms x 2^n between them: 1.6 s in all, beside what the attempts themselves take.
SDK_ATTEMPTS = 6
# Rounds of such attempts, waiting about 1, 2 and 4 s between them: a store that throttles wants seconds, not milliseconds.
_ROUNDS = 4

_CHECK_KEYS = "check AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and, with temporary keys, AWS_SESSION_TOKEN"
_TRANSIENT = re.compile(
    r"SLOW_?DOWN|THROTTL|REQUEST_TIMEOUT|SERVICE_UNAVAILABLE|INTERNAL_(FAILURE|ERROR)|NETWORK_CONNECTION|HTTP status (429|5\d\d)"
    r"|NO_SUCH_UPLOAD|curlCode|imed? ?out|reset by peer",
    re.IGNORECASE,
)

DENIED = re.compile(
    r"INVALID_ACCESS_KEY_ID|SIGNATURE_DOES_NOT_MATCH|ACCESS_DENIED|EXPIRED|HTTP status 40[13]|INVALID_TOKEN|UNRECOGNIZED_CLIENT"
)
UNREACHABLE = re.compile(r"curlCode: (6|7|28|35|60)\b|onnection refused")  # of libcurl: no such host, no connection, time out, TLS

T = TypeVar("T")


class MissingError(GristmillError):
    """There is no file of this name."""


class BrokenError(OSError):
    """An answer that is not what the store announced: worth another attempt."""


def attempt(action: Callable[[], T], url: str, *, rounds: int = _ROUNDS) -> T:
    """Do something with a store; faults that may pass are tried again, all others become a `GristmillError`."""
    for number in range(1, rounds + 1):
        try:
            return action()
        except (OSError, pa.ArrowException) as error:
            passing = isinstance(error, BrokenError) or _TRANSIENT.search(str(error)) is not None
            if not passing or number == rounds:
                raise explained(error, url) from None
            # Spread out, so that a thousand workers that were refused together do not come back together.
            time.sleep(2.0 ** (number - 1) * random.uniform(0.5, 1.0) * (0.1 if isinstance(error, BrokenError) else 1.0))
    raise AssertionError("unreachable: the last round returns or raises")


def explained(error: BaseException, url: str) -> GristmillError:
    """What a store's error means and what to do about it, without credentials."""
    text, where = redacted(first_line(error)), redacted(url)
    place = redacted(endpoint_url() or "AWS")
    if isinstance(error, FileNotFoundError) or "NO_SUCH_KEY" in text:
        return MissingError("no such file", where=where)
    if "NO_SUCH_BUCKET" in text:
        return GristmillError(f"there is no such bucket at {place}", where=where, remedy="create it, or check the URL and AWS_ENDPOINT_URL")
    if DENIED.search(text):
        return GristmillError(f"the store at {place} refuses the keys, or they do not allow this ({text})", where=where, remedy=_CHECK_KEYS)
    if isinstance(error, BrokenError):
        return GristmillError(
            f"the store's answer is broken: {text}",
            where=where,
            remedy="look at the store and at proxies in between, then run the same command again: finished parts are kept",
        )
    if UNREACHABLE.search(text):
        return GristmillError(
            f"the store at {place} cannot be reached ({text})", where=where, remedy="check AWS_ENDPOINT_URL and the network"
        )
    if _TRANSIENT.search(text):
        return GristmillError(
            f"the store at {place} does not serve this request after {_ROUNDS} x {SDK_ATTEMPTS} attempts ({text})",
            where=where,
            remedy="run the same command again later, or with fewer --workers: finished parts are kept",
        )
    return GristmillError(f"the store at {place} says: {text}", where=where, remedy="check the URL and the store")


def endpoint_url() -> str | None:
    """The endpoint that the environment names; None: AWS itself."""
    return os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL") or None


def first_line(error: BaseException) -> str:
    """An error's first line, at most 300 characters of it: Arrow appends addresses and stacks."""
    lines = str(error).strip().splitlines()
    return lines[0][:300] if lines else type(error).__name__
