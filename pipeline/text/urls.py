"""URLs and ids of documents as they are kept: a crawl's URL that holds a password is personal information, and goes no
further.

In: a column of texts. Out, row-aligned: the same without user and password before a host, and with `removed` as the
value of parameters such as a token or signature (`manifests.credentials`). The raw record still has the URL; file and
record lead to it.
"""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from manifests.credentials import PARAMETER, without_credentials


def without_url_credentials(column: pa.Array) -> pa.Array:
    """The column itself when no text in it holds a credential."""
    suspicious = pc.or_(
        pc.match_substring(column, "@"), pc.match_substring_regex(column, PARAMETER.pattern, ignore_case=True)
    )
    if not pc.any(suspicious).as_py():
        return column
    return pa.array([None if text is None else without_credentials(text) for text in column.to_pylist()], column.type)


def excerpt_without_credentials(data: bytes) -> bytes:
    """The first bytes of a broken record, whatever their encoding."""
    return without_credentials(data.decode("latin-1")).encode("latin-1")
