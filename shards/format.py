"""The token shard: what a prepared corpus consists of, and what training reads.

A shard is an Arrow IPC *file*, uncompressed, with exactly one record batch and one column:

    tokens: large_list<item: uint16 or uint32, not null>     one row per document, BOS and EOS included

so that `column.values` is one contiguous array over the mapped file. Beside it, `NAME.documents.arrow` has one row per
document in the same order (`SIDE_TABLE`). Schema metadata of both names the format, dtype, tokenizer, bucket and shard.
Shards of a bucket are ordered by name; `_MANIFEST.json` lists them with hashes and is published last.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pyarrow as pa

from manifests.base import RelativePath, Strict
from manifests.step import Ledger

FORMAT = "gristmill-shard/1"
MANIFEST = "_MANIFEST.json"

_WORDS = pa.dictionary(pa.int32(), pa.string())

SIDE_TABLE = pa.schema(
    [
        pa.field("document_id", pa.binary(16), nullable=False),
        pa.field("source", _WORDS, nullable=False),
        pa.field("site", _WORDS),
        pa.field("url", pa.string()),
        pa.field("offset", pa.int64(), nullable=False),  # of the document's first token in the shard
        pa.field("length", pa.int64(), nullable=False),  # tokens, BOS and EOS included
        pa.field("file", _WORDS, nullable=False),  # raw file, relative to the source's root
        pa.field("record", pa.int64(), nullable=False),  # where in the raw file; format-specific
        pa.field("record_name", pa.string()),  # the record's own id
        pa.field("band", _WORDS, nullable=False),  # factual or general, or a quantile of factual scores
    ]
)


class TokenizerInfo(Strict):
    """The tokenizer that wrote the shards; `bos_id` and `eos_id` are None where documents are not bounded by them."""

    sha256: str
    vocab_size: int
    bos_id: int | None
    eos_id: int | None


class ShardEntry(Strict):
    """One shard.

    Attributes:
        file: relative to the shard folder; so is `documents_file`.
        content_sha256: over tokens, offsets and document ids: does not depend on the Arrow version that wrote the file.
        inputs: names of the parts that it was made from.
    """

    bucket: str
    name: str
    file: RelativePath
    documents_file: RelativePath
    sha256: str
    documents_sha256: str
    content_sha256: str
    bytes: int
    documents_bytes: int
    documents: int
    tokens: int
    inputs: list[str]


@dataclass(frozen=True)
class BucketSize:
    """How much a bucket holds."""

    shards: int = 0
    documents: int = 0
    tokens: int = 0


class ShardManifest(Strict):
    """All shards of a prepared corpus, sorted by bucket and name.

    Attributes:
        digest: sha256 over the tokenizer and the content hashes in order; two corpora with the same digest train the
            same.
        settings_sha256: over the settings of the step that wrote the shards.
        inputs: digests of the steps before.
        manifest_sha256: over all the rest of the manifest; empty in those of earlier versions.
    """

    format: Literal["gristmill-shard/1"] = "gristmill-shard/1"
    corpus: str
    dtype: Literal["uint16", "uint32"]
    tokenizer: TokenizerInfo
    shards: list[ShardEntry]
    ledger: Ledger = Ledger()
    settings_sha256: str = ""
    inputs: dict[str, str] = {}
    digest: str = ""
    manifest_sha256: str = ""

    def bucket_sizes(self) -> dict[str, BucketSize]:
        """How much each bucket holds."""
        sizes: dict[str, BucketSize] = {}
        for entry in self.shards:
            size = sizes.get(entry.bucket, BucketSize())
            sizes[entry.bucket] = BucketSize(
                size.shards + 1, size.documents + entry.documents, size.tokens + entry.tokens
            )
        return sizes


def token_dtype(vocab_size: int) -> np.dtype[np.unsignedinteger]:
    """uint16 when every token id fits, else uint32."""
    return np.dtype(np.uint16) if vocab_size <= 1 << 16 else np.dtype(np.uint32)
