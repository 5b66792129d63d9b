"""`import megatron`: Megatron-LM's token files as inputs of `shards.import_tokens`.

In: prefixes of .bin and .idx files, each with its bucket. Out: `TokenFile`s. The sequences of a document are joined. If
`PREFIX.documents.arrow` lies beside them, which `export megatron` wrote, its rows are the documents' side table; else
`file` is the name of the .bin, and `record` the number of the document in it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

import numpy as np
import pyarrow as pa

from manifests.errors import GristmillError
from shards.export_megatron import FORMAT, SIDE_ROWS, SIDE_SUFFIX
from shards.import_tokens import DAMAGE, Documents, TokenFile
from shards.megatron_files import document_lengths, documents_of, open_index
from storage.files import exists, file_size, open_input

_KNOWN = [name for name in SIDE_ROWS.names if name not in ("offset", "length")]
_OTHER = "move it away to import the tokens without it, or restore the files that it belongs to"


def megatron_files(prefixes: Sequence[str], buckets: Sequence[str], *, tokenizer_sha256: str) -> list[TokenFile]:
    """Open Megatron's files, and check every place in their indices.

    Args:
        prefixes: paths or URLs without `.bin` and `.idx`; either may be given as well.
        buckets: one per prefix.
        tokenizer_sha256: of the model that is said to have written them.

    Raises:
        GristmillError: a file is missing, damaged, or of another tokenizer than its side table says.
    """
    files = []
    for given, bucket in zip(prefixes, buckets, strict=True):
        prefix = given.removesuffix(".idx").removesuffix(".bin")
        index = open_index(prefix)
        for _ in document_lengths(index):  # reads the whole index: nothing is written before a cut file is found
            pass
        side = prefix + SIDE_SUFFIX if exists(prefix + SIDE_SUFFIX) else None
        if side is not None:
            _check_side(side, documents=index.documents, tokenizer_sha256=tokenizer_sha256)
        files.append(
            TokenFile(
                bucket=bucket,
                name=index.tokens_path.rpartition("/")[2],
                paths={path.rpartition("/")[2]: path for path in (index.tokens_path, index.path, side) if path},
                tokens=file_size(index.tokens_path) // index.dtype.itemsize,
                read=partial(_read, prefix, side),
            )
        )
    return files


def _read(prefix: str, side: str | None) -> Iterator[Documents]:
    rows = _SideRows(side) if side is not None else None
    for tokens, lengths in documents_of(open_index(prefix)):
        yield Documents(tokens, lengths, rows.take(lengths) if rows is not None else None)


class _SideRows:
    """The rows of a side table, as many at a time as there are documents."""

    def __init__(self, path: str) -> None:
        self._path, self._held, self._document = path, SIDE_ROWS.empty_table(), 0
        self._batches = _batches(path)

    def take(self, lengths: np.ndarray) -> pa.Table:
        """The next rows; their lengths must be these."""
        while self._held.num_rows < len(lengths):
            batch = next(self._batches, None)
            if batch is None:
                raise GristmillError("has fewer rows than its index has documents", where=self._path, remedy=_OTHER)
            self._held = pa.concat_tables([self._held, pa.Table.from_batches([batch]).replace_schema_metadata(None)])
        rows, self._held = self._held.slice(0, len(lengths)), self._held.slice(len(lengths))
        wrong = rows["length"].to_numpy() != lengths
        if wrong.any():
            raise GristmillError(
                f"says another length than the index of document {self._document + int(np.argmax(wrong)):,}",
                where=self._path,
                remedy=_OTHER,
            )
        self._document += len(lengths)
        return rows.select(_KNOWN)


def _batches(path: str) -> Iterator[pa.RecordBatch]:
    try:
        with open_input(path) as file:
            reader = pa.ipc.open_file(file)
            for index in range(reader.num_record_batches):
                batch = reader.get_batch(index)
                batch.validate(full=True)
                yield batch
    except DAMAGE as error:
        raise GristmillError(f"is not a whole Arrow IPC file: {error}", where=path, remedy=_OTHER) from None


def _check_side(path: str, *, documents: int, tokenizer_sha256: str) -> None:
    try:
        with open_input(path) as file:
            reader = pa.ipc.open_file(file)
            metadata, fits = reader.schema.metadata or {}, reader.schema.equals(SIDE_ROWS)
            rows = sum(reader.get_batch(index).num_rows for index in range(reader.num_record_batches))
    except DAMAGE as error:
        raise GristmillError(f"is not a whole Arrow IPC file: {error}", where=path, remedy=_OTHER) from None
    if metadata.get(b"format") != FORMAT.encode() or not fits:
        raise GristmillError(f"is not a side table of format {FORMAT}", where=path, remedy=_OTHER)
    if rows != documents:
        raise GristmillError(f"has {rows:,} rows, its index {documents:,} documents", where=path, remedy=_OTHER)
    if metadata.get(b"tokenizer_sha256") != tokenizer_sha256.encode():
        raise GristmillError(
            "its tokens were written by another tokenizer", where=path, remedy="give the model that wrote them"
        )
