"""What bench/order.py measures on: a prepared corpus of 2 trillion tokens that takes 1.5 GB of a disk.

In: an empty folder. Out: `prepared/`, as `gristmill prep` leaves it where texts are kept: 31,250 shards of 64 million
tokens in 400 buckets. Eight shards are real; the others are hard links to them, so that each has a name, an inode to
look up and a map of its own, but not tokens of its own. The manifest, its list, the tasks and the parts' names are those
of 31,250 different shards. Documents are sentences of made-up words, encoded by a tokenizer of 8,000 pieces that is
trained on them; a shard holds some 60,000, drawn from 4,000 texts, which the only real part of extract holds.
"""

from __future__ import annotations

import hashlib
import io
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import sentencepiece
import xxhash

from manifests.step import Ledger, TaskManifest, digest_of
from shards.format import ShardManifest, TokenizerInfo
from shards.shard_list import ShardEntry
from shards.writer import publish_manifest, write_shard
from storage.checked import Remembered, record_of

SHARDS = 31_250
SHARD_TOKENS = 64_000_000
SOURCES, BANDS = 20, 20
REAL = 8
TEXTS = 4_000
PARTS_A_SHARD = 8
_VOCAB = 8_000
# As long as the names of a crawl's files.
_PART = "{source}/CC-MAIN-20250101000000-{number:08d}.warc.gz-0123456789abcdef.0000"


@dataclass(frozen=True)
class Texts:
    """The documents: texts, their ids, and their tokens with BOS and EOS, one after the other."""

    texts: list[str]
    ids: list[bytes]
    tokens: np.ndarray
    offsets: np.ndarray
    model: bytes


def make(folder: Path, *, shards: int = SHARDS, shard_tokens: int = SHARD_TOKENS) -> Path:
    """Write the corpus; returns `prepared/`."""
    prepared = folder / "prepared"
    texts = _texts()
    (prepared / "tokenizer").mkdir(parents=True)
    (prepared / "tokenizer" / "tokenizer.model").write_bytes(texts.model)
    info = TokenizerInfo(sha256=hashlib.sha256(texts.model).hexdigest(), vocab_size=_VOCAB, bos_id=1, eos_id=2)
    real = [_real_shard(folder / "real", texts, info, number, shard_tokens) for number in range(min(REAL, shards))]
    part_sha256 = _write_part(folder / "part.arrow", texts)
    entries = [_link(folder, prepared, real[number % len(real)], number, part_sha256) for number in range(shards)]
    publish_manifest(
        str(prepared / "shards"), ShardManifest(corpus="synthetic", dtype="uint16", tokenizer=info, shards=entries)
    )
    return prepared


def remember(prepared: Path) -> None:
    """Record that every shard was compared with its hash, as a run's earlier starts do (4 TB, an hour of a node)."""
    folder = str(prepared / "shards")
    from shards.writer import load_manifest

    remembered = Remembered(record_of(folder))
    for entry in load_manifest(folder).shards:
        remembered.add(f"{folder}/{entry.file}", entry.sha256)


def _texts() -> Texts:
    generator = np.random.default_rng(7)
    syllables = ["".join(pair) for pair in zip("bcdfghjklmnprstvwz" * 5, "aeiou" * 18, strict=True)]
    words = ["".join(generator.choice(syllables, generator.integers(1, 5))) for _ in range(30_000)]
    weights = 1 / np.arange(1, len(words) + 1)  # Zipf
    lengths = np.clip(generator.lognormal(6.3, 0.9, TEXTS).astype(int), 20, 6_000)
    drawn = generator.choice(len(words), int(lengths.sum()), p=weights / weights.sum())
    texts, at = [], 0
    for length in lengths.tolist():
        texts.append(" ".join(words[word] for word in drawn[at : at + length].tolist()).capitalize() + ".")
        at += length
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.Train(
        sentence_iterator=iter(text[:4_000] for text in texts[:600]), model_writer=model, model_type="bpe",
        vocab_size=_VOCAB, byte_fallback=True, normalization_rule_name="identity", num_threads=1, minloglevel=2,
    )  # fmt: skip
    encoder = sentencepiece.SentencePieceProcessor()
    encoder.LoadFromSerializedProto(model.getvalue())
    tokens = [[1, *encoder.EncodeAsIds(text), 2] for text in texts]
    offsets = np.cumsum([0, *map(len, tokens)])
    flat = np.array([token for document in tokens for token in document], np.uint16)
    ids = [xxhash.xxh3_128_digest(text.encode()) for text in texts]
    return Texts(texts, ids, flat, offsets, model.getvalue())


def _real_shard(folder: Path, texts: Texts, info: TokenizerInfo, number: int, size: int) -> ShardEntry:
    generator = np.random.default_rng(number)
    lengths = np.diff(texts.offsets)
    drawn = generator.integers(0, TEXTS, 2 * size // int(lengths.mean()) + 2)
    drawn = drawn[: int(np.searchsorted(np.cumsum(lengths[drawn]), size)) + 1]
    offsets = np.concatenate([np.zeros(1, np.int64), np.cumsum(lengths[drawn])])
    tokens = np.concatenate([texts.tokens[texts.offsets[one] : texts.offsets[one + 1]] for one in drawn.tolist()])
    count = len(drawn)
    documents = pa.table(
        {
            "document_id": pa.array([texts.ids[one] for one in drawn.tolist()], pa.binary(16)),
            "source": ["source"] * count, "site": [f"site{one % 1000}.org" for one in drawn.tolist()],
            "url": [f"https://site{one % 1000}.org/page/{one}" for one in drawn.tolist()],
            "offset": offsets[:-1], "length": np.diff(offsets), "file": ["raw.warc.gz"] * count, "record": drawn,
            "record_name": pa.nulls(count, pa.string()), "band": ["q00"] * count,
        }
    )  # fmt: skip
    return write_shard(
        str(folder), bucket="real", name=f"{number:05d}-0000", tokens=tokens, offsets=offsets, documents=documents,
        tokenizer=info, inputs=[],
    )  # fmt: skip


def _write_part(path: Path, texts: Texts) -> str:
    table = pa.table(
        {
            "id": pa.array(texts.ids, pa.binary(16)),
            "text": pa.array(texts.texts, pa.large_string()),
            "record": np.arange(TEXTS),
        }
    ).replace_schema_metadata({"file": "raw.warc.gz"})
    options = pa.ipc.IpcWriteOptions(compression="zstd")
    with pa.ipc.new_file(str(path), table.schema, options=options) as writer:
        writer.write_table(table, max_chunksize=500)
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _link(folder: Path, prepared: Path, real: ShardEntry, number: int, part_sha256: str) -> ShardEntry:
    source, band, task = number % SOURCES, number // SOURCES % BANDS, number // (SOURCES * BANDS)
    bucket, name = f"source{source:02d}/q{band:02d}", f"{task:05d}-{band:04d}"
    parts = [
        _PART.format(source=f"source{source:02d}", number=PARTS_A_SHARD * number + at) for at in range(PARTS_A_SHARD)
    ]
    entry = real.model_copy(
        update={
            "bucket": bucket, "name": name, "file": f"{bucket}/{name}.arrow",
            "documents_file": f"{bucket}/{name}.documents.arrow", "inputs": parts,
        }
    )  # fmt: skip
    shards = prepared / "shards"
    (shards / bucket).mkdir(parents=True, exist_ok=True)
    os.link(folder / "real" / real.file, shards / entry.file)
    os.link(folder / "real" / real.documents_file, shards / entry.documents_file)
    # Only the part that the guard would look at is there: names of the others cost no more.
    looked_at = prepared / "extract" / "documents" / f"{parts[int(entry.content_sha256[:8], 16) % len(parts)]}.arrow"
    looked_at.parent.mkdir(parents=True, exist_ok=True)
    os.link(folder / "part.arrow", looked_at)
    task_file = shards / "tasks" / f"source{source:02d}" / f"{task:05d}.json"
    if not task_file.exists():
        task_file.parent.mkdir(parents=True, exist_ok=True)
    written = TaskManifest(
        task=f"source{source:02d}/{task:05d}", key="", inputs=dict.fromkeys(parts, part_sha256[:32]), outputs=[],
        ledger=Ledger(), details={"removed_bytes": 0},
    )  # fmt: skip
    if task_file.exists():
        before = TaskManifest.model_validate_json(task_file.read_bytes())
        written = written.model_copy(update={"inputs": {**before.inputs, **written.inputs}})
    task_file.write_text(written.model_copy(update={"digest": digest_of(written)}).model_dump_json())
    return entry


def remove(folder: Path) -> None:
    """Delete all of it."""
    shutil.rmtree(folder, ignore_errors=True)
