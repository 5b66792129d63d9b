"""Raw files to batches of records, one reader per format. Every raw record is exactly one of document, broken, or
skipped.

A reader is a function of a path that `manifests.corpus.FORMATS` names. It gives batches of about 4 MB of text in the
order of the file, and takes what it needs of these keywords:

    name        the file's name in errors
    source      gives the fields of tables
    piece       the part of the file to read, one of `pipeline.readers.pieces.split`; None: all of it
    extraction  how the text of an HTML page is found
    draw        for formats that hold HTML pages: records that it leaves out are skipped before their text is made
"""

from __future__ import annotations

from collections.abc import Iterator
from inspect import signature
from pkgutil import resolve_name

from manifests.corpus import FORMATS, Source
from pipeline.readers.pieces import Piece
from pipeline.readers.records import Draw, Records


def read_records(
    path: str, *, name: str, source: Source, piece: Piece | None = None, draw: Draw | None = None
) -> Iterator[Records]:
    """Batches of one raw file, in the order of the file; memory does not grow with the file.

    Args:
        path: what to open; the others as above.

    Raises:
        GristmillError: the file is missing, or (Parquet, Arrow) has no text column.
    """
    format = FORMATS[source.format]
    if format.pieces is None and piece is not None and piece.index:
        return  # all of the file belongs to its first piece
    # Imported here: a worker loads only what its files need.
    reader = resolve_name(f"{__name__}.{format.reader}")
    offered = {
        "name": name,
        "source": source,
        "piece": piece,
        "extraction": source.extraction or "resiliparse",
        "draw": draw,
    }
    yield from reader(
        path, **{keyword: value for keyword, value in offered.items() if keyword in signature(reader).parameters}
    )
