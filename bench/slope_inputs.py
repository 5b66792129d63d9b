"""Inputs of bench/slopes.py: nested shares of the development corpora, many tiny files, one large file, and a corpus
without text.

In: `bench/dev_corpus.yaml` and the folder of corpora that it names. Out: folders with corpus manifests that `gristmill`
reads. The records of a share depend on their names alone: a record of a smaller share is in every larger one.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import xxhash
import yaml
from fastwarc.warc import ArchiveIterator

from dedup.signature_settings import signature_settings
from manifests.corpus import CorpusManifest, Source, load_corpus
from manifests.minhash import MinHash
from manifests.step import Ledger, Output, StepManifest
from pipeline.extract.inputs import RawFile, list_raw_files
from pipeline.extract.text_pass import ALL_SIGNALS, signature_schema
from pipeline.schemas import DOCUMENTS, publish_ipc
from storage.steps import write_step

# lz4, uncompressed and deliberately odd WARC files of a few KB: their records cannot be cut out by gzip members, and
# weigh nothing.
_LEFT_OUT = ("warc-fixtures",)
# Rows of a part without text: 64 MiB of text at 4 kB a document.
SYNTHETIC_ROWS = 16_384
# Of 100 documents without text so many copy another one: their signatures agree in 9 of 10 places, or in all of them
# and the id as well.
NEAR_PERCENT, EXACT_PERCENT = 20, 5
_CHANGED_PERCENT = 10

# Of each file, whatever the share: the first of a WARC file is about the file, the second a page.
FIRST_RECORDS = 2

U64 = npt.NDArray[np.uint64]


def write_share(corpus: Path, folder: Path, *, share: float) -> Path:
    """Write the records of `corpus` whose hash falls below `share` (0: the first records of each file), one file for
    each file there.

    Returns:
        The corpus manifest of the share.
    """
    manifest = load_corpus(corpus)
    sources = [source for source in manifest.sources if source.name not in _LEFT_OUT]
    for source in sources:
        for file in list_raw_files([source]):
            pieces = (piece for index, piece in enumerate(_records(file, source)) if _chosen(file, index, share))
            target = folder / source.name / file.name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(
                b"".join(pieces) if source.format != "jsonl" else gzip.compress(b"".join(pieces), 6, mtime=0)
            )
    rooted = [source.model_copy(update={"root": str(folder / source.name)}) for source in sources]
    return write_manifest(manifest.model_copy(update={"sources": rooted}), folder / "corpus.yaml")


def write_many(folder: Path, *, tokenizer: str, files: int) -> Path:
    """`files` files of one short document each: what a file, a task and a part cost beside their text."""
    (folder / "raw").mkdir(parents=True)
    for number in range(files):
        words = " ".join(f"word{_hash(f'{number}-{place}') % 5_000}" for place in range(60))
        (folder / "raw" / f"{number:06d}.jsonl").write_text(
            json.dumps({"text": f"The text of {number}: {words}."}) + "\n"
        )
    return _one_source(folder, tokenizer=tokenizer, files="*.jsonl", shard_tokens=1_000)


def write_large(corpus: Path, folder: Path, *, shard_tokens: int) -> Path:
    """All JSONL texts of `corpus` as one file: what a task needs whose file is larger than a part and than a shard."""
    manifest = load_corpus(corpus)
    raw = folder / "raw" / "all.jsonl"
    if not raw.exists():
        raw.parent.mkdir(parents=True)
        with open(raw, "wb") as target:
            for source in manifest.sources:
                for file in list_raw_files([source]) if source.format == "jsonl" else []:
                    for line in _records(file, source):
                        text = json.loads(line).get(source.text_field)
                        if text:
                            target.write(json.dumps({"text": text}).encode() + b"\n")
    assert manifest.tokenizer.model is not None
    return _one_source(folder, tokenizer=manifest.tokenizer.model, files="all.jsonl", shard_tokens=shard_tokens)


def write_synthetic(folder: Path, *, tokenizer: str, documents: int) -> Path:
    """What extract would publish for `documents` documents, without text: ids, sites, signals and signatures, in
    `folder/out/extract`.
    """
    out = str(folder / "out" / "extract")
    outputs: list[Output] = []
    for number, start in enumerate(range(0, documents, SYNTHETIC_ROWS)):
        rows = np.arange(start, min(start + SYNTHETIC_ROWS, documents), dtype=np.uint64)
        outputs += _synthetic_part(out, f"synthetic/{number:06d}.0000", rows)
    step = StepManifest(
        step="extract",
        settings_sha256="synthetic",
        inputs_sha256=f"synthetic {documents}",
        settings={},
        inputs={},
        outputs=outputs,
        ledger=Ledger(records_in=documents, kept=documents),
    )
    write_step(out, step)
    return _one_source(folder, tokenizer=tokenizer, files="none.jsonl", shard_tokens=64_000_000, name="synthetic")


def with_shard_tokens(corpus: Path, shard_tokens: int) -> Path:
    """The same corpus with shards of another size, as a manifest beside it."""
    manifest = load_corpus(corpus)
    return write_manifest(
        manifest.model_copy(update={"shard_tokens": shard_tokens}), corpus.with_name(f"shards-{shard_tokens}.yaml")
    )


def with_training(corpus: Path, *, sample_mb: float, vocab_size: int) -> Path:
    """The same corpus with a tokenizer of its own, as a manifest beside it."""
    data = load_corpus(corpus).model_dump(mode="json")
    data["tokenizer"] = {"train": {"sample_mb": sample_mb, "vocab_size": vocab_size}}
    return write_manifest(CorpusManifest.model_validate(data), corpus.with_name(f"trains-{sample_mb:g}.yaml"))


def write_manifest(manifest: CorpusManifest, path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump(manifest.model_dump(mode="json", exclude_none=True), sort_keys=False))
    return path


def _one_source(folder: Path, *, tokenizer: str, files: str, shard_tokens: int, name: str = "one") -> Path:
    source = Source(
        name=name, format="jsonl", root=str(folder / "raw"), files=[files], licence="test only", filters="none"
    )
    manifest = CorpusManifest.model_validate(
        {
            "name": name,
            "sources": [source.model_dump()],
            "filters": "none",
            "tokenizer": {"model": tokenizer},
            "shard_tokens": shard_tokens,
        }
    )
    return write_manifest(manifest, folder / "corpus.yaml")


def _chosen(file: RawFile, index: int, share: float) -> bool:
    """The first records of a file always: no file is empty, all shares have the same tasks, and even the smallest loads
    all models.
    """
    return index < FIRST_RECORDS or _hash(f"{file.source}/{file.name}/{index}") < share * 2.0**64


def _hash(text: str) -> int:
    return xxhash.xxh3_64_intdigest(text.encode())


def _records(file: RawFile, source: Source) -> Iterator[bytes]:
    """The records of a file as bytes that can stand one after the other: lines, or the gzip members of a WARC file."""
    if source.format == "jsonl":
        with gzip.open(file.path, "rb") as stream:
            yield from stream
        return
    data = Path(file.path).read_bytes()
    with open(file.path, "rb") as stream:
        starts = [record.stream_pos for record in ArchiveIterator(stream, parse_http=False)]
    for start, end in zip(starts, [*starts[1:], len(data)], strict=True):
        yield data[start:end]


def _synthetic_part(out: str, name: str, rows: U64) -> list[Output]:
    kind = mix(rows, 1) % np.uint64(100)
    near, exact = kind < NEAR_PERCENT, (kind >= NEAR_PERCENT) & (kind < NEAR_PERCENT + EXACT_PERCENT)
    # A copy copies any earlier document, itself perhaps a copy of that document's own original: clusters of all sizes
    # (Yule 1925).
    original = np.where(near | exact, mix(rows, 2) % np.maximum(rows, 1), rows)
    places = np.arange(112, dtype=np.uint64)
    values = mix(original[:, None] * np.uint64(128) + places, 3)
    own = mix(rows[:, None] * np.uint64(128) + places, 4)
    changed = near[:, None] & (own % np.uint64(100) < _CHANGED_PERCENT)
    signature = (np.where(changed, own, values) >> np.uint64(32)).astype(np.uint32)
    identity = np.where(exact, original, rows)
    ids = np.stack([mix(identity, 5), mix(identity, 6)], axis=1).astype(">u8")
    count = len(rows)
    # So many sites that a part meets nearly each once: a crawl's files are cut across sites.
    site = pa.array([f"s{number}.example" for number in (mix(rows, 7) % np.uint64(10 * SYNTHETIC_ROWS)).tolist()])
    documents: dict[str, Any] = {
        "id": pa.FixedSizeBinaryArray.from_buffers(pa.binary(16), count, [None, pa.py_buffer(ids.tobytes())]),
        "text": pa.array([""] * count, pa.large_string()),
        "url": pa.nulls(count, pa.string()),
        "site": site,
        "name": pa.nulls(count, pa.string()),
        "record": pa.array(rows.astype(np.int64)),
    }
    signals = [_signal_column(field, rows) for field in ALL_SIGNALS]
    schema = signature_schema(signature_settings(MinHash(), seed=0))
    packed = pa.FixedSizeListArray.from_arrays(pa.array(signature.reshape(-1)), type=schema.field("signature").type)
    shingles = pa.array(np.full(count, 600, np.int32))
    batches = {
        "signals": (pa.RecordBatch.from_arrays(signals, schema=ALL_SIGNALS), ALL_SIGNALS, True),
        "signatures": (pa.RecordBatch.from_arrays([packed, shingles], schema=schema), schema, False),
        "documents": (
            pa.RecordBatch.from_arrays([documents[field.name] for field in DOCUMENTS], schema=DOCUMENTS),
            DOCUMENTS,
            True,
        ),
    }
    return [
        publish_ipc(
            out,
            f"{kind}/{name}.arrow",
            [batch],
            schema.with_metadata({**(schema.metadata or {}), b"source": b"synthetic", b"file": name.encode()}),
            compress=compress,
        )
        for kind, (batch, schema, compress) in batches.items()
    ]


def _signal_column(field: pa.Field, rows: U64) -> pa.Array:
    count = len(rows)
    if pa.types.is_dictionary(field.type):
        return pa.DictionaryArray.from_arrays(pa.array(np.zeros(count, np.int16)), pa.array(["en"])).cast(field.type)
    if pa.types.is_list(field.type):
        return pa.array([[0]] * count, field.type)
    if pa.types.is_floating(field.type):
        return pa.array(np.full(count, 0.9, np.float32))
    if field.name.startswith("spans_"):
        return pa.array(np.zeros(count, np.int32))
    # Whole numbers as various as those of real texts, so that they compress as badly.
    return pa.array((mix(rows, len(field.name)) % np.uint64(3_000)).astype(np.int32))


def mix(value: U64, stream: int) -> U64:
    """The finaliser of splitmix64 (Steele, Lea and Flood 2014), another function for each stream."""
    with np.errstate(over="ignore"):
        z = value + np.uint64(stream) * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return z ^ (z >> np.uint64(31))
