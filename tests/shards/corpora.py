"""Small shard folders with the same content as plain Python lists."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa

from manifests.step import Ledger
from shards.format import ShardManifest, TokenizerInfo, token_dtype
from shards.writer import publish_manifest, write_shard

Lengths = Mapping[str, Sequence[Sequence[int]]]  # bucket -> shards -> tokens per document


def tokenizer(vocab_size: int = 1000, *, bounded: bool = False) -> TokenizerInfo:
    return TokenizerInfo(
        sha256="ab" * 32, vocab_size=vocab_size, bos_id=1 if bounded else None, eos_id=2 if bounded else None
    )


def tokens_of(bucket: str, shard: int, lengths: Sequence[int], info: TokenizerInfo) -> list[int]:
    """The tokens of one shard: drawn from 3 up, with BOS and EOS around each document when the tokenizer has them."""
    rng = np.random.default_rng([shard, *bucket.encode()])
    tokens = rng.integers(3, info.vocab_size, sum(lengths)).tolist()
    for end, length in zip(np.cumsum(lengths).tolist(), lengths, strict=True):
        if info.bos_id is not None and info.eos_id is not None:
            tokens[end - length], tokens[end - 1] = info.bos_id, info.eos_id
    return tokens


def side_rows(bucket: str, shard: int, lengths: Sequence[int]) -> pa.Table:
    """A side table in which every row says where it is."""
    count = len(lengths)
    ends = np.cumsum([0, *lengths])
    return pa.table(
        {
            "document_id": pa.array(
                [f"{bucket[:6]:>6}{shard:05d}{row:05d}".encode() for row in range(count)], pa.binary(16)
            ),
            "source": [bucket.split("/")[0]] * count,
            "site": pa.array([None if row % 3 == 0 else f"site{row % 2}" for row in range(count)], pa.string()),
            "url": pa.array(
                [None if row % 4 == 0 else f"https://{bucket}/{shard}/{row}" for row in range(count)], pa.string()
            ),
            "offset": ends[:-1],
            "length": np.diff(ends),
            "file": [f"raw-{shard}"] * count,
            "record": np.arange(count) * 10,
            "record_name": pa.array([f"{bucket}-{shard}-{row}" for row in range(count)]),
            "band": [bucket.split("/")[-1]] * count,
        }
    )


def write_corpus(folder: str, lengths: Lengths, *, vocab_size: int = 1000, bounded: bool = False) -> ShardManifest:
    """Write shards with documents of these lengths, and their manifest."""
    info = tokenizer(vocab_size, bounded=bounded)
    dtype = token_dtype(vocab_size)
    entries = []
    for bucket, shards in lengths.items():
        for shard, documents in enumerate(shards):
            tokens = np.array(tokens_of(bucket, shard, documents, info), dtype)
            entries.append(
                write_shard(
                    folder,
                    bucket=bucket,
                    name=f"{shard:05d}-0000",
                    tokens=tokens,
                    offsets=np.cumsum([0, *documents]),
                    documents=side_rows(bucket, shard, documents),
                    tokenizer=info,
                    inputs=["part"],
                )
            )
    count = sum(entry.documents for entry in entries)
    return publish_manifest(
        folder,
        ShardManifest(
            corpus="test", dtype=str(dtype), tokenizer=info, shards=entries, ledger=Ledger(records_in=count, kept=count)
        ),
    )


def streams(lengths: Lengths, *, vocab_size: int = 1000, bounded: bool = False) -> dict[str, list[int]]:
    """The tokens of each bucket as one list, as `write_corpus` writes them."""
    info = tokenizer(vocab_size, bounded=bounded)
    return {
        bucket: [token for shard, documents in enumerate(shards) for token in tokens_of(bucket, shard, documents, info)]
        for bucket, shards in sorted(lengths.items())
    }
