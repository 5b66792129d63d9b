"""Checking a shard folder: every file against its manifest row, every shard against its side table, the manifest
against itself.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from manifests.errors import GristmillError
from manifests.step import Ledger
from shards.format import FORMAT, LIST, MANIFEST, SIDE_TABLE, ShardEntry, ShardManifest, TokenizerInfo, token_dtype
from shards.guard import DOCUMENTS_VERIFIED, Beside, beside, encode_again
from shards.shard_files import read_batch, read_side_table
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


def verify_shards(folder: str, *, say: Callable[[str], object] = lambda note: None) -> list[Problem]:
    """Read every byte of a shard folder and check it.

    Checked are the size and sha256 of each file; and, where they fit, layout, metadata, rows, offsets, token ids,
    document boundaries, the side table's rows against the tokens' offsets, the content hash, and the tokens of a few
    documents, which are encoded again (`shards.guard`); then the manifest's order, digest and ledger, and that there
    are no other shards.

    Args:
        say: told what could not be checked.

    Returns:
        What is wrong, by shard; empty when nothing is.

    Raises:
        GristmillError: there is no shard manifest, or it cannot be read.
    """
    manifest = load_manifest(folder, changed=True)
    problems: list[Problem] = []
    found, unproved = None, Counter[str]()
    try:
        found = beside(folder, manifest)
    except GristmillError as error:
        problems.append(Problem(MANIFEST, f"{error.where} {error.message}"))
    with ThreadPoolExecutor(os.cpu_count()) as pool:  # hashing and Arrow leave the interpreter's lock
        for group, note in pool.map(lambda entry: _shard_problems(folder, entry, manifest, found), manifest.shards):
            problems += group
            unproved.update([note] if note is not None else [])
    for note, count in sorted(unproved.items()):
        say(f"no document of {count:,} of {len(manifest.shards):,} shards was encoded again: {note}")
    return problems + _manifest_problems(folder, manifest)


def _manifest_problems(folder: str, manifest: ShardManifest) -> list[Problem]:
    messages = []
    keys = manifest.shards.bucket_and_name()
    repeated = [f"{bucket}/{name}" for (bucket, name), count in Counter(keys).items() if count > 1]
    documents = int(manifest.shards.documents.sum())
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
    listed = {LIST, *manifest.shards.files, *manifest.shards.documents_files}
    others = [
        Problem(name, "is not in the manifest") for name in list_files(folder, "**/*.arrow") if name not in listed
    ]
    return [Problem(MANIFEST, message) for message in messages] + others


def _shard_problems(
    folder: str, entry: ShardEntry, manifest: ShardManifest, found: Beside | None
) -> tuple[list[Problem], str | None]:
    """What is wrong with a shard, and why none of its documents was encoded again."""
    problems = []
    for name, size, sha256 in (
        (entry.file, entry.bytes, entry.sha256),
        (entry.documents_file, entry.documents_bytes, entry.documents_sha256),
    ):
        message = file_problem(join(folder, name), size=size, sha256=sha256)
        if message is not None:
            problems.append(Problem(name, message))
    if problems:
        # The content of files other than the manifest's proves nothing more, and may not be safe to read.
        return problems, None
    try:
        batch = read_batch(join(folder, entry.file), size=entry.bytes)
        problems = _content_problems(folder, batch, entry, manifest)
        if problems:
            return problems, None
        if found is None:
            return [], "there is no tokenizer of theirs beside them"
        column = batch.column(0)
        arrays = column.values.to_numpy(zero_copy_only=True), column.offsets.to_numpy()
        _, note = encode_again(folder, entry, manifest, found, arrays, documents=DOCUMENTS_VERIFIED)
    except GristmillError as error:
        concerned = entry.documents_file if error.where == join(folder, entry.documents_file) else entry.file
        return [Problem(concerned, error.message)], None
    except pa.ArrowException as error:
        return [Problem(entry.file, f"cannot be read: {error}")], None
    return [], note


def _content_problems(folder: str, batch: pa.RecordBatch, entry: ShardEntry, manifest: ShardManifest) -> list[Problem]:
    tokenizer = manifest.tokenizer
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
