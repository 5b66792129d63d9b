"""The text of kept documents as later steps read it: without the lines that decide removed.

In: documents and decisions parts, row-aligned. Out: record batches of the kept documents, in the order of the part. If
no lines are removed, texts are exactly the bytes that extract wrote. A document keeps its id, the hash of the text
as extracted.

C4's variants clean a page as TFDS c4_utils.py, `clean_page`, does: kept lines, stripped of white space and citations,
are joined by line feeds; blank lines are removed. The other line rules, and `dedup.lines`, delete the lines that they
remove, each with its line feed, and change nothing else. Both strip white space from the ends of a text.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numba as nb
import numpy as np
import pyarrow as pa

from kernels.arrays import Bytes, Int64s, Integer, Uint32s
from kernels.characters import SPACE, classes
from kernels.compiled import kernel
from kernels.utf8 import code_point, without_space_behind
from manifests.errors import GristmillError
from manifests.filters import FilterSpec
from pipeline.folders import DECIDE, EXTRACT, part_file
from pipeline.parts import Part
from pipeline.schemas import iterate_ipc, read_ipc
from pipeline.text.normalise import text_buffers
from pipeline.text.words.line import copy_without_citations
from storage.files import join


class Cleaning(NamedTuple):
    """Changes to the text besides the removal of lines.

    Attributes:
        citations: remove `[1]`, `[edit]`, `[citation needed]`.
        compact: remove blank lines and white space at the ends of lines.
    """

    citations: bool
    compact: bool


class KeptDocuments(NamedTuple):
    """Kept documents of one batch.

    Attributes:
        documents: schema `pipeline.schemas.DOCUMENTS`, with cleaned texts.
        chosen: bool[rows of the batch], which rows of the part's batch are kept.
        buckets: string[kept], the bucket of each.
        removed_lines: number of removed lines.
        removed_bytes: number of bytes by which the texts shrank.
    """

    documents: pa.RecordBatch
    chosen: np.ndarray
    buckets: pa.Array
    removed_lines: int
    removed_bytes: int


def cleaning_of(filters: Sequence[FilterSpec]) -> Cleaning | None:
    """How a source's filters clean its texts; None if they do not change texts."""
    sections = [section for section in filters if section.looks_at_lines]
    if not sections:
        return None
    citations = any(section.removes_citations() for section in sections)
    return Cleaning(citations=citations, compact=any(section.compact for section in sections))


def kept_documents(part: Part, *, filters: Sequence[FilterSpec], out: str) -> Iterator[KeptDocuments]:
    """The kept documents of one part, batch by batch; batches without kept documents are left out.

    Args:
        filters: the source's filters.
        out: the folder of all steps.

    Raises:
        GristmillError: documents and decisions do not have the same number of rows.
    """
    path = join(out, EXTRACT, part_file("documents", part.name))
    decisions = read_ipc(
        join(out, DECIDE, part_file("decisions", part.name)), columns=["reason", "bucket", "removed_lines"]
    ).combine_chunks()
    reasons = decisions["reason"].to_numpy()
    cleaning = cleaning_of(filters)
    if cleaning is None and decisions["removed_lines"].null_count < len(reasons):
        cleaning = Cleaning(citations=False, compact=False)
    start = 0
    for batch in iterate_ipc(path):
        chosen = reasons[start : start + batch.num_rows] == 0
        removed = decisions["removed_lines"].slice(start, batch.num_rows).filter(pa.array(chosen)).combine_chunks()
        names = decisions["bucket"].slice(start, batch.num_rows).filter(pa.array(chosen)).cast(pa.string())
        buckets = names.combine_chunks()
        start += batch.num_rows
        if not chosen.any():
            continue
        kept = batch.filter(pa.array(chosen))
        if cleaning is None:
            yield KeptDocuments(kept, chosen, buckets, 0, 0)
            continue
        texts = kept.column("text")
        cleaned = clean_texts(texts, removed, cleaning)
        yield KeptDocuments(
            kept.set_column(kept.schema.get_field_index("text"), kept.schema.field("text"), cleaned),
            chosen,
            buckets,
            len(removed.flatten()),
            _text_bytes(texts) - _text_bytes(cleaned),
        )
    if start != part.rows or start != len(reasons):
        raise GristmillError(
            f"{start} documents but {len(reasons)} decisions",
            where=path,
            remedy="delete the decide folder and run again",
        )


def _text_bytes(texts: pa.Array) -> int:
    _, offsets = text_buffers(texts)
    return int(offsets[-1] - offsets[0])


def clean_texts(texts: pa.Array, removed: pa.Array, cleaning: Cleaning) -> pa.Array:
    """Texts without the removed lines, large_string[n].

    Args:
        texts: large_string[n].
        removed: list<uint32>[n], ascending numbers of removed lines, counted among each text's lines with a word; null
            for none.
        cleaning: other changes to make.
    """
    data, offsets = text_buffers(texts)
    lists = removed.combine_chunks() if isinstance(removed, pa.ChunkedArray) else removed
    lengths = np.array(lists.value_lengths().fill_null(0))
    numbers = lists.flatten().to_numpy(zero_copy_only=False)
    bounds = np.concatenate([np.zeros(1, np.int64), np.cumsum(lengths, dtype=np.int64)])
    out = np.empty(int(offsets[-1] - offsets[0]), np.uint8)
    ends = np.zeros(len(texts) + 1, np.int64)
    _clean(data, offsets, numbers, bounds, classes(), cleaning.citations, cleaning.compact, out, ends)
    return pa.LargeStringArray.from_buffers(len(texts), pa.py_buffer(ends), pa.py_buffer(out[: ends[-1]]))


@kernel
def _clean(
    data: Bytes, offsets: Int64s, numbers: Uint32s, bounds: Int64s, table: Bytes, citations: bool, compact: bool,
    out: Bytes, ends: Int64s,
) -> None:  # fmt: skip
    """Fill `out` with the cleaned texts and `ends`, [n + 1], with their bounds. A text never grows."""
    at: Integer = nb.int64(0)
    for document in range(len(offsets) - 1):
        begin = at
        stop = offsets[document + 1]
        following = bounds[document]
        line = written = nb.int64(0)
        start = offsets[document]
        while start <= stop:
            end = start
            while end < stop and data[end] != 10:
                end += 1
            first, last = trim(data, start, end, table)
            dropped = False
            if first == last:
                dropped = compact
            else:
                if following < bounds[document + 1] and numbers[following] == line:
                    dropped = True
                    following += 1
                line += 1
            if not dropped:
                if not compact:
                    first, last = start, end
                if written:
                    out[at] = 10
                    at += 1
                written += 1
                if citations and first < last:
                    at = copy_without_citations(data, first, last, out, at)
                else:
                    for i in range(first, last):
                        out[at] = data[i]
                        at += 1
            start = end + 1
        first, last = trim(out, begin, at, table)
        if first > begin:
            for i in range(last - first):
                out[begin + i] = out[first + i]
        at = begin + last - first
        ends[document + 1] = at


@kernel
def trim(data: Bytes, start: Integer, end: Integer, table: Bytes) -> tuple[Integer, Integer]:
    """The bounds of a text without white space at its ends; two equal bounds if it has nothing else."""
    while start < end:
        point, width = code_point(data, start)
        if not table[point] & SPACE:
            break
        start += width
    return start, without_space_behind(data, start, end, table)
