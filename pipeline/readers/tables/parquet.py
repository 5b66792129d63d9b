"""Parquet. A record is a row; its offset is its number in the file. Rows without text are skipped as `empty_text`.

A damaged stretch of rows is one broken entry that names the rows; reading goes on at the next row group. A row group
belongs to the piece in which it would begin if the file held nothing but its groups, in their order and in proportion
to their sizes. Where its columns really begin is not used: Arrow's C++ exceptions about a damaged column end the
process when they come from its Python metadata.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pyarrow.parquet as pq

from manifests.corpus import Source
from manifests.step import Problem
from pipeline.readers.pieces import Piece, whole
from pipeline.readers.records import BATCH_TEXT_BYTES, Batcher, Records
from pipeline.readers.tables.columns import (
    DAMAGE,
    MOST_BATCH_ROWS,
    MOST_ROWS,
    add_rows,
    fields_of,
    message,
    portions,
    wanted_columns,
)
from pipeline.readers.tables.parquet_layout import bytes_before
from storage.files import open_input


@dataclass(frozen=True)
class _Group:
    index: int
    first: int
    rows: int
    size: int  # of its columns, not compressed
    place: int  # in the file


def read_parquet(path: str, *, name: str, source: Source, piece: Piece | None = None) -> Iterator[Records]:
    """Batches of one file or of a piece of it, in its order.

    Args:
        name: the file's name in errors.

    Raises:
        GristmillError: the file is missing, there is no column of the source's `text_field`, or it does not hold text.
    """
    batcher = Batcher()
    with open_input(path) as file:
        size = file.size()
        piece = piece or whole(size)
        before = bytes_before(file, size)
        file.seek(0)
        if size == 0:
            batcher.quarantine(0, None, Problem("empty file", "it holds no row"), b"")
        elif before:
            if not piece.index:
                problem = (
                    f"{before} bytes stand before the file that the footer describes (files put together?): no row can"
                    " be read"
                )
                batcher.quarantine(0, None, Problem("damaged Parquet", problem), b"")
        else:
            try:
                opened = pq.ParquetFile(file, page_checksum_verification=True)
                schema, groups = opened.schema_arrow, _groups(opened.metadata, size)
                schema.names  # noqa: B018  # may be no UTF-8
            except DAMAGE as error:
                if not piece.index:
                    batcher.quarantine(
                        0, None, Problem("damaged Parquet", f"the file cannot be opened ({message(error)})"), b""
                    )
                groups = []
            if groups:
                columns = wanted_columns(schema, name=name, source=source)
                for group in groups:
                    if piece.start <= group.place < piece.stop:
                        yield from _read_group(opened, group, batcher, columns=columns, source=source)
    yield batcher.take()


def _groups(metadata: Any, size: int) -> list[_Group]:
    """The row groups of a file of `size` bytes."""
    counted: list[tuple[int, int]] = []
    for index in range(metadata.num_row_groups):
        group = metadata.row_group(index)
        if not 0 <= group.num_rows <= MOST_ROWS or not 0 <= group.total_byte_size <= MOST_ROWS:
            raise ValueError(f"row group {index} has {group.num_rows} rows in {group.total_byte_size} bytes")
        counted.append((int(group.num_rows), int(group.total_byte_size)))
    groups: list[_Group] = []
    total, first, before = max(1, sum(own for _, own in counted)), 0, 0
    for index, (rows, own) in enumerate(counted):
        groups.append(_Group(index, first, rows, own, min(size - 1, before * size // total)))
        first, before = first + rows, before + own
    return groups


def _read_group(
    opened: Any, group: _Group, batcher: Batcher, *, columns: list[str], source: Source
) -> Iterator[Records]:
    done = 0
    problem = None
    try:
        for batch in opened.iter_batches(batch_size=_batch_rows(group), row_groups=[group.index], columns=columns):
            batch = batch.slice(0, group.rows - done)
            for column in batch.columns:
                column.validate()
            rows = fields_of(batch, columns)
            for begin, stop in portions(rows.column(source.text_field)):
                add_rows(batcher, rows.slice(begin, stop - begin), first=group.first + done, source=source)
                done += stop - begin
                yield from batcher.full()
    except DAMAGE as error:
        problem = message(error)
    if done < group.rows:
        which = f"rows {group.first + done} to {group.first + group.rows - 1} cannot be read"
        batcher.quarantine(
            group.first + done, None, Problem("damaged Parquet", f"{which} ({problem or 'they are not there'})"), b""
        )


def _batch_rows(group: _Group) -> int:
    """Rows that give at most about one batch of text: a row may be a word or a book."""
    return max(1, min(MOST_BATCH_ROWS, BATCH_TEXT_BYTES // max(1, group.size // max(1, group.rows))))
