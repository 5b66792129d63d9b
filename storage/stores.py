"""Where a URL's store is and how it is reached: `pyarrow.fs` clients, made once per process and environment.

Endpoint and keys come from the standard environment variables alone: `AWS_ENDPOINT_URL_S3` or `AWS_ENDPOINT_URL`, `AWS_ACCESS_KEY_ID`,
`AWS_SECRET_ACCESS_KEY`, `AWS_SESSION_TOKEN`, `AWS_REGION`; without keys, the SDK's own chain: profile, web identity, instance role.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from functools import lru_cache

import pyarrow as pa
from pyarrow import fs as pafs

from manifests.credentials import CREDENTIAL_REMEDY, credential_in, redacted
from manifests.errors import GristmillError
from storage.faults import DENIED, SDK_ATTEMPTS, UNREACHABLE, attempt, endpoint_url, explained, first_line

_CONNECT_SECONDS = 2.0
# Without a byte; then the attempt counts as failed. A store may think for seconds before it answers the end of a large upload.
_REQUEST_SECONDS = 15.0
# Of the first request to a bucket, which asks whether the store is there at all: at most 3 x 5 s.
_FIRST_SECONDS = 5.0
_FIRST_ATTEMPTS = 3

_ESCAPED = re.compile(r"[^A-Za-z0-9/._~!$&'()*+,;=:@-]")
_OPTIONS = re.compile(r"\?[a-z_]+=")
_OTHER_SOURCES = (
    "AWS_PROFILE",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
)


@dataclass(frozen=True)
class _Access:
    """How an S3 store is reached; keys stay out of every representation."""

    endpoint: str | None
    region: str | None
    access_key: str | None = field(repr=False)
    secret_key: str | None = field(repr=False)
    session_token: str | None = field(repr=False)


def locate(url: str) -> tuple[pafs.FileSystem, str]:
    """The filesystem of a URL, made once per process and environment, and the path in it.

    Raises:
        GristmillError: no such scheme, keys in the URL, no keys in the environment, no such bucket, or a store that does not answer.
    """
    scheme, _, rest = url.partition("://")
    bucket, _, key = rest.partition("/")
    if found := credential_in(url):
        raise GristmillError(f"the URL holds {found}", where=redacted(url), remedy=CREDENTIAL_REMEDY)
    if scheme in ("s3", "s3a"):
        if not bucket or "@" in bucket or ":" in bucket:
            raise GristmillError(
                "must be s3://BUCKET/KEY, without keys or a host in it",
                where=redacted(url),
                remedy="put keys into AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, an endpoint into AWS_ENDPOINT_URL",
            )
        return _bucket(os.getpid(), _access(url), bucket), f"{bucket}/{key}".rstrip("/")
    if scheme != "abfs" and scheme != "abfss" and "@" in bucket:  # abfs names its container before an @
        raise GristmillError("must not hold a user or password", where=redacted(url), remedy="give them to the store's own environment")
    # What a URI would have escaped is a name here, as in s3 URLs; a query with a value gives options.
    plain = _OPTIONS.search(key) is None and _ESCAPED.search(key) is not None
    try:
        filesystem, path = pafs.FileSystem.from_uri(f"{scheme}://{bucket}/" if plain else url)
    except (OSError, pa.ArrowException, ImportError) as error:
        raise GristmillError(f"cannot be opened: {redacted(first_line(error))}", where=redacted(url), remedy="check the URL") from None
    return filesystem, f"{path.rstrip('/')}/{key}".rstrip("/") if plain else path


@lru_cache(maxsize=64)
def _bucket(process: int, access: _Access, bucket: str) -> pafs.FileSystem:
    """The filesystem of one bucket, after asking once whether the bucket is there. `process`: clients do not survive a fork."""
    url = f"s3://{bucket}"
    region = access.region
    if region is None:
        # Only AWS itself can be asked where a bucket lies.
        region = "us-east-1" if access.endpoint else attempt(lambda: pafs.resolve_s3_region(bucket), url, rounds=1)
    filesystem = _client(process, access, region, SDK_ATTEMPTS, _REQUEST_SECONDS)
    try:
        info = _client(process, access, region, _FIRST_ATTEMPTS, _FIRST_SECONDS).get_file_info(bucket)
    except OSError as error:
        if DENIED.search(str(error)):
            return filesystem  # keys may be good for a prefix of the bucket only: the request itself will tell
        if UNREACHABLE.search(str(error)):
            raise explained(error, url) from None  # at the first contact: more likely a wrong address than a store that comes back
        raise
    if info.type == pafs.FileType.NotFound:
        raise explained(OSError("NO_SUCH_BUCKET"), url)
    return filesystem


@lru_cache(maxsize=16)
def _client(process: int, access: _Access, region: str, attempts: int, seconds: float) -> pafs.S3FileSystem:
    return pafs.S3FileSystem(
        access_key=access.access_key,
        secret_key=access.secret_key,
        session_token=access.session_token,
        region=region,
        endpoint_override=access.endpoint,
        connect_timeout=_CONNECT_SECONDS,
        request_timeout=seconds,
        allow_delayed_open=True,  # what fits into one PUT is sent as one PUT
        retry_strategy=pafs.AwsDefaultS3RetryStrategy(max_attempts=attempts),
    )


def _access(url: str) -> _Access:
    environment = os.environ
    endpoint = endpoint_url()
    keys = [environment.get(name) or None for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")]
    if keys.count(None) == 1:
        missing = "AWS_ACCESS_KEY_ID" if keys[0] is None else "AWS_SECRET_ACCESS_KEY"
        raise GristmillError(f"{missing} is not set, its counterpart is", where=redacted(url), remedy=f"set {missing}")
    if keys[0] is None and not _other_keys(endpoint):
        raise GristmillError(
            f"there are no keys for the store at {redacted(endpoint or 'AWS')}",
            where=redacted(url),
            remedy="set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (or AWS_PROFILE) in the environment of this process and of all workers",
        )
    region = environment.get("AWS_REGION") or environment.get("AWS_DEFAULT_REGION") or None
    return _Access(endpoint, region, keys[0], keys[1], environment.get("AWS_SESSION_TOKEN") or None if keys[0] else None)


def _other_keys(endpoint: str | None) -> bool:
    """Whether the SDK may find keys elsewhere. A store of one's own has no instance roles: asking for them takes seconds."""
    environment = os.environ
    files = (environment.get("AWS_SHARED_CREDENTIALS_FILE") or "~/.aws/credentials", environment.get("AWS_CONFIG_FILE") or "~/.aws/config")
    there = [os.access(os.path.expanduser(file), os.F_OK) for file in files]  # noqa: PTH111  # no error where no home is known, or is closed
    if any(environment.get(name) for name in _OTHER_SOURCES) or any(there):
        return True
    return endpoint is None and environment.get("AWS_EC2_METADATA_DISABLED", "").lower() != "true"
