"""Rows of Arrow columns to raw records, for Parquet and Arrow alike.

In: a record batch with a text column and, where they exist, columns of ids and URLs. Out: the same rows in the same
order, in a `Batcher`: documents with their row number as offset; `empty_text` for nulls and white space; rows whose
text is not UTF-8, or has more than `MOST_TEXT_BYTES`, or whose id has more than `MOST_NAME_BYTES`, are broken. No
Python object is made per row where a column is what it should be.

A field's name is a column; where there is no such column, the part before a dot names a struct that holds it
(`meta.url`).
"""

from __future__ import annotations

import json

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from manifests.corpus import Source
from manifests.errors import GristmillError
from manifests.step import Problem
from pipeline.readers.records import BATCH_TEXT_BYTES, EXCERPT_BYTES, MOST_NAME_BYTES, RAW, Batcher

# Row numbers above this are damage, not counts; int64 offsets hold their sum.
MOST_ROWS = 1 << 40
MOST_BATCH_ROWS = 4_096
# The same as for a plain text and for a line of JSON.
MOST_TEXT_BYTES = 64 << 20
# What Arrow raises on damage; a length that is damaged may be more than there is memory.
DAMAGE = (pa.ArrowException, OSError, MemoryError, ValueError, OverflowError)


def wanted_columns(schema: pa.Schema, *, name: str, source: Source) -> list[str]:
    """The fields that are read: text, and id and URL where they exist.

    Raises:
        GristmillError: there is no field of the source's `text_field`, or it does not hold text; or the manifest gives
            a name other than the default for ids or URLs, and there is no such field.
    """
    columns = list(dict.fromkeys((source.text_field, source.id_field, source.url_field)))
    twice = [column for column in columns if schema.names.count(top_column(schema, column)) > 1]
    if twice:
        raise GristmillError(
            f"has several columns `{top_column(schema, twice[0])}`", where=name, remedy="rename one of them"
        )
    kinds = {column: _kind_of(schema, column) for column in columns}
    for setting, default in (("text_field", None), ("id_field", "id"), ("url_field", "url")):
        column = getattr(source, setting)
        if kinds[column] is None and column != default:
            problem = f"has no column `{column}`; columns: {', '.join(schema.names)}"
            raise GristmillError(problem, where=name, remedy=f"set `{setting}` of source `{source.name}`")
    kind = kinds[source.text_field]
    if not is_text(kind) and not pa.types.is_null(kind):
        problem = f"column `{source.text_field}` holds {kind}, not text"
        raise GristmillError(problem, where=name, remedy=f"set `text_field` of source `{source.name}`")
    return [column for column in columns if kinds[column] is not None]


def top_column(schema: pa.Schema, field: str) -> str:
    """The column that a field is, or is in."""
    return field if field in schema.names else field.split(".", 1)[0]


def _kind_of(schema: pa.Schema, field: str) -> pa.DataType | None:
    """The type of a field; None when there is none."""
    column = top_column(schema, field)
    if column not in schema.names:
        return None
    kind = schema.field(column).type
    for name in field[len(column) + 1 :].split(".") if column != field else ():
        if not pa.types.is_struct(kind) or kind.get_field_index(name) < 0:
            return None
        kind = kind.field(name).type
    return kind


def fields_of(batch: pa.RecordBatch, columns: list[str]) -> pa.RecordBatch:
    """The fields that `wanted_columns` names, as columns of these names; null where the struct around them is null."""
    arrays = []
    for field in columns:
        column = top_column(batch.schema, field)
        array = batch.column(column)
        arrays.append(array if column == field else pc.struct_field(array, field[len(column) + 1 :].split(".")))
    return pa.RecordBatch.from_arrays(arrays, names=columns)


def is_text(kind: pa.DataType) -> bool:
    """True for strings and bytes, also as a dictionary."""
    types = pa.types
    if types.is_dictionary(kind):
        kind = kind.value_type
    plain = types.is_string(kind) or types.is_large_string(kind) or types.is_binary(kind) or types.is_large_binary(kind)
    return bool(plain or types.is_string_view(kind) or types.is_binary_view(kind))


def portions(column: pa.Array) -> list[tuple[int, int]]:
    """(first, stop) of portions of rows, each of at most about one batch of text and `MOST_BATCH_ROWS`, or of one row.

    A dictionary's value counts once for each row that has it: the portion's text is decoded.
    """
    ends = np.cumsum(_lengths(column))
    bounds: list[tuple[int, int]] = []
    first, before = 0, 0
    while first < len(ends):
        stop = int(np.searchsorted(ends, before + BATCH_TEXT_BYTES, side="right"))
        stop = max(first + 1, min(stop, first + MOST_BATCH_ROWS))
        bounds.append((first, stop))
        first, before = stop, int(ends[stop - 1])
    return bounds


def _lengths(column: pa.Array) -> np.ndarray:
    """Bytes of each text, int64[rows]; 0 for null."""
    if pa.types.is_dictionary(column.type):
        lengths = pa.array(_lengths(column.dictionary)).take(column.indices)
    elif pa.types.is_null(column.type):
        return np.zeros(len(column), np.int64)
    else:
        lengths = pc.binary_length(column.cast(pa.large_binary()))
    return np.asarray(pc.fill_null(lengths, 0).to_numpy(zero_copy_only=False), np.int64)


def add_rows(batcher: Batcher, batch: pa.RecordBatch, *, first: int, source: Source) -> None:
    """Add the rows of one batch, whose first one has the number `first` in the file."""
    data = _bytes(batch.column(source.text_field))
    large = _lengths(data) > MOST_TEXT_BYTES
    names, long = _strings(batch, source.id_field, only_text=False)
    urls, _ = _strings(batch, source.url_field, only_text=True)
    for row in np.flatnonzero(large | long).tolist():
        value = data[row].as_buffer() if data[row].is_valid else pa.py_buffer(b"")
        too_large = Problem("text too large", f"{value.size} bytes, at most {MOST_TEXT_BYTES} are read")
        problem = too_large if large[row] else Problem("id too large", f"at most {MOST_NAME_BYTES} bytes are read")
        batcher.quarantine(
            first + row, names[row].as_py(), problem, value.slice(0, min(value.size, EXCERPT_BYTES)).to_pybytes()
        )
    large |= long
    if large.any():
        data = pc.if_else(pa.array(large), pa.scalar(None, pa.large_binary()), data)
    try:
        texts = data.cast(pa.large_string())  # checks that it is UTF-8; Arrow does not check that a string is
        readable = np.ones(len(data), bool)
    except pa.ArrowInvalid:
        texts, readable = _checked(batcher, data, names, first)
    readable &= ~large
    keep = _filled(texts)
    batcher.skip("empty_text", int(np.count_nonzero(readable & ~keep)))
    if not keep.any():
        return
    rows = pa.RecordBatch.from_arrays(
        [pa.array(first + np.arange(len(data)), pa.int64()), names, urls, texts], names=RAW.names
    )
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
            problem = Problem("invalid UTF-8", f"{error.reason} at byte {error.start} of the text")
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


def _strings(batch: pa.RecordBatch, name: str, *, only_text: bool) -> tuple[pa.Array, np.ndarray]:
    """A column that may be absent or of any type as strings, and which of them were too long; null where they are too
    long, and where only text is wanted and the column is not text.
    """
    none = np.zeros(batch.num_rows, bool)
    if name not in batch.schema.names or (only_text and not is_text(batch.schema.field(name).type)):
        return pa.nulls(batch.num_rows, pa.string()), none
    column = batch.column(name)
    if pa.types.is_integer(column.type):
        return column.cast(pa.string()), none
    if not is_text(column.type):
        column = pa.array(_written(column), pa.large_string())
    data = _bytes(column)
    long = _lengths(data) > MOST_NAME_BYTES
    if long.any():
        data = pc.if_else(pa.array(long), pa.scalar(None, pa.large_binary()), data)
    try:
        return data.cast(pa.string()), long
    except pa.ArrowInvalid:
        return pa.array(
            [None if value is None else value.decode("utf-8", "replace") for value in data.to_pylist()], pa.string()
        ), long


def _written(column: pa.Array) -> list[str | None]:
    """Values that are not text: structs and lists as JSON.

    Those that Python has no value for are written by Arrow, or left out.
    """
    try:
        return [_as_text(value) for value in column.to_pylist()]
    except Exception:
        return [_one_written(column, row) for row in range(len(column))]


def _one_written(column: pa.Array, row: int) -> str | None:
    try:
        return _as_text(column[row].as_py())
    except Exception:
        pass
    try:
        return str(column.slice(row, 1).cast(pa.string())[0].as_py())
    except Exception:
        return None


def _as_text(value: object) -> str | None:
    if value is None:
        return None
    text = json.dumps(value, ensure_ascii=False, default=str) if isinstance(value, dict | list) else str(value)
    text.encode()  # half of a surrogate pair is not text
    return text


def message(error: BaseException) -> str:
    """The first line of what Arrow says of damage, without the addresses and stack that it appends."""
    return str(error).split("\n", 1)[0][:200]
