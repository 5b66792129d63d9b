"""Writing shards: arrays in, published files and their manifest rows out. The bytes depend on the content only."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pydantic import ValidationError

from manifests.base import first_problem, load_json, sha256_of
from manifests.errors import GristmillError
from manifests.step import Ledger, Output, TaskManifest
from shards.format import (
    FORMAT,
    LIST,
    MANIFEST,
    MANIFEST_FORMAT,
    SIDE_TABLE,
    ListFile,
    ShardManifest,
    TokenizerInfo,
    token_dtype,
)
from shards.shard_list import ShardEntry, ShardList
from storage.files import exists, join, publish, read_bytes, read_if_there
from storage.steps import remove_stale


def write_shard(
    folder: str,
    *,
    bucket: str,
    name: str,
    tokens: npt.NDArray[np.unsignedinteger],
    offsets: npt.NDArray[np.int64],
    documents: pa.Table,
    tokenizer: TokenizerInfo,
    inputs: list[str],
) -> ShardEntry:
    """Publish one shard and its side table.

    Args:
        folder: the shard folder; files go to `folder/bucket/name.arrow` and `name.documents.arrow`.
        tokens: [t], of the tokenizer's dtype; all documents one after the other.
        offsets: int64[documents + 1]; 0 first, t last.
        documents: one row per document, columns of `SIDE_TABLE` in any order; strings may be dictionary-encoded or not.
        inputs: names of what it was made from.

    Raises:
        GristmillError: offsets, rows, columns or token ids that do not fit together; nothing is written then.
    """
    dtype = token_dtype(tokenizer.vocab_size)
    _check(tokens, offsets, documents, dtype=dtype, vocab_size=tokenizer.vocab_size, where=f"{bucket}/{name}")
    metadata = {
        "format": FORMAT,
        "dtype": str(dtype),
        "tokenizer_sha256": tokenizer.sha256,
        "bucket": bucket,
        "shard": name,
    }
    item = pa.field("item", pa.from_numpy_dtype(dtype), nullable=False)
    schema = pa.schema([pa.field("tokens", pa.large_list(item), nullable=False)], metadata=metadata)
    column = pa.LargeListArray.from_arrays(pa.array(offsets), pa.array(tokens), type=schema.field(0).type)
    side_batch = side_table(documents).replace_schema_metadata(metadata)
    data = _file(pa.RecordBatch.from_arrays([column], schema=schema))
    side = _file(side_batch, compression="zstd")
    entry = ShardEntry(
        bucket=bucket,
        name=name,
        file=f"{bucket}/{name}.arrow",
        documents_file=f"{bucket}/{name}.documents.arrow",
        sha256=_sha256(data),
        documents_sha256=_sha256(side),
        content_sha256=content_sha256(tokens, offsets, side_batch["document_id"]),
        bytes=data.size,
        documents_bytes=side.size,
        documents=len(offsets) - 1,
        tokens=len(tokens),
        inputs=inputs,
    )
    publish(join(folder, entry.documents_file), side)
    publish(join(folder, entry.file), data)
    return entry


def side_table(documents: pa.Table) -> pa.RecordBatch:
    """The columns of `SIDE_TABLE` as one batch whose buffers depend on the values only.

    What Arrow writes for a slice holds the bits and dictionary words of its parent, so columns are taken apart and
    built anew.
    """
    every = pa.array(np.arange(documents.num_rows))
    arrays = []
    for field in SIDE_TABLE:
        column = documents[field.name]
        if pa.types.is_dictionary(column.type):
            column = column.cast(column.type.value_type)
        plain = field.type.value_type if pa.types.is_dictionary(field.type) else field.type
        column = column.cast(plain).combine_chunks().take(every)
        arrays.append(column.dictionary_encode() if pa.types.is_dictionary(field.type) else column)
    return pa.RecordBatch.from_arrays(arrays, schema=SIDE_TABLE)


def content_sha256(
    tokens: npt.NDArray[np.unsignedinteger], offsets: npt.NDArray[np.int64], document_ids: pa.Array
) -> str:
    """Hex sha256 over token bytes (little-endian), offsets (int64) and document ids."""
    digest = hashlib.sha256(np.ascontiguousarray(tokens, tokens.dtype.newbyteorder("<")).data)
    digest.update(np.ascontiguousarray(offsets, "<i8").data)
    digest.update(b"".join(document_ids.to_pylist()))
    return digest.hexdigest()


def shard_outputs(entry: ShardEntry) -> list[Output]:
    """The two files of a shard as outputs of the task that wrote it."""
    return [
        Output(path=entry.file, sha256=entry.sha256, bytes=entry.bytes, rows=entry.documents),
        Output(
            path=entry.documents_file, sha256=entry.documents_sha256, bytes=entry.documents_bytes, rows=entry.documents
        ),
    ]


def finish_shards(
    folder: str,
    tasks: Sequence[TaskManifest],
    *,
    corpus: str,
    tokenizer: TokenizerInfo,
    ledger: Ledger,
    settings_sha256: str,
    inputs: dict[str, str],
) -> ShardManifest:
    """Delete what earlier runs left in a shard folder, and publish the manifest of the shards that its tasks wrote.

    Args:
        tasks: each with the rows of its shards in its details, as `shards`.
    """
    written = [output for task in tasks for output in task.outputs]
    # The list of shards is written with the manifest.
    remove_stale(folder, [*written, Output(path=LIST, sha256="", bytes=0, rows=0)], [task.task for task in tasks])
    return publish_manifest(
        folder,
        ShardManifest(
            corpus=corpus,
            dtype=str(token_dtype(tokenizer.vocab_size)),
            tokenizer=tokenizer,
            shards=ShardList.of(ShardEntry.model_validate(row) for task in tasks for row in task.details["shards"]),
            ledger=ledger,
            settings_sha256=settings_sha256,
            inputs=inputs,
        ),
    )


def publish_manifest(folder: str, manifest: ShardManifest) -> ShardManifest:
    """Fill in the digest, publish the list of shards, then the manifest: the commit mark of the folder."""
    entries = ShardList.of(manifest.shards).in_order()
    data = entries.to_file()
    listed = ListFile(file=LIST, sha256=_sha256(data), bytes=data.size, shards=len(entries))
    complete = manifest.model_copy(
        update={
            "format": MANIFEST_FORMAT,
            "shards": entries,
            "listed": listed,
            "digest": digest_of(manifest.tokenizer, entries),
        }
    )
    complete = complete.model_copy(update={"manifest_sha256": manifest_sha256_of(complete)})
    text = json.dumps(complete.stored(), indent=1, sort_keys=True, ensure_ascii=False) + "\n"
    if read_if_there(join(folder, LIST)) != data.to_pybytes():
        publish(join(folder, LIST), data)
    publish(join(folder, MANIFEST), text.encode())
    return complete


def digest_of(tokenizer: TokenizerInfo, shards: ShardList) -> str:
    """What identifies a prepared corpus: its tokenizer and the content of its shards in order."""
    rows = [[*key, content] for key, content in zip(shards.bucket_and_name(), shards.content_sha256s, strict=True)]
    return sha256_of([tokenizer.model_dump(), rows])


def manifest_sha256_of(manifest: ShardManifest) -> str:
    """The sha256 over all of a manifest except this hash itself: ledger and settings, which the digest leaves out, and
    the hash of the list of shards.
    """
    said = manifest.stored()
    del said["manifest_sha256"]
    return sha256_of(said)


def load_manifest(folder: str, *, changed: bool = False) -> ShardManifest:
    """The manifest of a complete shard folder.

    Args:
        changed: return also a manifest that was changed, to say what is wrong with it.

    Raises:
        GristmillError: there is no manifest, it is not a shard manifest, it was changed, or its list of shards is not
            the one that it names.
    """
    path = join(folder, MANIFEST)
    if not exists(path):
        raise GristmillError("holds no complete token shards", where=folder, remedy="run `gristmill prep` to its end")
    try:
        said = load_json(read_bytes(path), where=path)
        if isinstance(said, dict) and said.get("format") == MANIFEST_FORMAT:
            if "shards" in said:
                raise GristmillError(f"holds shards itself, which {MANIFEST_FORMAT} lists in {LIST}", where=path)
            said["shards"] = _listed(folder, said.get("listed"))
        manifest = ShardManifest.model_validate(said)
    except ValidationError as error:
        raise GristmillError(
            f"is not a shard manifest: {first_problem(error)}", where=path, remedy="run `gristmill prep` again"
        ) from None
    except GristmillError as error:
        raise GristmillError(
            error.message if error.where == join(folder, LIST) else f"is not a shard manifest: {error.message}",
            where=error.where or path,
            remedy="run `gristmill prep` again",
        ) from None
    if not changed and manifest.manifest_sha256 not in ("", manifest_sha256_of(manifest)):
        raise GristmillError(
            "was changed: its manifest_sha256 is not that of its content",
            where=path,
            remedy="run `gristmill prep` again",
        )
    return manifest


def _listed(folder: str, said: object) -> ShardList:
    """The list of shards that a manifest names, checked against its hash."""
    listed = ListFile.model_validate(said)
    path = join(folder, LIST)
    if listed.file != LIST:
        raise GristmillError(f"names its list `{listed.file}`, not {LIST}")
    data = read_if_there(path)
    if data is None:
        raise GristmillError("is missing: the manifest names it as its list of shards", where=path)
    if len(data) != listed.bytes or hashlib.sha256(data).hexdigest() != listed.sha256:
        raise GristmillError("its sha256 is not the one in the manifest", where=path)
    shards = ShardList.from_file(pa.py_buffer(data), where=path)
    if len(shards) != listed.shards:
        raise GristmillError(f"lists {len(shards)} shards, the manifest says {listed.shards}", where=path)
    return shards


def _check(
    tokens: npt.NDArray[np.unsignedinteger],
    offsets: npt.NDArray[np.int64],
    documents: pa.Table,
    *,
    dtype: np.dtype[Any],
    vocab_size: int,
    where: str,
) -> None:
    problem = None
    if tokens.dtype != dtype:
        problem = f"tokens are {tokens.dtype}, a vocabulary of {vocab_size} needs {dtype}"
    elif len(offsets) < 2 or offsets[0] != 0 or offsets[-1] != len(tokens) or (np.diff(offsets) < 0).any():
        problem = "offsets do not run from 0 to the number of tokens"
    elif documents.num_rows != len(offsets) - 1:
        problem = f"{documents.num_rows} rows in the side table for {len(offsets) - 1} documents"
    elif missing := [name for name in SIDE_TABLE.names if name not in documents.column_names]:
        problem = f"the side table lacks {', '.join(missing)}"
    elif empty := [field.name for field in SIDE_TABLE if not field.nullable and documents[field.name].null_count]:
        problem = f"the side table has rows without {', '.join(empty)}"
    elif (documents["offset"].to_numpy() != offsets[:-1]).any() or (
        documents["length"].to_numpy() != np.diff(offsets)
    ).any():
        problem = "the side table's offsets or lengths are not those of the tokens"
    elif len(tokens) and int(tokens.max()) >= vocab_size:
        problem = f"token id {int(tokens.max())} is outside the vocabulary of {vocab_size}"
    if problem is not None:
        raise GristmillError(problem, where=where)


def _file(batch: pa.RecordBatch, *, compression: str | None = None) -> pa.Buffer:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_file(sink, batch.schema, options=pa.ipc.IpcWriteOptions(compression=compression)) as writer:
        writer.write_batch(batch)
    return sink.getvalue()


def _sha256(buffer: pa.Buffer) -> str:
    return hashlib.sha256(memoryview(buffer)).hexdigest()
