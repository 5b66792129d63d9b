"""Rows of Arrow columns to raw records, for Parquet and Arrow alike.

In: a record batch with a text column and, where there are, columns of ids and URLs. Out: the same rows in the same order, in a `Batcher`:
documents with their row number as offset; `empty_text` for nulls and white space; rows whose text is not UTF-8 are broken.
No Python object is made per row where a column is what it should be.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from manifests.corpus import Source
from manifests.errors import GristmillError
from pipeline.readers.records import RAW, Batcher

# Row numbers above this are no counts but damage; int64 offsets hold their sum.
MOST_ROWS = 1 << 40
MOST_BATCH_ROWS = 4_096


def wanted_columns(schema: pa.Schema, *, name: str, source: Source) -> list[str]:
    """The columns that are read: text, and id and URL where there are.

    Raises:
        GristmillError: there is no column of the source's `text_field`, or it does not hold text.
    """
    remedy = f"set `text_field` of source `{source.name}`"
    if source.text_field not in schema.names:
        raise GristmillError(f"has no column `{source.text_field}`; columns: {', '.join(schema.names)}", where=name, remedy=remedy)
    columns = list(dict.fromkeys((source.text_field, source.id_field, source.url_field)))
    twice = [column for column in columns if schema.names.count(column) > 1]
    if twice:
        raise GristmillError(f"has several columns `{twice[0]}`", where=name, remedy="rename one of them")
    kind = schema.field(source.text_field).type
    if not is_text(kind):
        raise GristmillError(f"column `{source.text_field}` holds {kind}, not text", where=name, remedy=remedy)
    return [column for column in columns if column in schema.names]


def is_text(kind: pa.DataType) -> bool:
    """True for strings and bytes, also as a dictionary."""
    types = pa.types
    if types.is_dictionary(kind):
        kind = kind.value_type
    plain = types.is_string(kind) or types.is_large_string(kind) or types.is_binary(kind) or types.is_large_binary(kind)
    return bool(plain or types.is_string_view(kind) or types.is_binary_view(kind))


def add_rows(batcher: Batcher, batch: pa.RecordBatch, *, first: int, source: Source) -> None:
    """Add the rows of one batch, whose first one has the number `first` in the file."""
    data = _bytes(batch.column(source.text_field))
    names, urls = _strings(batch, source.id_field), _strings(batch, source.url_field)
    try:
        texts = data.cast(pa.large_string())  # checks that it is UTF-8; Arrow does not check that a string is
        readable = np.ones(len(data), bool)
    except pa.ArrowInvalid:
        texts, readable = _checked(batcher, data, names, first)
    keep = _filled(texts)
    batcher.skip("empty_text", int(np.count_nonzero(readable & ~keep)))
    if not keep.any():
        return
    rows = pa.RecordBatch.from_arrays([pa.array(first + np.arange(len(data)), pa.int64()), names, urls, texts], names=RAW.names)
    rows = rows if keep.all() else rows.filter(pa.array(keep))
    batcher.add_batch(pa.RecordBatch.from_arrays(rows.columns, schema=RAW))


def _checked(batcher: Batcher, data: pa.Array, names: pa.Array, first: int) -> tuple[pa.Array, np.ndarray]:
    """Texts row by row; what is not UTF-8 is quarantined and null."""
    texts: list[str | None] = []
    readable = np.ones(len(data), bool)
    for row, value in enumerate(data.to_pylist()):
        try:
            texts.append(None if value is None else value.decode("utf-8"))
        except UnicodeDecodeError as error:
            problem = f"invalid UTF-8: {error.reason} at byte {error.start} of the text"
            batcher.quarantine(first + row, names[row].as_py(), problem, value)
            texts.append(None)
            readable[row] = False
    return pa.array(texts, pa.large_string()), readable


def _filled(texts: pa.Array) -> np.ndarray:
    """bool[rows]: True where a text holds more than white space, by Python's meaning of it."""
    if not len(texts):
        return np.zeros(0, bool)
    _, offsets, data = texts.buffers()
    bounds = np.frombuffer(offsets, np.int64, count=texts.offset + len(texts) + 1)[texts.offset :]
    data = np.frombuffer(data or b"", np.uint8)
    starts, filled = bounds[:-1], np.asarray(texts.is_valid()) & (bounds[1:] > bounds[:-1])
    # White space begins with one of these bytes: only such texts are looked at one by one.
    suspect = np.zeros(256, bool)
    suspect[[*range(0x09, 0x0E), *range(0x1C, 0x21), 0xC2, 0xE1, 0xE2, 0xE3]] = True
    for row in np.flatnonzero(filled)[suspect[data[starts[filled]]]]:
        filled[row] = not texts[int(row)].as_py().isspace()
    return filled


def _bytes(column: pa.Array) -> pa.Array:
    """Values as bytes: one that is not UTF-8 must not cost the batch."""
    if pa.types.is_dictionary(column.type):
        kind = column.dictionary.type
        binary = pa.large_binary() if pa.types.is_large_string(kind) or pa.types.is_large_binary(kind) else pa.binary()
        column = pa.DictionaryArray.from_arrays(column.indices, column.dictionary.cast(binary)).dictionary_decode()
    return column.cast(pa.large_binary())


def _strings(batch: pa.RecordBatch, name: str) -> pa.Array:
    """A column that may be absent or of any type, as strings."""
    if name not in batch.schema.names:
        return pa.nulls(batch.num_rows, pa.string())
    column = batch.column(name)
    if pa.types.is_integer(column.type):
        return column.cast(pa.string())
    if not is_text(column.type):
        values: list[Any] = column.to_pylist()
        return pa.array([None if value is None else str(value) for value in values], pa.string())
    data = _bytes(column)
    try:
        return data.cast(pa.string())
    except pa.ArrowInvalid:
        return pa.array([None if value is None else value.decode("utf-8", "replace") for value in data.to_pylist()], pa.string())
