"""A prepared folder as reports on duplicates read it: its parts by number, its documents by row id or by what they are
called.

In: the folder that `gristmill prep` or `decide` wrote. Out: row ids (`pipeline.parts`), and `Document`s, which say
where a document is from. Files are read part by part: of documents ids, URLs and names, of texts only those asked for.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import ValidationError

from kernels.arrays import Uint64s
from manifests.errors import GristmillError
from manifests.step import StepManifest
from pipeline.decide.settings import DecideSettings
from pipeline.folders import DECIDE, EXTRACT, DecideKind, ExtractKind, part_file
from pipeline.parts import part_names, row_id, split_row_ids
from pipeline.schemas import DOCUMENT_ID, ipc_metadata, iterate_ipc, read_ipc
from storage.files import join
from storage.steps import require_step

_ID = re.compile(r"[0-9a-fA-F]{32}")
_RECORD = re.compile(r"(.+):(\d{1,18})", re.DOTALL)


@dataclass(frozen=True)
class Document:
    """A document, and where it is from.

    Attributes:
        id: in hexadecimal.
        name: the record's own.
        file: the raw file, relative to the source's root.
        record: where in that file.
    """

    id: str
    url: str | None
    name: str | None
    source: str
    file: str
    record: int

    @property
    def place(self) -> str:
        """`source/file:record`, by which it is found again."""
        return f"{self.source}/{self.file}:{self.record}"

    @property
    def called(self) -> str:
        """What people know it by: its URL, else its name, else its place."""
        return self.url or self.name or self.place


@dataclass(frozen=True)
class PreparedFolder:
    """A folder that is extracted and decided.

    Attributes:
        parts: names, in the order of their numbers.
        settings: of decide.
    """

    out: str
    parts: tuple[str, ...]
    decided: StepManifest
    settings: DecideSettings

    def extracted_file(self, kind: ExtractKind, number: int) -> str:
        """A file of the part with this number."""
        return join(self.out, EXTRACT, part_file(kind, self.parts[number]))

    def decided_file(self, kind: DecideKind, number: int) -> str:
        """A file of the part with this number."""
        return join(self.out, DECIDE, part_file(kind, self.parts[number]))


def open_prepared(out: str) -> PreparedFolder:
    """The parts and decisions in a folder.

    Raises:
        GristmillError: extract or decide is not complete, a file of theirs is not whole, or decide belongs to another
            extract or another version.
    """
    again = "run `gristmill decide` again"
    decided = require_step(join(out, DECIDE), command="gristmill decide")
    extracted = require_step(join(out, EXTRACT), command="gristmill extract")
    if decided.inputs[EXTRACT] != extracted.digest:
        raise GristmillError("the decisions belong to another extract", where=join(out, DECIDE), remedy=again)
    try:
        settings = DecideSettings.model_validate(decided.settings)
    except ValidationError:
        raise GristmillError(
            "was decided by another version of Gristmill", where=join(out, DECIDE), remedy=again
        ) from None
    return PreparedFolder(out, tuple(part_names(extracted)), decided, settings)


def numbers_of(prepared: PreparedFolder, source: str | None) -> list[int]:
    """The numbers of the parts of a source, or of all.

    Raises:
        GristmillError: the folder has no such source.
    """
    if source is not None and source not in prepared.settings.sources:
        raise GristmillError(
            f"has no source `{source}`",
            where=prepared.out,
            remedy=f"name one of {', '.join(sorted(prepared.settings.sources))}",
        )
    return [number for number, name in enumerate(prepared.parts) if source is None or name.partition("/")[0] == source]


def find_rows(prepared: PreparedFolder, called: str, *, source: str | None = None) -> list[int]:
    """The row ids of the documents that are called so, ascending.

    Args:
        called: an id in hexadecimal, a URL, a record's name, or `source/file:record`.
        source: look only there.

    Raises:
        GristmillError: none is, or the folder has no such source.
    """
    found = []
    for number in numbers_of(prepared, source):
        path = prepared.extracted_file("documents", number)
        table = read_ipc(path, columns=["id", "url", "name", "record"])
        matching = pc.or_(*(pc.equal(table[name], called).fill_null(False) for name in ("url", "name")))
        if _ID.fullmatch(called):
            identity = pa.scalar(bytes.fromhex(called), DOCUMENT_ID)
            matching = pc.or_(matching, pc.equal(table["id"], identity))
        if (record := _RECORD.fullmatch(called)) and record[1] == _file_of(path):
            matching = pc.or_(matching, pc.equal(table["record"], int(record[2])))
        found += [row_id(number, row) for row in np.flatnonzero(matching.to_numpy()).tolist()]
    if not found:
        raise GristmillError(
            f"no document is called `{called}`" + (f" in source `{source}`" if source else ""),
            where=prepared.out,
            remedy="give an id of 32 hexadecimal digits, a URL, a record's name, or source/file:record",
        )
    return found


def _file_of(path: str) -> str:
    metadata = ipc_metadata(path)
    return f"{metadata['source']}/{metadata['file']}"


def documents_at(prepared: PreparedFolder, rows: Iterable[int]) -> dict[int, Document]:
    """The documents with these row ids."""
    wanted = np.unique(np.fromiter(rows, np.uint64))
    found: dict[int, Document] = {}
    for number, within in rows_by_part(wanted):
        path = prepared.extracted_file("documents", number)
        table = read_ipc(path, columns=["id", "url", "name", "record"]).take(pa.array(within))
        for row, document in zip(within, documents_in(table, ipc_metadata(path)), strict=True):
            found[row_id(number, row)] = document
    return found


def documents_in(table: pa.Table, metadata: dict[str, str]) -> Iterator[Document]:
    """The rows of a table with the columns of documents, whose file has this metadata."""
    source, file = metadata["source"], metadata["file"]
    columns = (table[name].to_pylist() for name in ("id", "url", "name", "record"))
    for identity, url, name, record in zip(*columns, strict=True):
        yield Document(identity.hex(), url, name, source, file, record)


def rows_by_part(rows: Uint64s) -> Iterator[tuple[int, list[int]]]:
    """The number of each part that holds some of these row ids, uint64[n], with the rows in it."""
    numbers, within = split_row_ids(rows)
    for number in np.unique(numbers).tolist():
        yield number, within[numbers == number].tolist()


def text_at(prepared: PreparedFolder, row: int) -> str:
    """The text of one document; one record batch of its part is held at a time."""
    [(number, [within])] = rows_by_part(np.array([row], np.uint64))
    for batch in iterate_ipc(prepared.extracted_file("documents", number)):
        if within < batch.num_rows:
            return str(batch.column("text")[within].as_py())
        within -= batch.num_rows
    raise IndexError(row)
