"""Small prepared corpora and run manifests for the tests of training: a Markov chain that a tiny model learns in a
minute.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import yaml

from manifests.base import sha256_of
from manifests.run import Run, load_run
from shards.format import ShardManifest, TokenizerInfo
from shards.writer import publish_manifest, write_shard

VOCAB = 100
"""Not a multiple of 128, so that the padding of the vocabulary is always tested."""

MODEL = {
    "kind": "model",
    "version": 1,
    "name": "test",
    "layers": 4,
    "hidden": 32,
    "heads": 4,
    "kv_heads": 2,
    "ffn": 88,
    "max_sequence": 64,
}


def make_corpus(
    folder: Path, *, tokens: int = 60_000, seed: int = 0, sha256: str = "0" * 64, vocab_size: int = VOCAB
) -> np.ndarray:
    """Write `folder/shards` with two buckets, three shards; returns all tokens."""
    info = TokenizerInfo(sha256=sha256, vocab_size=vocab_size, bos_id=1, eos_id=2)
    generator = np.random.default_rng(seed)
    entries, everything = [], []
    for bucket, name, share in (
        ("crawl/general", "00000", 0.4),
        ("crawl/general", "00001", 0.3),
        ("wiki/factual", "00000", 0.3),
    ):
        documents = _documents(generator, int(tokens * share), vocab_size)
        lengths = np.array([len(document) for document in documents])
        offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
        stream = np.concatenate(documents).astype(np.uint16)
        everything.append(stream)
        entries.append(
            write_shard(
                str(folder / "shards"),
                bucket=bucket,
                name=name,
                tokens=stream,
                offsets=offsets,
                tokenizer=info,
                inputs=[],
                documents=_side_table(bucket, name, offsets, lengths),
            )
        )
    publish_manifest(
        str(folder / "shards"), ShardManifest(corpus="markov", dtype="uint16", tokenizer=info, shards=entries)
    )
    return np.concatenate(everything)


def unigram_entropy(tokens: np.ndarray) -> float:
    """Nats per token."""
    shares = np.bincount(tokens) / len(tokens)
    shares = shares[shares > 0]
    return float(-(shares * np.log(shares)).sum())


def write_run(folder: Path, *, name: str, data: Path, **settings: Any) -> Path:
    """A run manifest `folder/name.yaml` whose output goes to `folder/name`."""
    manifest = {
        "kind": "run",
        "version": 1,
        "name": name,
        "seed": 7,
        "data": str(data),
        "out": str(folder / name),
        "model": MODEL,
        "sequence": 32,
        "global_batch": 8,
        "micro_batch": 2,
        "tokens": 20 * 8 * 32,
        "mixture": {"kind": "mixture", "version": 1, "name": "test", "max_epochs": 100, "block_samples": 16},
        "schedule": {"warmup_steps": 4},
        **settings,
    }
    manifest["optimizer"] = {"peak_lr": 1e-2, **settings.get("optimizer", {})}
    path = folder / f"{name}.yaml"
    path.write_text(yaml.safe_dump(manifest))
    return path


def make_run(folder: Path, *, name: str, data: Path, **settings: Any) -> Run:
    """The loaded form of `write_run`."""
    return load_run(write_run(folder, name=name, data=data, **settings))


def metrics(folder: Path) -> list[dict[str, Any]]:
    """The lines of a run's metrics.jsonl."""
    return [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]


def _documents(generator: np.random.Generator, tokens: int, vocab_size: int) -> list[np.ndarray]:
    """Each token is followed by one of four others, which depend on it: entropy log 4, far below that of the tokens
    themselves.
    """
    following = np.random.default_rng(99).integers(3, vocab_size, (vocab_size, 4))
    documents, left = [], tokens
    while left > 0:
        length = min(left, int(generator.integers(20, 200)))
        choices = generator.integers(0, 4, length)
        document = np.empty(length, np.int64)
        document[0] = 1
        for position in range(1, length):
            document[position] = following[document[position - 1], choices[position]]
        document[-1] = 2
        documents.append(document)
        left -= length
    return documents


def _side_table(bucket: str, name: str, offsets: np.ndarray, lengths: np.ndarray) -> pa.Table:
    count = len(lengths)
    source, band = bucket.split("/")
    return pa.table(
        {
            "document_id": [bytes.fromhex(sha256_of([bucket, name, row])[:32]) for row in range(count)],
            "source": [source] * count,
            "site": pa.array([None] * count, pa.string()),
            "url": [f"https://example.org/{name}/{row}" for row in range(count)],
            "offset": offsets[:-1],
            "length": lengths,
            "file": [f"{name}.jsonl"] * count,
            "record": list(range(count)),
            "record_name": pa.array([None] * count, pa.string()),
            "band": [band] * count,
        }
    )
