"""Checking a shard folder: every file against its manifest row, every shard against its side table, the manifest
against itself.
"""

from __future__ import annotations

import os
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from manifests.errors import GristmillError
from manifests.step import Ledger
from shards.format import FORMAT, MANIFEST, SIDE_TABLE, ShardEntry, ShardManifest, TokenizerInfo, token_dtype
from shards.reader import read_batch, read_side_table
from shards.writer import content_sha256, digest_of, load_manifest, manifest_sha256_of
from storage.checked import file_problem
from storage.files import join, list_files


@dataclass(frozen=True)
class Problem:
    """Something wrong with one file; `file` is relative to the shard folder."""

    file: str
    message: str

    def __str__(self) -> str:
        return f"{self.file}: {self.message}"


def verify_shards(folder: str) -> list[Problem]:
    """Read every byte of a shard folder and check it.

    Checked are the size and sha256 of each file; and, where they fit, layout, metadata, rows, offsets, token ids,
    document boundaries, the side table's rows against the tokens' offsets, and the content hash; then the manifest's
    order, digest and ledger, and that there are no other shards.

    Returns:
        What is wrong, by shard; empty when nothing is.

    Raises:
        GristmillError: there is no shard manifest, or it cannot be read.
    """
    manifest = load_manifest(folder, changed=True)
    with ThreadPoolExecutor(os.cpu_count()) as pool:  # hashing and Arrow leave the interpreter's lock
        found = pool.map(lambda entry: _shard_problems(folder, entry, manifest), manifest.shards)
        problems = [problem for group in found for problem in group]
    return problems + _manifest_problems(folder, manifest)


def _manifest_problems(folder: str, manifest: ShardManifest) -> list[Problem]:
    messages = []
    keys = [(entry.bucket, entry.name) for entry in manifest.shards]
    repeated = [f"{bucket}/{name}" for (bucket, name), count in Counter(keys).items() if count > 1]
    documents = sum(entry.documents for entry in manifest.shards)
    if repeated:
        messages.append(f"lists {', '.join(repeated)} more than once")
    if keys != sorted(keys):
        messages.append("its shards are not sorted by bucket and name")
    if manifest.dtype != str(token_dtype(manifest.tokenizer.vocab_size)):
        messages.append(f"says {manifest.dtype} for a vocabulary of {manifest.tokenizer.vocab_size}")
    if manifest.digest != digest_of(manifest.tokenizer, manifest.shards):
        messages.append("its digest is not that of its rows")
    if manifest.ledger.balance():
        messages.append(f"its ledger does not balance by {manifest.ledger.balance()}")
    if manifest.ledger != Ledger() and manifest.ledger.kept != documents:
        messages.append(f"its ledger keeps {manifest.ledger.kept} documents, its shards hold {documents}")
    if not messages and manifest.manifest_sha256 != manifest_sha256_of(manifest):
        messages.append("was changed, or is of an earlier version: its manifest_sha256 is not that of its content")
    listed = {name for entry in manifest.shards for name in (entry.file, entry.documents_file)}
    others = [
        Problem(name, "is not in the manifest") for name in list_files(folder, "**/*.arrow") if name not in listed
    ]
    return [Problem(MANIFEST, message) for message in messages] + others


def _shard_problems(folder: str, entry: ShardEntry, manifest: ShardManifest) -> list[Problem]:
    problems = []
    for name, size, sha256 in (
        (entry.file, entry.bytes, entry.sha256),
        (entry.documents_file, entry.documents_bytes, entry.documents_sha256),
    ):
        message = file_problem(join(folder, name), size=size, sha256=sha256)
        if message is not None:
            problems.append(Problem(name, message))
    if problems:
        return (
            problems  # the content of files other than the manifest's proves nothing more, and may not be safe to read
        )
    try:
        return _content_problems(folder, entry, manifest)
    except GristmillError as error:
        concerned = entry.documents_file if error.where == join(folder, entry.documents_file) else entry.file
        return [Problem(concerned, error.message)]
    except pa.ArrowException as error:
        return [Problem(entry.file, f"cannot be read: {error}")]


def _content_problems(folder: str, entry: ShardEntry, manifest: ShardManifest) -> list[Problem]:
    tokenizer = manifest.tokenizer
    batch = read_batch(join(folder, entry.file), size=entry.bytes)
    side = read_side_table(folder, entry)
    problems = [
        Problem(name, message)
        for name, schema in ((entry.file, batch.schema), (entry.documents_file, side.schema))
        for message in _metadata_problems(schema, entry, manifest)
    ]
    wanted = pa.large_list(pa.field("item", pa.from_numpy_dtype(np.dtype(manifest.dtype)), nullable=False))
    if batch.schema.names != ["tokens"] or batch.schema.field(0).type != wanted or batch.column(0).null_count:
        return [*problems, Problem(entry.file, f"its columns are not tokens: {wanted}")]
    if not side.schema.equals(SIDE_TABLE):
        return [*problems, Problem(entry.documents_file, "its columns are not those of a side table")]
    batch.validate(full=True)
    side.validate(full=True)
    column = batch.column(0)
    offsets, tokens = column.offsets.to_numpy(), column.values.to_numpy(zero_copy_only=True)
    problems += [Problem(entry.file, message) for message in _token_problems(offsets, tokens, entry, tokenizer)]
    if side.num_rows != batch.num_rows:
        return [*problems, Problem(entry.documents_file, f"has {side.num_rows} rows for {batch.num_rows} documents")]
    if (side["offset"].to_numpy() != offsets[:-1]).any() or (side["length"].to_numpy() != np.diff(offsets)).any():
        problems.append(Problem(entry.documents_file, "its offsets or lengths are not those of the tokens"))
    if content_sha256(tokens, offsets, side["document_id"]) != entry.content_sha256:
        problems.append(Problem(entry.file, "its content_sha256 is not the manifest's"))
    return problems


def _metadata_problems(schema: pa.Schema, entry: ShardEntry, manifest: ShardManifest) -> list[str]:
    found = {
        key.decode(errors="replace"): value.decode(errors="replace") for key, value in (schema.metadata or {}).items()
    }
    wanted = {
        "format": FORMAT,
        "dtype": manifest.dtype,
        "tokenizer_sha256": manifest.tokenizer.sha256,
        "bucket": entry.bucket,
        "shard": entry.name,
    }
    return [
        f"its metadata says {key} {found.get(key, 'nothing')}, the manifest {value}"
        for key, value in wanted.items()
        if found.get(key) != value
    ]


def _token_problems(offsets: np.ndarray, tokens: np.ndarray, entry: ShardEntry, tokenizer: TokenizerInfo) -> list[str]:
    if len(offsets) != entry.documents + 1:
        return [f"has {len(offsets) - 1} documents, the manifest says {entry.documents}"]
    if len(tokens) != entry.tokens:
        return [f"has {len(tokens)} tokens, the manifest says {entry.tokens}"]
    if offsets[0] != 0 or offsets[-1] != len(tokens):
        return [f"its offsets run from {offsets[0]} to {offsets[-1]}, not from 0 to {len(tokens)}"]
    messages = []
    if len(tokens) and int(tokens.max()) >= tokenizer.vocab_size:
        messages.append(f"token id {int(tokens.max())} is outside the vocabulary of {tokenizer.vocab_size}")
    for name, identity, places in (("BOS", tokenizer.bos_id, offsets[:-1]), ("EOS", tokenizer.eos_id, offsets[1:] - 1)):
        if identity is not None:
            wrong = int((np.diff(offsets) == 0).sum() or (tokens[places] != identity).sum())
            if wrong:
                messages.append(f"{wrong} documents are not bounded by {name} ({identity})")
    return messages
