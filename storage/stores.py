"""Where a URL's store is and how it is reached: clients of `obstore`, made once per environment.

Endpoint and keys come from the standard environment variables alone: `AWS_ENDPOINT_URL_S3` or `AWS_ENDPOINT_URL`,
`AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `AWS_SESSION_TOKEN`, `AWS_REGION`; without keys, a profile, web identity,
or the role of the machine. `gs://` and `abfs://` likewise, from the variables of Google's and Microsoft's own tools.
"""

from __future__ import annotations

import configparser
import os
from datetime import timedelta
from functools import lru_cache
from typing import TYPE_CHECKING

from obstore.exceptions import BaseError
from obstore.store import S3Store, from_url

from manifests.credentials import CREDENTIAL_REMEDY, credential_in, redacted
from manifests.errors import GristmillError
from storage.faults import attempt, endpoint_url, explained, is_misplaced

if TYPE_CHECKING:
    from obstore.store import ClientConfig, ObjectStore, RetryConfig, S3Config

_SCHEMES = ("s3", "s3a", "gs", "az", "abfs", "abfss", "file")

# Time without a byte of the answer, sending the request included: the slowest usable line takes a minute for 10 MiB.
_READ_TIMEOUT = timedelta(seconds=60)
_REQUEST_TIMEOUT = timedelta(minutes=15)
# A store that throttles needs seconds, not milliseconds. Python handles no signal while the library waits: about a
# minute in all.
_RETRIES: RetryConfig = {
    "max_retries": 10,
    "retry_timeout": timedelta(seconds=60),
    "backoff": {"init_backoff": timedelta(milliseconds=100), "max_backoff": timedelta(seconds=8), "base": 2},
}
# For the first request to a bucket, which asks whether the store is there at all: at most 3 x 5 s.
_FIRST_TIMEOUT = timedelta(seconds=5)
_FIRST_RETRIES: RetryConfig = {**_RETRIES, "max_retries": 2}

_OTHER_SOURCES = (
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
)


def locate(url: str) -> tuple[ObjectStore, str]:
    """The store of a URL, made once per environment, and the key in it.

    Raises:
        GristmillError: no such scheme, keys in the URL, no keys in the environment, no such bucket, a store that does
            not answer, or a process that was forked from one that has used a store.
    """
    scheme, _, rest = url.partition("://")
    bucket, _, key = rest.partition("/")
    if found := credential_in(url):
        raise GristmillError(f"the URL holds {found}", where=redacted(url), remedy=CREDENTIAL_REMEDY)
    if scheme not in _SCHEMES:
        raise GristmillError(
            "is at no store that is known", where=redacted(url), remedy=f"known are {', '.join(_SCHEMES)}; else copy it"
        )
    if _user() != os.getpid():
        # Measured with obstore 0.12: a request of the child never ends, and the parent's never end from then on.
        raise GristmillError(
            "this process was forked from one that has used a store",
            where=redacted(url),
            remedy='start it by "spawn" or "forkserver"',
        )
    environment = frozenset(
        (name, value) for name, value in os.environ.items() if name.startswith(("AWS_", "AZURE_", "GOOGLE_"))
    )
    if scheme not in ("s3", "s3a"):
        return _other(environment, f"{scheme}://{bucket}/"), key.rstrip("/")
    if not bucket or "@" in bucket or ":" in bucket:
        raise GristmillError(
            "must be s3://BUCKET/KEY, without keys or a host in it",
            where=redacted(url),
            remedy="put keys into AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, an endpoint into AWS_ENDPOINT_URL",
        )
    return _bucket(environment, bucket), key.rstrip("/")


@lru_cache(maxsize=1)
def _user() -> int:
    """The process that uses stores: this one, or the one that it was forked from."""
    return os.getpid()


@lru_cache(maxsize=64)
def _other(environment: frozenset[tuple[str, str]], root: str) -> ObjectStore:
    """The store of `gs://` and the like. `environment`: the one that the library reads its settings from."""
    return attempt(lambda: from_url(root, client_options=_client_options(_READ_TIMEOUT), retry_config=_RETRIES), root)


@lru_cache(maxsize=64)
def _bucket(environment: frozenset[tuple[str, str]], bucket: str) -> S3Store:
    """One bucket of an S3 store, after asking once whether it is there."""
    url = f"s3://{bucket}"
    for name, value in environment:
        if not value:
            # The library takes an empty endpoint as an address, and an empty token as a token.
            os.environ.pop(name, None)
    keys = _keys(url)
    region = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or _region(bucket)

    def made(timeout: timedelta, retries: RetryConfig) -> S3Store:
        return S3Store(
            bucket, config=keys, region=region, client_options=_client_options(timeout), retry_config=retries
        )

    try:
        made(_FIRST_TIMEOUT, _FIRST_RETRIES).list(".tmp-is-the-bucket-there").collect()
    except (OSError, BaseError) as error:
        # At the first contact a wrong address is more likely than a store that comes back. The request itself will show
        # what else is wrong, such as keys that are valid for a part of the bucket only.
        if is_misplaced(error):
            raise explained(error, url) from None
    return made(_READ_TIMEOUT, _RETRIES)


def _client_options(read_timeout: timedelta) -> ClientConfig:
    return {
        "allow_http": True,
        "connect_timeout": timedelta(seconds=2),
        "read_timeout": read_timeout,
        "timeout": _REQUEST_TIMEOUT,
    }


def _region(bucket: str) -> str:
    """Only AWS itself can be asked where a bucket lies."""
    from pyarrow import fs as pafs

    return "us-east-1" if endpoint_url() else attempt(lambda: str(pafs.resolve_s3_region(bucket)), f"s3://{bucket}")


def _keys(url: str) -> S3Config:
    """The keys of a profile where the environment holds none; empty where the library finds them itself."""
    environment = os.environ
    set_ = [name for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY") if name in environment]
    if len(set_) == 1:
        missing = "AWS_SECRET_ACCESS_KEY" if set_ == ["AWS_ACCESS_KEY_ID"] else "AWS_ACCESS_KEY_ID"
        raise GristmillError(f"{missing} is not set, its counterpart is", where=redacted(url), remedy=f"set {missing}")
    if set_ or any(name in environment for name in _OTHER_SOURCES):
        return {}
    keys = _profile()
    endpoint = endpoint_url()
    # A self-hosted store has no instance roles: asking for them takes seconds.
    if not keys and (
        "AWS_PROFILE" in environment or endpoint or environment.get("AWS_EC2_METADATA_DISABLED", "").lower() == "true"
    ):
        raise GristmillError(
            f"there are no keys for the store at {redacted(endpoint or 'AWS')}",
            where=redacted(url),
            remedy=(
                "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the environment of this process and of all workers,"
                " or AWS_PROFILE to a profile that holds them; `aws configure export-credentials --format env` prints"
                " those of any other profile"
            ),
        )
    return keys


def _profile() -> S3Config:
    """The keys that the user's files hold for the profile of the environment, as settings of a store; empty without."""
    files = (("AWS_CONFIG_FILE", "~/.aws/config"), ("AWS_SHARED_CREDENTIALS_FILE", "~/.aws/credentials"))
    found = configparser.RawConfigParser()
    found.read(os.path.expanduser(os.environ.get(name) or default) for name, default in files)  # noqa: PTH111  # no error where no home is
    profile = os.environ.get("AWS_PROFILE") or "default"
    for section in (profile, f"profile {profile}"):
        if found.has_option(section, "aws_secret_access_key"):
            of = found[section]
            keys: S3Config = {
                "access_key_id": of["aws_access_key_id"],
                "secret_access_key": of["aws_secret_access_key"],
            }
            return {**keys, "session_token": of["aws_session_token"]} if "aws_session_token" in of else keys
    return {}
