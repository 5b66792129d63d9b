"""Finds credentials in URLs, so that manifests with them are refused; removes them from what is stored or printed.

Recognised: a user and password before the host, the keys of a bucket written in the same way, and parameters such as a
signature or a token.
"""

from __future__ import annotations

import os
import re

_KEYS = (
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_ACCESS_KEY_ID",
    "AZURE_STORAGE_KEY",
    "AZURE_STORAGE_ACCOUNT_KEY",
)

_SCHEME = r"[A-Za-z][A-Za-z0-9+.-]{0,30}://"
# Before the host, up to an @. In a bucket's URL the secret key may contain slashes.
_USER = re.compile(rf"(?P<scheme>{_SCHEME})(?P<user>[^/?#\s\"'<>]*@)")
_BUCKET_KEYS = re.compile(r"(?P<scheme>\b(?:s3|s3a|gs)://)(?P<user>[^@:/\s]{0,200}:[^@\s]{0,200}@)", re.IGNORECASE)
PARAMETER = re.compile(
    r"(?P<name>[?&;#](?:amp;)?(?:"
    r"x-(?:amz|goog)-(?:signature|credential|security-token)|awsaccesskeyid|googleaccessid|(?:aws_)?secret_access_key|access_key_id"
    r"|signature|sig|(?:access|auth|refresh|id|session|security|api)?[_-]?token|api[_-]?key|apikey|access[_-]?key|secret[_-]?key"
    r"|client[_-]?secret|secret|passwd|password|pwd|pass|passphrase|authorization|credentials?|jsessionid|phpsessid"
    r")=)(?P<value>[^&;#\s\"'<>]+)",
    re.IGNORECASE,
)
_REMOVED = "removed"

CREDENTIAL_REMEDY = (
    "take it out; keys come from the environment or a profile (AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY,"
    " AWS_PROFILE)"
)


def credential_in(text: str) -> str | None:
    """The kind of credential in a URL, in words that do not repeat it; None if there is no credential."""
    if "://" not in text:
        return None
    if any(not _is_container(match) for match in _USER.finditer(text)):
        return "a user or password before the host"
    if _BUCKET_KEYS.search(text):
        return "keys before the bucket"
    parameter = PARAMETER.search(text)
    return None if parameter is None else f"the parameter `{parameter['name'].strip('?&;#=')}`"


def without_credentials(url: str) -> str:
    """A document's URL without user and password; values of secret parameters become `removed`.

    Other URLs are not changed.
    """
    if "@" in url:
        url = _USER.sub(r"\g<scheme>", url)
    return PARAMETER.sub(rf"\g<name>{_REMOVED}", url) if "=" in url else url


def redacted(text: str) -> str:
    """A text without secret keys: neither those in the environment, nor those in URLs within the text."""
    for name in _KEYS:
        value = os.environ.get(name)
        if value and len(value) > 3:
            text = text.replace(value, f"<{name}>")
    if "://" in text:
        text = _BUCKET_KEYS.sub(r"\g<scheme><keys>@", text)
        text = _USER.sub(lambda match: match[0] if _is_container(match) else f"{match['scheme']}<keys>@", text)
    return PARAMETER.sub(r"\g<name><removed>", text) if "=" in text else text


def _is_container(match: re.Match[str]) -> bool:
    """True for an `abfs` URL, which has its container's name before an @."""
    return match["scheme"].lower() in ("abfs://", "abfss://") and ":" not in match["user"]
