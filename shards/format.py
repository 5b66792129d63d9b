"""The token shard: what a prepared corpus consists of, and what training reads.

A shard is an Arrow IPC *file*, uncompressed, with exactly one record batch and one column:

    tokens: large_list<item: uint16 or uint32, not null>     one row per document, BOS and EOS included

so that `column.values` is one contiguous array over the mapped file. Beside it, `NAME.documents.arrow` has one row per
document in the same order (`SIDE_TABLE`). Schema metadata of both names the format, dtype, tokenizer, bucket and shard.
Shards of a bucket are ordered by name. `_SHARDS.arrow` lists them with hashes (`shards.shard_list`); `_MANIFEST.json`
says what they are, names the list by its hash, and is published last. Manifests of format `gristmill-shard/1` hold the
list themselves, in JSON, and can still be read.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
import pyarrow as pa

from manifests.base import RelativePath, Strict
from manifests.step import Ledger
from shards.shard_list import ShardEntry as ShardEntry
from shards.shard_list import ShardListField

# Of the shards' own files, and of the manifest that names them.
FORMAT = "gristmill-shard/1"
MANIFEST_FORMAT: Final = "gristmill-shard/2"
MANIFEST = "_MANIFEST.json"
LIST = "_SHARDS.arrow"

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


@dataclass(frozen=True)
class BucketSize:
    """How much a bucket holds."""

    shards: int = 0
    documents: int = 0
    tokens: int = 0


class ListFile(Strict):
    """The Arrow file that lists the shards, beside the manifest."""

    file: RelativePath
    sha256: str
    bytes: int
    shards: int


class ShardManifest(Strict):
    """All shards of a prepared corpus, sorted by bucket and name.

    Attributes:
        format: `gristmill-shard/1` for a manifest whose JSON holds the list of shards.
        shards: not part of the JSON of a later format.
        listed: the file that holds `shards`; None before it is published, and in `gristmill-shard/1`.
        digest: sha256 over the tokenizer and the content hashes in order; two corpora with the same digest train the
            same.
        settings_sha256: over the settings of the step that wrote the shards.
        inputs: digests of the steps before.
        manifest_sha256: over all the rest of the manifest; empty in those of earlier versions.
    """

    format: Literal["gristmill-shard/1", "gristmill-shard/2"] = MANIFEST_FORMAT
    corpus: str
    dtype: Literal["uint16", "uint32"]
    tokenizer: TokenizerInfo
    shards: ShardListField
    listed: ListFile | None = None
    ledger: Ledger = Ledger()
    settings_sha256: str = ""
    inputs: dict[str, str] = {}
    digest: str = ""
    manifest_sha256: str = ""

    def stored(self) -> dict[str, Any]:
        """What the manifest's JSON holds."""
        return self.model_dump(mode="json", exclude={"listed" if self.format == FORMAT else "shards"})

    def bucket_sizes(self) -> dict[str, BucketSize]:
        """How much each bucket holds."""
        sizes: dict[str, BucketSize] = {}
        shards = self.shards
        for bucket, documents, tokens in zip(
            shards.buckets, shards.documents.tolist(), shards.tokens.tolist(), strict=True
        ):
            size = sizes.get(bucket, BucketSize())
            sizes[bucket] = BucketSize(size.shards + 1, size.documents + documents, size.tokens + tokens)
        return sizes


def token_dtype(vocab_size: int) -> np.dtype[np.unsignedinteger]:
    """uint16 when every token id fits, else uint32."""
    return np.dtype(np.uint16) if vocab_size <= 1 << 16 else np.dtype(np.uint32)
