"""Parquet. A record is a row; its offset is its number in the file. Rows without text are skipped as `empty_text`.

A damaged stretch of rows is one broken entry that names the rows; reading goes on at the next row group.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from manifests.corpus import Source
from manifests.errors import GristmillError
from manifests.storage import map_file
from pipeline.readers.records import BATCH_TEXT_BYTES, Batcher, Record, Records

_MOST_BATCH_ROWS = 4_096


def read_parquet(path: str, *, name: str, source: Source) -> Iterator[Records]:
    """Batches of one file, in its order.

    Args:
        name: the file's name in errors.

    Raises:
        GristmillError: the file is missing, there is no column of the source's `text_field`, or it does not hold text.
    """
    batcher = Batcher()
    with map_file(path) as file:
        if file.size() == 0:
            batcher.quarantine(0, None, "empty file: it holds no row", b"")
            yield batcher.take()
            return
        try:
            opened = pq.ParquetFile(file)
            columns = _columns(opened.schema_arrow, name=name, source=source)
            groups = [opened.metadata.row_group(index).num_rows for index in range(opened.num_row_groups)]
        except (pa.ArrowException, OSError) as error:
            batcher.quarantine(0, None, f"damaged Parquet: the file cannot be opened ({_message(error)})", b"")
            yield batcher.take()
            return
        first = 0
        for index, rows in enumerate(groups):
            yield from _row_group(opened, index, batcher, first=first, rows=rows, columns=columns, source=source)
            first += rows
    yield batcher.take()


def _row_group(
    opened: Any, index: int, batcher: Batcher, *, first: int, rows: int, columns: list[str], source: Source
) -> Iterator[Records]:
    done = 0
    problem = None
    try:
        for batch in opened.iter_batches(batch_size=_batch_rows(opened, index, source), row_groups=[index], columns=columns):
            _rows(batcher, batch, first + done, source)
            done += batch.num_rows
            yield from batcher.full()
    except (pa.ArrowException, OSError) as error:
        problem = _message(error)
    if done < rows:
        which = f"rows {first + done} to {first + rows - 1} cannot be read"
        batcher.quarantine(first + done, None, f"damaged Parquet: {which} ({problem or 'they are not there'})", b"")


def _batch_rows(opened: Any, index: int, source: Source) -> int:
    """Rows that give about one batch of text: a row may be a word or a book."""
    group = opened.metadata.row_group(index)
    for number in range(group.num_columns):
        column = group.column(number)
        if column.path_in_schema == source.text_field:
            mean = max(1, int(column.total_uncompressed_size) // max(1, int(group.num_rows)))
            return max(1, min(_MOST_BATCH_ROWS, BATCH_TEXT_BYTES // mean))
    return 1


def _columns(schema: pa.Schema, *, name: str, source: Source) -> list[str]:
    remedy = f"set `text_field` of source `{source.name}`"
    if source.text_field not in schema.names:
        raise GristmillError(f"has no column `{source.text_field}`; columns: {', '.join(schema.names)}", where=name, remedy=remedy)
    kind = schema.field(source.text_field).type
    if not _is_text(kind.value_type if pa.types.is_dictionary(kind) else kind):
        raise GristmillError(f"column `{source.text_field}` holds {kind}, not text", where=name, remedy=remedy)
    return [column for column in dict.fromkeys((source.text_field, source.id_field, source.url_field)) if column in schema.names]


def _is_text(kind: pa.DataType) -> bool:
    types = pa.types
    return bool(types.is_string(kind) or types.is_large_string(kind) or types.is_binary(kind) or types.is_large_binary(kind))


def _rows(batcher: Batcher, batch: pa.RecordBatch, first: int, source: Source) -> None:
    texts = _bytes(batch.column(source.text_field))
    names, urls = _strings(batch, source.id_field), _strings(batch, source.url_field)
    for index, data in enumerate(texts):
        if data is None:
            batcher.skip("empty_text")
            continue
        try:
            text = data.decode("utf-8")
        except UnicodeDecodeError as error:
            batcher.quarantine(first + index, names[index], f"invalid UTF-8: {error.reason} at byte {error.start} of the text", data)
            continue
        batcher.add(Record(first + index, names[index], urls[index], text))


def _bytes(column: pa.Array) -> list[bytes | None]:
    """Values as bytes: Arrow does not check that a Parquet string is UTF-8, and one bad value must not cost the batch."""
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    values: list[bytes | None] = column.cast(pa.large_binary()).to_pylist()
    return values


def _strings(batch: pa.RecordBatch, name: str) -> list[str | None]:
    """Values of a column that may be absent or of any type."""
    if name not in batch.schema.names:
        return [None] * batch.num_rows
    column = batch.column(name)
    if _is_text(column.type):
        return [None if value is None else value.decode("utf-8", "replace") for value in _bytes(column)]
    return [None if value is None else str(value) for value in column.to_pylist()]


def _message(error: Exception) -> str:
    """The first line, without the addresses and stack that Arrow appends."""
    return str(error).split("\n", 1)[0][:200]
