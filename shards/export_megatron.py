"""`export megatron`: token shards in, Megatron-LM's token files out.

In: a complete shard folder. Out, in a folder of its own, for each bucket `source/band` one pair or several:

    <source>/<band>.bin, .idx             the tokens of the bucket's shards in name order; a document is one sequence,
                                          with BOS and EOS as it has them (`shards.megatron_files`)
    <source>/<band>.documents.arrow       the side table: one row per document, in the order of the .idx
    tasks/…, _MANIFEST.json               as every step has them (`storage.steps`)

With a limit of tokens the names are `<band>-00000`, …; a file is closed by the shard that fills it. The bytes depend on
the shards and this limit only. Everything is written as it is read: memory holds one shard's side table, and four bytes
for each document of the file being written.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pydantic import JsonValue

from manifests.base import sha256_of
from manifests.errors import GristmillError
from manifests.step import Ledger, Output, StepManifest, TaskManifest
from shards.format import SIDE_TABLE, ShardManifest
from shards.megatron_files import MOST_TOKENS, index_pieces, megatron_dtype
from shards.reader import Bucket, open_shards
from storage.destination import begin_destination, check_apart, check_destination
from storage.files import is_url, join, publish
from storage.lock import only_writer
from storage.steps import begin_step, done_step, finish_step, finished_task, is_whole, write_task

FORMAT = "gristmill-megatron/1"
STEP = "export megatron"
SIDE_SUFFIX = ".documents.arrow"
# A file of an object store is sent from memory.
MOST_BYTES_IN_STORE = 2 << 30

SIDE_ROWS = pa.schema(
    [field.with_type(field.type.value_type) if pa.types.is_dictionary(field.type) else field for field in SIDE_TABLE]
)
"""The columns of `SIDE_TABLE`, with words written out; `offset` counts tokens from the beginning of the .bin."""


@dataclass(frozen=True)
class _File:
    """One pair: the shards [first, last) of a bucket."""

    name: str
    bucket: Bucket
    first: int
    last: int

    @property
    def tokens(self) -> int:
        return int(self.bucket.starts[self.last] - self.bucket.starts[self.first])


def export_megatron(
    folder: str,
    *,
    out: str,
    file_tokens: int | None = None,
    expect: Callable[[int], object] = lambda tokens: None,
    advance: Callable[[int], object] = lambda tokens: None,
    say: Callable[[str], object] = lambda text: None,
) -> StepManifest:
    """Write the shards of a folder as Megatron's token files. Finished files are not written again.

    Args:
        folder: a shard folder.
        out: an empty folder, or the one in which this export was interrupted.
        file_tokens: after so many tokens another pair begins; None: one pair per bucket.
        expect: called once with the number of tokens to be written.
        advance: called with tokens that were written.
        say: called with sentences about the lock of an object store.

    Raises:
        GristmillError: no complete shards, a shard that is damaged, a folder that holds something else, ids or
            documents that Megatron's files cannot hold, a disk that is full.
    """
    check_apart(out, [folder])
    shards = open_shards(folder)
    dtype = megatron_dtype(shards.manifest.tokenizer.vocab_size)
    files = [file for bucket in shards.buckets.values() for file in _files(bucket, file_tokens)]
    largest = max((file.tokens for file in files), default=0) * dtype.itemsize
    if is_url(out) and largest > MOST_BYTES_IN_STORE:
        raise GristmillError(
            f"a file of {largest / 1e9:,.1f} GB would have to be held in memory",
            where=out,
            remedy=f"give --file-tokens of at most {MOST_BYTES_IN_STORE // 2 // dtype.itemsize:,}, or a local --out",
        )
    settings: dict[str, JsonValue] = {"format": FORMAT, "dtype": dtype.name, "file_tokens": file_tokens}
    inputs = {"shards": shards.manifest.digest}
    purpose: dict[str, Any] = {"command": STEP, "settings": settings, "inputs": inputs}
    check_destination(out, purpose=purpose)
    with only_writer(out, say=say):
        begin_destination(out, purpose=purpose)
        done = done_step(out)
        if done is None or not is_whole(out, done):
            begin_step(out)
        expect(sum(file.tokens for file in files))
        tasks = [_export(file, shards.manifest, dtype, out, purpose, advance) for file in files]
        return finish_step(out, step=STEP, settings=settings, inputs=inputs, tasks=tasks)


def _files(bucket: Bucket, file_tokens: int | None) -> list[_File]:
    shards = len(bucket.starts) - 1
    if file_tokens is None:
        return [_File(bucket.name, bucket, 0, shards)]
    firsts = [0]
    for shard in range(1, shards):
        if bucket.starts[shard] - bucket.starts[firsts[-1]] >= file_tokens:
            firsts.append(shard)
    return [
        _File(f"{bucket.name}-{number:05d}", bucket, first, last)
        for number, (first, last) in enumerate(zip(firsts, [*firsts[1:], shards], strict=True))
    ]


def _export(
    file: _File,
    manifest: ShardManifest,
    dtype: np.dtype[np.generic],
    out: str,
    purpose: dict[str, Any],
    advance: Callable[[int], object],
) -> TaskManifest:
    """Write one pair and its side table, unless they are there and whole."""
    key = sha256_of([purpose, file.name])
    done = finished_task(out, file.name, key)
    if done is not None:
        advance(file.tokens)
        return done
    lengths: list[npt.NDArray[np.int32]] = []
    tokens = _publish(out, f"{file.name}.bin", _token_pieces(file, dtype, advance))
    side = _publish(out, file.name + SIDE_SUFFIX, _side_pieces(file, manifest, lengths))
    index = _publish(out, f"{file.name}.idx", index_pieces(lengths, dtype))
    rows = sum(len(some) for some in lengths)
    outputs = [output.model_copy(update={"rows": rows}) for output in (tokens, index, side)]
    made = TaskManifest(
        task=file.name, key=key, inputs={}, outputs=outputs, ledger=Ledger(records_in=rows, kept=rows),
        details={"tokens": file.tokens},
    )  # fmt: skip
    write_task(out, made)
    return made


def _token_pieces(file: _File, dtype: np.dtype[np.generic], advance: Callable[[int], object]) -> Iterator[memoryview]:
    for shard in range(file.first, file.last):
        tokens = file.bucket.map_tokens(shard)
        # Ids below 2^31 are the same bytes as uint32 and as int32.
        yield tokens.view(dtype).data.cast("B") if len(tokens) else memoryview(b"")
        advance(len(tokens))


def _side_pieces(file: _File, manifest: ShardManifest, lengths: list[npt.NDArray[np.int32]]) -> Iterator[bytes]:
    """The bytes of the side table, one record batch a shard; fills `lengths` with the documents' on the way."""
    tokenizer = manifest.tokenizer
    schema = SIDE_ROWS.with_metadata(
        {
            "format": FORMAT,
            "bucket": file.bucket.name,
            "shards_digest": manifest.digest,
            "tokenizer_sha256": tokenizer.sha256,
        }
    )
    sink = _Pieces()
    options = pa.ipc.IpcWriteOptions(compression=pa.Codec("zstd", 1))
    with pa.ipc.new_file(pa.PythonFile(sink, mode="w"), schema, options=options) as writer:
        for shard in range(file.first, file.last):
            table = file.bucket.read_documents(shard, SIDE_TABLE.names)
            each = table["length"].to_numpy()
            if len(each) and int(each.max()) > MOST_TOKENS:
                raise GristmillError(
                    f"a document has {int(each.max()):,} tokens; Megatron's files hold at most {MOST_TOKENS:,} in one",
                    where=f"{file.bucket.name}, shard {shard}",
                )
            lengths.append(each.astype(np.int32))
            before = int(file.bucket.starts[shard] - file.bucket.starts[file.first])
            offset = pa.array(table["offset"].to_numpy() + before)
            table = table.set_column(table.schema.get_field_index("offset"), "offset", offset)
            for batch in table.cast(SIDE_ROWS).combine_chunks().to_batches():
                writer.write_batch(batch.replace_schema_metadata(schema.metadata))
            yield sink.taken()
    yield sink.taken()


class _Pieces:
    """A file that gives away what was written to it."""

    closed = False

    def __init__(self) -> None:
        self._held: list[bytes] = []
        self._written = 0

    def write(self, data: bytes) -> int:
        self._held.append(bytes(data))
        self._written += len(data)
        return len(data)

    def tell(self) -> int:
        return self._written

    def flush(self) -> None:
        pass

    def close(self) -> None:
        pass

    def taken(self) -> bytes:
        held, self._held = b"".join(self._held), []
        return held


def _publish(out: str, path: str, pieces: Iterable[bytes | memoryview]) -> Output:
    """Write a file piece by piece; its description."""
    digest, size = hashlib.sha256(), 0

    def hashed() -> Iterator[bytes | memoryview]:
        nonlocal size
        for piece in pieces:
            digest.update(piece)
            size += len(piece)
            yield piece

    publish(join(out, path), hashed())
    return Output(path=path, sha256=digest.hexdigest(), bytes=size, rows=0)
