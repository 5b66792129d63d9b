"""The documents that went as duplicates, as `decide/dropped` has them, read part by part.

In: a prepared folder. Out: tables of `COPIES`, in the order of parts; and `Copy`s, which say the same of one document.
What is taken from them first, such as the most similar ones, depends on similarity, id, URL, name and record, and on
names and order of files only where all of these are the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import pyarrow as pa
import pyarrow.compute as pc

from pipeline.decide.duplicates.report.prepared import Document, PreparedFolder, numbers_of
from pipeline.schemas import DOCUMENT_ID, ipc_metadata, read_ipc

COPIES = pa.schema(
    [
        pa.field("id", DOCUMENT_ID),
        pa.field("reason", pa.string()),
        pa.field("duplicate_of", DOCUMENT_ID),
        pa.field("duplicate_row", pa.uint64()),
        pa.field("similarity", pa.float32()),
        pa.field("url", pa.string()),
        pa.field("name", pa.string()),
        pa.field("record", pa.int64()),
        pa.field("source", pa.string()),
        pa.field("file", pa.string()),
    ]
)
SortKeys = Sequence[tuple[str, Literal["ascending", "descending"]]]
BY_ID: SortKeys = [(name, "ascending") for name in ("id", "url", "name", "record")]
MOST_SIMILAR_FIRST: SortKeys = [("similarity", "descending"), *BY_ID]
LEAST_SIMILAR_FIRST: SortKeys = [("similarity", "ascending"), *BY_ID]


@dataclass(frozen=True)
class Copy:
    """A document that went as a duplicate.

    Attributes:
        reason: `exact_duplicate` or `near_duplicate`.
        similarity: to the document that stays, as the search measured it.
    """

    document: Document
    reason: str
    similarity: float


def copies_in(prepared: PreparedFolder, source: str | None = None) -> Iterator[pa.Table]:
    """What went for documents of this corpus that stay: `COPIES`, a part at a time; parts without any are left out.

    Args:
        source: only what went from it.

    Raises:
        GristmillError: the folder has no such source.
    """
    for number in numbers_of(prepared, source):
        path = prepared.decided_file("dropped", number)
        table = read_ipc(path)
        table = table.filter(table["duplicate_row"].is_valid())
        if table.num_rows:
            metadata = ipc_metadata(path)
            for name in ("source", "file"):
                table = table.append_column(name, pa.repeat(metadata[name], table.num_rows))
            yield table.select(COPIES.names).cast(COPIES).combine_chunks()


def first_of(table: pa.Table, *, order: SortKeys, most: int) -> pa.Table:
    """The first `most` rows of a table in an order."""
    return table.take(pc.sort_indices(table, sort_keys=list(order))[:most])


def as_copies(table: pa.Table) -> list[Copy]:
    """The rows of a table of `COPIES`."""
    return [
        Copy(
            Document(row["id"].hex(), *(row[name] for name in ("url", "name", "source", "file", "record"))),
            row["reason"],
            row["similarity"],
        )
        for row in table.to_pylist()
    ]
