"""`import data-prep-kit`: the tokens that IBM's data-prep-kit writes as inputs of `shards.import_tokens`.

In: a folder that its transform `tokenization2arrow` wrote, or single files of it. Out: `TokenFile`s. Its layout (June
2026, dpk_tokenization2arrow/transform.py):

    NAME.arrow              Arrow IPC file, one column `tokens: uint32`, one record batch per document
    meta/NAME.docs          a line of text about the file; not read
    meta/NAME.docs.ids      a line per document: `document_id, token_count`

`meta` is the folder of that name beside the file, or, for a file in a folder below the given one, `meta` there with the
same folders in it. The ids become `record_name`; `file` is the path of the .arrow below the given folder, and `record`
the number of the document in it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from manifests.errors import GristmillError
from shards.import_tokens import DAMAGE, Documents, TokenFile
from storage.files import exists, file_size, join, list_files, open_input, read_bytes

_TOKENS = 4 << 20
_DOCUMENTS = 1 << 14
_SUFFIX = ".arrow"
MEND = "run data-prep-kit again for this file, or restore it"


def data_prep_kit_files(places: Sequence[str], buckets: Sequence[str]) -> tuple[list[TokenFile], list[str]]:
    """Find data-prep-kit's files, and check that each is whole.

    Args:
        places: folders, or files of them.
        buckets: one per place.

    Returns:
        The files, and a note for each that has no list of ids.

    Raises:
        GristmillError: a place holds no such file, or a file is damaged.
    """
    files, notes = [], []
    for place, bucket in zip(places, buckets, strict=True):
        folder, names = _names(place)
        for name in names:
            path = join(folder, name)
            documents = _check(path)
            ids = _ids_path(folder, name)
            if ids is None:
                notes.append(f"{path} has no list of ids (meta/….docs.ids): its documents have no names")
            else:
                _read_ids(ids, documents)
            files.append(
                TokenFile(
                    bucket=bucket,
                    name=name,
                    paths={name: path, **({} if ids is None else {f"{name}: ids": ids})},
                    tokens=file_size(path) // 4,
                    read=partial(_read, path, ids),
                )
            )
    return files, notes


def _names(place: str) -> tuple[str, list[str]]:
    if place.endswith(_SUFFIX):
        folder, _, name = place.rpartition("/")
        return folder or ".", [name]
    names = [name for name in list_files(place, "**/*" + _SUFFIX) if "meta" not in name.split("/")[:-1]]
    if not names:
        raise GristmillError("holds no .arrow files", where=place, remedy="name a folder that data-prep-kit wrote")
    return place, names


def _ids_path(folder: str, name: str) -> str | None:
    base = name.removesuffix(_SUFFIX) + ".docs.ids"
    above, _, last = base.rpartition("/")
    beside = join(folder, above, "meta", last) if above else join(folder, "meta", last)
    return next((path for path in (beside, join(folder, "meta", base)) if exists(path)), None)


def _check(path: str) -> int:
    """The number of documents of a file."""
    try:
        with open_input(path) as file:
            reader = pa.ipc.open_file(file)
            count, schema, names = reader.num_record_batches, reader.schema, reader.schema.names
    except DAMAGE as error:
        raise GristmillError(f"is not a whole Arrow IPC file: {error}", where=path, remedy=MEND) from None
    if names != ["tokens"] or not pa.types.is_integer(schema.field(0).type):
        raise GristmillError(
            f"has the columns {', '.join(f'{field.name}: {field.type}' for field in schema)} instead of tokens: uint32",
            where=path,
            remedy="name files that data-prep-kit's tokenization2arrow wrote",
        )
    return int(count)


def _read_ids(path: str, documents: int) -> tuple[list[str], npt.NDArray[np.int64]]:
    """Ids and token counts of a file's documents; an id may hold commas, a count does not."""
    names, counts = [], []
    try:
        lines = read_bytes(path).decode().splitlines()
    except UnicodeDecodeError:
        raise GristmillError("is not text", where=path, remedy=MEND) from None
    for number, line in enumerate(lines, 1):
        name, _, count = line.rpartition(",")
        if not count.strip().isdecimal():
            raise GristmillError("is not `document_id, token_count`", where=f"{path}, line {number:,}", remedy=MEND)
        names.append(name.strip())
        counts.append(int(count))
    if len(names) != documents:
        raise GristmillError(f"lists {len(names):,} documents, its file has {documents:,}", where=path, remedy=MEND)
    return names, np.array(counts, np.int64)


def _read(path: str, ids: str | None) -> Iterator[Documents]:
    with open_input(path) as file:
        reader = pa.ipc.open_file(file)
        documents = reader.num_record_batches
        names, counts = (None, None) if ids is None else _read_ids(ids, documents)
        held: list[npt.NDArray[np.unsignedinteger]] = []
        first = tokens = 0
        for number in range(documents):
            held.append(_document(reader, path, number))
            tokens += len(held[-1])
            if counts is not None and len(held[-1]) != counts[number]:
                raise GristmillError(
                    f"has {len(held[-1]):,} tokens, {ids} says {counts[number]:,}",
                    where=f"{path}, document {number:,}",
                    remedy=MEND,
                )
            if tokens >= _TOKENS or len(held) >= _DOCUMENTS or number == documents - 1:
                known = None if names is None else pa.table({"record_name": pa.array(names[first : number + 1])})
                yield Documents(np.concatenate(held), np.array([len(some) for some in held], np.int64), known)
                held, first, tokens = [], number + 1, 0


def _document(reader: pa.ipc.RecordBatchFileReader, path: str, number: int) -> npt.NDArray[np.unsignedinteger]:
    try:
        column = reader.get_batch(number).column(0)
        column.validate(full=True)
    except DAMAGE as error:
        raise GristmillError(f"cannot be read: {error}", where=f"{path}, document {number:,}", remedy=MEND) from None
    if column.null_count:
        raise GristmillError("has tokens that are null", where=f"{path}, document {number:,}", remedy=MEND)
    tokens: npt.NDArray[np.unsignedinteger] = column.to_numpy(zero_copy_only=False)
    return tokens
